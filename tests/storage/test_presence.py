"""An instance that died is noticed by its lock, and what it held is free."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from asyncpg import CannotConnectNowError
from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from app.chat import lanes as module
from app.chat.lanes import Lanes
from app.storage import presence, staying
from app.storage.postgres import Pooled, open_postgres
from app.storage.sealed import Sealer
from app.storage.turns import Taken
from tests.storage.queue import NOW, Queue

ME, OTHER = "0123456789abcdef", "fedcba9876543210"
PATIENCE = 10.0


@pytest.fixture
async def pooled(postgres_url: URL) -> AsyncIterator[Pooled]:
    async with open_postgres(postgres_url) as store:
        yield store


async def missing(store: Pooled, me: str = ME) -> frozenset[str]:
    return await store.run(lambda db: presence.missing(db, me, NOW))


async def seen(store: Pooled, owners: set[str]) -> None:
    """Wait until those who are missing are `owners`."""
    async with asyncio.timeout(PATIENCE):
        while await missing(store) != owners:  # noqa: ASYNC110 - the database alone tells
            await asyncio.sleep(0.05)


@pytest.fixture
async def held(pooled: Pooled, sealer: Sealer) -> Pooled:
    """A turn that `OTHER` works on."""

    def add(db: Connection) -> None:
        Queue(db, sealer).add("one", owner=OTHER)

    await pooled.run(add)
    return pooled


async def test_who_is_present_is_not_missing_and_who_left_is(held: Pooled) -> None:
    async with held.present(ME):
        await seen(held, {OTHER})
        async with held.present(OTHER):
            await seen(held, set())
        await seen(held, {OTHER})


async def test_nobody_is_missing_to_who_is_not_seen_either(held: Pooled) -> None:
    async with held.present(OTHER):
        await asyncio.sleep(0.2)

        assert await missing(held) == frozenset()


async def test_after_its_own_start_the_server_knows_of_nobody(
    held: Pooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with held.present(ME):
        await seen(held, {OTHER})
        monkeypatch.setattr(presence, "_HELD", presence._HELD.bindparams(back=1e9))

        assert await missing(held) == frozenset()


async def test_a_lock_that_was_cut_is_taken_again(
    held: Pooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staying, "LOOK_EVERY", 0.05)
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks"
        f" WHERE locktype = 'advisory' AND classid::bigint = {presence.CLASS}"
        f" AND objid::bigint = {int(OTHER[:8], 16)}"
    )
    async with held.present(ME), held.present(OTHER):
        await seen(held, set())
        await held.run(lambda db: db.exec_driver_sql(cut).close())
        await asyncio.sleep(0.2)

        await seen(held, set())


async def test_a_server_that_is_starting_is_asked_again(
    held: Pooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staying, "LOOK_EVERY", 0.01)
    starting = iter([CannotConnectNowError("the database system is starting up")])
    stay = staying._stay

    async def refused_once(db: AsyncConnection, owner: str) -> None:
        for error in starting:
            raise error
        await stay(db, owner)

    monkeypatch.setattr(staying, "_stay", refused_once)
    async with held.present(OTHER):
        await asyncio.sleep(0)
        async with held.present(ME):
            await seen(held, set())


async def test_what_a_dead_instance_held_is_taken_up_long_before_its_lease_ends(
    held: Pooled, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.05)
    now = NOW
    taken: list[int] = []

    async def work(turn: Taken) -> None:
        taken.append(turn.attempts)

    lanes = Lanes(held, sealer, lambda: now)
    keeping = asyncio.create_task(lanes.keep(work))
    async with held.present(lanes.owner):
        async with asyncio.timeout(PATIENCE):
            while not taken:
                await asyncio.sleep(0.02)
                now += 0.1
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)

    assert taken == [2]
    assert module.MISSED_SECONDS <= now - NOW < 20
