"""What others bring in, and how the answers go out: over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.api.webhook import SECRET_HEADER
from tests.api.line import SECRET
from tests.api.service import ADMIN, BOT, INTERNAL, Place, Service, bearer, said

ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "language_code": "en"}
PRIVATE = {"id": 7, "type": "private"}
PATIENCE = 10.0


def update(number: int, text: str = "Hello", **change: Any) -> dict[str, Any]:
    message = {
        "message_id": number, "date": 1_800_000_000, "chat": PRIVATE, "from": ANN, "text": text,
    } | change  # fmt: skip
    return {"update_id": 1000 + number, "message": message}


async def send(service: Service, raw: Any) -> dict[str, Any]:
    heard = await service.http.post("/webhook/telegram", json=raw, headers=bearer(BOT))
    assert heard.status_code == 200, heard.text
    found: dict[str, Any] = heard.json()
    return found


@asynccontextmanager
async def watching(service: Service, key: str = BOT) -> AsyncIterator[AsyncIterator[Any]]:
    """Yield the events of the stream, each as its name and its data."""
    async with service.http.stream("GET", "/deliveries", headers=bearer(key)) as stream:

        async def events() -> AsyncIterator[Any]:
            name = ""
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))

        yield events()


async def final(events: AsyncIterator[Any]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        async for name, data in events:
            if name == "delivery" and data["final"]:
                return dict(data)
    raise AssertionError


async def ack(service: Service, number: int, key: str = BOT, **body: Any) -> int:
    heard = await service.http.post(f"/deliveries/{number}/ack", json=body, headers=bearer(key))
    return heard.status_code


async def waiting(service: Service, seconds: float = 0.3) -> list[Any]:
    """Return what the stream tells at once."""
    found: list[Any] = []
    async with watching(service) as events:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for event in events:
                    found.append(event)  # noqa: PERF401 - a comprehension forgets all at the end
    return found


async def test_an_update_is_placed_answered_and_done(service: Service) -> None:
    async with watching(service) as events:
        await send(service, update(1, "Hello, my name is Ann"))
        async with asyncio.timeout(PATIENCE):
            _, placed = await anext(events)
        assert placed["source_message_id"] == "1"
        assert await ack(service, placed["id"], outcome="placed", message_ids=["50"]) == 200
        answered = await final(events)

    assert answered["edits"] == ["50"]
    assert "Ann" in answered["reply"]["response"]
    assert await ack(service, answered["id"], outcome="sent", message_ids=["50"]) == 200
    assert await waiting(service) == []
    assert await ack(service, answered["id"], outcome="sent") == 409


async def test_the_same_update_is_kept_once(service: Service) -> None:
    async with watching(service) as events:
        for _ in range(3):
            await send(service, update(1, "/help"))
        await final(events)

    assert len(await waiting(service)) == 1


async def test_an_answer_that_was_not_brought_comes_again_after_a_restart(place: Place) -> None:
    async with place.running() as service, watching(service) as events:
        await send(service, update(1, "/help"))
        first = await final(events)

    async with place.running() as service, watching(service) as events:
        again = await final(events)

    assert again == first


async def test_a_dead_letter_is_listed_and_driven_again(service: Service) -> None:
    async with watching(service) as events:
        await send(service, update(1, "/help"))
        number = (await final(events))["id"]
        await ack(service, number, outcome="refused", reason="blocked by the user")
        listed = (await service.http.get("/admin/deliveries", headers=bearer(ADMIN))).json()
        again = await service.http.post("/admin/redrive", headers=bearer(ADMIN))
        driven = await final(events)

    assert [(each["id"], each["reason"]) for each in listed["refused"]] == [
        (number, "blocked by the user")
    ]
    assert again.json()["redriven"] == 1
    assert driven["id"] == number


async def test_the_internal_platform_has_the_same_door(service: Service) -> None:
    async with watching(service, INTERNAL) as events:
        heard = await service.http.post(
            "/webhook/internal", json=said("/help"), headers=bearer(INTERNAL)
        )
        answered = await final(events)

    assert heard.status_code == 202
    assert answered["platform"] == "internal"
    assert "/status" in answered["reply"]["response"]
    assert await ack(service, answered["id"], BOT, outcome="sent") == 404


async def test_a_time_that_a_client_names_is_no_delay_of_ours(service: Service) -> None:
    message = said("/help", timestamp="2020-02-02T02:02:02Z")
    async with watching(service, INTERNAL) as events:
        await service.http.post("/webhook/internal", json=message, headers=bearer(INTERNAL))
        answered = await final(events)

    assert "ago" not in answered["reply"]["response"]


async def test_twenty_messages_are_answered_and_more_are_told_once_to_wait(
    service: Service,
) -> None:
    for number in range(25):
        await send(service, update(number, f"/help {number}"))

    found: dict[int, Any] = {}
    async with watching(service) as events:
        async with asyncio.timeout(PATIENCE):
            while len(found) < 21:
                data = await final(events)
                found[data["id"]] = data

    warned = [each for each in found.values() if "Wait" in each["reply"]["response"]]
    assert len(warned) == 1


async def test_a_failing_model_is_told_with_a_button_that_tries_again(
    service: Service,
) -> None:
    async with watching(service) as events:
        await send(service, update(1, "hello [[fault:http-500]]"))
        answered = await final(events)

    button = answered["reply"]["buttons"][0][0]
    assert answered["reply"]["success"] is False
    assert button["send"] == "hello [[fault:http-500]]"


NO_JSON = [b"", b" ", b"{", b"\xff", b"{'a': 1}", b"{} {}", b"9" * 5]
NO_VALUES = [
    b'{"a": NaN}', b'{"a": "\\ud800"}', b'{"a": 1, "a": 1}', b"[" * 40 + b"]" * 40,
]  # fmt: skip
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        *[(body, 400) for body in (*NO_JSON[:-1], *NO_VALUES)],
        *[(body, 422) for body in (b"[]", b"null", b'{"a": 18446744073709551616}')],
    ],
)
async def test_a_bad_acknowledgement_is_refused(service: Service, body: bytes, status: int) -> None:
    heard = await service.http.post("/deliveries/1/ack", content=body, headers=bearer(BOT) | JSON)

    assert (heard.status_code, heard.json()["success"]) == (status, False)


@pytest.mark.parametrize("body", NO_JSON[:-1])
async def test_what_is_no_json_was_never_an_update(service: Service, body: bytes) -> None:
    heard = await service.http.post("/webhook/telegram", content=body, headers=bearer(BOT) | JSON)

    assert (heard.status_code, heard.json()["error"]) == (400, "invalid_json")
    assert await service.sql("SELECT count(*) FROM updates") == 0


@pytest.mark.parametrize("headers", [bearer(BOT), None])
@pytest.mark.parametrize(
    "body",
    [
        *NO_VALUES, NO_JSON[-1], b"[]", b"null", b'"text"', b"{}", b'{"update_id": "x"}',
        b'{"update_id": 5, "message": 3}', b'{"update_id": 18446744073709551616}',
        b'{"update_id": 1e999}', b'{"update_id": ' + b"9" * 5000 + b"}",
        b'{"update_id": 5, "message": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"update_id": 5, "message": {"message_id": 1, "text": "\\ud800"}}',
    ],
)  # fmt: skip
async def test_an_update_that_cannot_be_read_is_kept_counted_and_passed_over(
    place: Place, body: bytes, headers: dict[str, str] | None
) -> None:
    async with place.running(telegram_webhook_secret=SECRET) as service:
        shown = headers or {SECRET_HEADER: SECRET}
        heard = await service.http.post("/webhook/telegram", content=body, headers=shown | JSON)
        found = (await service.http.get("/admin/deliveries", headers=bearer(ADMIN))).json()
        sealed = await service.sql("SELECT raw FROM updates")
        kept = service.parts.memory.sealer.open(sealed, "updates")

    assert (heard.status_code, heard.json()) == (200, {"accepted": True, "notice": None})
    assert found["unreadable_updates"] == 1
    assert kept == body


async def test_an_update_with_a_thousand_parts_is_read(service: Service) -> None:
    link = {"type": "text_mention", "offset": 0, "length": 5, "user": ANN}
    quoted = {"message_id": 7, "date": 5, "chat": PRIVATE, "entities": [link] * 100, "text": "x"}
    async with watching(service) as events:
        await send(
            service, update(1, "/help", entities=[link] * 100, reply_to_message=quoted, poll=None)
        )
        answered = await final(events)

    assert answered["source_message_id"] == "1"


@pytest.mark.parametrize(
    "change",
    [{"outcome": "lost"}, {"message_ids": ["a b"]}, {"retry_after": -1}, {"more": 1}],
)
async def test_an_acknowledgement_that_is_none_is_refused(
    service: Service, change: dict[str, Any]
) -> None:
    assert await ack(service, 1, **({"outcome": "sent"} | change)) == 422
