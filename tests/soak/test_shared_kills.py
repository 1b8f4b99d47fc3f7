"""Two services, one database: either is killed in the middle of its work, and nobody notices."""

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random

import httpx
import pytest
from sqlalchemy.engine import URL

from tests.redises import server
from tests.soak.callers import Caller, Greedy
from tests.soak.chats import answers_of, is_apology, strays
from tests.soak.claims import (
    all_answered,
    all_ended,
    all_once_in_order,
    asked_once_and_once_per_kill,
    callers_were_answered,
    kept_in_order,
    known_strays_gone,
)
from tests.soak.doors import ANYTHING, Step
from tests.soak.scene import STEPS_OF_SERVICE
from tests.soak.shared import Instance, SharedScene, shared_scene
from tests.soak.talk import World

WHOLE = bool(os.environ.get("SOAK"))
KILLS = 20 if WHOLE else 1  # of each of the two
CHATS = 30 if WHOLE else 8
CALLERS = 8 if WHOLE else 4
PAUSE = 8.0 if WHOLE else 0.5  # seconds between two messages of a person, at most
NAMED = 0.6  # of the kills come at a step, the others at any time
MOST_PASSES = 4  # of a step
PASSES = 60 if WHOLE else 15  # of anything
CUT_EVERY = 2.0  # seconds
A_LITTLE = 0.1  # seconds after anything
STARTS_KILLED = 0.2 if WHOLE else 0.0  # of the kills at any time come while it starts
MOST_STARTING = 2.0  # seconds
LIMIT = 90  # messages of a caller in a minute
MORE = 15
PATIENCE = 120.0  # seconds: two leases may have to run out
AWAY = frozenset({"rate_limited"})  # stricter while one of them has just started


@pytest.mark.soak
async def test_kill_9_of_either_service_leaves_everybody_one_answer(
    tmp_path: Path, postgres_url: URL
) -> None:
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(10**6))
    random, began = Random(seed), time.monotonic()
    print(f"\nseed {seed}")  # noqa: T201 - `SOAK_SEED` repeats it
    url = postgres_url.render_as_string(hide_password=False)

    with server(tmp_path) as redis:
        own = {"DATABASE_URL": url, "REDIS_URL": redis.url, "INTERNAL_RATE_LIMIT": str(LIMIT)}
        async with shared_scene(tmp_path, CHATS, hasty=not WHOLE, **own) as on:
            world = World(on.service.program, random, door=on.door, patience=PATIENCE, away=AWAY)
            callers = [Caller(number, world) for number in range(CALLERS)]
            greedy = Greedy("greedy", world)
            await _killed_again_and_again(on, world, callers, greedy)
            await all_answered(on)
            await all_ended(on.service.program)
            await known_strays_gone(on)
            await on.settled()
            calm = await _calm(world)
    took = time.monotonic() - began

    print(f"{_told(on, callers)}, {took:.0f} s")  # noqa: T201
    _everybody_on_telegram_was_answered(on)
    callers_were_answered(on.service.program, callers)
    # Who has just started, and does not reach Redis in time, does not know what was spent before.
    assert greedy.most() <= LIMIT + on.service_kills
    assert calm.kept() == LIMIT


async def _killed_again_and_again(
    on: SharedScene, world: World, callers: list[Caller], greedy: Greedy
) -> None:
    random = world.random
    plan = [(one, step) for one in on.instances for step in _plan(random)]
    random.shuffle(plan)
    await on.start()
    limits = httpx.Limits(max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(timeout=PATIENCE, limits=limits) as http,
        asyncio.TaskGroup() as group,
    ):
        for talk in on.talks:
            each = Random(random.random())
            kills = partial(getattr, on, "service_kills")
            group.create_task(talk.go_on(each, PAUSE, lambda: world.over, kills))
        for caller in callers:
            group.create_task(caller.talk(http))
        group.create_task(greedy.talk(http))
        # One after the other: killed together, they are a service that is away, which the kills of
        # a single one are about.
        for one, step in plan:
            await _kill(on, world, one, step)
        world.over = True


def _plan(random: Random) -> list[Step]:
    named = random.sample(STEPS_OF_SERVICE, min(len(STEPS_OF_SERVICE), round(KILLS * NAMED)))
    plan = [*named, *[Step(ANYTHING, "heard")] * (KILLS - len(named))]
    random.shuffle(plan)
    return plan


async def _kill(on: SharedScene, world: World, one: Instance, step: Step) -> None:
    random = world.random

    async def kill() -> None:
        world.kills += 1
        await one.kill()

    if step.request == "deliveries":
        await _at_the_stream(on, one, step, kill)
    elif step.request != ANYTHING:
        await one.traps.wait(step, random.randint(1, MOST_PASSES), kill)
    elif random.random() < STARTS_KILLED:
        await kill()
        await one.start()
        await asyncio.sleep(random.uniform(0.0, MOST_STARTING))
        await kill()
    else:
        await one.traps.wait(step, PASSES, partial(asyncio.sleep, random.uniform(0, A_LITTLE)))
        await kill()
    await one.start()
    await one.ready()


async def _at_the_stream(
    on: SharedScene, one: Instance, step: Step, kill: Callable[[], Awaitable[None]]
) -> None:
    waiting = asyncio.create_task(one.traps.wait(step, 1, kill))
    while not waiting.done():
        # It stays with one instance for as long as it can.
        await on.way.cut()
        await asyncio.wait({waiting}, timeout=CUT_EVERY)
    await waiting


async def _calm(world: World) -> Greedy:
    """Let somebody new send more than allowed, now that nobody is killed."""
    calm = Greedy("calm", world)
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits) as http:
        for _ in range(LIMIT + MORE):
            await calm.send(http)
    return calm


def _everybody_on_telegram_was_answered(on: SharedScene) -> None:
    attempts = kept_in_order(on)
    calls: dict[str, list[int]] = {}
    for text, start in on.asked:
        calls.setdefault(text, []).append(start)
    all_once_in_order(on)
    for talk in on.talks:
        for said, (answer,) in answers_of(talk):
            tried = attempts[talk.chat, said.id]
            asked_once_and_once_per_kill(said, answer, calls.get(said.text, []), tried)
    assert strays(on.world) == []


def _told(on: SharedScene, callers: list[Caller]) -> str:
    everything = [(said, found) for talk in on.talks for said, found in answers_of(talk)]
    waits = sorted(said.answered_at - said.at for said, _ in everything)
    on_their_way = sum(said.answered_after > said.kills for said, _ in everything)
    apologies = sum(is_apology(answer) for _, found in everything for answer in found)
    posted = [said for caller in callers for said in caller.said]
    return (
        f"{on.service_kills} kills of {len(on.instances)} services, "
        f"{len(everything)} messages in {len(on.talks)} conversations, "
        f"{on_their_way} of them on their way during a kill, "
        f"{sum(not found for _, found in everything)} lost, "
        f"{sum(len(found) > 1 for _, found in everything)} answered twice, "
        f"{apologies} apologies, {len(strays(on.world))} strays, "
        f"waited {waits[len(waits) // 2]:.1f} s (half), {waits[-1]:.1f} s (longest); "
        f"{len(posted)} messages by REST, {sum(said.kills > 0 for said in posted)} on their way, "
        f"{sum(said.sends - 1 for said in posted)} repeats, "
        f"longest wait {max(said.waited for said in posted):.1f} s; "
        f"{len(on.asked)} calls of the model"
    )
