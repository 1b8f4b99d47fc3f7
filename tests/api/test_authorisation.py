"""Every route, every kind of caller, every kind of object: one table."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from app.api.auth import admin_caller, known_caller
from app.api.docs import ASSETS
from app.panoptes.reports import REPORTS
from tests.api.service import ADMIN, BOT, INTERNAL, Place, Service, bearer, said

WRONG = "wrong-0123456789abcdefghijklmnopqrs"
Headers = list[tuple[bytes, bytes]]


def authorised(*values: str | bytes) -> Headers:
    return [
        (b"Authorization", value.encode() if isinstance(value, str) else value) for value in values
    ]


KNOWN: dict[str, Headers] = {
    "none": [],
    "internal": authorised(f"Bearer {INTERNAL}"),
    "bot": authorised(f"Bearer {BOT}"),
    "admin": authorised(f"Bearer {ADMIN}"),
}
STRANGERS: dict[str, Headers] = {
    "wrong key": authorised(f"Bearer {WRONG}"),
    "no key": authorised("Bearer"),
    "longer key": authorised(f"Bearer {INTERNAL}x"),
    "blank before the key": authorised(f"Bearer  {INTERNAL}"),
    "non-ASCII key": authorised("Bearer schlüssel-ключ-密钥".encode()),
    "two headers": authorised(f"Bearer {INTERNAL}", f"Bearer {INTERNAL}"),
    "two keys": authorised(f"Bearer {WRONG}", f"Bearer {ADMIN}"),
    "wrong scheme": authorised(f"Basic {INTERNAL}"),
    "no scheme": authorised(INTERNAL),
}

# Route, object -> what the known callers get, in their order above. `open`: 200 for everybody,
# strangers as well. Where a key shows more, a stranger is refused rather than taken for nobody.
OPEN = (200, 200, 200, 200)
TABLE: dict[str, dict[str, tuple[int, int, int, int]]] = {
    "GET /": {"open": OPEN},
    "GET /health/live": {"open": OPEN},
    "GET /health/ready": {"open": OPEN},
    "GET /platforms": {"open": OPEN},
    "GET /docs": {"open": OPEN},
    "GET /redoc": {"open": OPEN},
    "GET /openapi.json": {"open": OPEN},
    f"GET {ASSETS}/swagger-ui.css": {"open": OPEN},
    "GET /health": {"any": OPEN},
    "GET /stats": {"any": OPEN},
    "GET /sessions": {
        "any": OPEN,
        "?platform=internal": OPEN,
        "?platform=telegram": OPEN,
    },
    "POST /message": {
        "internal": (401, 200, 403, 403),
        "telegram": (401, 403, 200, 403),
        "absent": (401, 422, 422, 403),
    },
    "POST /webhook/telegram": {"any": (401, 403, 200, 403)},
    "POST /webhook/{platform}": {
        "internal": (401, 202, 403, 403),
        "absent": (401, 403, 403, 403),
    },
    "GET /deliveries": {"any": (401, 200, 200, 403)},
    "POST /deliveries/{delivery_id}/ack": {"absent": (401, 404, 404, 403)},
    "GET /admin/deliveries": {"any": (401, 403, 403, 200)},
    "POST /admin/redrive": {"any": (401, 403, 403, 200)},
    **{f"GET /network/{name}": {"?user_id=ann": (401, 409, 409, 403)} for name in REPORTS},
    "GET /session/{session_id}": {
        "internal": (401, 200, 404, 200),
        "telegram": (401, 404, 200, 200),
        "absent": (401, 404, 404, 404),
    },
    "DELETE /session/{session_id}": {
        "internal": (401, 403, 403, 200),
        "telegram": (401, 403, 403, 200),
        "absent": (401, 403, 403, 404),
    },
    "POST /admin/clear-sessions": {
        "any": (401, 403, 403, 200),
        "?platform=internal": (401, 403, 403, 200),
        "?platform=telegram": (401, 403, 403, 200),
        "?platform=absent": (401, 403, 403, 422),
    },
}
HIDDEN = {"GET /docs", "GET /redoc", "GET /openapi.json", f"GET {ASSETS}/swagger-ui.css"}


def routes_of(service: Service) -> set[str]:
    paths = service.app.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def expected(statuses: tuple[int, ...], thing: str) -> Iterator[tuple[str, Headers, str, int]]:
    for (caller, headers), status in zip(KNOWN.items(), statuses, strict=True):
        yield caller, headers, "", status
    yield "key in the query", [], f"key={ADMIN}&authorization=Bearer+{ADMIN}", statuses[0]
    for caller, headers in STRANGERS.items():
        yield caller, headers, "", 200 if thing == "open" else 401


async def session_at(service: Service, platform: str, user: str) -> str:
    if platform not in {"internal", "telegram"}:
        return "0" * 32
    key = INTERNAL if platform == "internal" else BOT
    heard = await service.post(said("/help", platform=platform, user_id=user), key)
    found: str = heard.json()["data"]["session_id"]
    return found


def body_of(path: str, thing: str, number: int) -> dict[str, Any] | None:
    if path == "/webhook/telegram":
        return {"update_id": number}
    if path.endswith("/ack"):
        return {"outcome": "sent"}
    if path in {"/message", "/webhook/{platform}"}:
        return said("/help", platform=thing, user_id=f"u{number}", chat_id=f"c{number}")
    return None


async def status_of(
    service: Service, method: str, url: str, headers: Headers, body: dict[str, Any] | None
) -> int:
    # The stream of deliveries has no end, so nothing is read.
    request = service.http.stream(method, url, headers=headers, json=body)
    async with request as heard:
        return heard.status_code


async def deviations(service: Service) -> list[str]:
    found = [
        f"{route}: not as in the table" for route in routes_of(service) ^ (TABLE.keys() - HIDDEN)
    ]
    number = 0
    for route, things in TABLE.items():
        method, path = route.split(" ")
        for thing, statuses in things.items():
            for caller, headers, query, status in expected(statuses, thing):
                number += 1
                url = path
                if "{session_id}" in path:
                    url = path.format(session_id=await session_at(service, thing, f"u{number}"))
                url += thing if thing.startswith("?") else "?"
                url = url.replace("{platform}", thing).replace("{delivery_id}", "999999999")
                heard = await status_of(
                    service, method, f"{url}&{query}", headers, body_of(path, thing, number)
                )
                if heard != status:
                    found.append(f"{route} {thing}, {caller}: {heard}, not {status}")
    return found


async def test_every_route_answers_every_caller_as_in_the_table(service: Service) -> None:
    assert await deviations(service) == []


async def test_the_table_sees_a_door_that_was_left_open(service: Service) -> None:
    service.app.dependency_overrides[admin_caller] = known_caller

    found = await deviations(service)

    assert {line.split(",")[0] for line in found} >= {
        "POST /admin/clear-sessions any",
        "DELETE /session/{session_id} absent",
    }


async def test_the_table_sees_a_route_that_is_not_in_it(service: Service) -> None:
    service.app.get("/planted")(lambda: "hello")

    assert "GET /planted: not as in the table" in await deviations(service)


async def test_without_an_admin_key_the_internal_key_administers(place: Place) -> None:
    async with place.running(admin_api_key=None) as service:
        theirs = await session_at(service, "telegram", "ben")
        heard = [
            await service.http.delete(f"/session/{theirs}", headers=bearer(key))
            for key in (BOT, ADMIN, INTERNAL)
        ]
        spoken = await service.post(said("/help"))

    assert [each.status_code for each in heard] == [403, 401, 200]
    assert spoken.status_code == 200


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS.keys())
async def test_all_strangers_hear_the_same(service: Service, headers: Headers) -> None:
    heard = await service.http.get("/session/x", headers=headers)

    body = heard.json()
    assert (heard.status_code, body["error"]) == (401, "not_authenticated")
    assert body["response"] == "A valid key is needed: send `Authorization: Bearer <key>`."
    assert heard.headers["WWW-Authenticate"] == "Bearer"


async def test_a_foreign_session_is_told_apart_from_an_absent_one_by_nothing(
    service: Service,
) -> None:
    theirs = await session_at(service, "telegram", "ben")

    heard = [
        await service.http.get(f"/session/{each}", headers=bearer(INTERNAL))
        for each in (theirs, "0" * 32, theirs.upper(), "x" * 2000)
    ]

    told = [each.json() | {"request_id": ""} for each in heard]
    assert [each.status_code for each in heard] == [404] * 4
    assert told.count(told[0]) == 4


# The provider has to be https there, so these run without one.
PRODUCTION: dict[str, Any] = {
    "environment": "production",
    "openrouter_service_url": "https://localhost:1",
    "openrouter_api_key": None,
}


class TestInProduction:
    @pytest.fixture
    async def production(self, place: Place) -> AsyncIterator[Service]:
        async with place.running(**PRODUCTION) as service:
            yield service

    @pytest.mark.parametrize("route", sorted(HIDDEN))
    async def test_the_pages_are_hidden(self, production: Service, route: str) -> None:
        heard = await production.http.get(route.removeprefix("GET "))

        assert heard.status_code == 404

    @pytest.mark.parametrize("path", ["/sessions", "/stats"])
    async def test_numbers_need_a_key(self, production: Service, path: str) -> None:
        refused = await production.http.get(path)
        told = [await production.http.get(path, headers=bearer(key)) for key in (INTERNAL, ADMIN)]

        assert refused.status_code == 401
        assert [each.status_code for each in told] == [200, 200]

    async def test_who_set_it_so_sees_the_pages_and_the_numbers(self, place: Place) -> None:
        opened: dict[str, Any] = {"enable_api_docs": True, "public_stats": True}
        async with place.running(**PRODUCTION, **opened) as service:
            heard = [await service.http.get(path) for path in ("/docs", "/stats")]

        assert [each.status_code for each in heard] == [200, 200]
