"""Units of work on PostgreSQL: a pool of connections, a transaction each.

Several instances may work on one database. Two units that meet (the same row, the same new key)
are the database's to notice; the one that lost is run again.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from loguru import logger
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from app import metrics
from app.errors import StorageUnavailable
from app.storage.driver import APPLICATION, FAILURES, HOPELESS, OLDEST, by_asyncpg, sqlstate
from app.storage.migrate import migrate
from app.storage.staying import be_present
from app.storage.store import StorageRefused, storage_failure

T = TypeVar("T")

CONNECTIONS: Final = 16
CONNECT_SECONDS: Final = 3.0
UNIT_SECONDS: Final = 8.0  # from the wait for a connection to the commit
START_SECONDS: Final = 30.0  # a database that starts beside us may take so long
LOOK_AGAIN: Final = 0.5
MIGRATION_LOCK: Final = 0x4172_6173_6850  # any number, the same for every instance
MOST_TRIES: Final = 5
SETTINGS: Final = {
    "application_name": APPLICATION,
    "statement_timeout": "5000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "10000",
    "jit": "off",  # no query of ours is long enough to be worth compiling
}
# What another unit did at the same time: run again, this one sees it.
MET: Final = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "23505",  # unique_violation: both were the first
        "23503",  # foreign_key_violation: the other deleted what this one refers to
    }
)


class Pooled:
    """A `Store` for many instances."""

    shared = True

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def run(self, work: Callable[[Connection], T]) -> T:
        """See `Store`. A unit whose caller is cancelled is finished all the same."""
        if self._closed:
            raise StorageUnavailable(cause="closed")
        task = asyncio.create_task(self._run(work))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    @asynccontextmanager
    async def present(self, owner: str) -> AsyncIterator[None]:
        """Let the other instances know that `owner` is alive."""
        being = asyncio.create_task(be_present(self._engine, owner))
        try:
            yield
        finally:
            being.cancel()
            await asyncio.gather(being, return_exceptions=True)

    async def close(self) -> None:
        """Finish what runs, then stop."""
        self._closed = True
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._engine.dispose()

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited may be gone: then nobody else asks for it

    async def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            with metrics.storage_seconds.time():
                async with asyncio.timeout(UNIT_SECONDS):
                    return await self._tried(work)
        except FAILURES as error:
            raise storage_failure(error) from error

    async def _tried(self, work: Callable[[Connection], T]) -> T:
        for tries in range(1, MOST_TRIES + 1):
            try:
                return await greenlet_spawn(self._transaction, work)
            except _Lost as lost:
                # They were all opened to the same server. Its restart ended every one of them.
                await self._engine.dispose()
                if tries == MOST_TRIES or lost.committing:
                    raise lost.error from None
            except _Met as met:
                if tries == MOST_TRIES:
                    raise met.error from None
                await asyncio.sleep(random.uniform(0, 0.01) * tries)  # noqa: S311 - no secret
        raise AssertionError

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        """Do it all in one greenlet: SQLAlchemy's own awaits would begin one for each step."""
        committing = False
        with self._engine.sync_engine.connect() as db:
            try:
                # By hand: a `Prepared` goes past SQLAlchemy, which would find nothing to commit.
                transaction = db.begin()
                result = work(db)
                committing = True
                transaction.commit()
            except asyncio.CancelledError:
                # Out of time. The server may be frozen, and closing in good form would wait for it.
                with suppress(SQLAlchemyError):  # it is cut already
                    raw: Any = db.connection.driver_connection
                    if raw is not None:
                        raw.terminate()
                raise
            except Exception as error:
                if _is_lost(db, error):
                    db.invalidate()
                    raise _Lost(error, committing=committing) from error
                if sqlstate(error) in MET:
                    raise _Met(error) from error
                raise
        return result


class _Lost(Exception):
    """The connection broke. Once the commit was sent, nobody knows what became of it."""

    def __init__(self, error: Exception, *, committing: bool) -> None:
        self.error = error
        self.committing = committing


class _Met(Exception):
    def __init__(self, error: Exception) -> None:
        self.error = error


@asynccontextmanager
async def open_postgres(url: URL) -> AsyncIterator[Pooled]:
    """Open the database that `url` names, migrated where needed.

    Raises:
        StorageRefused: it does not answer, refuses us, or is too old.
        NewerDatabase: a newer program wrote it.
    """
    engine = create_async_engine(
        by_asyncpg(url),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=UNIT_SECONDS,
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": UNIT_SECONDS,
            "server_settings": SETTINGS,
        },
    )
    store = Pooled(engine)
    try:
        await _begin(engine)
        yield store
    finally:
        await store.close()


async def _begin(engine: AsyncEngine) -> None:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        try:
            async with engine.begin() as db:
                await db.run_sync(_migrate)
        except FAILURES as error:
            reason = HOPELESS.get(sqlstate(error))
            if reason is not None:
                raise StorageRefused(f"DATABASE_URL: {reason}") from error
            if asyncio.get_running_loop().time() > deadline:
                raise StorageRefused("DATABASE_URL: the database does not answer") from error
            logger.warning("storage.awaited", kind=type(error).__name__)
            await asyncio.sleep(LOOK_AGAIN)
        else:
            return


def _migrate(db: Connection) -> None:
    version = db.execute(text("SELECT current_setting('server_version_num')::int")).scalar_one()
    if version < OLDEST:
        raise StorageRefused("DATABASE_URL: PostgreSQL 13 or newer is needed")
    # Instances that start together: one migrates, the others wait and find nothing to do.
    db.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
    migrate(db)


def _is_lost(db: Connection, error: Exception) -> bool:
    if sqlstate(error).startswith(("08", "57P")):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    return db.dialect.is_disconnect(cause, None, None)  # type: ignore[arg-type]
