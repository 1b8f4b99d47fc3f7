"""Six calls a second behind one address, however many instances there are."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import PlumeBusy
from app.plume.budget import WINDOW, Budget, Purpose
from app.sharing import bus as buses
from app.sharing.grants import Grants
from app.sharing.link import SETTLE_SECONDS
from tests.api.service import until
from tests.plume.clouds import Clock
from tests.plume.test_budget import most_within
from tests.redises import (
    Instance,
    Server,
    cleared,
    instance,
    listening,
    prefix,
    shared_url,
)

UNHURRIED = settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))
_NAMES = itertools.count()


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buses, "LISTEN_AGAIN", 0.005)


class Two:
    """The budgets of two instances, by one clock."""

    def __init__(self, instances: list[Instance]) -> None:
        self.clock = Clock()
        self.instances = instances
        self.budgets = []
        name = f"plume{next(_NAMES)}"
        for each in instances:
            grants = Grants(each.link, each.bus, self.clock, name)
            budget = Budget(clock=self.clock, sleep=self.clock.sleep, shared=grants)
            each.bus.on(f"{name}.paused", _pauses(budget))
            each.link.clock = self.clock
            self.budgets.append(budget)
        self.times: list[float] = []

    async def spend(self, who: int, purpose: Purpose = "person", within: float = 0.0) -> bool:
        try:
            await self.budgets[who].spend(purpose, within=within)
        except PlumeBusy:
            return False
        self.times.append(self.clock.time)
        return True

    async def settle(self) -> None:
        for seconds in (0.0, SETTLE_SECONDS, 0.0):
            self.clock.time += seconds
            for each in self.instances:
                await each.link.beat()


def _pauses(budget: Budget) -> buses.Handler:
    return lambda told: budget.paused_elsewhere(float(told))


@asynccontextmanager
async def two(url: str, named: str) -> AsyncIterator[Two]:
    async with instance(url, named) as one, instance(url, named) as other:
        made = Two([one, other])
        await made.settle()
        await listening(one, other)
        yield made


async def test_two_have_six_a_second_and_three_of_them_for_the_background() -> None:
    url, named = shared_url(), prefix()
    async with two(url, named) as both:
        background = [await both.spend(at % 2, "background") for at in range(8)]
        people = [await both.spend(at % 2) for at in range(8)]
        both.clock.time += 1
        later = [await both.spend(at % 2) for at in range(8)]

    assert (sum(background), sum(people), sum(later)) == (3, 3, 6)
    await cleared(url, named)


async def test_a_pause_holds_for_both_and_is_known_before_anybody_asks() -> None:
    url, named = shared_url(), prefix()
    async with two(url, named) as both:
        both.budgets[0].pause(60)
        await until(lambda: both.budgets[1].paused > 0)

        with pytest.raises(PlumeBusy) as caught:
            await both.budgets[1].spend("person", within=1)

        assert (caught.value.retry_after, caught.value.cause) == (60, "paused")
        both.budgets[1].pause(5)
        await asyncio.sleep(0.02)
        both.clock.time += 59
        both.budgets[0]._paused_until = both.budgets[1]._paused_until = 0.0  # Redis knows better
        assert [await both.spend(who) for who in (0, 1)] == [False, False]
        both.clock.time += 1
        assert await both.spend(0)
    await cleared(url, named)


async def test_a_pause_is_learnt_by_who_did_not_hear_of_it() -> None:
    url, named = shared_url(), prefix()
    async with two(url, named) as both:
        both.budgets[0].pause(60)
        await until(lambda: both.budgets[1].paused > 0)
        both.budgets[1]._paused_until = 0.0

        assert not await both.spend(1, within=1)
        assert both.budgets[1].paused == 60
    await cleared(url, named)


async def test_the_window_of_the_firewall_is_that_of_whoever_called_first() -> None:
    url, named = shared_url(), prefix()
    async with two(url, named) as both:
        await both.spend(0)
        both.clock.time += 100
        await both.spend(1)

        assert both.budgets[1].shut_out() == pytest.approx(WINDOW - 100)
    await cleared(url, named)


async def test_away_each_takes_its_share_and_none_in_the_second_of_the_change(
    redis: Server,
) -> None:
    async with two(redis.url, prefix()) as both:
        for _ in range(6):
            assert await both.spend(0)
        redis.kill()
        for each in both.instances:
            await each.link.beat()  # notices it

        assert not await both.spend(1)
        assert not await both.spend(0)
        both.clock.time += 1
        shares = [sum([await both.spend(who) for _ in range(6)]) for who in (0, 1)]

        assert shares == [3, 3]


async def test_a_pause_outlives_the_redis_that_held_it(redis: Server) -> None:
    async with two(redis.url, prefix()) as both:
        both.budgets[0].pause(60)
        await until(lambda: both.budgets[1].paused > 0)
        redis.kill()
        redis.start()
        await both.settle()
        both.budgets[1]._paused_until = 0.0

        assert not await both.spend(1, within=1)


@UNHURRIED
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["spend", "spend", "burst", "kill", "start", "flush"]),
            st.integers(0, 1),
            st.integers(0, 12).map(lambda quarters: quarters / 4),
        ),
        max_size=40,
    )
)
async def test_whatever_happens_to_redis_no_second_has_more_than_six(
    redis: Server, history: list[tuple[str, int, float]]
) -> None:
    redis.kill()
    redis.start()
    up = True
    async with two(redis.url, prefix()) as both:
        for what, who, later in history:
            for _ in range(round(later * 4)):
                both.clock.time += 0.25
                for each in both.instances:
                    await each.link.beat()
            if what in {"spend", "burst"}:
                for _ in range(6 if what == "burst" else 1):
                    await both.spend(who)
            elif what == "kill" or (what == "start" and up):
                redis.kill()
                up = False
            if what == "start" and not up:
                redis.kill()
                redis.start()
                up = True
            elif what == "flush" and up:
                redis.say("FLUSHALL")
            assert most_within(both.times, 1.0) <= 6
