"""Each test runs on memory and on a real Redis: both must find the same."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.chat.limits import LATE_SECONDS, WINDOW_SECONDS, Limits, LocalLimits, Verdict
from app.sharing.limits import SharedLimits
from tests.redises import cleared, instance, prefix, shared_url

U1 = ("internal", "u1")
Open = Callable[[], AbstractAsyncContextManager[Limits]]
# A loaded machine takes its time; the examples are what counts.
UNHURRIED = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
KEYS = st.sampled_from([("internal", "a"), ("internal", "b"), ("telegram", "a")])
# Quarters are exact in binary, so that both models see the very edge of the window.
QUARTERS = st.integers(0, 140).map(lambda quarters: quarters / 4)
STEPS = st.lists(
    st.tuples(st.sampled_from(["spend", "spend", "spend", "refund", "look"]), KEYS, QUARTERS),
    max_size=80,
)


@asynccontextmanager
async def in_memory() -> AsyncIterator[Limits]:
    yield LocalLimits()


@asynccontextmanager
async def in_redis() -> AsyncIterator[Limits]:
    url, named = shared_url(), prefix()
    async with instance(url, named) as one:
        limits = SharedLimits(one.link, one.bus, "limit")
        await one.settle()
        yield limits
        assert one.link.settled, "it was not Redis that counted"
    await cleared(url, named)


@pytest.fixture(params=[in_memory, in_redis], ids=["memory", "redis"])
def counted(request: pytest.FixtureRequest) -> Open:
    found: Open = request.param
    return found


@pytest.fixture
async def limits(counted: Open) -> AsyncIterator[Limits]:
    async with counted() as made:
        yield made


class Naive:
    """Keeps every time and counts those of the last minute."""

    def __init__(self) -> None:
        self.times: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def look(self, key: tuple[str, str], now: float, limit: int) -> Verdict:
        inside = [time for time in self.times[key] if now - time < WINDOW_SECONDS]
        reset = inside[0] + WINDOW_SECONDS - now if inside else 0.0
        return Verdict(len(inside) < limit, limit, max(0, limit - len(inside)), reset)

    def spend(self, key: tuple[str, str], now: float, limit: int) -> Verdict:
        allowed = self.look(key, now, limit).allowed
        if allowed:
            self.times[key].append(now)
        after = self.look(key, now, limit)
        return Verdict(allowed, limit, after.left, after.reset)

    def refund(self, key: tuple[str, str], time: float) -> None:
        self.times[key].remove(time)


@UNHURRIED
@given(STEPS, st.integers(1, 6))
async def test_the_window_is_exact(
    counted: Open, steps: list[tuple[str, tuple[str, str], float]], limit: int
) -> None:
    naive, now = Naive(), 1_000.0
    spent: dict[tuple[str, str], tuple[Verdict, float]] = {}

    async with counted() as limits:
        for what, key, later in steps:
            now += later
            if what == "refund":
                if key in spent:
                    verdict, time = spent.pop(key)
                    await limits.refund(key, verdict)
                    naive.refund(key, time)
            elif what == "look":
                assert await limits.look(key, now, limit) == naive.look(key, now, limit)
            else:
                verdict = await limits.spend(key, now, limit)
                assert verdict == naive.spend(key, now, limit)
                if verdict.allowed:
                    spent[key] = (verdict, now)


@UNHURRIED
@given(st.lists(st.integers(0, 1_200), max_size=60), st.integers(1, 6))
async def test_in_whatever_order_they_come_each_counts_by_its_own_time(
    counted: Open, quarters: list[int], limit: int
) -> None:
    let_through: list[float] = []

    async with counted() as limits:
        for time in [1_000 + quarter / 4 for quarter in quarters]:
            verdict = await limits.spend(U1, time, limit)
            with_it = sorted([*let_through, time])
            fullest = max(
                at + 1 - bisect_right(with_it, end - WINDOW_SECONDS)
                for at, end in enumerate(with_it)
                if end - WINDOW_SECONDS < time <= end
            )
            assert verdict.allowed == (fullest <= limit)
            if verdict.allowed:
                let_through = with_it
                assert verdict.left == limit - fullest


async def test_a_backlog_in_two_chats_is_let_through_however_it_is_mixed(limits: Limits) -> None:
    one = [1_000.0 + 10 * at for at in range(30)]
    other = [time + 5 for time in one]

    allowed = [(await limits.spend(U1, time, 12)).allowed for time in (*one, *other)]

    assert all(allowed)
    assert not (await limits.spend(U1, 1_150.0, 12)).allowed


async def test_the_twenty_first_message_of_a_minute_is_refused_until_the_first_is_a_minute_old(
    limits: Limits,
) -> None:
    verdicts = [await limits.spend(U1, second, 20) for second in range(20)]

    assert [verdict.left for verdict in verdicts] == list(reversed(range(20)))
    assert all(verdict.allowed for verdict in verdicts)
    assert await limits.spend(U1, 20, 20) == Verdict(allowed=False, limit=20, left=0, reset=40.0)
    assert not (await limits.spend(U1, 59.99, 20)).allowed
    assert await limits.spend(U1, 60, 20) == Verdict(allowed=True, limit=20, left=0, reset=1.0)


async def test_a_refused_message_costs_nothing(limits: Limits) -> None:
    await limits.spend(U1, 0, 1)

    refused = [(await limits.spend(U1, second, 1)).allowed for second in range(1, 60)]

    assert not any(refused)
    assert (await limits.spend(U1, 60, 1)).allowed


async def test_two_people_and_two_platforms_do_not_count_for_each_other(limits: Limits) -> None:
    await limits.spend(U1, 0, 1)

    others = [
        (await limits.spend(key, 0, 1)).allowed
        for key in (("internal", "u2"), ("telegram", "u1"), ("internal\0u1", ""), ("", "internal"))
    ]

    assert others == [True] * 4
    assert not (await limits.spend(U1, 0, 1)).allowed


async def test_what_is_given_back_can_be_spent_again(limits: Limits) -> None:
    spent = await limits.spend(U1, 0, 1)

    await limits.refund(U1, spent)

    assert await limits.look(U1, 0, 1) == Verdict(allowed=True, limit=1, left=1, reset=0.0)
    assert (await limits.spend(U1, 0, 1)).allowed


async def test_the_place_that_was_taken_is_given_back(limits: Limits) -> None:
    await limits.spend(U1, 0, 2)
    later = await limits.spend(U1, 30, 2)

    await limits.refund(U1, later)

    assert await limits.look(U1, 30, 2) == Verdict(allowed=True, limit=2, left=1, reset=30.0)


async def test_a_message_that_is_a_minute_old_no_longer_counts(limits: Limits) -> None:
    await limits.spend(U1, 0, 1)

    looked = await limits.look(U1, 60, 1)

    assert looked == Verdict(allowed=True, limit=1, left=1, reset=0.0)


async def test_nothing_to_give_back_is_no_error_and_no_gift(limits: Limits) -> None:
    first = await limits.spend(U1, 0, 1)
    refused = await limits.spend(U1, 1, 1)

    await limits.refund(U1, refused)
    assert not (await limits.spend(U1, 0, 1)).allowed
    await limits.refund(U1, first)
    await limits.refund(U1, first)

    assert (await limits.spend(U1, 0, 1)).allowed
    assert not (await limits.spend(U1, 0, 1)).allowed


async def test_a_message_from_before_the_last_one_counts_by_its_own_time(limits: Limits) -> None:
    await limits.spend(U1, 100, 2)

    verdict = await limits.spend(U1, 10, 2)

    assert verdict == Verdict(allowed=True, limit=2, left=1, reset=60.0)
    assert await limits.spend(U1, 60, 2) == Verdict(allowed=True, limit=2, left=0, reset=10.0)
    assert not (await limits.spend(U1, 110, 2)).allowed


async def test_what_is_more_than_an_hour_late_counts_as_an_hour_late(limits: Limits) -> None:
    await limits.spend(U1, 10_000, 2)

    late = [(await limits.spend(U1, 10_000 - LATE_SECONDS - each, 2)).allowed for each in range(3)]

    assert late == [True, True, False]


async def test_memory_holds_the_people_of_about_a_minute_however_many_there_were() -> None:
    limits = LocalLimits()
    most = 0

    for second in range(3_000):  # a hundred strangers a second
        for person in range(100):
            await limits.spend(("internal", f"{second}-{person}"), second, 5)
        most = max(most, len(limits._counts._entries))

    a_minute = 100 * int(WINDOW_SECONDS)
    assert most <= 2 * a_minute + 100


async def test_memory_of_one_person_holds_an_hour_at_the_most() -> None:
    limits = LocalLimits()

    for minute in range(200):
        await limits.spend(U1, 60 * minute, 1)

    assert len(limits._counts.of(U1)) <= LATE_SECONDS / WINDOW_SECONDS + 2


async def test_those_who_are_still_counted_are_not_forgotten(limits: Limits) -> None:
    await limits.spend(U1, 50, 1)

    for number in range(300):
        await limits.spend(("internal", f"x{number}"), 100, 1)

    assert not (await limits.spend(U1, 100, 1)).allowed
