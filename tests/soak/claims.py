"""What has to hold when everybody was answered, and waiting for that."""

import asyncio
import sqlite3
import time
from contextlib import closing
from typing import Any

from sqlalchemy.engine import make_url

from tests.processes import Service
from tests.soak.chats import LOOK_EVERY, Talk, answers_of, is_apology, is_final, messages
from tests.soak.scene import Scene

PATIENCE = 90.0  # seconds without any new answer


async def all_answered(on: Scene) -> None:
    """Wait until everything has an answer, as long as there are new ones."""
    left, since = -1, time.monotonic()
    while open_ := [said for talk in on.talks for said in talk.look(on.service.kills)]:
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
    file = make_url(service.url).database
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


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
