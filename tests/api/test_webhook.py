"""What others bring in, and how the answers go out: over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    "raw", [[], "text", {}, {"update_id": "x"}, {"update_id": 5, "message": 3}]
)
async def test_what_cannot_be_read_is_set_aside_and_counted(service: Service, raw: Any) -> None:
    await service.http.post("/webhook/telegram", json=raw, headers=bearer(BOT))
    await send(service, {"update_id": 9, "message": {"message_id": "no"}})

    found = (await service.http.get("/admin/deliveries", headers=bearer(ADMIN))).json()

    assert found["unreadable_updates"] >= 1


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


BAD = [
    (b"", 400), (b"{", 400), (b"[]", 422), (b"null", 422), (b'{"a": NaN}', 400),
    (b'{"a": "\\ud800"}', 400), (b'{"a": 1, "a": 1}', 400), (b"\xff", 400),
    (b"[" * 40 + b"]" * 40, 400), (b'{"a": 18446744073709551616}', 422),
]  # fmt: skip


@pytest.mark.parametrize("path", ["/webhook/telegram", "/deliveries/1/ack"])
@pytest.mark.parametrize(("body", "status"), BAD)
async def test_a_bad_body_is_refused(service: Service, path: str, body: bytes, status: int) -> None:
    headers = bearer(BOT) | {"Content-Type": "application/json"}

    heard = await service.http.post(path, content=body, headers=headers)

    assert (heard.status_code, heard.json()["success"]) == (status, False)


@pytest.mark.parametrize(
    "change",
    [{"outcome": "lost"}, {"message_ids": ["a b"]}, {"retry_after": -1}, {"more": 1}],
)
async def test_an_acknowledgement_that_is_none_is_refused(
    service: Service, change: dict[str, Any]
) -> None:
    assert await ack(service, 1, **({"outcome": "sent"} | change)) == 422
