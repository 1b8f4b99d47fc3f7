import asyncio
import contextlib
import threading
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from loguru import logger
from sqlalchemy import Connection, event, insert

from app.errors import EmptyMessage, StorageUnavailable
from app.storage.batches import MOST_UNITS, Batches
from app.storage.tables import profiles
from tests.storage.words import LONG, count, held, write, written


@pytest.fixture
def store(batches: Batches) -> Batches:
    return batches


def refuse(db: Connection) -> None:
    write("undone")(db)
    raise EmptyMessage


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    number = logger.add(lines.append, format="{message} {extra}", diagnose=False)
    yield lines
    logger.remove(number)


@pytest.fixture
def commits(store: Batches) -> list[Connection]:
    seen: list[Connection] = []
    event.listen(store._engine, "commit", seen.append)
    return seen


async def test_a_unit_returns_what_its_work_returned(store: Batches) -> None:
    assert await store.run(write("one")) == "one"
    assert await store.run(written) == ["one"]


async def test_units_that_wait_are_committed_together(
    store: Batches, commits: list[Connection]
) -> None:
    async with held(store):
        waiting = [asyncio.create_task(store.run(write(str(n)))) for n in range(20)]
    await asyncio.gather(*waiting)

    assert len(commits) == 2  # the unit that held the store, and all that waited


async def test_one_commit_takes_no_more_than_its_share(
    store: Batches, commits: list[Connection]
) -> None:
    async with held(store):
        waiting = [asyncio.create_task(store.run(write(str(n)))) for n in range(MOST_UNITS + 1)]
    await asyncio.gather(*waiting)

    assert len(commits) == 3


async def test_units_run_in_the_order_they_came(store: Batches) -> None:
    order: list[int] = []

    def note(n: int, _db: Connection) -> None:
        order.append(n)

    await asyncio.gather(*(store.run(partial(note, n)) for n in range(600)))

    assert order == list(range(600))


async def test_many_concurrent_units_are_all_kept(store: Batches) -> None:
    said = await asyncio.gather(*(store.run(write(f"{n:04}")) for n in range(1000)))

    assert await store.run(written) == said


async def test_a_unit_that_raises_undoes_itself_alone(store: Batches) -> None:
    async with held(store):
        waiting = [
            asyncio.create_task(store.run(work))
            for work in (write("before"), refuse, write("after"))
        ]
    before, refused, after = await asyncio.gather(*waiting, return_exceptions=True)

    assert (before, after) == ("before", "after")
    assert isinstance(refused, EmptyMessage)
    assert await store.run(written) == ["after", "before"]


async def test_savepoints_are_for_those_among_whom_one_failed(store: Batches) -> None:
    seen: list[str] = []

    async def together(*units: Callable[[Connection], object]) -> list[str]:
        async with held(store):
            seen.clear()
            waiting = [asyncio.create_task(store.run(work)) for work in units]
        await asyncio.gather(*waiting, return_exceptions=True)
        return [said.split()[0] for said in seen if not said.startswith("SELECT")]

    def watch(db: Connection) -> None:
        raw: Any = db.connection.driver_connection
        raw.set_trace_callback(seen.append)

    await store.run(watch)

    well = await together(write("one"), write("two"))
    ill = await together(write("three"), refuse)
    alone = await together(refuse)

    assert well == ["COMMIT", "BEGIN", "INSERT", "INSERT", "COMMIT"]
    assert ill == [
        *("COMMIT", "BEGIN", "INSERT", "INSERT", "ROLLBACK"),
        *("BEGIN", "SAVEPOINT", "INSERT", "RELEASE"),
        *("SAVEPOINT", "INSERT", "ROLLBACK", "RELEASE", "COMMIT"),
    ]
    assert alone == ["COMMIT", "BEGIN", "INSERT", "ROLLBACK"]


async def test_a_unit_that_raises_stop_iteration_holds_up_nobody(store: Batches) -> None:
    nothing: Iterator[str] = iter(())

    async with held(store):
        waiting = [
            asyncio.create_task(store.run(work)) for work in (lambda _db: next(nothing), count)
        ]
    raised, counted = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), LONG)

    assert isinstance(raised, RuntimeError)
    assert counted == 0


async def test_a_broken_statement_is_unavailable_storage_for_its_own_unit(
    store: Batches,
) -> None:
    async with held(store):
        waiting = [
            asyncio.create_task(store.run(work))
            for work in (write("same"), write("same"), write("other"))
        ]
    first, second, third = await asyncio.gather(*waiting, return_exceptions=True)

    assert (first, third) == ("same", "other")
    assert isinstance(second, StorageUnavailable)
    assert second.retry_after == 1
    assert await store.run(written) == ["other", "same"]


async def test_a_storage_failure_says_nothing_of_the_values(store: Batches, log: list[str]) -> None:
    planted = "planted-4711"
    twice = insert(profiles).values(platform=planted, user_id="same", model=planted)
    await store.run(lambda db: db.execute(twice).rowcount)

    with pytest.raises(StorageUnavailable) as caught:
        await store.run(lambda db: db.execute(twice).rowcount)

    assert "UNIQUE" in "".join(log)
    assert str(caught.value) == StorageUnavailable.sentence
    assert planted not in "".join([*log, *traceback.format_exception(caught.value)])


async def test_a_waiter_that_is_cancelled_does_not_break_the_others(store: Batches) -> None:
    async with held(store):
        gone, stays = (asyncio.create_task(store.run(write(word))) for word in ("gone", "stays"))
        await asyncio.sleep(0)
        gone.cancel()

    assert await asyncio.wait_for(stays, LONG) == "stays"
    assert gone.cancelled()
    assert "stays" in await store.run(written)


async def test_a_loop_that_ended_meanwhile_does_not_break_the_store(store: Batches) -> None:
    async def leave() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(store.run(write("left")), 0.01)

    async with held(store):
        await asyncio.to_thread(asyncio.run, leave())

    assert await asyncio.wait_for(store.run(write("here")), LONG) == "here"


async def test_units_of_two_loops_come_back_to_their_own(store: Batches) -> None:
    def elsewhere() -> tuple[str, str]:
        async def run() -> tuple[str, str]:
            return await store.run(write("there")), threading.current_thread().name

        return asyncio.run(run())

    here, (there, thread) = await asyncio.gather(
        store.run(write("here")), asyncio.to_thread(elsewhere)
    )

    assert (here, there) == ("here", "there")
    assert thread != "storage"


async def test_closing_finishes_what_waits(store: Batches) -> None:
    async with held(store):
        waiting = [asyncio.create_task(store.run(write(str(n)))) for n in range(MOST_UNITS + 50)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(store.close))

    await closing

    assert len(await asyncio.wait_for(asyncio.gather(*waiting), LONG)) == MOST_UNITS + 50


async def test_a_closed_store_refuses_at_once(store: Batches) -> None:
    store.close()

    with pytest.raises(StorageUnavailable):
        await asyncio.wait_for(store.run(count), LONG)
