"""One allowance for several instances: exact, and never more of it while Redis is away."""

import asyncio
import sys
from bisect import bisect_right
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.chat.limits import WINDOW_SECONDS, LocalLimits, Verdict
from app.sharing import bus as buses
from app.sharing.limits import SharedLimits
from app.sharing.link import BEAT_EVERY, LONGEST_PAUSE
from tests.redises import (
    Instance,
    Server,
    cleared,
    instance,
    listening,
    prefix,
    shared_url,
)

ROOT = Path(__file__).parents[2]
U1 = ("internal", "u1")
LIMIT = 12
QUARTERS = st.integers(0, 80).map(lambda quarters: quarters / 4)
HISTORIES = st.lists(
    st.one_of(
        st.tuples(st.just("spend"), st.integers(0, 1), QUARTERS),
        st.tuples(st.just("burst"), st.integers(0, 1), QUARTERS),
        st.tuples(st.just("beat"), st.integers(0, 1), QUARTERS),
        st.tuples(st.sampled_from(["kill", "start", "flush", "refund"]), st.just(0), st.just(0.0)),
    ),
    max_size=40,
)
UNHURRIED = settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buses, "LISTEN_AGAIN", 0.005)


@dataclass
class Pair:
    """Two instances of one Redis, and what both let through: dated, in the order of time."""

    instances: list[Instance]
    limits: list[SharedLimits]
    let_through: list[float] = field(default_factory=list)
    now: float = 1_000.0
    spent: list[tuple[int, Verdict]] = field(default_factory=list)

    async def spend(self, who: int, limit: int = LIMIT) -> Verdict:
        verdict = await self.limits[who].spend(U1, self.now, limit)
        if verdict.allowed:
            self.let_through.append(self.now)
            self.spent.append((who, verdict))
        await self.told()
        return verdict

    async def refund(self) -> None:
        if self.spent:
            who, verdict = self.spent.pop()
            await self.limits[who].refund(U1, verdict)
            self.let_through.pop()
            await self.told()

    async def told(self) -> None:
        """Wait until what Redis told has been heard by both."""
        if all(each.link.here for each in self.instances):
            await listening(*self.instances)
            await self.instances[0].link.client.ping()
            for _ in range(5):
                await asyncio.sleep(0)
            await asyncio.sleep(0.002)

    async def settle(self) -> None:
        for each in self.instances:
            await each.settle()
        for each in self.instances:
            await each.link.beat()
        await listening(*self.instances)

    def later(self, seconds: float) -> None:
        self.now += seconds
        for each in self.instances:
            each.clock.now += seconds

    @property
    def most(self) -> int:
        """The most that any minute holds."""
        times = sorted(self.let_through)
        return max(
            (at + 1 - bisect_right(times, end - WINDOW_SECONDS) for at, end in enumerate(times)),
            default=0,
        )


@asynccontextmanager
async def pair(url: str, named: str) -> AsyncIterator[Pair]:
    async with instance(url, named) as one, instance(url, named) as other:
        both = [one, other]
        made = Pair(both, [SharedLimits(each.link, each.bus, "limit") for each in both])
        await made.settle()
        yield made


@UNHURRIED
@given(st.lists(st.tuples(st.integers(0, 1), QUARTERS), max_size=60), st.integers(1, 6))
async def test_two_count_as_one(steps: list[tuple[int, float]], limit: int) -> None:
    url, named, alone = shared_url(), prefix(), LocalLimits()
    async with pair(url, named) as both:
        for who, later in steps:
            both.now += later
            verdict = await both.limits[who].spend(U1, both.now, limit)
            assert verdict == await alone.spend(U1, both.now, limit)
            looked = await both.limits[1 - who].look(U1, both.now, limit)
            assert looked == await alone.look(U1, both.now, limit)
        assert all(each.link.settled for each in both.instances)
    await cleared(url, named)


async def test_two_processes_at_once_let_through_what_one_would() -> None:
    url, named = shared_url(), prefix()
    spenders = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.sharing.spender", url, named, "40", "50"),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for each in spenders:
        assert each.stdout is not None
        assert await each.stdout.readline() == b"ready\n"

    counts = [(await each.communicate(b"go\n"))[0] for each in spenders]

    assert sum(map(int, counts)) == 50
    await cleared(url, named)


async def act(both: Pair, redis: Server, what: str, who: int) -> None:
    match what:
        case "spend":
            await both.spend(who)
        case "burst":
            for _ in range(LIMIT):
                await both.spend(who)
        case "beat":
            await both.instances[who].link.beat()
        case "refund":
            await both.refund()
        case "kill":
            redis.kill()
        case "start":
            redis.kill()
            redis.start()
        case "flush":
            redis.say("FLUSHALL")


@UNHURRIED
@given(HISTORIES)
async def test_whatever_happens_to_redis_no_minute_holds_more_than_the_limit(
    redis: Server, history: list[tuple[str, int, float]]
) -> None:
    redis.kill()
    redis.start()
    up = True
    async with pair(redis.url, prefix()) as both:
        for what, who, later in history:
            # As time goes by, hearts beat: nobody is without one for longer than another settles.
            for _ in range(round(later / BEAT_EVERY)):
                both.later(BEAT_EVERY)
                for each in both.instances:
                    await each.link.beat()
            if what == "flush" and not up:
                continue
            up = what == "start" or (up and what != "kill")
            await act(both, redis, what, who)
            assert both.most <= LIMIT


@pytest.mark.parametrize("spent_by_one", [0, 5, 11, 12])
async def test_while_it_is_away_they_share_what_is_left(redis: Server, spent_by_one: int) -> None:
    async with pair(redis.url, prefix()) as both:
        for _ in range(spent_by_one):
            await both.spend(0)
        redis.kill()

        alone = [sum([(await both.spend(who)).allowed for _ in range(20)]) for who in (1, 0)]

        assert alone == [(LIMIT - spent_by_one) // 2] * 2
        both.later(WINDOW_SECONDS)
        assert (await both.spend(0)).left == LIMIT // 2 - 1


async def test_however_many_they_are_each_may_let_one_through(redis: Server) -> None:
    async with pair(redis.url, prefix()) as both:
        redis.kill()

        heard = [[(await both.spend(who, 1)).allowed for _ in range(2)] for who in (0, 1)]

        assert heard == [[True, False]] * 2


async def test_back_it_learns_what_they_let_through_alone(redis: Server) -> None:
    async with pair(redis.url, prefix()) as both:
        await both.spend(0)
        redis.kill()
        for who in (0, 1):
            for _ in range(3):
                await both.spend(who)
        redis.start()

        await both.settle()
        looked = [await each.look(U1, both.now, LIMIT) for each in both.limits]

        assert [each.left for each in looked] == [LIMIT - 7] * 2
        assert (await both.spend(1)).left == LIMIT - 8


async def test_an_emptied_redis_gives_no_fresh_allowance(redis: Server) -> None:
    async with pair(redis.url, prefix()) as both:
        for _ in range(LIMIT):
            await both.spend(0)

        redis.say("FLUSHALL")

        assert not (await both.spend(0)).allowed
        assert not (await both.spend(1)).allowed
        await both.settle()
        assert not (await both.spend(0)).allowed
        assert not (await both.spend(1)).allowed


async def test_one_that_is_not_back_yet_is_waited_for(redis: Server) -> None:
    async with pair(redis.url, prefix()) as both:
        redis.kill()
        for _ in range(6):
            await both.spend(1)
        redis.start()
        await both.instances[0].link.beat()  # the other one does not know yet
        both.later(LONGEST_PAUSE)
        await both.instances[0].link.beat()

        mine = sum([(await both.spend(0)).allowed for _ in range(LIMIT)])

        assert mine == LIMIT // 2


async def test_what_was_given_back_is_given_back_for_all(redis: Server) -> None:
    async with pair(redis.url, prefix()) as both:
        for _ in range(LIMIT):
            await both.spend(0)
        await both.refund()
        redis.kill()

        assert both.limits[1]._known.of(*both.limits[1]._known._entries) is not None
        assert len(both.limits[1]._known.items()) == LIMIT - 1


async def test_redis_is_told_no_name_and_forgets_by_itself(redis: Server) -> None:
    secret = ("internal", "somebody@example.org")
    async with pair(redis.url, prefix()) as both:
        await both.limits[0].spend(secret, 1_000, 5)
        client = both.instances[0].link.client
        keys = [key async for key in client.scan_iter("*:limit:*")]

        assert len(keys) == 1
        assert "somebody" not in "".join([key async for key in client.scan_iter("*")])
        assert 0 < await client.pttl(keys[0]) <= 2_000 * WINDOW_SECONDS
