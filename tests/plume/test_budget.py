"""How many calls go out: counted by a clock that is told the time, in memory and in Redis."""

import asyncio
import itertools
from bisect import bisect_left
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import PlumeBusy, PlumeNotYours
from app.plume.budget import Budget, Purpose
from app.sharing.grants import Grants
from simulator.plume import ALWAYS, OTHER_PARTNER, PlumeWorld
from tests.api.service import until
from tests.plume.clouds import UNHURRIED, Clock, Sharer, open_bench
from tests.redises import cleared, instance, prefix, shared_url

FOREVER = 10_000.0


@pytest.fixture(params=["memory", "redis"])
async def shared(request: pytest.FixtureRequest) -> AsyncIterator[Sharer]:
    """Return what counts for all instances; each call begins anew."""
    if request.param == "memory":
        yield lambda _clock: None
        return
    url, named, numbers = shared_url(), prefix(), itertools.count()
    async with instance(url, named) as one:
        await one.settle()
        yield lambda clock: Grants(one.link, one.bus, clock, name=f"plume{next(numbers)}")
        assert one.link.settled, "it was not Redis that counted"
    await cleared(url, named)


def made(clock: Clock, shared: Sharer, per_second: int = 6) -> Budget:
    return Budget(clock=clock, per_second=per_second, sleep=clock.sleep, shared=shared(clock))


async def spent(budget: Budget, clock: Clock, purpose: Purpose, count: int) -> list[float]:
    """Return when each of `count` calls went out."""
    times = []
    for _ in range(count):
        await budget.spend(purpose, within=FOREVER)
        times.append(clock.time)
    return times


def most_within(times: list[float], seconds: float) -> int:
    """Return the most calls in any stretch of so many seconds, its end left out."""
    # A wait is a sum of floats: a millionth of a second is none.
    counts = (bisect_left(times, start + seconds - 1e-6) - at for at, start in enumerate(times))
    return max(counts, default=0)


@pytest.mark.parametrize(
    ("purpose", "second", "window"), [("person", 6, 1800), ("background", 3, 900)]
)
async def test_no_second_and_no_window_has_more_than_its_share(
    purpose: Purpose, second: int, window: int, shared: Sharer
) -> None:
    clock = Clock()

    times = await spent(made(clock, shared), clock, purpose, 2 * window + 1)

    assert most_within(times, 1.0) == second
    assert most_within(times, 300.0) == window
    assert times[window] - times[0] >= 300
    assert times[second] - times[0] >= 1


async def test_half_is_kept_for_people(shared: Sharer) -> None:
    clock = Clock()
    budget = made(clock, shared)
    began = clock.time
    await spent(budget, clock, "background", 3)

    with pytest.raises(PlumeBusy):
        await budget.spend("background", within=0.9)
    people = await spent(budget, clock, "person", 3)

    assert people[-1] == began
    with pytest.raises(PlumeBusy):
        await budget.spend("person", within=0.9)


async def test_people_take_all_when_nothing_else_is_asked(shared: Sharer) -> None:
    clock = Clock()
    budget = made(clock, shared)

    await spent(budget, clock, "person", 6)

    with pytest.raises(PlumeBusy) as caught:
        await budget.spend("background", within=0.5)
    assert 0 < (caught.value.retry_after or 0) <= 1
    with pytest.raises(PlumeBusy):
        await budget.spend("person", within=0.5)


async def test_who_would_wait_too_long_is_told_at_once_for_how_long(shared: Sharer) -> None:
    clock = Clock()
    budget = made(clock, shared)
    await spent(budget, clock, "person", 6)

    before = clock.time
    with pytest.raises(PlumeBusy) as caught:
        await budget.spend("person", within=0.9)

    assert clock.time == before
    assert (caught.value.retry_after, caught.value.cause) == (1, "budget")
    await budget.spend("person", within=1.1)


async def test_those_who_wait_count_for_those_who_come(shared: Sharer) -> None:
    clock = Clock()
    waiting = asyncio.Event()
    goes_on = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await goes_on.wait()
        clock.time += seconds

    budget = Budget(clock=clock, per_second=2, sleep=sleep, shared=shared(clock))
    for _ in range(2):
        await budget.spend("person", within=0)
    queue = [asyncio.create_task(budget.spend("person", within=5)) for _ in range(6)]
    await waiting.wait()

    with pytest.raises(PlumeBusy) as caught:
        async with asyncio.timeout(10):
            await budget.spend("person", within=3.5)
    assert caught.value.retry_after == 4
    queue[3].cancel()
    goes_on.set()
    done = await asyncio.gather(*queue, return_exceptions=True)

    assert [type(each) for each in done].count(asyncio.CancelledError) == 1
    assert [each for each in done if each is None] == [None] * 5


@settings(UNHURRIED, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["person", "background"]),
            st.floats(0, 3, allow_nan=False),
            st.floats(0, 4, allow_nan=False),
        ),
        max_size=120,
    ),
    st.integers(2, 8),
)
async def test_whoever_asks_when_the_limits_hold(
    shared: Sharer, calls: list[tuple[Purpose, float, float]], per_second: int
) -> None:
    clock = Clock()
    budget = made(clock, shared, per_second)
    times: list[float] = []
    background: list[float] = []
    refused: list[float | None] = []

    for purpose, pause, within in calls:
        clock.time += pause
        before = clock.time
        try:
            await budget.spend(purpose, within=within)
        except PlumeBusy as busy:
            refused.append(busy.retry_after)
            continue
        assert clock.time - before <= within + 1e-6
        times.append(clock.time)
        if purpose == "background":
            background.append(clock.time)

    assert most_within(times, 1.0) <= per_second
    assert most_within(background, 1.0) <= max(1, per_second // 2)
    assert all(refused)


# -- the firewall -------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["firewall", "firewall_empty", "page:403"])
async def test_a_403_that_plume_did_not_write_pauses_all_calls_until_the_window_ends(
    world: PlumeWorld, fault: str, shared: Sharer
) -> None:
    home = world.place("pod_down")
    async with open_bench(world, shared=shared) as bench:
        await bench.account().customer_count()
        bench.clock.time += 100
        world.fail("*/nodes", fault)
        with pytest.raises(PlumeBusy) as caught:
            await bench.account().nodes(home.customer.id, home.id)
        before = len(world.calls)

        for account in (bench.account(), bench.account(OTHER_PARTNER)):
            with pytest.raises(PlumeBusy) as later:
                await account.customer_count()
            assert (later.value.retry_after, later.value.cause) == (200, "paused")

        assert caught.value.retry_after == 200
        assert len([it for it in list(world.calls)[before:] if it.path[:5] == "/api/"]) == 0
        bench.clock.time += 200
        assert (await bench.account().customer_count()).value > 0


async def test_a_window_that_ends_too_early_is_followed_by_a_whole_one(
    world: PlumeWorld, shared: Sharer
) -> None:
    world.fail("*/count", "firewall", ALWAYS)
    async with open_bench(world, shared=shared) as bench:
        waits = []
        for _ in range(2):
            with pytest.raises(PlumeBusy) as caught:
                await bench.account().customer_count()
            waits.append(caught.value.retry_after)
            bench.clock.time += 300

    assert waits == [300, 300]


async def test_one_foreign_customer_is_no_firewall(world: PlumeWorld, shared: Sharer) -> None:
    foreign = next(iter(world.people(OTHER_PARTNER))).place(0)
    async with open_bench(world, shared=shared) as bench:
        for call in (bench.account().nodes, bench.account().devices, bench.account().alerts) * 3:
            with pytest.raises(PlumeNotYours):
                await call(foreign.customer.id, foreign.id)

        await bench.account().customer_count()


async def test_many_foreign_things_within_a_minute_are(world: PlumeWorld, shared: Sharer) -> None:
    foreign = [it.id for it in world.people(OTHER_PARTNER)][:9]
    async with open_bench(world, shared=shared) as bench:
        for customer in foreign[:4]:
            with pytest.raises(PlumeNotYours):
                await bench.account().customer(customer)
        await bench.account().customer_count()
        for customer in foreign[4:9]:
            with pytest.raises(PlumeNotYours):
                await bench.account().customer(customer)

        with pytest.raises(PlumeBusy):
            await bench.account().customer_count()


async def test_foreign_things_over_a_longer_time_are_not(world: PlumeWorld, shared: Sharer) -> None:
    foreign = [it.id for it in world.people(OTHER_PARTNER)][:9]
    async with open_bench(world, shared=shared) as bench:
        for customer in foreign:
            with pytest.raises(PlumeNotYours):
                await bench.account().customer(customer)
            bench.clock.time += 16

        await bench.account().customer_count()


@pytest.mark.parametrize(
    ("fault", "wait"), [("too_many:60", 60), ("too_many", 30), ("too_many:86400", 3_600)]
)
async def test_a_429_is_obeyed_by_everybody(
    world: PlumeWorld, fault: str, wait: float, shared: Sharer
) -> None:
    world.fail("*/count", fault)
    async with open_bench(world, shared=shared) as bench:
        with pytest.raises(PlumeBusy):
            await bench.account().customer_count()
        with pytest.raises(PlumeBusy) as caught:
            await bench.account(OTHER_PARTNER).customer_count()

        assert caught.value.retry_after == wait
        assert len(world.of("*/count")) == 1
        bench.clock.time += wait
        await bench.account().customer_count()


async def test_a_short_pause_is_waited_for(world: PlumeWorld, shared: Sharer) -> None:
    world.fail("*/count", "too_many:2")
    async with open_bench(world, shared=shared) as bench:
        with pytest.raises(PlumeBusy):
            await bench.account().customer_count()

        await bench.account().customer_count()

        assert bench.clock.slept == [2]


async def test_the_background_waits_apart_from_people(world: PlumeWorld, shared: Sharer) -> None:
    customers = [it.id for it in world.people(next(iter(world.partners)))][:12]
    async with open_bench(world, per_second=6, shared=shared) as bench:
        background = bench.plume.account(bench.account()._credentials, purpose="background")
        for customer in customers[:3]:
            await background.customer(customer)
        before = bench.clock.time

        for customer in customers[3:6]:
            await bench.account().customer(customer)
        assert bench.clock.time == before
        await bench.account().customer(customers[7])

    assert bench.clock.time >= before + 1
    await until(lambda: world.in_flight == 0)
