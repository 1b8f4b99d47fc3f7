"""What a day may cost: never passed, whatever is held, settled, forgotten or killed at once."""

import asyncio
from contextlib import AsyncExitStack
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Connection, create_engine, func, select
from sqlalchemy.engine import URL

from app.storage import spends
from app.storage.postgres import open_postgres
from app.storage.spends import DAY, Day
from app.storage.store import Store
from app.storage.tables import metadata, reservations
from app.storage.tables import spends as table

MIDNIGHT = DAY * 20_000
NOW = MIDNIGHT + 3600
LATER = NOW + 150  # when a call is over for certain


def hold(
    db: Connection, name: str, most: float = 1.0, limit: float = 10.0, now: float = NOW
) -> bool:
    return spends.hold(db, name, most, limit, now, now + 150)[0]


def test_a_day_is_held_up_to_its_limit_and_not_beyond(db: Connection) -> None:
    taken = [hold(db, name, 2.5) for name in "abcde"]

    assert taken == [True, True, True, True, False]
    assert spends.today(db, NOW) == Day(0.0, 10.0)
    assert spends.hold(db, "f", 0.0, 10.0, NOW, LATER) == (True, Day(0.0, 10.0))


def test_what_a_call_did_cost_takes_the_place_of_what_was_held(db: Connection) -> None:
    hold(db, "a", 4.0)
    hold(db, "b", 4.0)
    assert not hold(db, "c", 4.0)

    spends.settle(db, "a", 0.5)

    assert spends.today(db, NOW) == Day(0.5, 4.0)
    assert hold(db, "c", 4.0)


def test_a_call_of_unknown_cost_is_spent_in_full(db: Connection) -> None:
    hold(db, "a", 4.0)

    spends.settle(db, "a", None)

    assert spends.today(db, NOW) == Day(4.0, 0.0)


def test_a_call_is_settled_once(db: Connection) -> None:
    hold(db, "a", 4.0)

    for name in ("a", "a", "nobody's"):
        spends.settle(db, name, 1.0)

    assert spends.today(db, NOW) == Day(1.0, 0.0)


@pytest.mark.parametrize("swept", [False, True])
def test_the_call_of_a_dead_process_is_spent_in_full(db: Connection, *, swept: bool) -> None:
    hold(db, "a", 4.0)

    before, after = spends.today(db, LATER - 1), spends.today(db, LATER)
    if swept:
        spends.sweep(db, LATER)

    assert (before, after) == (Day(0.0, 4.0), Day(4.0, 0.0))
    assert spends.today(db, LATER) == after
    taken, seen = spends.hold(db, "b", 6.5, 10.0, LATER, LATER + 150)
    assert (taken, seen) == (False, after)
    assert hold(db, "c", 6.0, now=LATER)


def test_what_was_swept_cannot_be_had_back(db: Connection) -> None:
    hold(db, "a", 4.0)
    spends.sweep(db, LATER)

    spends.settle(db, "a", 0.0)

    assert spends.today(db, LATER) == Day(4.0, 0.0)


def test_a_sweep_leaves_open_calls_alone(db: Connection) -> None:
    hold(db, "a", 4.0)
    hold(db, "b", 2.0, now=NOW - 100)

    spends.sweep(db, NOW + 100)

    assert spends.today(db, NOW + 100) == Day(2.0, 4.0)


def test_days_begin_at_midnight_utc_and_a_call_belongs_to_the_one_it_began_on(
    db: Connection,
) -> None:
    hold(db, "a", 9.0, now=MIDNIGHT - 1)
    before = spends.today(db, MIDNIGHT - 1)

    assert hold(db, "b", 9.0, now=MIDNIGHT)
    spends.settle(db, "a", 8.0)

    assert before == Day(0.0, 9.0)
    assert spends.today(db, MIDNIGHT) == Day(0.0, 9.0)
    assert spends.today(db, MIDNIGHT - 1) == Day(8.0, 0.0)


def test_days_of_long_ago_are_forgotten(db: Connection) -> None:
    for day in (0, 1, spends.KEPT_DAYS):
        hold(db, f"{day}", now=MIDNIGHT - day * DAY)
        spends.settle(db, f"{day}", 1.0)

    spends.sweep(db, MIDNIGHT + DAY)

    kept = db.execute(select(table.c.day).order_by(table.c.day)).scalars().all()
    assert kept == [19_999, 20_000]


def test_a_rounding_does_not_pass_the_limit(db: Connection) -> None:
    taken = [hold(db, f"{number}", 0.1, 1.0) for number in range(11)]

    # Ten times 0.1 is 0.9999999999999999 in floats, and a bit more than 1 in truth.
    assert taken.count(True) * Fraction(0.1) <= 1


async def test_those_who_hold_at_once_are_counted_one_after_the_other(store: Store) -> None:
    taken = await asyncio.gather(
        *(store.run(partial(hold, name=f"{number}")) for number in range(40))
    )

    assert taken.count(True) == 10


async def test_instances_share_one_day(postgres_url: URL) -> None:
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(open_postgres(postgres_url)) for _ in "12"]

        async def call(number: int) -> bool:
            store, name = stores[number % 2], f"{number}"
            taken = await store.run(partial(hold, name=name))
            if taken and number % 3 == 0:
                await store.run(lambda db: spends.settle(db, name, 0.25))
            elif number % 7 == 0:
                await store.run(lambda db: spends.sweep(db, NOW))
            return taken

        taken = await asyncio.gather(*(call(number) for number in range(60)))
        found = await stores[0].run(lambda db: spends.today(db, NOW))

    settled = [number for number, was in enumerate(taken) if was and number % 3 == 0]
    assert found == Day(0.25 * len(settled), taken.count(True) - len(settled))
    assert sum(found) <= 10
    assert taken.count(True) >= 10


MOST = st.floats(0, 3, allow_nan=False)
WHICH = st.integers(0, 1_000)


class Calls(RuleBasedStateMachine):
    """Calls that cost at most what was held for them, and what their provider really took."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = create_engine("sqlite://")
        self.db = self.engine.connect()
        metadata.create_all(self.db)
        self.now = MIDNIGHT
        self.limit = 10.0
        self.count = 0
        self.open: dict[str, tuple[int, Fraction]] = {}  # the day, what it may really cost
        self.taken: dict[int, Fraction] = {}  # what was really paid, by day

    def teardown(self) -> None:
        self.db.close()
        self.engine.dispose()

    @rule(most=MOST, part=st.fractions(0, 1), seconds=st.integers(1, 300))
    def begin(self, most: float, part: Fraction, seconds: int) -> None:
        name, day = f"{self.count}", int(self.now // DAY)
        self.count += 1
        taken, _ = spends.hold(self.db, name, most, self.limit, self.now, self.now + seconds)
        if taken:
            self.open[name] = (day, Fraction(most) * part)
            # The provider takes it from the start, whatever becomes of the call here.
            self.taken[day] = self.taken.get(day, Fraction(0)) + Fraction(most) * part

    @precondition(lambda self: self.open)
    @rule(which=WHICH, told=st.booleans())
    def settle(self, which: int, *, told: bool) -> None:
        name = list(self.open)[which % len(self.open)]
        _, cost = self.open.pop(name)
        spends.settle(self.db, name, float(cost) if told else None)

    @precondition(lambda self: self.open)
    @rule(which=WHICH)
    def crash(self, which: int) -> None:
        self.open.pop(list(self.open)[which % len(self.open)])

    @rule(seconds=st.sampled_from([0.0, 1.0, 200.0, 20_000.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def sweep(self) -> None:
        spends.sweep(self.db, self.now)

    @invariant()
    def never_more_than_the_limit(self) -> None:
        for day, really in self.taken.items():
            assert really <= Fraction(self.limit), (day, float(really))

    @invariant()
    def never_less_than_was_taken(self) -> None:
        really = self.taken.get(int(self.now // DAY), Fraction(0))
        # A told cost is a float, of the exact one that the model keeps.
        assert sum(map(Fraction, spends.today(self.db, self.now))) >= really - Fraction(1, 10**12)

    @invariant()
    def nothing_is_there_twice(self) -> None:
        rows = self.db.execute(select(func.count()).select_from(reservations)).scalar_one()
        assert rows <= self.count


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
