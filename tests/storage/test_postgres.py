"""What is particular to PostgreSQL: it goes away and comes back, and others use it too."""

import asyncio
import gc
import signal
import time
import warnings
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from loguru import logger
from sqlalchemy import Connection, insert, text
from sqlalchemy.engine import URL

from app.errors import StorageUnavailable
from app.storage import postgres as pooled
from app.storage.migrate import NewerDatabase
from app.storage.postgres import Pooled, open_postgres
from app.storage.store import StorageRefused
from app.storage.tables import metadata, profiles
from tests import postgres
from tests.storage.words import LONG, count, write, written


@pytest.fixture
def empty() -> Iterator[URL]:
    """A database in which there is nothing yet."""
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.database() as url:
        yield url


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.server() as own:
        yield own


def differences(db: Connection) -> object:
    context = MigrationContext.configure(db, opts={"compare_type": True})
    return compare_metadata(context, metadata)


async def test_the_migrations_make_what_the_tables_say(empty: URL) -> None:
    async with open_postgres(empty) as store:
        assert await store.run(differences) == []


async def test_instances_that_start_together_migrate_once(empty: URL) -> None:
    async def start() -> int:
        async with open_postgres(empty) as store:
            return await store.run(count)

    assert await asyncio.gather(*(start() for _ in range(4))) == [0] * 4


async def test_a_newer_database_is_refused(empty: URL) -> None:
    async with open_postgres(empty) as store:
        await store.run(
            lambda db: db.execute(text("UPDATE alembic_version SET version_num='9999'")).close()
        )

    with pytest.raises(NewerDatabase):
        async with open_postgres(empty):
            pass


async def test_what_an_operator_has_to_mend_is_said_at_once(empty: URL) -> None:
    with pytest.raises(StorageRefused, match="there is no such database"):
        async with open_postgres(empty.set(database="nowhere_to_be_found")):
            pass


async def test_a_server_that_does_not_answer_is_waited_for_and_then_refused(
    empty: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooled, "START_SECONDS", 0.2)

    with pytest.raises(StorageRefused, match="does not answer"):
        async with open_postgres(empty.set(port=1)):
            pass


async def test_two_instances_share_what_is_kept(empty: URL) -> None:
    async with open_postgres(empty) as one, open_postgres(empty) as other:
        await asyncio.gather(*((one, other)[n % 2].run(write(f"{n:02}")) for n in range(40)))

        assert await one.run(written) == await other.run(written) == [f"{n:02}" for n in range(40)]


async def test_units_that_hold_each_other_up_are_both_done(postgres_url: URL) -> None:
    async with open_postgres(postgres_url) as store:
        await store.run(lambda db: [write(word)(db) for word in ("a", "b")])

        def both(one: str, other: str) -> object:
            def unit(db: Connection) -> None:
                for word in (one, other):
                    db.execute(
                        profiles.update().where(profiles.c.user_id == word).values(model="m")
                    )
                    db.execute(text("SELECT pg_sleep(0.05)"))

            return unit

        await asyncio.gather(*(store.run(both(*words)) for words in ("ab", "ba")))  # type: ignore[arg-type]


async def test_a_failure_says_nothing_of_the_values(postgres_url: URL) -> None:
    planted = "planted-4711"
    lines: list[str] = []
    number = logger.add(lines.append, format="{message} {extra}", diagnose=False)
    async with open_postgres(postgres_url) as store:
        twice = insert(profiles).values(platform="p", user_id=planted)
        await store.run(lambda db: db.execute(twice).close())
        with pytest.raises(StorageUnavailable):
            await store.run(lambda db: db.execute(twice).close())
    logger.remove(number)

    assert "storage.failed" in "".join(lines)
    assert planted not in "".join(lines)


async def until_back(store: Pooled) -> float:
    began = time.monotonic()
    async with asyncio.timeout(LONG):
        while True:
            try:
                await store.run(count)
            except StorageUnavailable:
                await asyncio.sleep(0.05)
            else:
                return time.monotonic() - began


async def test_a_restart_is_survived_and_nothing_told_is_lost(server: postgres.Server) -> None:
    async with open_postgres(server.url) as store:
        before = await store.run(count)
        await asyncio.gather(*(store.run(write(f"before {n}")) for n in range(20)))
        await asyncio.to_thread(server.stop, "immediate")
        began = time.monotonic()
        with pytest.raises(StorageUnavailable) as refused:
            await store.run(write("away"))
        took = time.monotonic() - began
        await asyncio.to_thread(server.start)
        await until_back(store)

        assert refused.value.retry_after
        assert took < 1.0
        assert await store.run(count) == before + 20


async def test_a_restart_between_two_units_is_not_noticed(server: postgres.Server) -> None:
    async with open_postgres(server.url) as store:
        await asyncio.gather(*(store.run(count) for _ in range(20)))
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)

        await asyncio.gather(*(store.run(write(f"after {n}")) for n in range(20)))


# Connections that were given up while they were made are left to the collector by their driver.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_frozen_server_is_given_up_and_taken_back(
    server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooled, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(pooled, "UNIT_SECONDS", 0.8)
    async with open_postgres(server.url) as store:
        await store.run(count)
        server.signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            said = await asyncio.gather(
                *(store.run(write(f"frozen {n}")) for n in range(30)), return_exceptions=True
            )
            took = time.monotonic() - began
        finally:
            server.signal(signal.SIGCONT)

        assert {type(each) for each in said} == {StorageUnavailable}
        assert took < 2.0
        await until_back(store)
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()
