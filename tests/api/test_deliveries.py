"""What is on its way to people, read and acknowledged over real sockets."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import texts
from app.chat import growth
from app.llm.patience import Patience
from simulator.openrouter import OpenRouterWorld
from tests import processes
from tests.api.service import (
    ADMIN,
    BOT,
    INTERNAL,
    Place,
    Service,
    bearer,
    said,
    storage_away,
    until,
)
from tests.api.test_webhook import ack, final, send, update, waiting, watching

PATIENCE = 10.0  # seconds
DRAIN = "600"
DOTS = "[[fault:slow-drip]]"  # one more dot of text, for ever


async def following(events: AsyncIterator[Any], name: str = "delivery") -> dict[str, Any]:
    """Return the next event of this name."""
    async with asyncio.timeout(PATIENCE):
        async for found, data in events:
            if found == name:
                return dict(data)
    raise AssertionError


async def placed(service: Service, events: AsyncIterator[Any], number: int = 1) -> dict[str, Any]:
    """Ask what is answered without an end, and place a message for it."""
    await send(service, update(number, DOTS))
    delivery = await following(events)
    assert await ack(service, delivery["id"], outcome="placed", message_ids=["50"]) == 200
    return delivery


@pytest.fixture
async def patient(place: Place, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """A service that lets a model write for long, and shows it often."""
    monkeypatch.setattr(growth, "EVERY", 0.05)
    async with place.running(wires={"patience": Patience()}) as service:
        yield service


@asynccontextmanager
async def lines(service: Service) -> AsyncIterator[AsyncIterator[str]]:
    async with service.http.stream("GET", "/deliveries", headers=bearer(BOT)) as stream:
        assert stream.status_code == 200
        yield stream.aiter_lines()


async def test_the_stream_says_what_it_is_and_that_nobody_may_keep_it(service: Service) -> None:
    async with service.http.stream("GET", "/deliveries", headers=bearer(BOT)) as stream:
        assert stream.headers["content-type"].partition(";")[0] == "text/event-stream"
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["x-accel-buffering"] == "no"


async def test_a_quiet_stream_says_that_it_is_still_there(service: Service) -> None:
    async with lines(service) as heard, asyncio.timeout(PATIENCE):
        assert await anext(heard) == ": still here"


async def test_who_comes_while_an_answer_grows_is_told_where_it_stands(patient: Service) -> None:
    async with watching(patient) as first:
        delivery = await placed(patient, first)
        grown = await following(first, "progress")

    async with watching(patient) as second, asyncio.timeout(PATIENCE):
        name, again = await anext(second)
        then, progress = await anext(second)

    assert (name, then) == ("delivery", "progress")
    assert (again["id"], again["edits"], again["final"]) == (delivery["id"], ["50"], False)
    assert progress["id"] == delivery["id"]
    assert progress["text"].startswith(grown["text"])
    assert grown["text"].startswith(".")


async def test_the_text_only_grows_until_the_answer_is_there(
    patient: Service, world: OpenRouterWorld
) -> None:
    world.between_tokens = 0.01
    grown = [""]
    async with watching(patient) as events:
        await send(patient, update(1, "Tell me a story"))
        async with asyncio.timeout(3 * PATIENCE):
            async for name, data in events:
                if name == "progress":
                    grown.append(data["text"])
                elif data["final"]:
                    answered = data
                    break

    assert len(grown) > 2
    assert all(later.startswith(earlier) for earlier, later in pairwise(grown))
    assert answered["reply"]["response"].startswith(grown[-1].rstrip())


async def test_pressing_stop_ends_the_answer_and_keeps_what_was_written(patient: Service) -> None:
    async with watching(patient) as events:
        delivery = await placed(patient, events)
        grown = await following(events, "progress")
        shown = update(1)["message"] | {"message_id": 50}
        press = {"id": "9", "from": shown["from"], "message": shown, "data": "/stop"}
        told = await send(patient, {"update_id": 2000, "callback_query": press})
        answered = await final(events)

    assert told["notice"] == texts.STOPPED
    assert (answered["id"], answered["edits"]) == (delivery["id"], ["50"])
    assert answered["reply"]["response"].startswith(grown["text"])
    assert answered["reply"]["response"].endswith(texts.STOPPED_NOTE)
    assert not any(answered["reply"]["buttons"])


async def test_several_readers_are_told_the_same(service: Service) -> None:
    async with watching(service) as first, watching(service) as second:
        await send(service, update(1, "/help"))
        answers = [await final(first), await final(second)]

    assert answers[0] == answers[1]


async def test_each_key_sees_its_own_platform_and_speaks_for_no_other(service: Service) -> None:
    async with watching(service) as theirs, watching(service, INTERNAL) as ours:
        await send(service, update(1, "/help"))
        headers = bearer(INTERNAL)
        await service.http.post("/webhook/internal", json=said("/help"), headers=headers)
        telegram, internal = await final(theirs), await final(ours)

    assert (telegram["platform"], internal["platform"]) == ("telegram", "internal")
    assert [data["platform"] for _, data in await waiting(service)] == ["telegram"]
    assert await ack(service, telegram["id"], INTERNAL, outcome="sent") == 404
    assert await ack(service, internal["id"], BOT, outcome="sent") == 404
    assert await ack(service, telegram["id"], BOT, outcome="sent") == 200
    assert await ack(service, internal["id"], INTERNAL, outcome="sent") == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/deliveries"),
        ("POST", "/deliveries/1/ack"),
        ("GET", "/admin/deliveries"),
        ("POST", "/admin/redrive"),
    ],
)
async def test_nobody_comes_in_without_the_right_key(
    service: Service, method: str, path: str
) -> None:
    wrong = BOT if path.startswith("/admin") else ADMIN
    body = {"outcome": "sent"} if path.endswith("ack") else None

    async with asyncio.timeout(PATIENCE):  # a stream that is let in has no end
        bare = await service.http.request(method, path, json=body)
        other = await service.http.request(method, path, json=body, headers=bearer(wrong))

    assert (bare.status_code, other.status_code) == (401, 403)


async def test_an_answer_that_is_still_written_has_not_arrived(patient: Service) -> None:
    async with watching(patient) as events:
        delivery = await placed(patient, events)
        assert await ack(patient, delivery["id"], outcome="sent", message_ids=["50"]) == 200
        # It goes on.
        assert (await following(events, "progress"))["id"] == delivery["id"]


async def test_what_was_said_is_not_in_the_file_that_keeps_it(place: Place) -> None:
    asked, answer = "my-very-own-question", "My name is"
    async with place.running() as service:
        async with watching(service) as events:
            await send(service, update(1, f"{asked} Hello, my name is Ann"))
            answered = await final(events)
        assert await service.sql("SELECT count(*) FROM deliveries WHERE reply IS NOT NULL") == 1
        files = [each.read_bytes() for each in (place.folder / "data").iterdir() if each.is_file()]

    response = answered["reply"]["response"]
    assert any(b"deliveries" in content for content in files)
    for words in (asked, answer, response, response[:20], json.dumps(response)[1:20]):
        assert not any(words.encode() in content for content in files)


def aged(folder: Path, seconds: float) -> None:
    with closing(sqlite3.connect(folder / "data" / "service.db")) as db, db:
        db.execute("UPDATE deliveries SET created_at = created_at - ?", (seconds,))


async def test_what_ended_a_week_ago_is_swept_and_what_is_open_is_not(place: Place) -> None:
    async with place.running() as service:
        async with watching(service) as events:
            for number in (1, 2):
                await send(service, update(number, "/help"))
            ended, open_ = await final(events), await final(events)
        await ack(service, ended["id"], outcome="sent")
    aged(place.folder, 8 * 86_400)

    async with place.running() as service:
        await service.parts.memory.sweep(service.parts.processor.clock())
        left = await waiting(service)
        rows = await service.sql("SELECT count(*) FROM deliveries")

    assert [data["id"] for _, data in left] == [open_["id"]]
    assert rows == 1


async def test_a_stream_outlives_a_storage_that_is_away(service: Service) -> None:
    async with watching(service) as events:
        async with storage_away(service), lines(service) as others, asyncio.timeout(PATIENCE):
            assert await anext(others) == ": still here"
        await send(service, update(1, "/help"))
        answered = await final(events)

    assert answered["final"]


async def test_a_service_that_ends_lets_its_readers_go_first(service: Service) -> None:
    async with service.http.stream("GET", "/deliveries", headers=bearer(BOT)) as stream:
        heard = stream.aiter_lines()
        await anext(heard)
        service.parts.outbox.close()
        async with asyncio.timeout(PATIENCE):
            rest = [line async for line in heard if line]

    assert set(rest) <= {": still here"}
    # Ended as it should be, and not cut: else this had raised.
    again = await service.http.get("/deliveries", headers=bearer(BOT))
    assert (again.status_code, again.text) == (200, "")


async def test_readers_that_leave_are_forgotten(service: Service) -> None:
    watchers = service.parts.outbox._watchers
    async with watching(service) as events:
        await send(service, update(1, "/help"))
        await final(events)
        assert len(watchers) == 1

    await until(lambda: not watchers, PATIENCE)


async def test_a_process_that_is_told_to_end_lets_its_readers_go_first(tmp_path: Path) -> None:
    # Much longer than the test waits, so that no end of the patience ends the stream.
    program = processes.Service(tmp_path, "http://127.0.0.1:9/api/v1", DRAIN_SECONDS=DRAIN)
    await program.start()
    try:
        await program.ready()
        async with (
            httpx.AsyncClient(base_url=program.base) as http,
            http.stream("GET", "/deliveries", headers=bearer(program.bot_key)) as stream,
        ):
            heard = stream.aiter_lines()
            await anext(heard)
            ending = asyncio.create_task(program.stop())
            async with asyncio.timeout(PATIENCE):
                rest = [line async for line in heard if line]
        status = await ending
    finally:
        if program.status is None:
            await program.kill()

    assert set(rest) <= {": still here"}
    assert status == 0
