"""Turns that nobody has begun: they may be replaced, and dropped with their chat."""

import pytest
from sqlalchemy import Connection, select

from app.storage import deliveries as letters
from app.storage import turns as table
from app.storage.sealed import Sealer
from app.storage.tables import deliveries, turns
from app.storage.turns import Key, NewTurn, Taken
from tests.storage.letters import Letters, to
from tests.storage.plans import noted, plan
from tests.storage.queue import NOW


def key(message: str, chat: str = "c", caller: str = "inbox", platform: str = "telegram") -> Key:
    return Key(caller, platform, chat, message)


def queue(db: Connection, sealer: Sealer, at: Key, wait: float = 0.0, conversation: int = 1) -> int:
    new = NewTurn(at, "u", conversation, b"f", b"first")
    return table.queue(db, sealer, new, NOW, not_before=NOW + wait)


def take(db: Connection, sealer: Sealer, turn: int, now: float = NOW) -> Taken | None:
    return table.take(db, sealer, turn, "me", now)


def test_what_waits_is_told_until_somebody_begins_it(db: Connection, sealer: Sealer) -> None:
    turn = queue(db, sealer, key("1"))
    before = table.waiting(db, sealer, key("1"))
    take(db, sealer, turn)

    assert before == b"first"
    assert table.waiting(db, sealer, key("1")) is None
    assert table.waiting(db, sealer, key("2")) is None


def test_what_waits_may_be_replaced_and_what_was_begun_may_not(
    db: Connection, sealer: Sealer
) -> None:
    one, other = queue(db, sealer, key("1")), queue(db, sealer, key("2"), conversation=2)
    begun = take(db, sealer, other)
    for message in ("1", "2"):
        table.replace(db, sealer, key(message), b"second", b"g")
    taken = take(db, sealer, one)

    assert taken is not None
    assert taken.request == b"second"
    assert begun is not None
    again = take(db, sealer, other, NOW + 100)
    assert again is not None
    assert again.request == b"first"


@pytest.mark.parametrize(
    ("wait", "until", "begins"),
    [(0.0, 0.0, 0.0), (1.0, 0.0, 1.0), (1.0, 5.0, 5.0), (9.0, 5.0, 9.0)],
)
def test_a_turn_that_is_replaced_waits_no_less(
    db: Connection, sealer: Sealer, wait: float, until: float, begins: float
) -> None:
    turn = queue(db, sealer, key("1"), wait)
    not_before = NOW + until if until else 0.0
    table.replace(db, sealer, key("1"), b"second", b"g", not_before=not_before)

    if begins:
        assert take(db, sealer, turn, NOW + begins - 0.001) is None
    assert take(db, sealer, turn, NOW + begins) is not None


def test_the_turns_of_a_chat_are_dropped_unless_somebody_began_them(
    db: Connection, sealer: Sealer
) -> None:
    keys = [
        key("begun"), key("waits"), key("waits", "other"), key("waits", caller="telegram"),
        key("waits", platform="internal"),
    ]  # fmt: skip
    numbers = [queue(db, sealer, each, conversation=n) for n, each in enumerate(keys)]
    take(db, sealer, numbers[0])

    table.drop(db, "inbox", "telegram", "c")

    found = db.execute(select(turns.c.state, turns.c.request.is_(None)).order_by(turns.c.id)).all()
    assert [tuple(each) for each in found] == [
        ("working", False), ("failed", True), ("waiting", False), ("waiting", False),
        ("waiting", False),
    ]  # fmt: skip


def test_what_is_open_in_a_chat_becomes_dead_letters_unless_it_is_being_answered(
    db: Connection, sealer: Sealer
) -> None:
    made = Letters(db, sealer)
    begun = queue(db, sealer, key("1"))
    ended, answered, written, over, other, foreign = (
        made.add("Hi."), made.add("Hi."), made.add(None, turn=begun),
        made.add(None, turn=begun + 1), made.add("Hi.", to("8")),
        made.add("Hi.", to("7", "internal")),
    )  # fmt: skip
    letters.end(db, ended, letters.State.ENDED)
    made.grow(begun + 1, "So far")

    letters.refuse(db, "telegram", "7", "blocked")

    columns = (deliveries.c.id, deliveries.c.state, deliveries.c.reason, deliveries.c.progress)
    assert [tuple(row) for row in db.execute(select(*columns).order_by(deliveries.c.id))] == [
        (ended, "ended", "", None),
        (answered, "refused", "blocked", None),
        (written, "open", "", None),
        (over, "refused", "blocked", None),
        (other, "open", "", None),
        (foreign, "open", "", None),
    ]


def test_who_takes_a_turn_looks_at_the_open_ones_of_its_conversation_alone(
    db: Connection, sealer: Sealer
) -> None:
    if db.dialect.name != "sqlite":
        pytest.skip("a table that is almost empty is read whole by PostgreSQL")
    turn = queue(db, sealer, key("1"))

    with noted(db) as asked:
        take(db, sealer, turn)

    assert len(asked) == 1
    assert "SEARCH earlier USING INDEX open_turns" in plan(db, asked[0])
