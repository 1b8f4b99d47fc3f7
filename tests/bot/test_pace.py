import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from panoptes_bot.clock import Clock
from panoptes_bot.pace import MANY_CHATS, Held, Pace

GROUP = "-100"
PERSON = "7"


class Told(Clock):
    """Stands still; whoever sleeps wakes when it is told a later time."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.time + seconds, woken))
        await woken.wait()

    async def tell(self, seconds: float) -> None:
        """Let so many seconds pass, waking everybody at their own time."""
        end = self.time + seconds
        while due := [one for one in self._sleepers if one[0] <= end]:
            first = min(due, key=lambda one: one[0])
            self._sleepers.remove(first)
            self.time = max(self.time, first[0])
            first[1].set()
            await rest()
        self.time = end
        await rest()


async def rest() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def calling(pace: Pace, clock: Told, *chats: str) -> AsyncIterator[list[tuple[str, float]]]:
    """Yield who had a turn at what second, in order."""
    made: list[tuple[str, float]] = []
    began = clock.now()

    async def call(chat: str) -> None:
        await pace.turn(chat)
        made.append((chat, round(clock.now() - began, 3)))

    tasks = [asyncio.create_task(call(chat)) for chat in chats]
    await rest()
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def clock() -> Told:
    return Told()


@pytest.fixture
def pace(clock: Told) -> Pace:
    return Pace(clock)


async def test_a_private_chat_takes_three_calls_at_once_and_then_one_a_second(
    pace: Pace, clock: Told
) -> None:
    async with calling(pace, clock, *[PERSON] * 6) as made:
        await clock.tell(10)

    assert [second for _, second in made] == [0, 0, 0, 1, 2, 3]


async def test_a_group_takes_twenty_calls_in_any_minute(pace: Pace, clock: Told) -> None:
    async with calling(pace, clock, *[GROUP] * 60) as made:
        await clock.tell(300)

    times = [second for _, second in made]
    assert len(times) == 60
    assert max(sum(start <= t < start + 60 for t in times) for start in times) == 20


async def test_all_chats_together_take_thirty_calls_in_any_second(pace: Pace, clock: Told) -> None:
    async with calling(pace, clock, *[str(number) for number in range(200)]) as made:
        await clock.tell(20)

    times = [second for _, second in made]
    assert len(times) == 200
    assert max(sum(start <= t < start + 1 for t in times) for start in times) <= 30
    assert times[-1] < 8


async def test_a_chat_that_waits_holds_up_no_other(pace: Pace, clock: Told) -> None:
    async with calling(pace, clock, *[GROUP] * 5, PERSON) as made:
        now = list(made)

    assert (PERSON, 0.0) in now
    assert now.count((GROUP, 0.0)) == 3


async def test_turns_are_taken_in_the_order_of_asking(pace: Pace, clock: Told) -> None:
    order: list[int] = []

    async def call(number: int) -> None:
        await pace.turn(PERSON)
        order.append(number)

    tasks = [asyncio.create_task(call(number)) for number in range(8)]
    await rest()
    await clock.tell(10)
    await asyncio.gather(*tasks)

    assert order == list(range(8))


async def test_what_finishes_goes_before_what_begins(pace: Pace, clock: Told) -> None:
    order: list[str] = []

    async def call(name: str, *, begins: bool) -> None:
        await pace.turn(PERSON, begins=begins)
        order.append(name)

    tasks = [asyncio.create_task(call(f"begin {number}", begins=True)) for number in range(6)]
    await rest()
    tasks.append(asyncio.create_task(call("finish", begins=False)))
    await rest()
    await clock.tell(10)
    await asyncio.gather(*tasks)

    # Three at once, the fourth was next already.
    assert order.index("finish") == 4
    assert [name for name in order if name != "finish"] == [f"begin {n}" for n in range(6)]


async def test_whoever_is_cancelled_at_any_point_stops_nobody(pace: Pace, clock: Told) -> None:
    tasks = [asyncio.create_task(pace.turn(PERSON)) for _ in range(12)]
    await rest()
    for number in (3, 5, 7):
        tasks[number].cancel()
        await asyncio.sleep(0)
        # This one was let in by the first, and is gone before it knows.
        tasks[number + 1].cancel()
    await clock.tell(20)

    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert sum(result is None for result in ended) == 6
    await asyncio.wait_for(pace.turn(PERSON), 1)


async def test_one_call_stays_free_for_a_text_that_must_arrive(pace: Pace, clock: Told) -> None:
    taken = [pace.spare(PERSON) for _ in range(4)]

    async with calling(pace, clock, PERSON) as made:
        assert made == [(PERSON, 0.0)]
    assert taken == [True, True, False, False]


async def test_a_cosmetic_call_gives_way_to_a_text_that_waits(pace: Pace, clock: Told) -> None:
    async with calling(pace, clock, *[PERSON] * 5) as made:
        await clock.tell(1)
        spare = pace.spare(PERSON)
        await clock.tell(1)

    assert spare is False
    assert [second for _, second in made] == [0, 0, 0, 1, 2]


async def test_room_says_when_to_come_back(pace: Pace, clock: Told) -> None:
    while pace.spare(GROUP):
        pass

    wait = pace.room(GROUP)

    assert wait > 0
    await clock.tell(wait - 0.01)
    assert not pace.spare(GROUP)
    await clock.tell(0.02)
    assert pace.spare(GROUP)


async def test_a_chat_that_is_held_gets_no_call_until_then(pace: Pace, clock: Told) -> None:
    pace.hold(PERSON, 30)

    async with calling(pace, clock, PERSON, "8") as made:
        await clock.tell(29.9)
        before = list(made)
        cosmetic = pace.spare(PERSON)
        await clock.tell(0.2)

    assert before == [("8", 0.0)]
    assert cosmetic is False
    assert made[1:] == [(PERSON, 30.0)]


async def test_a_penalty_that_begins_while_one_waits_is_obeyed(pace: Pace, clock: Told) -> None:
    async with calling(pace, clock, *[PERSON] * 4) as made:
        pace.hold(PERSON, 20)
        await clock.tell(19)
        assert len(made) == 3
        await clock.tell(2)

    assert made[3] == (PERSON, 20.0)


async def test_a_penalty_that_begins_while_all_chats_wait_is_obeyed_too(
    pace: Pace, clock: Told
) -> None:
    async with calling(pace, clock, *[str(number) for number in range(8)]) as made:
        waiting = "7"
        assert waiting not in dict(made)
        pace.hold(waiting, 20)
        await clock.tell(19)
        before = dict(made)
        await clock.tell(2)

    assert len(before) == 7
    assert dict(made)[waiting] == 20.0


async def test_a_long_penalty_is_not_waited_for(pace: Pace) -> None:
    pace.hold(PERSON, 300)

    with pytest.raises(Held) as caught:
        await pace.turn(PERSON)

    assert caught.value.seconds == 300
    assert pace.held(PERSON) == 300
    assert pace.held("8") == 0


async def test_a_shorter_penalty_does_not_end_a_longer_one(pace: Pace) -> None:
    pace.hold(PERSON, 50)
    pace.hold(PERSON, 3)

    assert pace.held(PERSON) == 50


async def test_typing_is_shown_once_in_five_seconds_per_chat(pace: Pace, clock: Told) -> None:
    shown = []
    for _ in range(20):
        shown.append(pace.may_type(PERSON))
        await clock.tell(1)

    assert sum(shown) == 4
    assert pace.may_type(GROUP)


async def test_who_gives_up_waiting_leaves_no_trace(pace: Pace, clock: Told) -> None:
    async with calling(pace, clock, *[PERSON] * 6):
        pass

    await clock.tell(10)

    assert pace.room(PERSON) == 0


async def test_chats_that_are_quiet_are_forgotten(pace: Pace, clock: Told) -> None:
    pace.hold(PERSON, 10_000)
    for number in range(100, 100 + 3 * MANY_CHATS):
        pace.spare(str(number))
        if number % 100 == 0:
            await clock.tell(10)

    assert len(pace._chats) <= MANY_CHATS
    assert pace.held(PERSON) == 9_400
