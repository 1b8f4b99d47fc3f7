"""Updates that are kept: how many a person may send, and what is kept when nothing can be."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import update as update_of

from app.chat.inbox import Heard, Inbox
from app.errors import InvalidJson, NotReady, StorageUnavailable
from app.platforms.telegram import Bot
from app.storage.sealed import Sealer
from app.storage.store import Store
from app.storage.tables import turns
from tests.chat.turning import Bench, bench
from tests.fakes import NOW, PLATFORMS, ScriptedModel

DAY = 86_400.0
BACKLOG = 5000


@pytest.fixture
def one(store: Store, sealer: Sealer) -> Iterator[Bench]:
    with bench(store, sealer, ScriptedModel()) as one:
        yield one


@pytest.fixture
def inbox(one: Bench) -> Inbox:
    return Inbox(PLATFORMS, one.processor, one.processor.outbox)


def update(number: int, text: str = "hi", date: float = NOW, who: int = 7, **change: Any) -> bytes:
    message = {
        "message_id": number, "date": int(date), "chat": {"id": who, "type": "private"},
        "from": {"id": who, "is_bot": False, "first_name": "Ann"}, "text": text,
    } | change  # fmt: skip
    return orjson.dumps({"update_id": number, "message": message})


async def count(one: Bench, rows: str) -> int:
    found: int = await one.store.run(
        lambda db: db.exec_driver_sql(f"SELECT count(*) FROM {rows}").scalar_one()
    )
    return found


async def test_five_thousand_old_messages_are_all_kept(one: Bench, inbox: Inbox) -> None:
    # A tenth of them where each is a transaction of its own: there are no batches to fill.
    backlog = BACKLOG // 10 if one.store.shared else BACKLOG

    async def bring(first: int) -> None:
        # As fast as the bot brings them: those of one chat one after the other.
        for number in range(first, backlog + 1, 50):
            await inbox.take_update(update(number, date=NOW - 6 * 3600 + number * 4, who=first))

    async with asyncio.TaskGroup() as group:
        for first in range(1, 51):
            group.create_task(bring(first))

    assert await count(one, "turns") == backlog
    assert await count(one, "deliveries WHERE reply IS NOT NULL") == 0


async def test_what_one_person_sent_in_a_minute_long_ago_is_limited_too(
    one: Bench, inbox: Inbox
) -> None:
    for number in range(1, 41):
        await inbox.take_update(update(number, date=NOW - 3600 + number))
    for number in range(41, 61):
        await inbox.take_update(update(number, date=NOW - 1800 + number))

    assert await count(one, "turns") == 40
    assert await count(one, "deliveries WHERE reply IS NOT NULL") == 1


async def test_who_is_slow_to_learn_is_told_again_when_there_was_room(
    one: Bench, inbox: Inbox
) -> None:
    for minute in range(3):
        for number in range(30):
            await inbox.take_update(update(1 + minute * 30 + number, date=one.clock.now))
        one.clock.now += 61

    assert await count(one, "turns") == 60
    assert await count(one, "deliveries WHERE reply IS NOT NULL") == 3


async def test_a_message_that_could_not_be_kept_costs_nothing_and_comes_again(
    one: Bench, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StorageUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(type(one.store), "run", away)
        for number in range(1, 31):
            with pytest.raises(StorageUnavailable):
                await inbox.take_update(update(number))
    for number in range(1, 21):
        await inbox.take_update(update(number))

    assert await count(one, "turns") == 20
    assert await count(one, "deliveries WHERE reply IS NOT NULL") == 0


async def test_who_names_us_before_we_know_our_name_comes_again(one: Bench, inbox: Inbox) -> None:
    said = update(1, "@arash_bot hi", chat={"id": -5, "type": "group"})
    inbox.bot = Bot("42", asked=True)
    with pytest.raises(NotReady) as refused:
        await inbox.take_update(said)
    inbox.bot = Bot("42", "arash_bot")

    await inbox.take_update(said)

    assert refused.value.retry_after == 1
    assert await count(one, "turns") == 1


async def test_a_text_that_is_too_long_is_kept_and_answered(one: Bench, inbox: Inbox) -> None:
    heard = await inbox.take_update(update(1, "x" * 8001))

    assert heard == Heard()
    assert await count(one, "turns") == 0
    assert await count(one, "deliveries WHERE reply IS NOT NULL") == 1


async def test_updates_without_a_number_are_all_kept(one: Bench, inbox: Inbox) -> None:
    for body in (b"{}", b"[]", b"{}", b'{"update_id": "x"}'):
        assert await inbox.take_update(body) == Heard()

    assert await count(one, "updates WHERE outcome = 'unreadable'") == 4


async def test_an_unreadable_update_with_a_number_is_kept_once(one: Bench, inbox: Inbox) -> None:
    for body in (b'{"update_id": 5, "message": 1}', b'{"update_id": 5, "message": 2}'):
        await inbox.take_update(body)

    assert await count(one, "updates") == 1


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\xff", b"nothing"])
async def test_what_is_no_json_is_not_kept(one: Bench, inbox: Inbox, body: bytes) -> None:
    with pytest.raises(InvalidJson):
        await inbox.take_update(body)

    assert await count(one, "updates") == 0


async def test_what_is_ignored_is_remembered_as_that(one: Bench, inbox: Inbox) -> None:
    bodies = [
        orjson.dumps({"update_id": 1, "poll": {}}),
        update(2, text="/help"),
        update(3, migrate_to_chat_id=-1005),
        orjson.dumps(
            {
                "update_id": 4,
                "my_chat_member": {
                    "chat": {"id": 7, "type": "private"},
                    "new_chat_member": {"status": "kicked"},
                },
            }
        ),
    ]
    for body in bodies * 2:
        await inbox.take_update(body)

    found = await one.store.run(
        lambda db: (
            db.exec_driver_sql("SELECT outcome FROM updates ORDER BY update_id").scalars().all()
        )
    )
    assert found == ["ignored", "taken", "moved", "gone"]


async def test_a_fault_of_ours_holds_up_nobody(
    one: Bench, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(Inbox, "_keep", fail)
        heard = await inbox.take_update(update(1))
    await inbox.take_update(update(2))

    assert heard == Heard()
    assert await count(one, "updates WHERE outcome = 'unreadable' AND update_id = 1") == 1
    assert await count(one, "turns") == 1


async def test_an_edit_of_what_nobody_can_read_any_more_holds_up_nobody(
    one: Bench, inbox: Inbox
) -> None:
    await inbox.take_update(update(1, text="first"))
    await one.store.run(lambda db: db.execute(update_of(turns).values(request=b"\x00")).close())
    edited = orjson.loads(update(2, text="second"))
    edited["edited_message"] = edited.pop("message") | {"message_id": 1}

    assert await inbox.take_update(orjson.dumps(edited)) == Heard()
    assert await count(one, "updates WHERE outcome = 'unreadable'") == 1
