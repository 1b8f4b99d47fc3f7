"""What a service that ended in the middle of something leaves to the next one."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

from app import texts
from app.storage import turns
from app.storage.sealed import Sealer, read_keys
from app.storage.turns import Key
from simulator.openrouter import OpenRouterWorld
from tests.api.service import (
    OPEN_TURNS,
    Clock,
    Place,
    Service,
    emptied,
    said,
    settled,
    storage_away,
    until,
)
from tests.api.test_messages import attached


async def interrupted(place: Place, *questions: dict[str, Any]) -> None:
    """Stop a service that has the first question at the model and keeps the others waiting."""
    before = len(place.world.chats())
    place.world.first_token = 0.28
    async with place.running() as service:
        sent = []
        for number, question in enumerate(questions, 1):
            sent.append(asyncio.create_task(service.post(question)))
            await kept(service, number)
        await until(lambda: len(place.world.chats()) > before)
    await asyncio.gather(*sent, return_exceptions=True)
    place.world.first_token = 0.0


async def kept(service: Service, count: int) -> None:
    for _ in range(1000):
        if await service.sql(f"SELECT count(*) FROM {OPEN_TURNS}") >= count:
            return
        await asyncio.sleep(0.002)
    raise TimeoutError


def replace_request(place: Place, sealed: bytes) -> None:
    with closing(sqlite3.connect(place.folder / "data" / "service.db")) as db, db:
        changed = db.execute("UPDATE turns SET request = ?", (sealed,))
    assert changed.rowcount == 1


async def test_a_turn_that_was_interrupted_is_answered_by_the_next_start(place: Place) -> None:
    question = said("hello")
    await interrupted(place, question)

    async with place.running() as service:
        await settled(service)
        asked = len(place.world.chats())
        heard = await service.post(question)

    assert (heard.status_code, heard.json()["success"]) == (200, True)
    assert heard.json()["data"]["message_count"] == 1
    assert asked == len(place.world.chats()) == 2
    assert len(place.world.cancelled) == 1


async def test_those_that_waited_are_answered_too_and_in_their_order(place: Place) -> None:
    questions = [said(f"word {number}") for number in range(3)]
    await interrupted(place, *questions)

    async with place.running() as service:
        await settled(service)
        heard = [await service.post(question) for question in questions]

    messages = place.world.chats()[-1].body["messages"][1:]
    assert [each.json()["data"]["message_count"] for each in heard] == [1, 2, 3]
    assert [each["content"] for each in messages[::2]] == ["word 0", "word 1", "word 2"]
    assert [each["role"] for each in messages] == ["user", "assistant"] * 2 + ["user"]


async def test_a_picture_that_was_being_looked_at_is_looked_at_again(place: Place) -> None:
    async with place.running() as service:
        await service.say("/model gpt4")
    question = said("What is it?", type="image", attachments=[attached()])
    await interrupted(place, question)

    async with place.running() as service:
        await settled(service)
        heard = await service.post(question)

    assert "red" in heard.json()["response"]


async def test_after_two_attempts_the_person_gets_an_apology(place: Place) -> None:
    question = said("hello")
    await interrupted(place, question)
    await interrupted(place)

    async with place.running() as service:
        await settled(service)
        heard = await service.post(question)
        after = await service.post(said("hello"))

    assert len(place.world.chats()) == 3
    assert heard.status_code == 200
    assert (heard.json()["success"], heard.json()["error"]) == (False, "gave_up")
    assert heard.json()["response"] == texts.GAVE_UP
    assert after.json()["success"] is True


async def test_a_turn_that_fails_when_it_is_taken_up_may_be_sent_again(place: Place) -> None:
    question = said("hello")
    await interrupted(place, question)
    place.world.next("http-402-credit")

    async with place.running() as service:
        await settled(service)
        heard = await service.post(question)

    assert heard.status_code == 200


async def test_a_turn_that_nobody_can_read_any_more_holds_up_nobody(
    place: Place, logged: list[str]
) -> None:
    broken, other = said("hello"), said("hello", user_id="ben")
    await interrupted(place, broken)
    replace_request(place, b"\0")
    await interrupted(place, other)

    async with place.running() as service:
        await settled(service)
        heard = [await service.post(each) for each in (broken, other, said("hello"))]

    assert [each.status_code for each in heard] == [200, 200, 200]
    assert "turn.unreadable" in logged


async def test_a_turn_of_another_version_holds_up_nobody(place: Place) -> None:
    question = said("hello")
    await interrupted(place, question)

    sealer = Sealer(read_keys(place.settings().keys.encryption_key_file))
    row = turns._place(Key("internal", "internal", "room", question["message_id"]))
    replace_request(place, sealer.seal(b'["{}", [], []]', row))

    async with place.running() as service:
        await settled(service)
        heard = [await service.post(each) for each in (question, said("hello"))]

    assert [each.status_code for each in heard] == [200, 200]


async def test_an_answer_that_could_not_be_kept_is_given_when_the_lease_is_over(
    place: Place, world: OpenRouterWorld
) -> None:
    clock = Clock()
    question = said("hello")
    async with place.running(wires={"clock": clock}) as service:
        world.first_token = 0.1
        asked = asyncio.create_task(service.post(question))
        await until(world.chats)
        async with storage_away(service):
            failed = await asked
        meanwhile = await service.post(question)

        clock.now += 31
        await settled(service)
        heard = await service.post(question)

    assert (failed.status_code, failed.json()["error"]) == (503, "storage_unavailable")
    assert (meanwhile.status_code, meanwhile.json()["error"]) == (409, "in_progress")
    assert (heard.status_code, heard.json()["success"]) == (200, True)


async def test_what_a_person_chose_and_said_outlives_a_restart(
    place: Place, world: OpenRouterWorld
) -> None:
    async with place.running() as service:
        await service.say("/model claude")
        await service.say("/settings language German")
        first = await service.post(said("swordfish"))

    async with place.running() as service:
        second = await service.post(said("hello again"))

    asked = world.chats()[-1].body
    data = [each.json()["data"] for each in (first, second)]
    assert data[0]["session_id"] == data[1]["session_id"]
    assert data[1]["requested_model"] == "anthropic/claude-sonnet-4"
    assert data[1]["message_count"] == 4
    assert "German" in asked["messages"][0]["content"]
    assert asked["messages"][1]["content"] == "swordfish"


async def test_nothing_of_what_was_said_is_readable_on_the_disk(place: Place) -> None:
    async with place.running() as service:
        await service.say("swordfish")
        await emptied(service, OPEN_TURNS)

    written = b"".join(
        file.read_bytes() for file in (place.folder / "data").iterdir() if file.is_file()
    )
    assert b"exchanges" in written
    assert b"swordfish" not in written
