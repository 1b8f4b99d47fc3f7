"""What has to hold when everybody was answered, and waiting for that."""

import asyncio
import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import URL, make_url

from app.chat.kept import INBOX
from app.storage import turns
from app.storage.turns import MOST_ATTEMPTS, Key
from simulator.telegram.chats import Kept
from tests import postgres
from tests.processes import Service
from tests.soak.chats import (
    LOOK_EVERY,
    Said,
    Talk,
    answers_of,
    is_apology,
    is_final,
    messages,
    strays,
)
from tests.soak.scene import Scene
from tests.soak.talk import Person

PATIENCE = 90.0  # seconds without any new answer
STRAYS_GONE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Row:
    message_id: str
    state: str
    attempts: int
    reply: dict[str, Any]


async def all_answered(on: Scene) -> None:
    """Wait until everything has an answer, as long as there are new ones."""
    left, since = -1, time.monotonic()
    while open_ := [said for talk in on.talks for said in talk.look(on.service_kills)]:
        if len(open_) != left:
            left, since = len(open_), time.monotonic()
        assert time.monotonic() < since + PATIENCE, f"{left} are not answered: {open_[:5]}"
        await asyncio.sleep(LOOK_EVERY)


async def all_ended(service: Service) -> None:
    """Wait until no turn and no delivery is open."""
    left = (
        "SELECT (SELECT count(*) FROM turns WHERE state NOT IN ('done', 'failed')),"
        " (SELECT count(*) FROM deliveries WHERE state = 'open')"
    )
    ends = time.monotonic() + PATIENCE
    while (open_ := read(service, left)) != [(0, 0)]:
        assert time.monotonic() < ends, f"turns and deliveries that stay open: {open_}"
        await asyncio.sleep(LOOK_EVERY)


def read(service: Service, query: str) -> list[tuple[Any, ...]]:
    """Ask the database, beside the service if that runs."""
    url = make_url(service.url)
    if url.get_backend_name() == "postgresql":
        found: list[tuple[Any, ...]] = []
        postgres.apart(_fetch(url, query, found))
        return found
    with closing(sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


async def _fetch(url: URL, query: str, into: list[tuple[Any, ...]]) -> None:
    async with postgres.connected(url) as connection:
        into += [tuple(row) for row in await connection.fetch(query)]


async def known_strays_gone(on: Scene) -> None:
    """Wait until no message is left waiting of which the service was told."""
    chats = dict(read(on.service.program, "SELECT id, chat_id FROM deliveries"))
    known = {(int(chats[delivery]), message) for delivery, message in on.placed}
    ends = time.monotonic() + STRAYS_GONE
    while left := [stray for stray in strays(on.world) if (stray.chat, stray.id) in known]:
        assert time.monotonic() < ends, f"the service knew of {left}"
        await asyncio.sleep(LOOK_EVERY)


def rows_of(service: Service) -> dict[str, list[Row]]:
    """Return the turns of each chat in order, all of which have a reply."""
    found: dict[str, list[Row]] = defaultdict(list)
    columns = "caller, platform, chat_id, message_id, state, attempts, reply"
    for *ids, state, attempts, reply in read(service, f"SELECT {columns} FROM turns ORDER BY id"):
        key = Key(*ids)
        opened = json.loads(service.sealer.open(reply, turns._place(key)))
        found[key.chat_id].append(Row(key.message_id, state, attempts, opened))
    return found


def callers_were_answered(service: Service, callers: Sequence[Person]) -> None:
    """Claim that everything that was said by REST has one reply, in order, and was heard so."""
    stored = rows_of(service)
    for caller in callers:
        rows = stored[f"chat-{caller.number}"]
        assert [row.message_id for row in rows] == [said.id for said in caller.said]
        assert {row.state for row in rows} == {"done"}
        for row, said in zip(rows, caller.said, strict=True):
            assert said.reply == row.reply or (said.reply is None and said.left_alone)
        counts = [row.reply["data"]["message_count"] for row in rows]
        assert counts == list(range(1, len(rows) + 1))


def all_once_in_order(on: Scene) -> None:
    """Claim that every message has one answer, its own, and those of a chat stand in order."""
    for talk in on.talks:
        _each_once_in_order(talk)
    shown = [it for chat in on.world.chats for it in messages(on.world, chat) if is_final(it)]
    assert len(shown) == sum(len(talk.said) for talk in on.talks)


def _each_once_in_order(talk: Talk) -> None:
    for said, found in answers_of(talk):
        assert len(found) == 1, f"{said} has these answers: {found}"
        text = str(found[0].content["text"])
        assert is_apology(found[0]) or text.startswith(f"{said.text} call"), (said, found)
    shown = [found[0].id for _, found in answers_of(talk)]
    assert shown == sorted(shown), f"the answers to {talk.said} stand in another order"


def kept_in_order(on: Scene) -> dict[tuple[int, int], int]:
    """Return the attempts of each turn by chat and message, once all of it is as it should be."""
    service = on.service.program
    assert read(service, "SELECT DISTINCT state FROM deliveries") == [("ended",)]
    columns = "chat_id, message_id, state, attempts"
    brought = f"SELECT {columns} FROM turns WHERE caller = '{INBOX}' ORDER BY id"
    kept_turns = read(service, brought)
    assert {state for _, _, state, _ in kept_turns} == {"done"}
    assert len(kept_turns) == sum(len(talk.said) for talk in on.talks)
    for talk in on.talks:
        mine = {said.id for said in talk.said}
        kept = [int(number) for chat, number, *_ in kept_turns if int(chat) == talk.chat]
        assert [number for number in kept if number in mine] == [said.id for said in talk.said]
    return {(int(chat), int(number)): attempts for chat, number, _, attempts in kept_turns}


def asked_once_and_once_per_kill(
    said: Said, answer: Kept, starts: list[int], attempts: int
) -> None:
    """Claim that the model was called once, and again only by another start of the service.

    Nobody gets an apology instead who was not tried to be answered as often as it is done.
    """
    assert len(starts) == len(set(starts)), f"{said} was asked twice without a kill: {starts}"
    assert len(starts) <= attempts <= 1 + said.answered_after - said.kills
    assert starts or is_apology(answer)
    assert is_apology(answer) == (attempts > MOST_ATTEMPTS), (said, answer, attempts)
