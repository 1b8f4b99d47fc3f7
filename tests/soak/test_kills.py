"""The service is killed in the middle of its work, again and again, and nothing is lost."""

import asyncio
import os
import secrets
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from app.sessions import history
from app.storage import turns
from app.storage.sealed import Sealer
from app.storage.sqlite import open_sqlite
from app.storage.turns import MOST_ATTEMPTS, Key
from tests.processes import Service, program
from tests.soak.talk import PATIENCE, Person, Said, World

KILLS = 30 if os.environ.get("SOAK") else 4
PEOPLE = 6
MOST_UP = 0.8  # seconds between being ready and the next kill
MOST_STARTING = 1.5  # seconds into a start that a kill may come
STARTS_KILLED = 0.2  # of the kills come while it starts
REMEMBERED = 100  # exchanges: the most that the settings take
GAVE_UP = "gave_up"
LOOK_EVERY = 0.05
CALLER = ("internal", "internal")


@dataclass(frozen=True, slots=True)
class Row:
    message_id: str
    state: str
    attempts: int
    reply: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database holds of one conversation, in its order."""

    turns: list[Row]
    remembered: list[tuple[str, str]]
    counted: int


@pytest.mark.soak
async def test_kill_9_loses_no_accepted_message_and_answers_none_twice(tmp_path: Path) -> None:
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(10**6))
    calls = tmp_path / "calls"
    calls.touch()

    async with program("tests.soak.provider", calls) as provider:
        service = Service(tmp_path, provider, INTERNAL_MAX_HISTORY=str(2 * REMEMBERED))
        people = await _killed_again_and_again(service, seed, calls)

    asked = _asked(calls)
    print(f"\nseed {seed}: {_told(people, asked)}")  # noqa: T201 - `SOAK_SEED` repeats it
    integrity, kept = await _kept(service)
    assert integrity == "ok"
    for person in people:
        _each_once_in_order(person, kept[f"chat-{person.number}"])
        for message, row in zip(person.said, kept[f"chat-{person.number}"].turns, strict=True):
            assert _calls_needed(message, row, asked[message.text]), (message, row)


async def _killed_again_and_again(service: Service, seed: int, calls: Path) -> list[Person]:
    """Return the people when all they said was answered, and answered the same once more."""
    world = World(service, Random(seed))
    people = [Person(number, world) for number in range(PEOPLE)]
    async with httpx.AsyncClient(timeout=30) as http:
        try:
            await service.start()
            await service.ready()
            async with asyncio.TaskGroup() as group:
                for person in people:
                    group.create_task(person.talk(http))
                for _ in range(KILLS):
                    await _kill(world)
                world.over = True
            await _all_ended(service)
            before = _asked(calls)
            for person in people:
                for message in person.said:
                    await _ask_again(http, person, message)
            assert _asked(calls) == before, "a repeat was answered anew"
        finally:
            status = await service.stop()
    assert status == 0
    return people


async def _kill(world: World) -> None:
    starting = world.random.random() < STARTS_KILLED
    await asyncio.sleep(world.random.uniform(0.0, MOST_STARTING if starting else MOST_UP))
    world.kills += 1
    world.ready_at = float("inf")  # nobody's patience is counted while it is away
    await world.service.kill()
    await world.service.start()
    if not starting:
        await world.service.ready()
    world.ready_at = time.monotonic()


async def _all_ended(service: Service) -> None:
    """Wait until no turn is open, those included that nobody asks for any more."""
    await service.ready()
    file = make_url(service.url).database
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        for _ in range(int(PATIENCE / LOOK_EVERY)):
            left = db.execute("SELECT count(*) FROM turns WHERE state NOT IN ('done', 'failed')")
            if left.fetchone() == (0,):
                return
            await asyncio.sleep(LOOK_EVERY)
    raise AssertionError("turns stay open")


def _asked(calls: Path) -> Counter[str]:
    return Counter(calls.read_text().splitlines())


async def _ask_again(http: httpx.AsyncClient, person: Person, message: Said) -> None:
    heard, message.reply = message.reply, None
    sends = message.sends
    await person.tell(http, message, insist=True)
    message.sends = sends
    assert heard in (None, message.reply), "another answer than before"


async def _kept(service: Service) -> tuple[str, dict[str, Kept]]:
    with open_sqlite(make_url(service.url)) as store:
        check = "PRAGMA integrity_check"
        integrity = await store.run(lambda db: db.exec_driver_sql(check).scalar_one())
        kept = await store.run(lambda db: _conversations(db, service.sealer))
    return integrity, kept


def _conversations(db: Connection, sealer: Sealer) -> dict[str, Kept]:
    found: dict[str, Kept] = {}
    sessions = db.exec_driver_sql("SELECT id, chat_id, message_count FROM sessions").all()
    for session, chat, counted in sessions:
        rows = db.exec_driver_sql(
            "SELECT message_id, state, attempts, reply FROM turns WHERE chat_id = ? ORDER BY id",
            (chat,),
        )
        ended = [
            Row(
                name,
                state,
                attempts,
                orjson.loads(sealer.open(reply, turns._place(Key(*CALLER, chat, name)))),
            )
            for name, state, attempts, reply in rows
        ]
        said = history.latest(db, sealer, session, REMEMBERED)
        found[chat] = Kept(ended, [(each.question, each.answer) for each in said], counted)
    return found


def _opened(sealer: Sealer, key: Key, reply: bytes) -> dict[str, Any]:
    opened: dict[str, Any] = orjson.loads(sealer.open(reply, turns._place(key)))
    return opened


def _each_once_in_order(person: Person, kept: Kept) -> None:
    said = person.said
    assert [row.message_id for row in kept.turns] == [message.id for message in said]
    assert {row.state for row in kept.turns} == {"done"}
    assert [row.reply for row in kept.turns] == [message.reply for message in said]
    counts = [row.reply["data"]["message_count"] for row in kept.turns]
    assert counts == list(range(1, len(said) + 1))
    assert kept.counted == len(said)
    answers = [
        (message.text, row.reply["response"].rstrip())
        for message, row in zip(said, kept.turns, strict=True)
        if row.reply["error"] is None
    ]
    remembered = [(question, answer.rstrip()) for question, answer in kept.remembered]
    assert remembered == answers[-REMEMBERED:]


def _calls_needed(message: Said, row: Row, calls: int) -> bool:
    """Tell whether the provider was asked once, and once more per kill at the most."""
    apology = row.reply["error"] == GAVE_UP
    kills = MOST_ATTEMPTS if message.left_alone else message.kills
    return (calls >= 1 or apology) and calls <= row.attempts <= 1 + kills


def _told(people: list[Person], asked: Counter[str]) -> str:
    said = [message for person in people for message in person.said]
    gave_up = sum(message.reply is not None and not message.reply["success"] for message in said)
    return (
        f"{KILLS} kills, {len(said)} messages of {PEOPLE} conversations, "
        f"{sum(message.kills > 0 for message in said)} of them on their way during a kill, "
        f"{sum(message.left_alone for message in said)} accepted and left to the service, "
        f"{sum(message.sends - 1 for message in said)} repeats, "
        f"{sum(asked.values()) - len(said)} calls of the provider more than messages, "
        f"{gave_up} apologies, longest wait when ready {max(m.waited for m in said):.1f} s"
    )
