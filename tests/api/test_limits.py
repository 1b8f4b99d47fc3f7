"""How often anybody may ask."""

import httpx
import pytest
from fastapi import Request

from app.api.auth import Keys
from app.chat.limits import LocalLimits
from tests.api.service import BOT, INTERNAL, Clock, Place, Service, bearer, said


async def spend(service: Service, count: int, key: str, **change: str) -> list[int]:
    sent = [await service.post(said("/help", **change), key) for _ in range(count)]
    return [each.status_code for each in sent]


@pytest.mark.parametrize(
    ("platform", "key", "most"), [("telegram", BOT, 20), ("internal", INTERNAL, 60)]
)
async def test_one_message_more_than_a_minute_allows_is_refused_until_there_is_room(
    place: Place, platform: str, key: str, most: int
) -> None:
    clock = Clock()
    async with place.running(wires={"clock": clock}) as service:
        first = await service.post(said("/help", platform=platform), key)
        clock.now += 12.5
        rest = await spend(service, most - 1, key, platform=platform)

        refused = await service.post(said("/help", platform=platform), key)
        streamed = await service.http.post(
            "/message",
            json=said("/help", platform=platform),
            headers=bearer(key) | {"Accept": "text/event-stream"},
        )
        clock.now += 47.4
        early = await service.post(said("/help", platform=platform), key)
        clock.now += 0.1
        again = await service.post(said("/help", platform=platform), key)

    assert first.headers["RateLimit-Limit"] == str(most)
    assert first.headers["RateLimit-Remaining"] == str(most - 1)
    assert first.headers["RateLimit-Reset"] == "60"
    assert rest == [200] * (most - 1)
    for each in (refused, streamed):
        assert (each.status_code, each.json()["error"]) == (429, "rate_limited")
        assert each.headers["Retry-After"] == "48"
        assert each.json()["retry_after"] == 48
        assert each.headers["RateLimit-Limit"] == str(most)
        assert each.headers["RateLimit-Remaining"] == "0"
        assert each.headers["RateLimit-Reset"] == "48"
    assert "Wait 48 s." in refused.json()["response"]
    assert (early.status_code, early.headers["Retry-After"]) == (429, "1")
    assert again.status_code == 200


async def test_people_and_platforms_have_an_allowance_each(service: Service) -> None:
    await spend(service, 20, BOT, platform="telegram", user_id="1")

    others = [
        *await spend(service, 1, BOT, platform="telegram", user_id="2"),
        *await spend(service, 1, INTERNAL, user_id="1"),
        *await spend(service, 1, BOT, platform="telegram", user_id="1", chat_id="other"),
    ]

    assert others == [200, 200, 429]


@pytest.mark.parametrize("path", ["/", "/health", "/platforms", "/stats", "/sessions"])
async def test_public_doors_close_after_so_many_calls(place: Place, path: str) -> None:
    async with place.running(http_rate_limit="3/minute") as service:
        heard = [await service.http.get(path) for _ in range(5)]
        live = [await service.http.get("/health/live") for _ in range(5)]

    assert [each.status_code for each in heard] == [200] * 3 + [429] * 2
    assert heard[-1].json()["error"] == "rate_limited"
    assert 1 <= int(heard[-1].headers["Retry-After"]) <= 60
    assert {each.status_code for each in live} == {200}


async def test_a_closed_door_tells_truly_how_long_to_wait(place: Place) -> None:
    async with place.running(http_rate_limit="1/hour") as service:
        await service.http.get("/")
        (counted,) = (expires := service.app.state.limiter._storage.expirations)
        expires[counted] -= 3000

        heard = await service.http.get("/")

    assert 590 <= int(heard.headers["Retry-After"]) <= 600


@pytest.mark.parametrize("path", ["/health", "/stats", "/sessions"])
async def test_a_valid_key_is_not_counted_at_the_door(place: Place, path: str) -> None:
    async with place.running(http_rate_limit="1/minute") as service:
        await service.http.get(path)
        known = [await service.http.get(path, headers=bearer(INTERNAL)) for _ in range(3)]
        nobody = await service.http.get(path)

    assert [each.status_code for each in known] == [200] * 3
    assert nobody.status_code == 429


@pytest.mark.parametrize("path", ["/", "/platforms"])
async def test_a_header_that_nobody_checked_opens_no_door(place: Place, path: str) -> None:
    async with place.running(http_rate_limit="1/minute") as service:
        await service.http.get(path)
        heard = await service.http.get(path, headers=bearer("whatever"))

    assert heard.status_code == 429


async def test_wrong_keys_are_refused_ever_more_firmly_and_the_right_one_works(
    place: Place,
) -> None:
    async with place.running(login_rate_limit="10/minute") as service:
        wrong = [
            await service.http.get("/stats", headers=bearer(f"guess-{number}"))
            for number in range(10)
        ]
        without = await service.http.post("/message", json=said("hello"))
        more = await service.http.get("/session/x", headers=bearer("guess"))
        right = await service.post(said("/help"))
        public = await service.http.get("/stats")

    assert {each.status_code for each in wrong} == {401}
    for each in (without, more):
        assert (each.status_code, each.json()["error"]) == (429, "too_many_logins")
        assert 1 <= int(each.headers["Retry-After"]) <= 60
    assert (right.status_code, public.status_code) == (200, 200)


async def test_the_default_is_ten_wrong_keys_a_minute(place: Place) -> None:
    settings = place.settings()

    assert type(settings.service).model_fields["login_rate_limit"].default == "10/minute"


def address(peer: str, forwarded: list[str], proxies: list[str]) -> str:
    keys = Keys({}, LocalLimits(), 10, proxies)
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return keys.address(Request({"type": "http", "headers": headers, "client": (peer, 1)}))


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "found"),
    [
        ("9.9.9.9", [], [], "9.9.9.9"),
        ("9.9.9.9", ["1.1.1.1"], [], "9.9.9.9"),
        ("9.9.9.9", ["1.1.1.1"], ["10.0.0.0/8"], "9.9.9.9"),
        ("10.0.0.1", [], ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", [""], ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1"], ["10.0.0.1"], "1.1.1.1"),
        ("10.0.0.2", ["1.1.1.1"], ["10.0.0.1"], "10.0.0.2"),
        ("10.0.0.1", [" 1.1.1.1 "], ["10.0.0.0/8"], "1.1.1.1"),
        # What the client wrote stands on the left; only what a named proxy added counts.
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1"], ["10.0.0.0/8"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1"], ["10.0.0.0/8"], "1.1.1.1"),
        ("10.0.0.1", ["1.1.1.1, 10.0.0.2"], ["10.0.0.0/8"], "1.1.1.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, unknown"], ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1:80"], ["10.0.0.0/8"], "10.0.0.1"),
        ("::1", ["2001:db8::7"], ["::1"], "2001:db8::7"),
        ("", ["1.1.1.1"], ["10.0.0.0/8"], ""),
    ],
)
def test_only_a_named_proxy_is_believed(
    peer: str, forwarded: list[str], proxies: list[str], found: str
) -> None:
    assert address(peer, forwarded, proxies) == found


@pytest.mark.parametrize(("proxies", "statuses"), [("", [200, 429]), ("127.0.0.1", [200, 200])])
async def test_the_door_counts_by_that_address(
    place: Place, proxies: str, statuses: list[int]
) -> None:
    async with place.running(http_rate_limit="1/minute", trusted_proxies=proxies) as service:
        heard: list[httpx.Response] = [
            await service.http.get("/", headers={"X-Forwarded-For": who})
            for who in ("1.1.1.1", "2.2.2.2")
        ]

    assert [each.status_code for each in heard] == statuses
