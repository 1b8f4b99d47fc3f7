"""What a delivery promises: in order, sealed, moved with its chat, and never in the way."""

import time

import pytest
from sqlalchemy import Connection, update

from app.storage import deliveries as table
from app.storage.deliveries import KEPT_SECONDS, START, UNREADABLE, Mark, State
from app.storage.sealed import CannotOpen, Sealer, new_key
from app.storage.tables import deliveries
from tests.conftest import KEY
from tests.storage.letters import INTERNAL, TELEGRAM, Letters, to
from tests.storage.plans import noted, plan
from tests.storage.queue import NOW, Queue


@pytest.fixture
def letters(db: Connection, sealer: Sealer) -> Letters:
    return Letters(db, sealer)


def test_a_reply_that_is_there_is_due_as_it_was_given(letters: Letters) -> None:
    number = letters.add("Hello.", edits=("5", "6"))

    due = letters.only()

    assert (due.id, due.target, due.edits) == (number, to(), ("5", "6"))
    assert (due.reply, due.progress, due.not_before) == (b"Hello.", None, 0.0)


def test_a_turn_that_will_be_answered_is_due_without_a_reply(letters: Letters) -> None:
    letters.add(None, turn=3)

    assert (letters.only().reply, letters.only().edits) == (None, ())


def test_a_growing_text_is_due_until_the_answer_replaces_it(letters: Letters) -> None:
    letters.add(None, turn=3)
    letters.grow(3, "Hel")
    growing = letters.only()
    letters.answer(3, "Hello.")

    answered = letters.only()

    assert (growing.progress, growing.reply) == (b"Hel", None)
    assert (answered.progress, answered.reply) == (None, b"Hello.")
    assert answered.mark > growing.mark


def test_a_text_that_grows_too_late_does_not_hide_the_answer(letters: Letters) -> None:
    letters.add(None, turn=3)
    letters.answer(3, "Hello.")
    before = letters.only()

    letters.grow(3, "Hel")

    assert letters.only() == before


def test_only_the_delivery_of_the_turn_is_answered_and_grows(letters: Letters) -> None:
    for turn in (3, 4):
        letters.add(None, turn=turn)

    letters.grow(3, "Hel")
    letters.answer(4, "Four.")

    assert [(due.progress, due.reply) for due in letters.due()] == [
        (b"Hel", None),
        (None, b"Four."),
    ]


def test_a_reader_sees_each_change_once(letters: Letters) -> None:
    first, second = letters.add(None, turn=1), letters.add("two")
    seen = letters.due()
    letters.answer(1, "one")

    later = letters.due(seen[-1].mark)

    assert [due.id for due in seen] == [first, second]
    assert [due.id for due in later] == [first]
    assert letters.due(later[-1].mark) == []


def test_what_was_added_first_is_due_first_although_it_changed_last(letters: Letters) -> None:
    first, second = letters.add(None, turn=1), letters.add("two")
    letters.answer(1, "one")

    assert [due.id for due in letters.due()] == [first, second]
    assert table.latest(letters.db, TELEGRAM) == letters.due()[0].mark


def test_rows_that_changed_at_once_are_read_a_few_at_a_time_and_all_of_them(
    letters: Letters,
) -> None:
    numbers = [letters.add(str(n)) for n in range(7)]
    table.move(letters.db, TELEGRAM, "7", "8")

    beyond, read = 0, list[int]()
    while True:
        found, beyond = table.due(letters.db, letters.sealer, TELEGRAM, START, 3, beyond=beyond)
        read += [due.id for due in found]
        if not beyond:
            break

    assert read == numbers


def test_the_latest_mark_is_of_what_is_open_on_a_platform(letters: Letters) -> None:
    assert table.latest(letters.db, TELEGRAM) == START
    letters.add()
    mark = letters.only().mark
    table.end(letters.db, letters.add(), State.ENDED)
    letters.add("a", to(platform=INTERNAL))

    assert table.latest(letters.db, TELEGRAM) == mark


def test_a_reader_looks_at_what_is_open_alone(letters: Letters) -> None:
    if letters.db.dialect.name != "sqlite":
        pytest.skip("a table that is almost empty is read whole by PostgreSQL")
    with noted(letters.db) as asked:
        for again in ((), (3, 4)):
            table.due(letters.db, letters.sealer, TELEGRAM, Mark(7, 7), 100, beyond=5, again=again)
        table.latest(letters.db, TELEGRAM)

    assert len(asked) == 3
    for statement in asked:
        assert "USING INDEX due_deliveries" in plan(letters.db, statement)


def test_a_change_by_the_process_that_started_first_comes_after_the_others(
    letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier, later = table._Marks(), table._Marks()
    next(earlier)
    monkeypatch.setattr(table, "_marks", later)
    letters.add("from the later one")
    seen = letters.only().mark
    monkeypatch.setattr(table, "_marks", earlier)
    number = letters.add("from the earlier one")

    assert [due.id for due in letters.due(seen)] == [number]


def test_marks_rise_although_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = table._Marks()
    first = next(marks)
    monkeypatch.setattr(time, "time_ns", lambda: 0)

    assert next(marks) > first


def test_a_platform_sees_its_own_alone(letters: Letters) -> None:
    mine = letters.add("a", to(platform=INTERNAL))
    letters.add("b")

    assert [due.id for due in letters.due(platform=INTERNAL)] == [mine]


def test_what_has_to_wait_is_due_with_its_time_and_again_when_asked_for(letters: Letters) -> None:
    number = letters.add()
    before = letters.only().mark

    table.later(letters.db, number, NOW + 60)

    (waiting,) = letters.due(before)
    assert waiting.not_before == NOW + 60
    assert letters.due(waiting.mark) == []
    assert [due.id for due in letters.due(waiting.mark, again=(number,))] == [number]


def test_asking_again_brings_no_other_platform_and_nothing_that_ended(letters: Letters) -> None:
    foreign = letters.add("a", to(platform=INTERNAL))
    ended = letters.add("b")
    table.end(letters.db, ended, State.ENDED)

    assert letters.due(again=(foreign, ended)) == []


def test_what_was_placed_is_remembered(letters: Letters) -> None:
    number = letters.add()

    table.place(letters.db, number, ["5", "6"])

    assert letters.only().edits == ("5", "6")


def test_one_that_arrived_is_no_longer_due_and_keeps_no_words(letters: Letters) -> None:
    number = letters.add()

    table.end(letters.db, number, State.ENDED)

    row = letters.row(number)
    assert letters.due() == []
    assert letters.state(number) is State.ENDED
    assert (row["reply"], row["progress"]) == (None, None)


def test_what_has_ended_is_not_changed_any_more(letters: Letters) -> None:
    number = letters.add(None, turn=3)
    table.end(letters.db, number, State.ENDED)
    before = letters.row(number)

    letters.answer(3, "late")
    letters.grow(3, "late")
    table.place(letters.db, number, ["9"])
    table.later(letters.db, number, NOW + 9)
    table.end(letters.db, number, State.REFUSED, "late")
    table.move(letters.db, TELEGRAM, "7", "8")

    assert letters.row(number) == before


def test_a_dead_letter_is_listed_with_its_reason_the_latest_first(letters: Letters) -> None:
    numbers = [letters.add(str(n), to(chat=str(n))) for n in range(3)]
    for number in numbers:
        table.end(letters.db, number, State.REFUSED, f"reason {number}")
    letters.add("alive")

    dead = table.dead(letters.db, None, 2)

    assert [(each.id, each.chat_id, each.reason) for each in dead] == [
        (numbers[2], "2", f"reason {numbers[2]}"),
        (numbers[1], "1", f"reason {numbers[1]}"),
    ]
    assert table.dead(letters.db, INTERNAL, 9) == []
    assert len(table.dead(letters.db, TELEGRAM, 9)) == 3


def test_a_reason_is_cut_to_what_the_column_holds(letters: Letters) -> None:
    number = letters.add()

    table.end(letters.db, number, State.REFUSED, "x" * 999)

    assert len(str(letters.row(number)["reason"])) == 256


@pytest.mark.parametrize(("named", "opened"), [(True, 1), (False, 2)])
def test_dead_letters_are_opened_again_all_or_one(
    letters: Letters, *, named: bool, opened: int
) -> None:
    first, second = letters.add("one", edits=("5",)), letters.add("two")
    for number in (first, second):
        table.later(letters.db, number, NOW + 60)
        table.end(letters.db, number, State.REFUSED, "blocked")

    assert table.redrive(letters.db, [first] if named else None) == opened

    due = letters.due()[0]
    assert (due.id, due.reply, due.edits, due.not_before) == (first, b"one", ("5",), 0.0)
    assert letters.row(first)["reason"] == ""
    assert letters.state(second) is (State.REFUSED if named else State.OPEN)


def test_one_that_was_refused_while_it_was_written_keeps_its_answer(letters: Letters) -> None:
    number = letters.add(None, turn=3)
    table.end(letters.db, number, State.REFUSED, "blocked")
    before = table.redrive(letters.db, None)

    letters.answer(3, "Hello.")

    assert (before, letters.due()) == (0, [])
    assert table.redrive(letters.db, None) == 1
    assert letters.only().reply == b"Hello."


def test_a_chat_that_moves_takes_what_is_open_along_and_no_ids_of_messages(
    letters: Letters,
) -> None:
    moving = letters.add("a", to("-5"), edits=("9",))
    others = [letters.add("b", to("-6")), letters.add("c", to("-5", INTERNAL))]
    before = [letters.row(number) for number in others]
    seen = letters.due()[-1].mark

    table.move(letters.db, TELEGRAM, "-5", "-1005")

    (due,) = letters.due(seen)
    assert (due.id, due.reply) == (moving, b"a")
    assert (due.target.chat_id, due.target.source, due.edits) == ("-1005", None, ())
    assert [letters.row(number) for number in others] == before


def test_a_turn_that_ended_without_a_word_is_found(letters: Letters) -> None:
    queue = Queue(letters.db, letters.sealer)
    working, waiting, failed = (queue.add(name).id for name in ("a", "b", "c"))
    done = queue.add("d", conversation=2).id
    for turn in (working, waiting, failed, done):
        letters.add(None, turn=turn)
    queue.finish(failed, reply=None)
    letters.answer(done, "Done.")
    queue.finish(done)
    letters.add("of no turn")

    assert table.forsaken(letters.db) == [(failed, to())]


def test_nothing_of_what_was_said_can_be_read_without_the_key(letters: Letters) -> None:
    number = letters.add("secret words")
    letters.add(None, turn=3)
    letters.grow(3, "secret text")

    assert b"secret" not in repr(letters.row(number)).encode()
    assert b"secret" not in repr([letters.row(due.id) for due in letters.due()]).encode()
    sealed = letters.row(number)["reply"]
    assert isinstance(sealed, bytes)
    with pytest.raises(CannotOpen):
        Sealer([KEY]).open(sealed, "deliveries/telegram/8")


def test_one_that_nobody_can_read_ends_with_its_reason_and_holds_up_no_other(
    letters: Letters,
) -> None:
    foreign = Sealer([new_key().encode()[:32]])
    lost = Letters(letters.db, foreign).add("sealed by a lost key")
    read = letters.add("fine")

    assert [due.id for due in letters.due()] == [read]

    assert letters.state(lost) is State.REFUSED
    assert table.dead(letters.db, None, 9)[0].reason == UNREADABLE


def test_what_ended_is_swept_after_a_week_and_what_is_open_never(letters: Letters) -> None:
    ended, refused, young, open_ = (letters.add() for _ in range(4))
    letters.db.execute(update(deliveries).values(created_at=NOW))
    letters.db.execute(
        update(deliveries).where(deliveries.c.id == young).values(created_at=NOW + 1)
    )
    for number in (ended, young):
        table.end(letters.db, number, State.ENDED)
    table.end(letters.db, refused, State.REFUSED)

    assert table.sweep(letters.db, NOW + KEPT_SECONDS) == 2

    assert [letters.state(number) for number in (ended, refused, young, open_)] == [
        None,
        None,
        State.ENDED,
        State.OPEN,
    ]


def test_a_person_is_forgotten_but_what_is_under_way_arrives(letters: Letters) -> None:
    ended, open_, other = letters.add(), letters.add(), letters.add("x", to(user="8"))
    elsewhere = letters.add("y", to(platform=INTERNAL))
    for number in (ended, other, elsewhere):
        table.end(letters.db, number, State.REFUSED)

    table.forget_person(letters.db, TELEGRAM, "7")

    assert letters.state(ended) is None
    assert None not in [letters.state(number) for number in (open_, other, elsewhere)]


def test_a_number_that_is_not_there_is_not_found(letters: Letters) -> None:
    assert table.find(letters.db, 4711) is None


def test_what_is_found_says_whether_it_is_answered(letters: Letters) -> None:
    found = [table.find(letters.db, letters.add(reply, turn=3)) for reply in (None, "Hello.")]

    assert [each.answered for each in found if each] == [False, True]
    assert [each.target for each in found if each] == [to(), to()]
