from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, select, update

from app.sessions import history, profiles, sessions
from app.sessions.history import Exchange, Image
from app.sessions.profiles import Profile
from app.sessions.sessions import Place
from app.storage.batches import Batches
from app.storage.sealed import CannotOpen, Sealer
from app.storage.tables import exchanges, pictures
from tests.storage.queue import NOW, Queue

TINY = Image("image/png", b"picture")


@pytest.fixture
def session(db: Connection) -> int:
    return sessions.at(db, Place("telegram", "c", "", "u"), NOW, 60).id


def exchange(number: int, *images: Image) -> Exchange:
    return Exchange(number, f"question {number}", f"answer {number}", len(images), images)


def numbers(found: list[Exchange]) -> list[int]:
    return [each.number for each in found]


def kept_pictures(db: Connection) -> list[int]:
    return list(db.execute(select(pictures.c.number).order_by(pictures.c.number)).scalars())


def test_a_new_session_remembers_nothing(db: Connection, sealer: Sealer, session: int) -> None:
    assert history.latest(db, sealer, session, 10) == []


def test_exchanges_come_back_as_they_were_the_oldest_first(
    db: Connection, sealer: Sealer, session: int
) -> None:
    said = [
        Exchange(1, "Grüße 👋", "", 0),
        exchange(2, TINY, Image("image/jpeg", b"other")),
        Exchange(3, "line\nline", "\N{NULL} odd", 1),  # its picture is not kept
    ]

    for each in said:
        history.add(db, sealer, session, each, keep=10)

    assert history.latest(db, sealer, session, 10) == said


def test_no_more_is_returned_than_was_asked_for(
    db: Connection, sealer: Sealer, session: int
) -> None:
    for number in range(1, 6):
        history.add(db, sealer, session, exchange(number), keep=10)

    for most, expected in ((0, []), (1, [5]), (3, [3, 4, 5]), (9, [1, 2, 3, 4, 5])):
        assert numbers(history.latest(db, sealer, session, most)) == expected


@pytest.mark.parametrize("keep", [1, 2, 5, 7])
def test_only_so_many_exchanges_are_kept(
    db: Connection, sealer: Sealer, session: int, keep: int
) -> None:
    for number in range(1, 13):
        history.add(db, sealer, session, exchange(number), keep=keep)

        found = numbers(history.latest(db, sealer, session, 99))
        assert found == list(range(max(1, number - keep + 1), number + 1))


def test_a_limit_that_was_lowered_drops_the_older_ones(
    db: Connection, sealer: Sealer, session: int
) -> None:
    for number in range(1, 8):
        history.add(db, sealer, session, exchange(number), keep=7)

    history.add(db, sealer, session, exchange(8), keep=2)

    assert numbers(history.latest(db, sealer, session, 99)) == [7, 8]


def test_the_pictures_of_the_last_two_turns_with_pictures_are_kept(
    db: Connection, sealer: Sealer, session: int
) -> None:
    for number, images in ((1, 1), (2, 2), (3, 0), (4, 1)):
        history.add(db, sealer, session, exchange(number, *[TINY] * images), keep=10)

    found = history.latest(db, sealer, session, 10)

    assert [(each.pictures, len(each.images)) for each in found] == [(1, 0), (2, 2), (0, 0), (1, 1)]
    assert kept_pictures(db) == [2, 2, 4]


def test_a_picture_goes_with_its_exchange(db: Connection, sealer: Sealer, session: int) -> None:
    history.add(db, sealer, session, exchange(1, TINY), keep=2)
    history.add(db, sealer, session, exchange(2), keep=2)
    assert kept_pictures(db) == [1]

    history.add(db, sealer, session, exchange(3), keep=2)

    assert kept_pictures(db) == []


def test_clearing_forgets_what_was_said_in_this_session_alone(
    db: Connection, sealer: Sealer, session: int
) -> None:
    other = sessions.at(db, Place("telegram", "c", "", "v"), NOW, 60).id
    for each in (session, other):
        history.add(db, sealer, each, exchange(1, TINY), keep=2)

    history.clear(db, session)

    assert history.latest(db, sealer, session, 9) == []
    assert history.latest(db, sealer, other, 9) == [exchange(1, TINY)]
    assert kept_pictures(db) == [1]
    history.add(db, sealer, session, exchange(1), keep=2)


@pytest.mark.parametrize("column", [exchanges.c.said, pictures.c.content], ids=str)
def test_what_was_moved_to_another_session_does_not_open(
    db: Connection, sealer: Sealer, session: int, column: Column[bytes]
) -> None:
    other = sessions.at(db, Place("telegram", "c", "", "v"), NOW, 60).id
    for each in (session, other):
        history.add(db, sealer, each, exchange(1, TINY), keep=2)
    table = column.table
    value = db.execute(select(column).where(table.c.session == session)).scalar_one()
    moved = update(exchanges if table is exchanges else pictures)

    db.execute(moved.where(table.c.session == other).values({column.name: value}))

    assert history.latest(db, sealer, session, 9) == [exchange(1, TINY)]
    with pytest.raises(CannotOpen):
        history.latest(db, sealer, other, 9)


async def test_nothing_that_was_said_can_be_read_in_the_files(
    batches: Batches, sealer: Sealer, sqlite_file: Path
) -> None:
    def keep(db: Connection) -> None:
        session = sessions.at(db, Place("telegram", "c", "", "visible-person"), NOW, 60).id
        said = Exchange(
            1, "planted question", "planted answer", 1, (Image("p", b"planted picture"),)
        )
        history.add(db, sealer, session, said, keep=9)
        profiles.keep(db, "telegram", "visible-person", Profile(model="visible-model"))
        queue = Queue(db, sealer)
        queue.add("planted", conversation=session)
        queue.add("open", conversation=session)
        queue.finish(1, reply=b"planted reply")

    await batches.run(keep)

    def everything() -> bytes:
        return b"".join(file.read_bytes() for file in sqlite_file.parent.iterdir())

    written = everything()
    batches.close()
    written += everything()
    assert b"visible-person" in written
    assert b"visible-model" in written
    secrets = (
        b"planted question",
        b"planted answer",
        b"planted picture",
        b"request of",
        b"planted reply",
    )
    assert [secret for secret in secrets if secret in written] == []
