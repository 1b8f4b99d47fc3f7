"""Two services, whose Redis and PostgreSQL go away again and again: nobody loses anything."""

import asyncio
import os
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import httpx
import pytest

from app.storage.turns import MOST_ATTEMPTS
from tests import postgres, redises
from tests.soak.callers import Caller, Greedy, Probes
from tests.soak.chats import answers_of, is_apology, strays
from tests.soak.claims import (
    all_answered,
    all_ended,
    all_once_in_order,
    callers_were_answered,
    kept_in_order,
    known_strays_gone,
)
from tests.soak.shared import SharedScene, shared_scene
from tests.soak.talk import World

WHOLE = bool(os.environ.get("SOAK"))
REDIS_KILLS = 10 if WHOLE else 1
REDIS_FREEZES = 5 if WHOLE else 1
RESTARTS = 5 if WHOLE else 1  # of PostgreSQL
FROZEN = 10.0 if WHOLE else 1.5  # seconds
AWAY = 2.0 if WHOLE else 0.5  # seconds between an end and the next start
BETWEEN = 6.0 if WHOLE else 1.0  # seconds between two troubles
CALM = 10.0 if WHOLE else 2.0  # seconds before the first
CHATS = 20 if WHOLE else 6
CALLERS = 4
PAUSE = 4.0 if WHOLE else 1.0  # seconds between two messages of a person, at most
LIMIT = 60  # messages of a caller in a minute
PATIENCE = 120.0  # seconds: two leases may have to run out
MORE = 0.3  # seconds that a request may take longer while Redis is away
# Of the requests: now and then the machine is busy with something else. In short there are few.
MOST_OF_THEM = 0.98 if WHOLE else 0.5
TROUBLES = ("kill", "freeze")  # of Redis
SAID_AGAIN = frozenset({"rate_limited", "storage_unavailable"})


@dataclass(slots=True)
class Stage:
    """Everything that runs, and those who speak. `postgres_goes` is when it does so first."""

    on: SharedScene
    world: World
    redis: redises.Server
    postgres: postgres.Server
    callers: list[Caller]
    greedy: Greedy
    probes: Probes
    postgres_goes: float = 0.0


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(10**6))
    print(f"\nseed {seed}")  # noqa: T201 - `SOAK_SEED` repeats it
    with redises.server(tmp_path) as redis, postgres.server() as database:
        url = database.url.render_as_string(hide_password=False)
        own = {"DATABASE_URL": url, "REDIS_URL": redis.url, "INTERNAL_RATE_LIMIT": str(LIMIT)}
        async with shared_scene(tmp_path, CHATS, hasty=not WHOLE, **own) as on:
            world = World(
                on.service.program, Random(seed), door=on.door, patience=PATIENCE, away=SAID_AGAIN
            )
            callers = [Caller(number, world) for number in range(CALLERS)]
            greedy = Greedy("greedy", world)
            yield Stage(on, world, redis, database, callers, greedy, Probes(world, "calm"))


@pytest.mark.skipif(not WHOLE, reason="SOAK=1 takes Redis and PostgreSQL away under load")
@pytest.mark.soak
async def test_redis_and_postgresql_come_and_go_and_everybody_is_answered_once(
    stage: Stage,
) -> None:
    on, probes, began = stage.on, stage.probes, time.monotonic()
    await on.start()
    limits = httpx.Limits(max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(timeout=PATIENCE, limits=limits) as http,
        asyncio.TaskGroup() as group,
    ):
        for talk in on.talks:
            each = Random(stage.world.random.random())
            over = partial(getattr, stage.world, "over")
            group.create_task(talk.go_on(each, PAUSE, over, lambda: 0))
        for caller in stage.callers:
            group.create_task(caller.talk(http))
        group.create_task(stage.greedy.talk(http))
        group.create_task(probes.talk(http))
        await asyncio.sleep(CALM)
        await _redis_comes_and_goes(stage)
        await _postgresql_comes_and_goes(stage)
        stage.world.over = True
    await all_answered(on)
    await all_ended(on.service.program)
    await known_strays_gone(on)

    print(f"{_told(stage)}, {time.monotonic() - began:.0f} s")  # noqa: T201
    assert {each.status for each in probes.heard if each.stage != "postgresql"} == {200}
    for trouble in TROUBLES:
        assert _slowest(probes, trouble) < _slowest(probes, "calm") + MORE
    away = [each for each in probes.heard if each.stage == "postgresql" and each.status != 200]
    assert {(each.status, each.error) for each in away} == {(503, "storage_unavailable")}
    assert all(each.retry_after and int(each.retry_after) >= 1 for each in away)
    assert stage.greedy.most() <= LIMIT
    callers_were_answered(on.service.program, stage.callers)
    _everybody_on_telegram_was_answered(stage)


async def _redis_comes_and_goes(stage: Stage) -> None:
    redis, random = stage.redis, stage.world.random
    troubles = ["kill"] * REDIS_KILLS + ["freeze"] * REDIS_FREEZES
    random.shuffle(troubles)
    for trouble in troubles:
        stage.probes.stage = trouble
        if trouble == "kill":
            redis.kill()
            await asyncio.sleep(AWAY)
            redis.start()
        else:
            redis.freeze()
            await asyncio.sleep(FROZEN)
            redis.thaw()
        stage.probes.stage = "after"
        await asyncio.sleep(BETWEEN)


async def _postgresql_comes_and_goes(stage: Stage) -> None:
    probes = stage.probes
    probes.stage, stage.postgres_goes = "postgresql", time.monotonic()
    for _ in range(RESTARTS):
        await asyncio.to_thread(stage.postgres.stop, "immediate")
        await asyncio.sleep(AWAY)
        await asyncio.to_thread(stage.postgres.start)
        await probes.well(len(probes.heard))
        await asyncio.sleep(BETWEEN)


def _slowest(probes: Probes, stage: str) -> float:
    times = probes.times(stage)
    return times[int(MOST_OF_THEM * (len(times) - 1))]


def _everybody_on_telegram_was_answered(stage: Stage) -> None:
    on, attempts = stage.on, kept_in_order(stage.on)
    all_once_in_order(on)
    calls = Counter(text for text, _ in on.asked)
    for talk in on.talks:
        for said, (answer,) in answers_of(talk):
            tried = attempts[talk.chat, said.id]
            # Redis holds nothing that an answer needs.
            most = 1 if said.answered_at < stage.postgres_goes else 1 + RESTARTS
            assert calls[said.text] <= tried <= most
            assert is_apology(answer) == (tried > MOST_ATTEMPTS)
    assert strays(on.world) == []


def _told(stage: Stage) -> str:
    on, probes = stage.on, stage.probes
    everything = [(said, found) for talk in on.talks for said, found in answers_of(talk)]
    waits = sorted(said.answered_at - said.at for said, _ in everything)
    posted = [said for caller in stage.callers for said in caller.said]
    spans = ", ".join(
        f"{name} {times[len(times) // 2]:.3f} s (half), {_slowest(probes, name):.3f} s (most), "
        f"{times[-1]:.3f} s (longest)"
        for name in ("calm", *TROUBLES)
        if (times := probes.times(name))
    )
    refused = [each for each in probes.heard if each.status != 200]
    return (
        f"{REDIS_KILLS} kills and {REDIS_FREEZES} freezes of Redis, "
        f"{RESTARTS} restarts of PostgreSQL, "
        f"{len(everything)} messages in {len(on.talks)} conversations, "
        f"{sum(not found for _, found in everything)} lost, "
        f"{sum(len(found) > 1 for _, found in everything)} answered twice, "
        f"{sum(is_apology(answer) for _, found in everything for answer in found)} apologies, "
        f"{len(strays(on.world))} strays, waited {waits[len(waits) // 2]:.1f} s (half), "
        f"{waits[-1]:.1f} s (longest); {len(posted)} messages by REST, "
        f"{sum(said.sends - 1 for said in posted)} repeats, "
        f"longest wait {max(said.waited for said in posted):.1f} s; "
        f"{len(probes.heard)} probes: {spans}, "
        f"{len(refused)} refused while PostgreSQL was away"
        f" in {max((each.seconds for each in refused), default=0):.2f} s at most; "
        f"most of one caller in a minute {stage.greedy.most()} of {LIMIT}"
    )
