import pytest
from sqlalchemy import Connection, func, select

from app.sessions import history, sessions
from app.sessions.history import Exchange, Image
from app.sessions.sessions import Census, Place, Session
from app.storage.sealed import Sealer
from app.storage.tables import exchanges, pictures
from tests.storage.queue import Queue

NOW = 1_800_000_000.0
LIFETIME = 1800.0
HOME = Place("telegram", "c", "", "u")


def at(db: Connection, place: Place = HOME, now: float = NOW) -> Session:
    return sessions.at(db, place, now, LIFETIME)


def count(db: Connection, session: Session, now: float = NOW) -> bool:
    return sessions.count(db, session.id, now, prompt=3, completion=5, cost_usd=0.25, told="m")


def say(db: Connection, sealer: Sealer, session: Session, number: int = 1) -> None:
    images = (Image("image/png", b"picture"),)
    history.add(db, sealer, session.id, Exchange(number, "?", "!", 1, images), keep=10)


def remembered(db: Connection) -> tuple[int, int]:
    numbers = [
        db.execute(select(func.count()).select_from(table)).scalar_one()
        for table in (exchanges, pictures)
    ]
    return numbers[0], numbers[1]


def test_a_new_place_begins_a_session(db: Connection) -> None:
    session = at(db)

    assert session.place == HOME
    assert (session.started_at, session.active_at, session.message_count) == (NOW, NOW, 0)
    assert len(bytes.fromhex(session.public_id)) == 16
    assert at(db) == session


@pytest.mark.parametrize("part", Place._fields)
def test_each_part_of_a_place_makes_another_conversation(db: Connection, part: str) -> None:
    elsewhere = at(db, HOME._replace(**{part: "other"}))

    assert elsewhere.public_id != at(db).public_id
    assert elsewhere.place != HOME


def test_a_session_expires_after_its_lifetime_in_silence(db: Connection, sealer: Sealer) -> None:
    session = at(db)
    say(db, sealer, session)

    assert at(db, now=NOW + LIFETIME - 1).public_id == session.public_id
    fresh = at(db, now=NOW + LIFETIME)

    assert fresh.public_id != session.public_id
    assert (fresh.started_at, fresh.message_count) == (NOW + LIFETIME, 0)
    assert remembered(db) == (0, 0)


def test_every_message_prolongs_a_session(db: Connection) -> None:
    session = at(db)
    count(db, session, NOW + LIFETIME - 1)

    assert at(db, now=NOW + LIFETIME).public_id == session.public_id


def test_a_session_with_an_open_turn_does_not_expire(db: Connection, sealer: Sealer) -> None:
    queue = Queue(db, sealer)
    session = at(db)
    turn = queue.add("m", conversation=session.id).id
    late = NOW + 10 * LIFETIME

    assert sessions.sweep(db, late, LIFETIME) == 0
    assert at(db, now=late).public_id == session.public_id

    queue.finish(turn)
    assert at(db, now=late).public_id != session.public_id


def test_messages_and_what_they_took_add_up(db: Connection) -> None:
    session = at(db)

    assert count(db, session, NOW + 1)
    assert count(db, session, NOW + 2)

    known = at(db)
    assert (known.message_count, known.prompt_tokens, known.completion_tokens) == (2, 6, 10)
    assert (known.cost_usd, known.told, known.active_at) == (0.5, "m", NOW + 2)


def test_nothing_is_counted_for_a_session_that_was_deleted(db: Connection) -> None:
    session = at(db)
    sessions.forget(db, session.id)

    assert not count(db, session)


def test_a_turn_that_outlives_its_session_does_not_reach_the_next_one(db: Connection) -> None:
    deleted = at(db)
    sessions.forget(db, deleted.id)

    somebody_else = at(db, HOME._replace(user_id="v"))

    assert somebody_else.id != deleted.id
    assert not count(db, deleted)
    assert at(db, somebody_else.place) == somebody_else


def test_forgetting_a_session_forgets_all_that_was_said_in_it(
    db: Connection, sealer: Sealer
) -> None:
    session, other = at(db), at(db, HOME._replace(user_id="v"))
    say(db, sealer, session)
    say(db, sealer, other)

    sessions.forget(db, session.id)

    assert remembered(db) == (1, 1)
    assert sessions.find(db, session.public_id) is None
    assert sessions.find(db, other.public_id) is not None


def test_forgetting_a_person_forgets_them_everywhere_on_one_platform(db: Connection) -> None:
    here, thread, group = HOME, HOME._replace(thread_id="t"), HOME._replace(chat_id="g")
    others = [HOME._replace(user_id="v"), HOME._replace(platform="internal")]
    kept = [at(db, place) for place in (here, thread, group, *others)][3:]

    assert sessions.forget_person(db, "telegram", "u") == 3

    assert [at(db, place) for place in others] == kept


def test_all_sessions_or_those_of_one_platform_are_cleared(db: Connection) -> None:
    for place in (HOME, HOME._replace(chat_id="g"), HOME._replace(platform="internal")):
        at(db, place)

    assert sessions.clear(db, "internal") == 1
    assert sessions.clear(db, "internal") == 0
    assert sessions.clear(db, None) == 2


def test_the_sweep_deletes_what_expired_with_all_it_remembers(
    db: Connection, sealer: Sealer
) -> None:
    old, young = at(db), at(db, HOME._replace(user_id="v"), NOW + 1)
    say(db, sealer, old)

    assert sessions.sweep(db, NOW + LIFETIME, LIFETIME) == 1

    assert remembered(db) == (0, 0)
    assert at(db, young.place, NOW + LIFETIME) == young


def test_the_census_counts_what_lives_and_what_is_active(db: Connection) -> None:
    for n, platform in enumerate(["telegram", "telegram", "telegram", "internal"]):
        at(db, Place(platform, f"{n}", "", "u"), NOW + n)
    expected = [Census("internal", 1, 1), Census("telegram", 2, 1)]

    assert sorted(sessions.census(db, alive_since=NOW, active_since=NOW + 1)) == expected
    assert sessions.census(db, alive_since=NOW + 3, active_since=NOW) == []


def test_a_page_shows_the_latest_activity_first(db: Connection, sealer: Sealer) -> None:
    first, second, third, elsewhere = (
        at(db, Place("internal" if n == 3 else "telegram", f"{n}", "", "u"), NOW + n)
        for n in range(4)
    )
    say(db, sealer, second, 1)
    say(db, sealer, second, 2)
    count(db, second, NOW + 9)

    def page(offset: int, limit: int, *platforms: str) -> list[tuple[str, int]]:
        rows = sessions.page(db, platforms, NOW, offset, limit)
        return [(row.session.public_id, row.history_length) for row in rows]

    # `first` is as old as the lifetime: it expired.
    assert page(0, 9, "telegram") == [(second.public_id, 4), (third.public_id, 0)]
    assert page(2, 1, "telegram", "internal") == [(third.public_id, 0)]
    assert page(0, 1, "internal") == [(elsewhere.public_id, 0)]
    assert page(9, 9, "telegram") == page(0, 9, "nowhere") == page(0, 9) == []
    assert first.public_id not in dict(page(0, 9, "telegram", "internal"))


def test_a_session_is_found_by_its_public_id(db: Connection, sealer: Sealer) -> None:
    session = at(db)
    say(db, sealer, session)

    found = sessions.find(db, session.public_id)

    assert found == sessions.Row(session, 2)
    assert sessions.find(db, "0" * 32) is None
