"""What readers of the outbox see, and what becomes of what they say."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.engine import URL

from app import texts
from app.chat import outbox as module
from app.chat.outbox import AT_ONCE, Outbox, drawn
from app.errors import NotFound, StorageUnavailable, TooLate
from app.storage import deliveries, inbox, turns
from app.storage.batches import Batches
from app.storage.deliveries import Target
from app.storage.postgres import open_postgres
from app.storage.sealed import Sealer
from app.storage.store import Store
from tests.api.service import until
from tests.chat.turning import Clock
from tests.storage.letters import INTERNAL, TELEGRAM, Letters, to
from tests.storage.queue import Queue
from wire.delivery import Acknowledgement, Delivery, Progress
from wire.reply import Button, Reply

PATIENCE = 10.0  # seconds
Change = Delivery | Progress | None


@dataclass
class Post:
    """An outbox on a real database, with a clock that is told the time."""

    store: Store
    sealer: Sealer
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store, self.sealer, self.clock)

    async def do(self, work: Callable[[Letters], Any]) -> Any:
        done = await self.store.run(lambda db: work(Letters(db, self.sealer)))
        self.outbox.wake()
        return done

    async def add(self, text: str = "Hello.", **more: Any) -> int:
        number: int = await self.do(lambda to_: to_.add(reply(text), **more))
        return number

    async def say(self, number: int, platform: str = TELEGRAM, **said: Any) -> None:
        await self.outbox.acknowledge(platform, number, Acknowledgement(**said))

    async def state(self, number: int) -> str:
        return str(await self.do(lambda letters: letters.state(number)))

    @asynccontextmanager
    async def reading(self, platform: str = TELEGRAM) -> AsyncIterator[AsyncIterator[Change]]:
        changes = self.outbox.changes(platform)
        try:
            yield changes
        finally:
            await changes.aclose()  # type: ignore[attr-defined]

    async def open(self, platform: str = TELEGRAM) -> list[Change]:
        """Return what a new reader is told before anything changes."""
        found: list[Change] = []
        async with self.reading(platform) as changes:
            async for change in changes:
                if change is None:
                    return found
                found.append(change)
        raise AssertionError


def reply(text: str) -> str:
    return Reply(response=text).model_dump_json()


async def following(changes: AsyncIterator[Change]) -> Delivery | Progress:
    """Return the next change; the silence before it does not matter."""
    async with asyncio.timeout(PATIENCE):
        async for change in changes:
            if change is not None:
                return change
    raise AssertionError


@pytest.fixture
def post(store: Store, sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> Post:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.05)
    return Post(store, sealer)


async def test_a_reader_is_told_what_is_open_and_then_what_changes(post: Post) -> None:
    number = await post.add("one")
    async with post.reading() as changes:
        first = await following(changes)
        second = await post.add("two")
        after = await following(changes)

    assert isinstance(first, Delivery)
    assert (first.id, first.final, first.chat_id) == (number, True, "7")
    assert first.reply == Reply(response="one")
    assert after.id == second


async def test_silence_is_told_now_and_then(post: Post) -> None:
    async with post.reading() as changes, asyncio.timeout(PATIENCE):
        assert [await anext(changes) for _ in range(3)] == [None, None, None]


async def test_who_comes_late_is_told_of_a_growing_answer_and_then_its_text(post: Post) -> None:
    number = await post.do(lambda letters: letters.add(None, turn=3))
    await post.say(number, outcome="placed", message_ids=["50"])
    await post.do(lambda letters: letters.grow(3, "so far"))

    delivery, progress = await post.open()

    assert isinstance(delivery, Delivery)
    assert (delivery.id, delivery.edits, delivery.final) == (number, ("50",), False)
    assert progress == Progress(id=number, chat_id="7", text="so far")


async def test_a_text_that_grew_before_its_placeholder_is_not_kept_back(post: Post) -> None:
    await post.do(lambda letters: letters.add(None, turn=3))
    await post.do(lambda letters: letters.grow(3, "so far"))

    assert [type(change) for change in await post.open()] == [Delivery, Progress]


async def test_several_readers_are_told_the_same(post: Post) -> None:
    await post.add("one")
    async with post.reading() as first, post.reading() as second:
        before = [await following(first), await following(second)]
        await post.add("two")
        after = [await following(first), await following(second)]

    assert before[0] == before[1]
    assert after[0] == after[1]


async def test_what_another_process_wrote_is_seen_without_being_woken(post: Post) -> None:
    other = Post(post.store, post.sealer)
    async with post.reading() as changes:
        assert await anext(changes) is None
        number = await other.add("from there")
        found = await following(changes)

    assert found.id == number


async def test_a_platform_is_told_of_its_own_alone(post: Post) -> None:
    await post.add("a", target=to(platform=INTERNAL))
    mine = await post.add("b")

    assert [change.id for change in await post.open() if change] == [mine]


async def test_many_that_wait_come_without_a_pause(post: Post) -> None:
    many = 2 * AT_ONCE + 5
    await post.do(lambda letters: [letters.add(reply(str(n))) for n in range(many)])

    assert len(await post.open()) == many


async def test_what_was_asked_first_comes_first_although_it_is_answered_last(post: Post) -> None:
    many = AT_ONCE + 5

    def ask(letters: Letters) -> list[int]:
        asked = [letters.add(None, turn=n) for n in range(1, many)]
        letters.answer(1, reply("late"))
        return asked

    asked = await post.do(ask)

    assert [change.id for change in await post.open() if change] == asked


async def test_what_changes_while_others_are_told_is_told_after_them(post: Post) -> None:
    many = AT_ONCE + 5
    asked = await post.do(lambda to_: [to_.add(None, turn=n) for n in range(1, many)])

    async with post.reading() as changes:
        told = [await following(changes)]
        await post.do(lambda letters: letters.answer(1, reply("late")))
        told += [await following(changes) for _ in asked]

    assert [change.id for change in told] == [*asked, asked[0]]
    assert isinstance(told[-1], Delivery)
    assert told[-1].final


async def test_many_dead_letters_that_are_opened_at_once_all_come(post: Post) -> None:
    many = AT_ONCE + 5

    def die(letters: Letters) -> None:
        for n in range(many):
            number = letters.add(reply(str(n)))
            deliveries.end(letters.db, number, deliveries.State.REFUSED)

    await post.do(die)
    async with post.reading() as changes:
        assert await anext(changes) is None
        again = await post.outbox.redrive(None)
        found = {(await following(changes)).id for _ in range(many)}

    assert (again, len(found)) == (many, many)


async def test_later_is_not_before_its_time_and_not_forgotten(post: Post) -> None:
    late = await post.add("late")
    async with post.reading() as changes:
        await following(changes)
        await post.say(late, outcome="later", retry_after=30)
        between = await post.add("another")
        told = [(await following(changes)).id]
        post.clock.now += 29.9
        told.append(await anext(changes) or 0)  # type: ignore[arg-type]
        post.clock.now += 0.1
        told.append((await following(changes)).id)

    assert told == [between, 0, late]


async def test_later_is_told_to_a_new_reader_too_when_it_is_time(post: Post) -> None:
    number = await post.add()
    await post.say(number, outcome="later", retry_after=30)
    async with post.reading() as changes:
        assert await anext(changes) is None
        post.clock.now += 30
        found = await following(changes)

    assert found.id == number


async def test_an_answer_that_comes_while_it_has_to_wait_waits_too(post: Post) -> None:
    number = await post.do(lambda letters: letters.add(None, turn=3))
    await post.say(number, outcome="later", retry_after=30)
    async with post.reading() as changes:
        assert await anext(changes) is None
        await post.do(lambda letters: letters.answer(3, reply("Done.")))
        assert await anext(changes) is None
        post.clock.now += 30
        found = await following(changes)
        assert await anext(changes) is None

    assert isinstance(found, Delivery)
    assert found.reply == Reply(response="Done.")


async def test_what_ended_while_it_had_to_wait_is_not_told(post: Post) -> None:
    number = await post.add()
    await post.say(number, outcome="later", retry_after=30)
    async with post.reading() as changes:
        assert await anext(changes) is None
        await post.say(number, outcome="sent")
        post.clock.now += 30
        assert [await anext(changes) for _ in range(2)] == [None, None]


async def test_sent_ends_it_once(post: Post) -> None:
    number = await post.add()

    await post.say(number, outcome="sent", message_ids=["50"])

    assert await post.open() == []
    assert await post.state(number) == "ended"
    for outcome in ("placed", "sent", "refused", "later"):
        with pytest.raises(TooLate):
            await post.say(number, outcome=outcome)


async def test_an_answer_that_is_still_written_cannot_have_arrived(post: Post) -> None:
    number = await post.do(lambda letters: letters.add(None, turn=3))

    await post.say(number, outcome="sent", message_ids=["50"])

    assert [change.id for change in await post.open() if change] == [number]


async def test_placed_is_kept_and_may_be_said_again(post: Post) -> None:
    number = await post.add()
    for _ in range(2):
        await post.say(number, outcome="placed", message_ids=["50", "51"])

    (delivery,) = await post.open()

    assert isinstance(delivery, Delivery)
    assert delivery.edits == ("50", "51")


@pytest.mark.parametrize("left", [(), ("51",)])
async def test_refused_is_a_dead_letter_that_knows_what_stands_in_the_chat(
    post: Post, left: tuple[str, ...]
) -> None:
    number = await post.add()
    await post.say(number, outcome="placed", message_ids=["50", "51"])

    await post.say(number, outcome="refused", reason="no", message_ids=left)

    dead, unreadable = await post.outbox.dead()
    assert [(each.id, each.platform, each.reason) for each in dead] == [(number, TELEGRAM, "no")]
    assert unreadable == 0
    assert await post.outbox.redrive(number) == 1
    (again,) = await post.open()
    assert isinstance(again, Delivery)
    assert again.edits == left


async def test_one_that_is_not_refused_is_not_driven_again(post: Post) -> None:
    number = await post.add()

    assert await post.outbox.redrive(number) == 0
    assert await post.outbox.redrive(4711) == 0


async def test_nobody_speaks_for_the_deliveries_of_another_platform(post: Post) -> None:
    number = await post.add()

    for foreign, platform in ((number, INTERNAL), (4711, TELEGRAM)):
        with pytest.raises(NotFound):
            await post.say(foreign, platform, outcome="sent")

    assert await post.state(number) == "open"


async def test_a_chat_that_moved_takes_the_others_along_but_no_ids(post: Post) -> None:
    target = to("-5")
    one, two = await post.add("1", target=target), await post.add("2", target=target)
    for number in (one, two):
        await post.say(number, outcome="placed", message_ids=["9"])
    async with post.reading() as changes:
        for _ in range(2):
            await following(changes)
        await post.say(one, outcome="placed", message_ids=["77"], new_chat_id="-1005")
        told = [await following(changes) for _ in range(2)]
        # The same chat again moves nothing: what stands there stays known.
        await post.say(two, outcome="placed", message_ids=["78"], new_chat_id="-1005")
        assert await anext(changes) is None

    assert {(each.id, each.chat_id) for each in told} == {(one, "-1005"), (two, "-1005")}
    edits = {each.id: each.edits for each in await post.open() if isinstance(each, Delivery)}
    assert edits == {one: ("77",), two: ("78",)}


async def test_what_nobody_will_answer_any_more_gets_an_apology(post: Post) -> None:
    def forsake(letters: Letters) -> int:
        turn = Queue(letters.db, letters.sealer).add("m")
        number = letters.add(None, turn=turn.id)
        turns.discard(letters.db, turn.id)
        return number

    number = await post.do(forsake)
    caring = asyncio.create_task(post.outbox.care())
    async with post.reading() as changes:
        found = await following(changes)
        while isinstance(found, Delivery) and not found.final:
            found = await following(changes)
    caring.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caring

    assert isinstance(found, Delivery)
    assert found.id == number
    assert found.reply is not None
    assert (found.reply.response, found.reply.error) == (texts.GAVE_UP, "gave_up")


async def test_caring_goes_on_when_the_storage_was_away(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CARE_EVERY", 0.01)
    tries = 0

    async def run(_: Callable[[Connection], Any]) -> Any:
        nonlocal tries
        tries += 1
        raise StorageUnavailable

    monkeypatch.setattr(post.store, "run", run)
    caring = asyncio.create_task(post.outbox.care())
    await until(lambda: tries > 1)
    caring.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caring


async def test_a_reader_goes_on_when_the_storage_was_away(
    batches: Batches, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.05)
    post = Post(batches, sealer)
    file = await post.store.run(lambda db: db.engine.url.database)
    await post.store.run(lambda db: db.exec_driver_sql("PRAGMA busy_timeout=0").close())
    async with post.reading() as changes:
        with contextlib.closing(sqlite3.connect(str(file), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert [await anext(changes) for _ in range(2)] == [None, None]
            other.execute("ROLLBACK")
        number = await post.add()
        found = await following(changes)

    assert found.id == number


async def test_what_was_written_first_and_committed_last_is_brought_once(
    postgres_url: URL, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.05)
    async with open_postgres(postgres_url) as store:
        post = Post(store, sealer)

        def slowly(letters: Letters) -> int:
            number = letters.add(reply("slow"))
            letters.db.exec_driver_sql("SELECT pg_sleep(0.5)").close()
            return number

        async with post.reading() as changes:
            slow = asyncio.create_task(post.do(slowly))
            await asyncio.sleep(0.2)
            quick = await post.add("quick")
            first = await following(changes)
            await slow
            post.clock.now += 1
            late = await following(changes)
            post.clock.now += 1
            silence = [await anext(changes) for _ in range(3)]

        assert (first.id, late.id) == (quick, await slow)
        assert late.id < first.id
        assert silence == [None] * 3


async def test_who_hears_of_a_chat_has_heard_what_was_before_in_it(
    postgres_url: URL, sealer: Sealer
) -> None:
    async with open_postgres(postgres_url) as store:
        post = Post(store, sealer)

        def slowly(letters: Letters) -> int:
            number = letters.add(reply("first"), target=to("busy"))
            letters.db.exec_driver_sql("SELECT pg_sleep(0.5)").close()
            return number

        async with post.reading() as changes:
            slow = asyncio.create_task(post.store.run(lambda db: slowly(Letters(db, sealer))))
            await asyncio.sleep(0.2)
            elsewhere = await post.add("elsewhere", target=to("quiet"))
            heard = [await following(changes)]
            first = await slow  # it is told to nobody, and no time passes to look back
            second = await post.add("second", target=to("busy"))
            heard += [await following(changes) for _ in range(2)]
            third = await post.add("third", target=to("busy"))
            heard.append(await following(changes))

    assert [each.id for each in heard] == [elsewhere, first, second, third]


async def test_closing_lets_every_reader_go_at_once(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 3600.0)

    async def read() -> list[Change]:
        return [change async for change in post.outbox.changes(TELEGRAM)]

    readers = [asyncio.create_task(read()) for _ in range(3)]
    await until(lambda: len(post.outbox._watchers) == 3)
    post.outbox.close()

    async with asyncio.timeout(PATIENCE):
        told = await asyncio.gather(*readers)

    assert all(set(each) <= {None} for each in told)
    assert post.outbox._watchers == set()
    assert [change async for change in post.outbox.changes(TELEGRAM)] == []


BUTTONS = [
    ("/wan", True),
    ("x" * 64, True),
    ("x" * 65, False),
    ("é" * 32, True),
    ("é" * 33, False),
    ("k:forged", False),
]


@pytest.mark.parametrize(("send", "as_it_is"), BUTTONS)
async def test_what_does_not_fit_into_a_button_is_kept_for_its_owner_alone(
    post: Post, send: str, *, as_it_is: bool
) -> None:
    said = Reply(response="r", buttons=((Button(label="b", send=send),),), actions=("silent",))

    def draw(db: Connection) -> tuple[Any, list[str | None]]:
        made = json.loads(drawn(db, post.sealer, to(), said, post.clock()))
        sent = made["buttons"][0][0]["send"]
        people = [(TELEGRAM, "7"), (TELEGRAM, "8"), (INTERNAL, "7")]
        key = sent.removeprefix("k:")
        return made, [inbox.button_send(db, post.sealer, *who, key) for who in people]

    made, found = await post.store.run(draw)

    sent = made["buttons"][0][0]["send"]
    assert len(sent.encode()) <= 64
    assert made["actions"] == ["silent"]
    assert (sent == send) is as_it_is
    assert found == ([None] * 3 if as_it_is else [send, None, None])


async def test_a_button_with_an_address_has_no_key(post: Post) -> None:
    said = Reply(response="r", buttons=((Button(label="b", url="https://example.org/"),),))
    target = Target(TELEGRAM, "7", None, None, "7")

    made = await post.store.run(lambda db: drawn(db, post.sealer, target, said, post.clock()))

    assert Reply.model_validate_json(made) == said


async def test_a_person_is_told_to_delete_a_secret_that_could_not_be(post: Post) -> None:
    number = await post.add()

    await post.say(number, outcome="sent", reason="not deleted: too old")

    told = [change for change in await post.open() if isinstance(change, Delivery)]
    assert [each.reply and each.reply.response for each in told] == [texts.DELETE_IT]
    assert told[0].id != number


async def test_who_had_nothing_to_delete_is_told_nothing(post: Post) -> None:
    number = await post.add()

    await post.say(number, outcome="sent")

    assert await post.open() == []
