import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy.exc import OperationalError

from app.chat.lanes import Lanes
from app.errors import InProgress
from app.storage.sealed import Sealer
from app.storage.store import Store
from app.storage.turns import LEASE_SECONDS, Taken
from tests.api.service import until
from tests.chat.turning import Bench, HeldModel, bench, kept, message

LONG = 60.0


@pytest.fixture
async def held(store: Store, sealer: Sealer) -> AsyncIterator[Bench]:
    with bench(store, sealer, HeldModel("Hello.")) as one:
        yield one


def model_of(one: Bench) -> HeldModel:
    assert isinstance(one.model, HeldModel)
    return one.model


async def started(one: Bench, *texts: str) -> list["asyncio.Task[object]"]:
    """Begin turns of one conversation; the first is at the model, the others wait."""
    tasks: list[asyncio.Task[object]] = []
    for text in texts:
        admitted = await one.processor.admit(message(text), "internal")
        tasks.append(asyncio.create_task(one.processor.work(admitted)))
    await asyncio.wait_for(model_of(one).asking.wait(), 5)
    return tasks


async def test_the_next_turn_goes_on_as_soon_as_the_one_before_ends(
    held: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.chat.lanes.LOOK_EVERY", LONG)
    tasks = await started(held, "one", "two", "three")
    before = await held.rows()

    model_of(held).go.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)

    assert before == ["working", "waiting", "waiting"]
    assert await held.rows() == ["done", "done", "done"]


async def test_a_turn_that_another_process_ended_is_noticed_at_the_next_look(
    held: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.chat.lanes.LOOK_EVERY", 0.01)
    first, second = [await held.processor.admit(message(), "internal") for _ in range(2)]
    waiting = asyncio.create_task(held.lanes.turn_of(second.turn, second.conversation))
    await asyncio.sleep(0.03)

    assert not waiting.done()
    await held.processor.abandon(first)

    assert (await asyncio.wait_for(waiting, 5)).id == second.turn


@dataclass
class Line:
    """Carries the words of two processes to each other; while it is `cut`, they wait."""

    said: list[str] = field(default_factory=list)
    cut: bool = False
    _waiting: list[Callable[[], None]] = field(default_factory=list)

    def join(self, speaker: Lanes, hearer: Lanes) -> None:
        heard = {"ended": hearer.ended, "awaited": hearer.awaited}

        def tell(topic: str, what: str) -> None:
            self.said.append(topic)
            self._waiting.append(lambda: heard[topic](int(what)))
            asyncio.get_running_loop().call_soon(self._carry)

        speaker._tell = tell

    def mend(self) -> None:
        self.cut = False
        self._carry()

    def _carry(self) -> None:
        while self._waiting and not self.cut:
            self._waiting.pop(0)()


@pytest.fixture
async def two(store: Store, sealer: Sealer) -> AsyncIterator[tuple[Bench, Bench, Line]]:
    """Two processes on one database that hear each other."""
    line = Line()
    model = HeldModel(*["Hello."] * 4)
    with bench(store, sealer, model) as one, bench(store, sealer, model) as other:
        line.join(one.lanes, other.lanes)
        line.join(other.lanes, one.lanes)
        yield one, other, line


@pytest.fixture
async def waiting(
    two: tuple[Bench, Bench, Line], monkeypatch: pytest.MonkeyPatch
) -> "asyncio.Future[list[object]]":
    """What waits in the other process for two turns of one, that no look would find ended."""
    monkeypatch.setattr("app.chat.lanes.LOOK_EVERY", LONG)
    one, other, line = two
    line.cut = True
    ours = await started(one, "first", "second")
    admitted = await other.processor.admit(message("third"), "internal")
    theirs = asyncio.create_task(other.processor.work(admitted))
    await until(lambda: "awaited" in line.said)
    return asyncio.gather(*ours, theirs)


async def test_who_waits_elsewhere_hears_of_each_end(
    two: tuple[Bench, Bench, Line], waiting: "asyncio.Future[list[object]]"
) -> None:
    one, _, line = two
    line.mend()
    model_of(one).go.set()

    await asyncio.wait_for(waiting, 5)

    assert line.said == ["awaited", "ended", "ended"]
    assert await one.rows() == ["done"] * 3


async def test_an_end_before_the_word_of_who_waits_was_heard_is_told_him(
    two: tuple[Bench, Bench, Line], waiting: "asyncio.Future[list[object]]"
) -> None:
    one, _, line = two
    model_of(one).go.set()
    await until(lambda: not one.lanes.busy)
    early = list(line.said)
    line.mend()

    await asyncio.wait_for(waiting, 5)

    assert (early, line.said) == (["awaited"], ["awaited", "ended"])


async def test_what_nobody_waits_for_elsewhere_ends_without_a_word(
    two: tuple[Bench, Bench, Line],
) -> None:
    one, _, line = two
    tasks = await started(one, "first", "second")
    model_of(one).go.set()
    await asyncio.gather(*tasks)

    assert line.said == []


async def test_nobody_waits_for_ever(held: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.chat.lanes.LOOK_EVERY", 0.01)
    (_, second) = [await held.processor.admit(message(), "internal") for _ in range(2)]
    working = asyncio.create_task(held.processor.work(second))
    await asyncio.sleep(0.03)

    held.clock.now += 901

    with pytest.raises(InProgress):
        await asyncio.wait_for(working, 5)
    assert await held.rows() == ["working", "failed"]


async def test_a_cancellation_that_comes_with_the_end_of_the_turn_before_is_kept(
    held: Bench,
) -> None:
    tasks = await started(held, "one", "two")
    await asyncio.sleep(0.02)

    for task in tasks:
        task.cancel()

    ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
    assert [type(each) for each in ended] == [asyncio.CancelledError] * 2


async def test_a_lease_is_prolonged_while_the_turn_is_held_and_no_longer(
    held: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.chat.lanes.LOOK_EVERY", 0.01)
    began = held.clock.now
    async with kept(held):
        tasks = await started(held, "one", "two")
        held.clock.now += LEASE_SECONDS - 1
        await asyncio.sleep(0.05)
        held.clock.now += LEASE_SECONDS - 1
        await asyncio.sleep(0.05)

        leases = await held.rows("lease_until - 0")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        held.clock.now += LEASE_SECONDS - 1
        await asyncio.sleep(0.05)

        assert leases == [began + 3 * LEASE_SECONDS - 2] * 2
        assert await held.rows("lease_until - 0") == leases


async def test_only_what_nobody_holds_is_taken_up(
    held: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.chat.lanes.LOOK_EVERY", 0.01)
    seen: list[Taken] = []

    async def note(taken: Taken) -> None:
        seen.append(taken)

    (mine,) = await started(held, "mine")
    left = await held.processor.admit(message("left", user_id="u2"), "internal")
    keeping = asyncio.create_task(held.lanes.keep(note))
    await asyncio.sleep(0.03)
    early = list(seen)
    held.clock.now += LEASE_SECONDS
    await asyncio.sleep(0.05)

    for task in (keeping, mine):
        task.cancel()
    await asyncio.gather(keeping, mine, return_exceptions=True)
    assert early == []
    assert [(taken.id, taken.attempts) for taken in seen] == [(left.turn, 2)]


async def test_a_turn_that_is_held_is_no_orphan_even_when_its_lease_is_over(held: Bench) -> None:
    (mine,) = await started(held, "mine")
    held.clock.now += LEASE_SECONDS

    found = await held.lanes._orphans(held.clock.now)

    mine.cancel()
    await asyncio.gather(mine, return_exceptions=True)
    assert found == []


async def test_storage_that_goes_away_does_not_end_the_care(
    held: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.chat.lanes.LOOK_EVERY", 0.01)
    monkeypatch.setattr("app.chat.lanes.turns.orphans", _broken)
    async with kept(held) as keeping:
        await asyncio.sleep(0.05)

        assert not keeping.done()


def _broken(*_: object, **__: object) -> None:
    raise OperationalError("", {}, OSError("disk I/O error"))
