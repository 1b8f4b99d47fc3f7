"""Turns that a process leaves to others at its end."""

from sqlalchemy import Connection

from app.storage import turns
from app.storage.sealed import Sealer
from app.storage.turns import Key, NewTurn
from tests.storage.queue import NOW


def add(db: Connection, sealer: Sealer, message: str, owner: str, conversation: int = 1) -> int:
    new = NewTurn(Key("x", "internal", "c", message), "u", conversation, b"f", b"said")
    return turns.add(db, sealer, new, owner, NOW).id


def test_what_is_left_is_taken_up_at_once_as_if_it_had_not_been_tried(
    db: Connection, sealer: Sealer
) -> None:
    begun, waits = add(db, sealer, "1", "me"), add(db, sealer, "2", "me")

    freed = turns.leave(db, "me")

    taken = turns.take(db, sealer, begun, "other", NOW)
    assert freed == 2
    assert taken is not None
    assert taken.attempts == 1
    assert turns.finish(db, sealer, begun, taken.key, "other", b"answer")
    after = turns.take(db, sealer, waits, "other", NOW)
    assert after is not None
    assert after.attempts == 1


def test_what_others_hold_and_what_is_done_stays_as_it_is(db: Connection, sealer: Sealer) -> None:
    theirs = add(db, sealer, "1", "other")
    done = add(db, sealer, "2", "me", conversation=2)
    turns.finish(db, sealer, done, Key("x", "internal", "c", "2"), "me", b"answer")

    assert turns.leave(db, "me") == 0
    assert turns.take(db, sealer, theirs, "third", NOW) is None


def test_whoever_was_late_to_leave_does_not_answer_what_another_took(
    db: Connection, sealer: Sealer
) -> None:
    turn = add(db, sealer, "1", "me")
    turns.leave(db, "me")
    turns.take(db, sealer, turn, "other", NOW)

    assert not turns.finish(db, sealer, turn, Key("x", "internal", "c", "1"), "me", b"mine")
