"""What waits, as a scrape is told of it; and the id that leads from a call to its delivery."""

from functools import partial

import pytest
from sqlalchemy import Connection, event

from app.storage import backlog, deliveries, turns
from app.storage.deliveries import State
from app.storage.sealed import Sealer
from app.storage.turns import NewTurn
from tests.storage.letters import INTERNAL, Letters, to
from tests.storage.queue import MINE, NOW, Queue, key

REQUEST = "37f7d434299b6853"


@pytest.fixture
def letters(db: Connection, sealer: Sealer) -> Letters:
    return Letters(db, sealer)


def test_an_empty_database_has_no_queues(db: Connection) -> None:
    assert backlog.queues(db, NOW) == []


def test_open_turns_are_told_by_state_with_their_oldest(db: Connection, sealer: Sealer) -> None:
    queue = Queue(db, sealer)
    queue.add("done", conversation=9, now=NOW - 900)
    queue.finish(1)
    for number in (1, 2):
        queue.add(f"working {number}", conversation=number, now=NOW - 10 * number)
    queue.add("waiting", conversation=1, now=NOW - 5)

    found = {(each.platform, each.name): each[2:] for each in backlog.queues(db, NOW)}

    assert found == {("internal", "working"): (2, NOW - 20), ("internal", "waiting"): (1, NOW - 5)}


def test_deliveries_are_told_once_they_have_an_answer(letters: Letters) -> None:
    letters.add(None, turn=1, now=NOW - 900)
    ended, refused, waits = (letters.add(now=NOW - 800 + n) for n in range(3))
    deliveries.end(letters.db, ended, State.ENDED)
    deliveries.end(letters.db, refused, State.REFUSED, "blocked")
    deliveries.later(letters.db, waits, NOW + 60)
    letters.add(now=NOW - 7)
    letters.add(target=to(platform=INTERNAL), now=NOW - 9)

    found = {(each.platform, each.name): each[2:] for each in backlog.queues(letters.db, NOW)}

    assert found == {
        ("telegram", "later"): (1, NOW - 798),
        ("telegram", "deliveries"): (1, NOW - 7),
        ("internal", "deliveries"): (1, NOW - 9),
    }


def test_what_ended_is_not_looked_at(db: Connection) -> None:
    """A week of turns and deliveries is kept; a scrape must not read through it."""
    if db.dialect.name != "sqlite":
        pytest.skip("a table that is almost empty is read whole by PostgreSQL")
    asked: list[str] = []
    note = partial(_note, asked)
    event.listen(db, "before_cursor_execute", note)
    backlog.queues(db, NOW)
    event.remove(db, "before_cursor_execute", note)

    plan = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", (NOW, NOW))
    steps = [step[3] for step in plan if "SCAN" in step[3] or "SEARCH" in step[3]]

    assert len(steps) == 2
    assert all("open_turns" in step or "due_deliveries" in step for step in steps), steps


def _note(asked: list[str], _db: object, _cursor: object, sql: str, *_: object) -> None:
    asked.append(sql)


def test_a_turn_keeps_the_id_of_its_request(db: Connection, sealer: Sealer) -> None:
    new = NewTurn(key("m"), "u", 1, b"f", b"request", REQUEST)
    number = turns.queue(db, sealer, new, NOW, not_before=NOW)

    taken = turns.take(db, sealer, number, MINE, NOW)

    assert taken is not None
    assert (taken.request_id, taken.accepted_at) == (REQUEST, NOW)


def test_a_delivery_keeps_the_id_of_its_request(letters: Letters) -> None:
    number = deliveries.add(
        letters.db, letters.sealer, to(), NOW, reply=b"Hello.", request_id=REQUEST
    )

    found = deliveries.find(letters.db, number)

    assert found is not None
    assert (found.request_id, found.created_at) == (REQUEST, NOW)
    assert letters.only().request_id == REQUEST
