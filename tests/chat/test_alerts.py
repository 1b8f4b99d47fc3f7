"""What administrators hear: once per cause and hour, from all instances together."""

import ast
import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from loguru import logger
from sqlalchemy import Connection, func, select

from app import texts
from app.chat.alerts import EVENTS, HOUR, LOOK_EVERY, SEEN_EVERY, Alerts
from app.errors import StorageUnavailable
from app.storage import alerts as repository
from app.storage import deliveries
from app.storage.deliveries import START, Target
from app.storage.sealed import Sealer
from app.storage.store import Store
from app.storage.tables import alerts as table
from tests.api.service import Clock
from wire.reply import Reply

ADMINS = ("1", "2")
MINUTE = 60.0
APP = Path(__file__).parents[2] / "app"


class Instance:
    """One service's alerts, and what all of them have sent so far."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock, admins: Any = ADMINS) -> None:
        self.alerts = Alerts(store, sealer, clock, admins)
        self.store, self.sealer, self.clock = store, sealer, clock

    async def rings(self, cause: str, about: str = "", after: float = 0.0) -> None:
        self.clock.now += after
        self.alerts.raise_(cause, about)
        await self.alerts.write()

    async def ends(self, cause: str, about: str | None = None, after: float = 0.0) -> None:
        self.clock.now += after
        self.alerts.over(cause, about)
        await self.alerts.write()

    async def looks(self, after: float = 0.0) -> None:
        self.clock.now += after
        await self.alerts.write()

    async def sent(self, to: str = ADMINS[0]) -> list[str]:
        """Return the beginnings of the messages to an administrator, without their marks."""
        found, _ = await self.store.run(
            lambda db: deliveries.due(db, self.sealer, "telegram", START, 100)
        )
        replies = [
            Reply.model_validate_json(it.reply or b"") for it in found if it.target.chat_id == to
        ]
        return [re.split(r"[:.*]", it.response.removeprefix("**"))[0] for it in replies]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def one(store: Store, sealer: Sealer, clock: Clock) -> Instance:
    return Instance(store, sealer, clock)


@pytest.fixture
def other(store: Store, sealer: Sealer, clock: Clock) -> Instance:
    return Instance(store, sealer, clock)


@pytest.fixture
def logged() -> Iterator[list[str]]:
    events: list[str] = []
    number = logger.add(lambda line: events.append(line.record["message"]))
    yield events
    logger.remove(number)


OFF, OVER = "AI answers are off", "Over"


async def test_every_administrator_hears_of_a_cause_once_in_an_hour(one: Instance) -> None:
    for _ in range(59):
        await one.rings("llm_key", after=MINUTE)
    assert [await one.sent(admin) for admin in ADMINS] == [[OFF], [OFF]]

    await one.rings("llm_key", after=2 * MINUTE)

    assert [await one.sent(admin) for admin in ADMINS] == [[OFF] * 2, [OFF] * 2]


async def test_they_hear_once_when_it_is_over_and_how_long_it_was(one: Instance) -> None:
    await one.rings("llm_key")

    for _ in range(3):
        await one.ends("llm_key", after=20 * MINUTE)

    assert await one.sent() == [OFF, OVER]
    found, _ = await one.store.run(
        lambda db: deliveries.due(db, one.sealer, "telegram", START, 100)
    )
    assert b"after 20 min." in (found[-1].reply or b"")


async def test_what_is_well_is_not_over(one: Instance) -> None:
    await one.ends("llm_key")
    await one.rings("llm_credit", "credit")
    await one.ends("llm_key")

    assert await one.sent() == ["AI answers are paused"]


async def test_instances_tell_it_once_together(one: Instance, other: Instance) -> None:
    one.alerts.raise_("llm_key")
    other.alerts.raise_("llm_key")
    await asyncio.gather(one.looks(), other.looks())
    assert await one.sent() == [OFF]

    await asyncio.gather(one.ends("llm_key"), other.ends("llm_key"))

    assert await one.sent() == [OFF, OVER]


async def test_what_became_due_while_nobody_rang_is_told_once_too(
    store: Store, sealer: Sealer, clock: Clock
) -> None:
    instances = [Instance(store, sealer, clock) for _ in range(8)]
    await instances[0].rings("llm_key")
    await instances[0].ends("llm_key", after=2 * MINUTE)
    await instances[0].rings("llm_key", after=2 * MINUTE)
    clock.now += HOUR

    await asyncio.gather(*(each.looks() for each in instances))

    assert await instances[0].sent() == [OFF, OVER, OFF]


async def test_one_instance_sees_the_end_of_what_another_saw_begin(
    one: Instance, other: Instance
) -> None:
    await one.rings("llm_key")
    await other.looks(LOOK_EVERY)

    await other.ends("llm_key")

    assert await one.sent() == [OFF, OVER]


async def test_a_restarted_instance_knows_what_goes_on(one: Instance, other: Instance) -> None:
    await one.rings("llm_key")
    await other.looks()
    await other.rings("llm_key", after=5 * MINUTE)

    await other.ends("llm_key")

    assert await one.sent() == [OFF, OVER]


async def test_what_comes_and_goes_is_told_once_in_an_hour(one: Instance) -> None:
    await one.rings("llm_key")
    for _ in range(5):
        await one.ends("llm_key", after=2 * MINUTE)
        await one.rings("llm_key", after=2 * MINUTE)

    assert await one.sent() == [OFF, OVER]


async def test_what_came_back_within_the_hour_and_stays_is_told_after_it(one: Instance) -> None:
    await one.rings("llm_key")
    await one.ends("llm_key", after=2 * MINUTE)
    await one.rings("llm_key", after=2 * MINUTE)

    await one.looks(after=HOUR)
    await one.looks(after=HOUR)

    assert await one.sent() == [OFF, OVER, OFF]


async def test_one_that_was_short_is_told_with_its_end(one: Instance) -> None:
    one.alerts.raise_("llm_key")
    one.alerts.over("llm_key")
    await one.looks()

    assert await one.sent() == [OFF, OVER]


async def test_what_only_happens_is_over_by_itself_and_in_silence(one: Instance) -> None:
    await one.rings("dead_letters")
    await one.looks(after=HOUR)

    assert await one.store.run(repository.open_) == []
    await one.rings("dead_letters", after=MINUTE)
    assert await one.sent() == ["An answer could not be delivered"] * 2


async def test_causes_of_a_kind_are_told_apart_and_may_end_together(one: Instance) -> None:
    for number in "34":
        await one.rings("plume_refused", number)
    await one.ends("plume_refused", "3")

    refused = "Plume no longer accepts a sign-in that is stored here"
    assert await one.sent() == [refused, refused, OVER]

    await one.rings("plume_refused", "3", after=HOUR)
    await one.ends("plume_refused")
    assert await one.sent() == [*([refused] * 2), OVER, refused, OVER, OVER]


async def test_most_of_the_money_is_told_once_a_day_and_has_no_end(one: Instance) -> None:
    for _ in range(12):
        await one.rings("spend_most", "10", after=HOUR)
    await one.ends("spend_most", after=HOUR)
    await one.rings("spend_most", "10", after=8 * HOUR)

    assert await one.sent() == ["80 % of what AI answers may cost today is used up"] * 2


async def test_a_storm_is_noted_once_a_minute(one: Instance) -> None:
    for _ in range(1_000):
        one.alerts.raise_("redis_away")

    assert len(one.alerts._said) == 1
    await one.looks()
    one.alerts.raise_("redis_away")
    assert one.alerts._said == []
    one.clock.now += SEEN_EVERY
    one.alerts.raise_("redis_away")
    assert len(one.alerts._said) == 1


class Away:
    """A database that may be away."""

    shared = False

    def __init__(self, store: Store) -> None:
        self.store = store
        self.error: Exception | None = None

    async def run(self, work: Callable[[Connection], Any]) -> Any:
        if self.error is not None:
            raise self.error
        return await self.store.run(work)

    def present(self, owner: str) -> AbstractAsyncContextManager[None]:
        return self.store.present(owner)


async def test_when_the_database_is_back_they_hear_that_it_was_away(
    store: Store, sealer: Sealer, clock: Clock
) -> None:
    away = Away(store)
    one, other = (Instance(away, sealer, clock) for _ in "12")
    away.error = StorageUnavailable()
    await one.looks()
    await other.looks()
    await one.rings("llm_key", after=5 * MINUTE)

    away.error = None
    await one.looks(after=LOOK_EVERY)
    await other.looks()
    await one.looks(after=LOOK_EVERY)

    assert await one.sent() == ["The database did not answer for 5 min", OFF]
    assert [it.cause for it in await store.run(repository.open_)] == ["llm_key"]


async def test_a_service_that_ends_is_no_database_that_is_away(
    store: Store, sealer: Sealer, clock: Clock
) -> None:
    away = Away(store)
    one = Instance(away, sealer, clock)
    away.error = StorageUnavailable(cause="closed")
    await one.looks()
    away.error = None
    await one.looks()

    assert await one.sent() == []


async def test_a_failure_of_its_own_ends_nothing(
    store: Store, sealer: Sealer, clock: Clock, logged: list[str]
) -> None:
    away = Away(store)
    one = Instance(away, sealer, clock)
    away.error = ValueError("unforeseen")
    keeping = asyncio.create_task(one.alerts.keep())
    await one.rings("llm_key")

    away.error = None
    await one.rings("llm_credit", "credit")

    assert not keeping.done()
    assert "alerts.failed" in logged
    assert await one.sent() == ["AI answers are paused"]
    keeping.cancel()


async def test_it_is_sent_as_soon_as_it_is_said(one: Instance) -> None:
    keeping = asyncio.create_task(one.alerts.keep())
    await asyncio.sleep(0)
    one.alerts.raise_("llm_key")

    async with asyncio.timeout(LOOK_EVERY / 2):
        while not await one.sent():  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.005)
    keeping.cancel()


@pytest.mark.parametrize(
    ("target", "reason", "told"),
    [
        (Target("telegram", "7", None, "5", "7"), "message is too strange", True),
        (Target("telegram", "7", None, "5", "7"), "Forbidden: bot was blocked by the user", False),
        (Target("telegram", "7", None, "5", "7"), "blocked by the person", False),
        (Target("telegram", "-7", None, "5", "7"), "removed from the group", False),
        (Target("telegram", "-7", None, "5", "7"), "Forbidden: bot was kicked", False),
        (Target("telegram", "7", None, "5", "7"), "Forbidden: user is deactivated", False),
        (Target("telegram", "1", None, None, "1"), "message is too strange", False),
        (Target("telegram", "1", None, "5", "1"), "message is too strange", True),
    ],
)
async def test_dead_letters_are_told_but_wishes_and_our_own_are_not(
    one: Instance, target: Target, reason: str, *, told: bool
) -> None:
    one.alerts.refused(target, reason)
    await one.looks()

    assert bool(await one.sent()) is told


async def test_without_administrators_the_log_alone_tells(
    store: Store, sealer: Sealer, clock: Clock, logged: list[str]
) -> None:
    nobody = Instance(store, sealer, clock, ())
    for _ in range(180):
        nobody.clock.now += MINUTE
        nobody.alerts.raise_("llm_key")
    nobody.alerts.over("llm_key")
    nobody.alerts.over("llm_key")

    assert not nobody.alerts.sends
    assert logged == ["alert.raised"] * 3 + ["alert.over"]
    rows = select(func.count()).select_from(table)
    assert await store.run(lambda db: db.execute(rows).scalar_one()) == 0


async def test_what_was_last_met_a_month_ago_is_forgotten(one: Instance) -> None:
    await one.rings("task_ended", "outbox")

    now = one.clock.now
    for days, left in ((29, 1), (31, 0)):
        await one.store.run(partial(repository.sweep, now=now + days * 86_400.0))
        assert len(await one.store.run(repository.open_)) == left


def test_every_cause_that_is_rung_has_its_text() -> None:
    rung = set()
    for file in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"raise_", "over"}:
                words = [it for it in ast.walk(node.args[0]) if isinstance(it, ast.Constant)]
                rung |= {str(it.value) for it in words if isinstance(it.value, str)}

    assert rung >= {"llm_key", "llm_config", "spend_limit", "task_ended", "plume_refused"}
    assert rung - {"redis_away"} <= set(texts.ALERTS)
    assert set(texts.ALERTS) >= EVENTS
    assert not EVENTS & set(texts.ALERTS_OVER)


@pytest.mark.parametrize("about", ["", "a{0}`b*[x](tg://y)", "x" * 300])
async def test_every_text_can_be_sent_whatever_it_is_about(one: Instance, about: str) -> None:
    for cause in (*texts.ALERTS, "something_new"):
        await one.rings(cause, about)
        await one.ends(cause)

    sent = await one.sent()
    assert len(sent) == len(texts.ALERTS) + 1 + len(texts.ALERTS_OVER)
