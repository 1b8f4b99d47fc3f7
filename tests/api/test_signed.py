"""Calls of /webhook/internal that are signed after Standard Webhooks."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from httpx import Response
from standardwebhooks import Webhook

from app.storage.webhooks import KEPT_SECONDS
from tests.api.service import BOT, INTERNAL, Clock, Place, Service, bearer, said, settled

OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
STRANGE = "whsec_" + base64.b64encode(b"3" * 32).decode()
JSON = {"Content-Type": "application/json"}
Headers = dict[str, str]
Lines = list[tuple[str, str]]
KEPT = "SELECT count(*) FROM turns"
SEEN = "SELECT count(*) FROM webhooks"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def service(place: Place, clock: Clock) -> AsyncIterator[Service]:
    secrets = f"{NEW},{OLD}"
    async with place.running(wires={"clock": clock}, internal_webhook_secret=secrets) as service:
        yield service


def body_of(text: str = "/help", **change: Any) -> bytes:
    return json.dumps(said(text, **change)).encode()


def signed(body: bytes, at: float, secret: str = NEW, webhook_id: str = "msg_1") -> Headers:
    """Return the headers that a sender makes."""
    signature = Webhook(secret).sign(webhook_id, datetime.fromtimestamp(at, UTC), body.decode())
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": signature,
    }


async def call(service: Service, body: bytes, headers: Headers | Lines) -> Response:
    """Say it with these headers; one that is empty is left out."""
    lines = [*(headers.items() if isinstance(headers, dict) else headers), *JSON.items()]
    raw = [(name.encode(), value.encode()) for name, value in lines if value]
    return await service.http.post("/webhook/internal", content=body, headers=raw)


async def test_a_call_that_either_secret_signs_is_kept(service: Service, clock: Clock) -> None:
    bodies = {secret: body_of() for secret in (OLD, NEW)}
    heard = [
        await call(service, body, signed(body, clock.now, secret, secret[-6:]))
        for secret, body in bodies.items()
    ]
    await settled(service)

    assert {each.status_code for each in heard} == {202}
    assert heard[0].json() == {"accepted": True, "notice": None}
    assert await service.sql(KEPT) == 2
    assert await service.sql("SELECT count(*) FROM deliveries WHERE reply IS NOT NULL") == 2


async def test_a_clock_may_be_off_by_five_minutes(service: Service, clock: Clock) -> None:
    body = body_of()
    ages = (-300, -299, 299, 300)

    heard = [await call(service, body, signed(body, clock.now + age)) for age in ages]

    assert [each.status_code for each in heard] == [202] * 4


SPOILT: dict[str, Callable[[Headers, float, bytes], Headers | Lines]] = {
    "no id": lambda good, _, __: good | {"webhook-id": ""},
    "another id": lambda good, _, __: good | {"webhook-id": "msg_2"},
    "a long id": lambda _, now, body: signed(body, now, webhook_id="a" * 257),
    "an id with a blank": lambda _, now, body: signed(body, now, webhook_id="a b"),
    "two ids": lambda good, _, __: [*good.items(), ("webhook-id", "msg_1")],
    "no time": lambda good, _, __: good | {"webhook-timestamp": ""},
    "time as text": lambda good, _, __: good | {"webhook-timestamp": "today"},
    "time as a fraction": lambda good, now, _: good | {"webhook-timestamp": f"{now:.1f}"},
    "time in milliseconds": lambda good, now, _: good | {"webhook-timestamp": f"{now:.0f}000"},
    "time below zero": lambda good, _, __: good | {"webhook-timestamp": "-5"},
    "no number": lambda good, _, __: good | {"webhook-timestamp": "nan"},
    "a huge time": lambda good, _, __: good | {"webhook-timestamp": "9" * 40},
    "another time": lambda good, now, _: good | {"webhook-timestamp": f"{now - 1:.0f}"},
    "301 seconds ago": lambda _, now, body: signed(body, now - 301),
    "in 301 seconds": lambda _, now, body: signed(body, now + 301),
    "no signature": lambda good, _, __: good | {"webhook-signature": ""},
    "an empty one": lambda good, _, __: good | {"webhook-signature": "v1,"},
    "no version": lambda good, _, __: good | {"webhook-signature": good["webhook-signature"][3:]},
    "an unknown version": lambda good, _, __: (
        good | {"webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}
    ),
    "version in capitals": lambda good, _, __: (
        good | {"webhook-signature": good["webhook-signature"].replace("v1,", "V1,")}
    ),
    "no base64": lambda good, _, __: good | {"webhook-signature": "v1,é"},
    "commas": lambda good, _, __: good | {"webhook-signature": "v1,,v1,,"},
    "cut short": lambda good, _, __: good | {"webhook-signature": good["webhook-signature"][:-5]},
    "fifty, one of them good": lambda good, _, __: (
        good | {"webhook-signature": " ".join(["v1,AAAA"] * 49 + [good["webhook-signature"]])}
    ),
    "two headers": lambda good, _, __: [
        *good.items(),
        ("webhook-signature", good["webhook-signature"]),
    ],
    "an unknown secret": lambda _, now, body: signed(body, now, STRANGE),
    "the secret as text": lambda _, now, body: signed(
        body, now, base64.b64encode(NEW.encode()).decode()
    ),
    "a wrong key beside it": lambda good, _, __: (
        good | bearer("wrong-0123456789abcdefghijklmnopqrs")
    ),
}


async def test_what_is_not_signed_well_is_refused(service: Service, clock: Clock) -> None:
    body = body_of()
    good = signed(body, clock.now)

    heard = {
        fault: await call(service, body, spoilt(good, clock.now, body))
        for fault, spoilt in SPOILT.items()
    }

    assert {fault: each.status_code for fault, each in heard.items()} == dict.fromkeys(SPOILT, 401)
    assert {each.json()["error"] for each in heard.values()} == {"not_authenticated"}
    assert await service.sql(KEPT) == await service.sql(SEEN) == 0


CHANGED: dict[str, Callable[[bytes], bytes]] = {
    "written again": lambda body: json.dumps(json.loads(body), separators=(",", ":")).encode(),
    "a blank more": lambda body: body + b" ",
    "other words": lambda body: body.replace(b"/help", b"/stop"),
    "no text": lambda body: body.replace(b"ann", b"\xff\xfe\xfd"),
    "nothing": lambda _: b"",
}


async def test_a_body_that_was_changed_on_its_way_is_refused(
    service: Service, clock: Clock
) -> None:
    body = body_of()
    headers = signed(body, clock.now)

    heard = {how: await call(service, change(body), headers) for how, change in CHANGED.items()}

    assert {how: each.status_code for how, each in heard.items()} == dict.fromkeys(CHANGED, 401)
    assert await service.sql(SEEN) == 0


async def test_one_good_signature_among_unknown_ones_is_enough(
    service: Service, clock: Clock
) -> None:
    body = body_of()
    good = signed(body, clock.now)
    several = f"v2,AAAA v1,AAAA {good['webhook-signature']} v1a,AAAA"

    heard = await call(service, body, good | {"webhook-signature": several})

    assert heard.status_code == 202


async def test_a_replay_gets_the_first_result_and_does_nothing(
    service: Service, clock: Clock
) -> None:
    body = body_of()
    headers = signed(body, clock.now)
    first = await call(service, body, headers)
    await settled(service)
    limits, person = service.parts.processor.limits, ("internal", "ann")
    before = await limits.look(person, clock.now, 60)

    again = [await call(service, body, headers) for _ in range(3)]
    left = await limits.look(person, clock.now, 60)

    assert [each.status_code for each in again] == [202] * 3
    assert again[0].json() == first.json()
    assert await service.sql(KEPT) == await service.sql(SEEN) == 1
    assert left == before


async def test_an_id_that_was_used_brings_no_other_message(service: Service, clock: Clock) -> None:
    first, other = body_of(), body_of()
    await call(service, first, signed(first, clock.now))

    heard = await call(service, other, signed(other, clock.now))

    assert heard.status_code == 202
    assert await service.sql(KEPT) == 1


NOTHING_GOOD = (
    (b"{}", 422), (b"[]", 422), (b"{", 400), (b'{"a": NaN}', 400), (body_of(""), 422),
    (body_of(platform="telegram"), 403), (body_of("a" * 9000), 413), (body_of(session="x"), 422),
)  # fmt: skip


async def test_a_signed_call_that_says_nothing_good_is_refused_for_good(
    service: Service, clock: Clock
) -> None:
    mended, found = body_of(), []
    for number, (body, _) in enumerate(NOTHING_GOOD):
        name = f"msg_{number}"
        heard = [
            await call(service, said, signed(said, clock.now, webhook_id=name))
            for said in (body, body, mended)
        ]
        found.append([each.status_code for each in heard])
        noted = await service.sql(f"SELECT status FROM webhooks WHERE webhook_id = '{name}'")
        assert noted == found[-1][0]

    # Said to be kept, what was mended would be lost.
    assert found == [[status, status, 422] for _, status in NOTHING_GOOD]
    assert await service.sql(KEPT) == 0


async def test_what_could_not_be_kept_was_not_seen(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = body_of()
    with monkeypatch.context() as broken:
        broken.setattr("app.storage.turns.queue", lambda *_, **__: 1 / 0)
        failed = await call(service, body, signed(body, clock.now))

    heard = await call(service, body, signed(body, clock.now))

    assert failed.status_code == 500
    assert heard.status_code == 202
    assert await service.sql(KEPT) == 1


async def test_an_old_replay_is_refused_by_its_time_before_it_is_forgotten(
    service: Service, clock: Clock
) -> None:
    body = body_of()
    headers = signed(body, clock.now)
    await call(service, body, headers)
    clock.now += KEPT_SECONDS
    await service.parts.memory.sweep(clock.now)

    heard = await call(service, body, headers)

    assert await service.sql(SEEN) == 0
    assert heard.status_code == 401


async def test_the_key_alone_is_still_enough(service: Service) -> None:
    heard = await call(service, body_of(), bearer(INTERNAL))

    assert heard.status_code == 202
    assert await service.sql(SEEN) == 0


async def test_of_a_key_and_a_signature_both_must_be_right(service: Service, clock: Clock) -> None:
    body = body_of()

    heard = [
        await call(service, body, signed(body, clock.now) | bearer(key)) for key in (INTERNAL, BOT)
    ]

    assert [each.status_code for each in heard] == [202, 403]


async def test_a_signature_opens_no_other_door(service: Service, clock: Clock) -> None:
    body = body_of()
    headers = signed(body, clock.now) | JSON
    paths = ("/message", "/webhook/telegram", "/webhook/other", "/deliveries/1/ack")

    heard = [await service.http.post(path, content=body, headers=headers) for path in paths]
    heard.append(await service.http.get("/deliveries", headers=headers))

    assert [each.status_code for each in heard] == [401] * 5


async def test_without_a_secret_nothing_is_signed(place: Place, clock: Clock) -> None:
    body = body_of()
    async with place.running(wires={"clock": clock}) as service:
        heard = await call(service, body, signed(body, clock.now))
        keyed = await call(service, body, signed(body, clock.now, STRANGE) | bearer(INTERNAL))

    assert (heard.status_code, keyed.status_code) == (401, 202)


async def test_a_large_body_is_read_for_a_key_alone(service: Service, clock: Clock) -> None:
    body = body_of("a" * 1_000_001)

    heard = [
        await call(service, body, signed(body, clock.now) | key) for key in ({}, bearer(INTERNAL))
    ]

    assert [each.status_code for each in heard] == [413] * 2
    assert [each.json()["error"] for each in heard] == ["body_too_large", "text_too_long"]


async def test_wrong_signatures_are_counted_as_failed_logins(place: Place, clock: Clock) -> None:
    body = body_of()
    wrong = signed(body, clock.now, STRANGE)
    changes: dict[str, Any] = {"internal_webhook_secret": NEW, "login_rate_limit": "3/minute"}
    async with place.running(wires={"clock": clock}, **changes) as service:
        refused = [(await call(service, body, wrong)).status_code for _ in range(4)]
        good = await call(service, body, signed(body, clock.now))

    assert refused == [401, 401, 401, 429]
    assert good.status_code == 202


async def test_many_at_once_make_one_turn(service: Service, clock: Clock) -> None:
    body = body_of()
    headers = signed(body, clock.now)

    heard = await asyncio.gather(*(call(service, body, headers) for _ in range(8)))

    assert {each.status_code for each in heard} == {202}
    assert await service.sql(KEPT) == 1
