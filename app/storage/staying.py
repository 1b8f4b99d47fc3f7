"""Being seen by the other instances: a lock of PostgreSQL's, see `app.storage.presence`."""

import asyncio
from contextlib import suppress
from typing import Final

from loguru import logger
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.storage.driver import FAILURES
from app.storage.presence import CLASS, key_of

LOOK_EVERY: Final = 1.0  # seconds: whether the connection still lives

_TAKE: Final = text("SELECT pg_advisory_lock(:class, :key)")


async def be_present(engine: AsyncEngine, owner: str) -> None:
    """Hold the lock of `owner` for as long as this lives, on a connection of its own."""
    while True:
        with suppress(*FAILURES):
            async with engine.connect() as db:
                try:
                    await _stay(db, owner)
                finally:
                    await db.invalidate()  # in the pool it would go on holding the lock
        logger.warning("storage.presence_lost")
        await asyncio.sleep(LOOK_EVERY)


async def _stay(db: AsyncConnection, owner: str) -> None:
    await db.execute(_TAKE, {"class": CLASS, "key": key_of(owner)})
    await db.commit()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        await db.execute(text("SELECT 1"))
        await db.commit()
