"""What a unit of work is told when SQLite cannot write, and what comes after."""

import asyncio
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from app.errors import EmptyMessage, StorageUnavailable
from app.storage.batches import Batches
from tests.storage.words import held, write, written

LOT = "x" * 200_000


@pytest.fixture
def store(batches: Batches) -> Batches:
    return batches


def pragma(text: str) -> Callable[[Connection], object]:
    def unit(db: Connection) -> object:
        result = db.exec_driver_sql(f"PRAGMA {text}")
        return result.scalar() if result.returns_rows else None

    return unit


def break_commit(db: Connection) -> None:
    """Write what only the commit refuses."""
    db.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    db.exec_driver_sql("INSERT INTO exchanges VALUES (99, 1, x'00', 0)")


def refuse(_db: Connection) -> None:
    raise EmptyMessage


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_commit_that_fails_fails_all_of_its_units(store: Batches) -> None:
    async with held(store):
        waiting = [
            asyncio.create_task(store.run(work)) for work in (write("one"), break_commit, refuse)
        ]
    said = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(each) for each in said] == [StorageUnavailable] * 3
    assert await store.run(written) == []


async def test_the_store_works_again_after_a_commit_that_failed(store: Batches) -> None:
    with pytest.raises(StorageUnavailable):
        await store.run(break_commit)

    assert await store.run(write("after")) == "after"
    assert await store.run(written) == ["after"]


async def test_a_full_database_refuses_what_does_not_fit_and_keeps_the_rest(store: Batches) -> None:
    pages = await store.run(pragma("page_count"))
    await store.run(pragma(f"max_page_count={pages}"))

    async with held(store):
        waiting = [asyncio.create_task(store.run(write(word))) for word in ("one", LOT, "two")]
    said = await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(said[1], StorageUnavailable)
    kept = sorted(word for word in said if isinstance(word, str))
    assert await store.run(written) == kept
    await store.run(pragma("max_page_count=1000000"))
    assert await store.run(write(LOT)) == LOT


async def test_a_disk_that_fails_under_the_commit_loses_nothing_that_was_told(
    store: Batches, sqlite_file: Path
) -> None:
    await store.run(write(LOT))
    log = sqlite_file.with_name(f"{sqlite_file.name}-wal")

    with no_file_longer_than(log.stat().st_size):
        async with held(store):
            waiting = [asyncio.create_task(store.run(write(word))) for word in ("one", "two")]
        said = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(each) for each in said] == [StorageUnavailable] * 2
    assert await store.run(written) == [LOT]
    assert await store.run(write("after")) == "after"
    assert await store.run(pragma("integrity_check")) == "ok"


async def test_a_read_only_database_refuses_until_it_is_mended(store: Batches) -> None:
    connection = store._engine.raw_connection().driver_connection
    assert connection is not None
    await store.run(write("one"))
    connection.execute("PRAGMA query_only=ON")

    with pytest.raises(StorageUnavailable):
        await store.run(write("two"))

    connection.execute("PRAGMA query_only=OFF")
    assert await store.run(write("three")) == "three"
    assert await store.run(written) == ["one", "three"]
