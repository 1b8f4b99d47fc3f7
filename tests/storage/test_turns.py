import pytest
from sqlalchemy import Connection, select, update

from app.errors import ConversationBusy, InProgress, MessageIdReused
from app.storage import turns as table
from app.storage.sealed import CannotOpen, Sealer
from app.storage.store import Store
from app.storage.tables import turns
from app.storage.turns import KEPT_SECONDS, LEASE_SECONDS, MOST_WAITING, Added, Key, NewTurn
from tests.storage.queue import MINE, NOW, THEIRS, Queue, key

LATER = NOW + LEASE_SECONDS


@pytest.fixture
def queue(db: Connection, sealer: Sealer) -> Queue:
    return Queue(db, sealer)


def move(db: Connection, column: str, one: int, other: int) -> None:
    moved = select(turns.c[column]).where(turns.c.id == one).scalar_subquery()
    db.execute(update(turns).where(turns.c.id == other).values({column: moved}))


def test_a_message_that_never_came_is_not_known(queue: Queue) -> None:
    assert queue.known("m") is None


def test_the_first_turn_of_a_conversation_is_worked_at_once(queue: Queue) -> None:
    turn, working = queue.add("m")

    row = queue.row(turn)
    assert working
    assert (row["state"], row["owner"], row["attempts"]) == ("working", MINE, 1)
    assert row["lease_until"] == LATER
    assert row["accepted_at"] == NOW


def test_a_turn_behind_another_waits(queue: Queue) -> None:
    queue.add("first")

    second, working = queue.add("second")

    assert not working
    assert (queue.row(second)["state"], queue.row(second)["attempts"]) == ("waiting", 0)


def test_conversations_do_not_wait_for_each_other(queue: Queue) -> None:
    assert [queue.add(str(n), conversation=n).working for n in range(3)] == [True] * 3


def test_the_same_message_is_in_progress_until_it_is_done(queue: Queue) -> None:
    queue.add("first")
    queue.add("second")

    for message in ("first", "second"):
        with pytest.raises(InProgress) as caught:
            queue.known(message)
        assert caught.value.retry_after == 1


def test_the_same_message_gets_the_stored_reply(queue: Queue) -> None:
    turn, _ = queue.add("m")
    queue.finish(turn, reply="Grüße".encode())

    assert queue.known("m") == "Grüße".encode()
    assert queue.messages() == ["m"]


@pytest.mark.parametrize("end", ["open", "done", "failed"])
def test_the_same_ids_with_another_message_are_refused(queue: Queue, end: str) -> None:
    turn, _ = queue.add("m")
    if end != "open":
        queue.finish(turn, reply=b"reply" if end == "done" else None)

    with pytest.raises(MessageIdReused):
        queue.known("m", body="another")


@pytest.mark.parametrize("part", ["caller", "platform", "chat_id", "message_id"])
def test_each_part_of_the_key_makes_another_message(queue: Queue, part: str) -> None:
    turn, _ = queue.add("m")
    queue.finish(turn)
    other = key("m")._replace(**{part: "other"})

    assert table.known(queue.db, queue.sealer, other, queue.sealer.fingerprint(b"body")) is None


def test_a_failed_message_may_come_again_at_the_end_of_the_queue(queue: Queue) -> None:
    failed, _ = queue.add("failed")
    waiting, _ = queue.add("waiting")
    queue.finish(failed, reply=None)

    assert queue.known("failed") is None
    again, working = queue.add("failed")

    assert not working
    assert again > waiting
    assert queue.messages() == ["waiting", "failed"]


def test_a_number_is_never_given_twice(queue: Queue) -> None:
    first, _ = queue.add("m")
    queue.finish(first, reply=None)
    queue.known("m")

    assert queue.add("m").id > first


def test_only_so_many_turns_of_a_conversation_may_be_open(queue: Queue) -> None:
    first, *_others = [queue.add(str(n)).id for n in range(MOST_WAITING)]

    with pytest.raises(ConversationBusy) as caught:
        queue.add("one more")

    assert caught.value.retry_after == 5
    assert queue.add("elsewhere", conversation=2).working
    queue.finish(first)
    assert not queue.add("one more").working


def test_the_request_and_the_reply_are_sealed_and_the_request_goes(queue: Queue) -> None:
    turn, _ = queue.add("m")
    open_row = queue.row(turn)
    queue.finish(turn)

    done = queue.row(turn)

    assert b"request of m" not in bytes(open_row["request"])  # type: ignore[call-overload]
    assert open_row["reply"] is None
    assert (done["state"], done["request"]) == ("done", None)
    assert b"reply" not in bytes(done["reply"])  # type: ignore[call-overload]


def test_a_failed_turn_keeps_neither_request_nor_reply(queue: Queue) -> None:
    turn, _ = queue.add("m")

    assert queue.finish(turn, reply=None)

    row = queue.row(turn)
    assert (row["state"], row["request"], row["reply"]) == ("failed", None, None)


def test_turns_are_taken_in_their_order(queue: Queue) -> None:
    first, second, third = (queue.add(str(n)).id for n in range(3))

    assert queue.take(second) is None
    assert queue.take(third) is None
    queue.finish(first)
    assert queue.take(third) is None
    taken = queue.take(second)

    assert taken is not None
    assert (taken.id, taken.key, taken.conversation) == (second, key("1"), 1)
    assert (taken.attempts, taken.request) == (1, b"request of 1")
    assert queue.row(second)["state"] == "working"


def test_a_failed_turn_holds_up_nobody(queue: Queue) -> None:
    first, second = queue.add("first").id, queue.add("second").id
    queue.finish(first, reply=None)

    assert queue.take(second) is not None


def test_the_order_holds_over_several_owners(queue: Queue) -> None:
    first = queue.add("first", owner=MINE).id
    second = queue.add("second", owner=THEIRS).id

    assert queue.take(second, THEIRS) is None
    queue.finish(first, MINE)
    assert queue.take(second, MINE) is None  # theirs, and they are alive
    assert queue.take(second, THEIRS) is not None


def test_a_turn_is_not_taken_twice(queue: Queue) -> None:
    turn, _ = queue.add("m")

    assert queue.take(turn, MINE, LATER - 0.1) is None
    assert queue.take(turn, THEIRS, LATER - 0.1) is None


def test_a_turn_that_ended_is_not_taken(queue: Queue) -> None:
    for message, reply in (("done", b"reply"), ("failed", None)):
        turn, _ = queue.add(message)
        queue.finish(turn, reply=reply)

        assert queue.take(turn, MINE, LATER) is None


def test_a_turn_that_is_not_there_is_not_taken(queue: Queue) -> None:
    assert queue.take(4711) is None


def test_a_lease_that_ran_out_is_taken_by_another(queue: Queue) -> None:
    turn, _ = queue.add("m")

    taken = queue.take(turn, THEIRS, LATER)

    assert taken is not None
    assert (taken.attempts, taken.request) == (2, b"request of m")
    assert queue.row(turn)["lease_until"] == LATER + LEASE_SECONDS


def test_a_waiting_turn_whose_owner_is_gone_is_taken_in_its_order(queue: Queue) -> None:
    first, second = queue.add("first").id, queue.add("second").id

    assert queue.take(second, THEIRS, LATER) is None
    assert queue.take(first, THEIRS, LATER) is not None
    assert queue.take(second, THEIRS, LATER) is None
    queue.finish(first, THEIRS)
    assert queue.take(second, THEIRS, LATER) is not None


def test_who_lost_the_lease_writes_nothing(queue: Queue) -> None:
    turn, _ = queue.add("m")
    queue.take(turn, THEIRS, LATER)
    before = queue.row(turn)

    assert not queue.finish(turn, MINE, b"late")
    assert queue.row(turn) == before
    assert queue.finish(turn, THEIRS, b"theirs")
    assert not queue.finish(turn, MINE, b"later still")
    assert queue.known("m") == b"theirs"


def test_a_turn_ends_once(queue: Queue) -> None:
    turn, _ = queue.add("m")
    queue.finish(turn, reply=b"first")

    assert not queue.finish(turn, reply=b"second")
    assert not queue.finish(turn, reply=None)
    assert queue.known("m") == b"first"


def test_a_turn_that_waits_can_be_given_up_by_its_owner_alone(queue: Queue) -> None:
    first, _ = queue.add("first")
    waiting, _ = queue.add("waiting")
    last, _ = queue.add("last")

    assert not queue.finish(waiting, THEIRS, reply=None)
    assert queue.finish(waiting, MINE, reply=None)
    queue.finish(first)

    assert queue.take(last) is not None


def test_only_my_open_turns_that_i_hold_are_renewed(queue: Queue) -> None:
    mine, other, theirs, done = (
        queue.add(str(n), conversation=n, owner=THEIRS if n == 2 else MINE).id for n in range(4)
    )
    queue.finish(done)

    table.renew(queue.db, [mine, theirs, done], MINE, NOW + 10)

    leases = [queue.row(turn)["lease_until"] for turn in (mine, other, theirs, done)]
    assert leases == [LATER + 10, LATER, LATER, LATER]


def test_a_renewed_lease_is_not_taken(queue: Queue) -> None:
    turn, _ = queue.add("m")
    table.renew(queue.db, [turn], MINE, NOW + 20)

    assert queue.take(turn, THEIRS, LATER) is None


def test_a_start_frees_every_open_turn(queue: Queue) -> None:
    first, second, done = queue.add("1").id, queue.add("2").id, queue.add("3", conversation=3).id
    queue.finish(done)

    assert table.release(queue.db) == 2

    assert table.orphans(queue.db, NOW, 9) == [first]
    assert queue.take(first, THEIRS) is not None
    assert queue.take(second, THEIRS) is None


def test_orphans_are_the_first_of_each_conversation_the_oldest_first(queue: Queue) -> None:
    second = queue.add("2", conversation=2).id
    first = queue.add("1", conversation=1).id
    queue.add("behind", conversation=1)
    queue.add("alive", conversation=3, now=NOW + 1)
    queue.finish(queue.add("done", conversation=4).id)

    assert table.orphans(queue.db, LATER - 0.1, 9) == []
    assert table.orphans(queue.db, LATER, 9) == [second, first]
    assert table.orphans(queue.db, LATER, 1) == [second]


def test_an_orphan_behind_a_turn_that_is_worked_is_held_up(queue: Queue) -> None:
    first, second = queue.add("1").id, queue.add("2").id
    table.renew(queue.db, [first], MINE, NOW + 10)

    assert table.orphans(queue.db, LATER, 9) == []
    queue.finish(first)
    assert table.orphans(queue.db, LATER, 9) == [second]


def test_only_ended_turns_are_swept_after_a_week(queue: Queue) -> None:
    for n, message in enumerate(("done", "failed", "open", "young")):
        now = NOW + 1 if message == "young" else NOW
        turn, _ = queue.add(message, conversation=n, now=now)
        if message != "open":
            queue.finish(turn, reply=None if message == "failed" else b"reply")

    assert table.sweep(queue.db, NOW + KEPT_SECONDS - 1) == 0
    assert table.sweep(queue.db, NOW + KEPT_SECONDS) == 2
    assert queue.messages() == ["open", "young"]


def test_forgetting_a_person_deletes_their_ended_turns_alone(queue: Queue) -> None:
    for n, (message, user) in enumerate(
        [("done", "u"), ("failed", "u"), ("open", "u"), ("other", "v")]
    ):
        turn, _ = queue.add(message, conversation=n, user=user)
        if message != "open":
            queue.finish(turn, reply=None if message == "failed" else b"reply")

    table.forget_person(queue.db, "elsewhere", "u")
    assert len(queue.messages()) == 4
    table.forget_person(queue.db, "internal", "u")

    assert queue.messages() == ["open", "other"]


# What stands between the parts of a key may stand in them too.
@pytest.mark.parametrize(
    ("one", "two"),
    [(key("1"), key("2")), (key("y/z", chat="x"), key("z", chat="x/y"))],
    ids=["plain", "alike"],
)
def test_a_value_that_was_moved_to_another_row_does_not_open(
    queue: Queue, one: Key, two: Key
) -> None:
    mark = queue.sealer.fingerprint(b"body")
    first, second = (
        table.add(queue.db, queue.sealer, NewTurn(ids, "u", n, mark, b"request"), MINE, NOW).id
        for n, ids in enumerate((one, two))
    )

    move(queue.db, "request", first, second)
    with pytest.raises(CannotOpen):
        queue.take(second, THEIRS, LATER)

    queue.finish(first)
    queue.finish(second, THEIRS)
    move(queue.db, "reply", first, second)
    with pytest.raises(CannotOpen):
        table.known(queue.db, queue.sealer, two, mark)


async def test_a_refused_second_coming_leaves_the_failed_turn(store: Store, sealer: Sealer) -> None:
    def fill(db: Connection) -> None:
        queue = Queue(db, sealer)
        queue.finish(queue.add("failed").id, reply=None)
        for n in range(MOST_WAITING):
            queue.add(str(n))

    def come_again(db: Connection) -> Added:
        queue = Queue(db, sealer)
        queue.known("failed")
        return queue.add("failed")

    await store.run(fill)
    with pytest.raises(ConversationBusy):
        await store.run(come_again)

    assert "failed" in await store.run(lambda db: Queue(db, sealer).messages())
