"""Conversations of a chat that gets another id."""

from sqlalchemy import Connection

from app.sessions import sessions
from app.sessions.sessions import Place
from tests.sessions.test_sessions import NOW, at


def test_every_conversation_of_a_chat_moves_with_it(db: Connection) -> None:
    places = [Place("telegram", "-5", thread, user) for thread in ("", "9") for user in ("a", "b")]
    others = [Place("telegram", "-6", "", "a"), Place("internal", "-5", "", "a")]
    before = [at(db, place).id for place in (*places, *others)]

    sessions.move(db, "telegram", "-5", "-1005")

    moved = [place._replace(chat_id="-1005") for place in places]
    assert [at(db, place).id for place in (*moved, *others)] == before


def test_who_has_begun_another_conversation_there_keeps_it_and_the_others_move(
    db: Connection,
) -> None:
    ann, ben = (at(db, Place("telegram", "-5", "", user)).id for user in ("ann", "ben"))
    new = at(db, Place("telegram", "-1005", "", "ann")).id

    for _ in range(2):
        sessions.move(db, "telegram", "-5", "-1005")

    assert at(db, Place("telegram", "-1005", "", "ann")).id == new
    assert at(db, Place("telegram", "-1005", "", "ben")).id == ben
    assert at(db, Place("telegram", "-5", "", "ann")).id == ann


def test_a_session_is_found_by_its_number_wherever_it_is(db: Connection) -> None:
    session = at(db, Place("telegram", "-5", "", "a"))
    sessions.move(db, "telegram", "-5", "-1005")

    found = sessions.numbered(db, session.id)

    assert found is not None
    assert (found.public_id, found.place.chat_id) == (session.public_id, "-1005")
    assert sessions.numbered(db, session.id + 1) is None
    assert NOW
