"""Bot and service are killed in the middle of their work, and everybody has one answer."""

import asyncio
import os
import secrets
import time
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from panoptes_bot.render import WAITING
from tests.soak.chats import answers_of, is_apology, strays
from tests.soak.claims import (
    all_answered,
    all_ended,
    all_once_in_order,
    asked_once_and_once_per_kill,
    kept_in_order,
    known_strays_gone,
    read,
)
from tests.soak.doors import ANYTHING, Step
from tests.soak.scene import STEPS_OF_BOT, STEPS_OF_SERVICE, Scene, Victim, scene

WHOLE = bool(os.environ.get("SOAK"))
KILLS = 40 if WHOLE else 2  # of each of the two
CHATS = 40 if WHOLE else 10
MESSAGES = 1_000 if WHOLE else 50
# Seconds between two messages of a person, at most. With more than 12 messages a second the bot
# has no calls left for answers that grow, and nobody can be killed there.
PAUSE = 10.0 if WHOLE else 0.5
NAMED = 0.6  # of the kills come at a step, the others at any time
# How often a step is passed before somebody is killed there, at most. Counted, not timed: where
# everything is slow nobody dies sooner.
PASSES = {"deliveries": 1, "growing edit": 1, ANYTHING: 60}
MOST_PASSES = 8  # of the others
A_LITTLE = 0.1  # seconds after anything
STARTS_KILLED = 0.2  # of the kills at any time come while it starts
MOST_STARTING = 2.0  # seconds


@pytest.mark.soak
async def test_kill_9_of_bot_and_service_leaves_everybody_one_answer(tmp_path: Path) -> None:
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(10**6))
    began = time.monotonic()

    async with scene(tmp_path, CHATS) as on:
        await _killed_again_and_again(on, Random(seed))
        await all_answered(on)
        await all_ended(on.service.program)
        await known_strays_gone(on)
    took = time.monotonic() - began

    print(f"\nseed {seed}: {_told(on)}, {took:.0f} s")  # noqa: T201 - `SOAK_SEED` repeats it
    assert read(on.service.program, "PRAGMA integrity_check") == [("ok",)]
    attempts = kept_in_order(on)
    calls: dict[str, list[int]] = {}
    for text, start in on.asked:
        calls.setdefault(text, []).append(start)
    all_once_in_order(on)
    for talk in on.talks:
        for said, (answer,) in answers_of(talk):
            tried = attempts[talk.chat, said.id]
            asked_once_and_once_per_kill(said, answer, calls.get(said.text, []), tried)
    left = strays(on.world)
    # The service leaves none: what the bot has placed it tells when somebody is there again.
    assert len(left) <= on.bot.kills
    assert {stray.content["text"] for stray in left} <= {WAITING}, "half an answer is left"


async def _killed_again_and_again(on: Scene, random: Random) -> None:
    def over() -> bool:
        return on.kills == 2 * KILLS and sum(len(talk.said) for talk in on.talks) >= MESSAGES

    def kills() -> int:
        return on.service.kills

    plans: list[tuple[Victim[Any], list[Step]]] = [
        (on.bot, _plan(random, STEPS_OF_BOT)),
        (on.service, _plan(random, STEPS_OF_SERVICE)),
    ]
    await on.service.start()
    await on.service.program.ready()
    await on.bot.start()
    async with asyncio.TaskGroup() as group:
        for talk in on.talks:
            group.create_task(talk.go_on(Random(random.random()), PAUSE, over, kills))
        for victim, plan in plans:
            group.create_task(_kill(on, victim, plan, Random(random.random())))
    await on.service.program.ready()


def _plan(random: Random, steps: tuple[Step, ...]) -> list[Step]:
    """Return the steps at which to kill."""
    named = random.sample(steps, min(len(steps), round(KILLS * NAMED)))
    plan = [*named, *[Step(ANYTHING, "heard")] * (KILLS - len(named))]
    random.shuffle(plan)
    return plan


async def _kill(on: Scene, victim: Victim[Any], plan: list[Step], random: Random) -> None:
    for step in plan:
        passes = random.randint(1, PASSES.get(step.request, MOST_PASSES))
        if step.request != ANYTHING:
            await on.traps.wait(step, passes, victim.kill)
        elif random.random() < STARTS_KILLED:
            await asyncio.sleep(random.uniform(0.0, MOST_STARTING))
            await victim.kill()
        else:
            await on.traps.wait(step, passes, partial(asyncio.sleep, random.uniform(0, A_LITTLE)))
            await victim.kill()
        await victim.start()


def _told(on: Scene) -> str:
    everything = [(said, found) for talk in on.talks for said, found in answers_of(talk)]
    waits = sorted(said.answered_at - said.at for said, _ in everything)
    on_their_way = sum(said.answered_after > said.kills for said, _ in everything)
    apologies = sum(is_apology(answer) for _, found in everything for answer in found)
    left = Counter(stray.chat for stray in strays(on.world))
    return (
        f"{on.bot.kills} kills of the bot, {on.service.kills} of the service, "
        f"{len(everything)} messages in {CHATS} chats, "
        f"{on_their_way} of them on their way during a kill of the service, "
        f"{sum(not found for _, found in everything)} lost, "
        f"{sum(len(found) > 1 for _, found in everything)} answered twice, "
        f"{len(on.asked) - len(everything)} calls of the model more than messages, "
        f"{apologies} apologies, {left.total()} strays, at most {max(left.values(), default=0)} "
        f"in a chat, waited {waits[len(waits) // 2]:.1f} s (half), {waits[-1]:.1f} s (longest)"
    )
