"""What a unit of work promises, on either kind of database."""

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Connection, insert, select, update

from app.errors import EmptyMessage, StorageUnavailable
from app.storage.prepared import Prepared
from app.storage.store import Store
from app.storage.tables import profiles, usage
from tests.storage.words import LONG, count, write, written

TWICE = Prepared(insert(profiles), ["platform", "user_id"])


def refuse(db: Connection) -> None:
    write("undone")(db)
    raise EmptyMessage


async def test_a_unit_returns_what_its_work_returned_and_keeps_it(store: Store) -> None:
    assert await store.run(write("one")) == "one"
    assert await store.run(written) == ["one"]


async def test_many_concurrent_units_are_all_kept(store: Store) -> None:
    said = await asyncio.gather(*(store.run(write(f"{n:04}")) for n in range(200)))

    assert await store.run(written) == said


async def test_a_unit_that_raises_undoes_itself_alone(store: Store) -> None:
    units = (store.run(work) for work in (write("before"), refuse, write("after")))
    before, refused, after = await asyncio.gather(*units, return_exceptions=True)

    assert (before, after) == ("before", "after")
    assert isinstance(refused, EmptyMessage)
    assert await store.run(written) == ["after", "before"]


async def test_what_is_there_already_is_an_unavailable_storage(store: Store) -> None:
    await store.run(write("same"))

    with pytest.raises(StorageUnavailable) as caught:
        await store.run(write("same"))

    assert caught.value.retry_after == 1
    assert await store.run(write("other")) == "other"
    assert await store.run(written) == ["other", "same"]


async def test_counts_that_meet_are_all_counted(store: Store) -> None:
    """Read, then write: the one that lost is run again, or waited for."""
    row = {"day": 1, "platform": "p", "model": "m", "messages": 0, "prompt_tokens": 0}
    await store.run(
        lambda db: db.execute(insert(usage).values(**row, completion_tokens=0, cost_usd=0)).close()
    )

    def one_more(db: Connection) -> None:
        seen = db.execute(select(usage.c.messages).with_for_update()).scalar_one()
        db.execute(update(usage).values(messages=seen + 1))

    await asyncio.gather(*(store.run(one_more) for _ in range(50)))

    assert await store.run(lambda db: db.execute(select(usage.c.messages)).scalar()) == 50


async def test_both_who_come_first_find_one_row(store: Store) -> None:
    def first_or_find(n: int, db: Connection) -> int:
        found = db.execute(select(profiles.c.time_zone)).scalar()
        if found is not None:
            return int(found)
        db.execute(insert(profiles).values(platform="p", user_id="u", time_zone=str(n)))
        return n

    found = await asyncio.gather(*(store.run(partial(first_or_find, n)) for n in range(8)))

    assert len(set(found)) == 1


async def test_a_unit_that_raises_stop_iteration_holds_up_nobody(store: Store) -> None:
    nothing: Iterator[str] = iter(())

    with pytest.raises(RuntimeError):
        await asyncio.wait_for(store.run(lambda _db: next(nothing)), LONG)

    assert await store.run(count) == 0


async def test_a_unit_whose_caller_is_gone_is_finished(store: Store) -> None:
    gone = asyncio.create_task(store.run(write("gone")))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)

    async with asyncio.timeout(LONG):
        while not await store.run(count):  # noqa: ASYNC110 - the database alone tells
            await asyncio.sleep(0.01)


async def test_a_prepared_statement_that_fails_is_an_unavailable_storage(store: Store) -> None:
    await store.run(write("same"))

    with pytest.raises(StorageUnavailable):
        await store.run(lambda db: TWICE(db, platform="words", user_id="same").rowcount)

    assert await store.run(written) == ["same"]
