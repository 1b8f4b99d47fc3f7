"""Rows that are quickly written and counted, for tests that are about transactions."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import Connection, func, insert, select

from app.storage.store import Store
from app.storage.tables import profiles

LONG = 10.0  # seconds: only a test that fails waits for so long


def write(word: str) -> Callable[[Connection], str]:
    def unit(db: Connection) -> str:
        db.execute(insert(profiles).values(platform="words", user_id=word))
        return word

    return unit


def written(db: Connection) -> list[str]:
    return sorted(db.execute(select(profiles.c.user_id)).scalars())


def count(db: Connection) -> int:
    return db.execute(select(func.count()).select_from(profiles)).scalar_one()


@asynccontextmanager
async def held(store: Store) -> AsyncIterator[None]:
    """Hold the store in a unit, so that what is run meanwhile waits and comes in one batch."""
    entered, leave = threading.Event(), threading.Event()

    def unit(_db: Connection) -> None:
        entered.set()
        assert leave.wait(LONG)

    holding = asyncio.create_task(store.run(unit))
    assert await asyncio.to_thread(entered.wait, LONG)
    try:
        yield
        await asyncio.sleep(0)  # what was made a task has put its unit into the queue
    finally:
        leave.set()
        await holding
