"""The unit of work: `await store.run(fn)` runs `fn(connection)` in a transaction."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from loguru import logger
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.errors import AppError, StorageUnavailable

T = TypeVar("T")


class StorageRefused(Exception):
    """The database cannot be used. The text says why and what to do."""


class Store(Protocol):
    """One database. Every promise about data is kept by the unit that `run` commits.

    `shared`: other processes may use it at the same time.
    """

    shared: bool

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returned, once it is committed and on the disk.

        Whatever `work` raises is raised here, and nothing of it is kept. It may be called more
        than once, where it met others: it only reads its arguments and writes to its connection.

        Raises:
            StorageUnavailable: the database failed, or the store is closed.
        """
        ...

    def present(self, owner: str) -> AbstractAsyncContextManager[None]:
        """Let those who share the database know that `owner` is alive."""
        ...


async def ask(store: Store, seconds: float) -> None:
    """Look whether the database says anything.

    Raises:
        TimeoutError: not in time.
        StorageUnavailable: it is away.
    """
    async with asyncio.timeout(seconds):
        await store.run(lambda db: db.exec_driver_sql("SELECT 1").close())


def storage_failure(error: BaseException) -> AppError:
    """Log what the database said, and return what others may hear of it."""
    logger.error("storage.failed", kind=type(error).__name__, reason=_reason(error))
    failure = StorageUnavailable(retry_after=1)
    failure.__cause__ = error
    return failure


def _reason(error: BaseException) -> str:
    # The text of a DBAPIError holds the statement's values; the driver's own word does not.
    return str(error.orig if isinstance(error, DBAPIError) else error)
