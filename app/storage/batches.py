"""Units of work on SQLite: one thread owns the one connection.

It takes every unit that waits and commits them together: one fsync for many messages. Where one
of them fails, all are undone and run again, each in a savepoint of its own, so that it undoes
itself alone. A commit that fails, fails all of them.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from app import metrics
from app.errors import StorageUnavailable
from app.storage.store import storage_failure

T = TypeVar("T")
MOST_UNITS = 256  # in one transaction: bounds how long the first of them waits


@dataclass(slots=True)
class _Unit:
    work: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None

    def deliver(self) -> None:
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Batches:
    """A `Store` for one process: whoever waits at the same time is committed together."""

    shared = False

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="storage", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returned, once it is committed and on the disk.

        Whatever `work` raises is raised here, and nothing of it is kept.

        Raises:
            StorageUnavailable: the database failed, or the store is closed.
        """
        if self._closed:
            raise StorageUnavailable(cause="closed")
        began = time.perf_counter()
        loop = asyncio.get_running_loop()
        unit = _Unit(work, loop, loop.create_future())
        self._waiting.put(unit)
        result: T = await unit.future
        metrics.storage_seconds.observe(time.perf_counter() - began)
        return result

    @asynccontextmanager
    async def present(self, owner: str) -> AsyncIterator[None]:
        """Nobody else is there to know it."""
        yield

    def close(self) -> None:
        """Finish what waits, then stop."""
        self._closed = True
        self._waiting.put(None)
        self._thread.join()
        self._engine.dispose()

    def _write(self) -> None:
        with self._engine.connect() as db:
            while (unit := self._waiting.get()) is not None:
                units = [unit]
                stop = False
                while len(units) < MOST_UNITS:
                    try:
                        following = self._waiting.get_nowait()
                    except queue.Empty:
                        break
                    if stop := following is None:
                        break
                    units.append(following)
                self._commit(db, units)
                _deliver(units)
                if stop:
                    return

    def _commit(self, db: Connection, units: list[_Unit]) -> None:
        try:
            if not _all_ran(db, units):
                with db.begin():
                    for unit in units:
                        _run(db, unit)
        except Exception as error:  # noqa: BLE001 - the outermost loop of the thread
            # SQLite may leave the transaction of a failed commit open: no other could begin.
            with contextlib.suppress(db.dialect.loaded_dbapi.Error):
                db.connection.rollback()
            failure = storage_failure(error)
            for unit in units:
                # Also of a unit with an error of its own: what it saw of the others is gone.
                unit.error = failure


def _all_ran(db: Connection, units: list[_Unit]) -> bool:
    """Run all without savepoints, which take a quarter of their statements.

    False, and nothing of them is kept, where one of several failed.
    """
    alone = len(units) == 1
    try:
        with db.begin():
            for unit in units:
                try:
                    unit.result = unit.work(db)
                except BaseException as error:
                    if alone:
                        unit.error = _error_of(db, error)
                    raise _Undo from error
    except _Undo:
        return alone
    return True


class _Undo(Exception):
    pass


def _run(db: Connection, unit: _Unit) -> None:
    # The driver's cursor: SQLAlchemy's own nested transaction costs ten times as much.
    driver = db.connection.cursor()
    driver.execute("SAVEPOINT unit")
    try:
        unit.result = unit.work(db)
    except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the unit
        unit.error = _error_of(db, error)
        driver.execute("ROLLBACK TO unit")
    driver.execute("RELEASE unit")


def _error_of(db: Connection, error: BaseException) -> BaseException:
    if isinstance(error, (DBAPIError, db.dialect.loaded_dbapi.Error)):
        return storage_failure(error)
    if isinstance(error, StopIteration):  # no future takes one
        failure = RuntimeError("a unit of work raised StopIteration")
        failure.__cause__ = error
        return failure
    return error


def _deliver(units: list[_Unit]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Unit]] = {}
    for unit in units:
        by_loop.setdefault(unit.loop, []).append(unit)
    for loop, mine in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_deliver_here, mine)


def _deliver_here(units: list[_Unit]) -> None:
    for unit in units:
        unit.deliver()
