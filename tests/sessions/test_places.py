from sqlalchemy import Connection, text

from app.sessions import audits, dialogues, places, sessions
from app.sessions.audits import Audit
from app.sessions.connections import Person
from app.sessions.dialogues import Dialogue
from app.sessions.places import MOST_FAVOURITES, MOST_RECENT, Chosen
from app.sessions.sessions import Place
from app.storage.sealed import Sealer

MINA, OMID = Person("telegram", "1"), Person("telegram", "2")


def home(n: int) -> Chosen:
    return Chosen(f"c{n}", f"l{n}", f"Ada {n}", f"Home {n}")


def test_the_latest_choice_is_the_one(db: Connection, sealer: Sealer) -> None:
    assert places.chosen(db, sealer, MINA) is None
    for now, n in enumerate((1, 2, 1, 3, 2)):
        places.choose(db, sealer, MINA, home(n), float(now))

    assert places.chosen(db, sealer, MINA) == home(2)
    assert places.recent(db, sealer, MINA) == [home(2), home(3), home(1)]
    assert places.chosen(db, sealer, OMID) is None


def test_names_are_sealed(db: Connection, sealer: Sealer) -> None:
    places.choose(db, sealer, MINA, home(1), 1.0)

    assert b"Ada" not in db.execute(text("SELECT names FROM places")).scalar_one()


def test_only_the_recent_ones_are_kept_and_the_favourites(db: Connection, sealer: Sealer) -> None:
    places.choose(db, sealer, MINA, home(0), 0.0)
    assert places.mark(db, MINA, "l0", favourite=True)
    for n in range(1, MOST_RECENT + 5):
        places.choose(db, sealer, MINA, home(n), float(n))

    kept = places.recent(db, sealer, MINA, 100)

    assert len(kept) == MOST_RECENT + 1
    assert [each.location_id for each in kept if each.favourite] == ["l0"]
    assert kept[0] == home(MOST_RECENT + 4)


def test_favourites_are_bounded_too(db: Connection, sealer: Sealer) -> None:
    for n in range(MOST_FAVOURITES + 3):
        places.choose(db, sealer, MINA, home(n), float(n))
        places.mark(db, MINA, f"l{n}", favourite=True)

    kept = places.recent(db, sealer, MINA, 100)

    assert len(kept) == MOST_FAVOURITES
    assert all(each.favourite for each in kept)


def test_a_favourite_stays_one_when_it_is_chosen_again(db: Connection, sealer: Sealer) -> None:
    places.choose(db, sealer, MINA, home(1), 1.0)
    places.mark(db, MINA, "l1", favourite=True)

    places.choose(db, sealer, MINA, home(1), 2.0)

    found = places.chosen(db, sealer, MINA)
    assert found is not None
    assert found.favourite
    assert not places.mark(db, OMID, "l1", favourite=True)


def test_forgetting_is_for_one_person(db: Connection, sealer: Sealer) -> None:
    for person in (MINA, OMID):
        places.choose(db, sealer, person, home(1), 1.0)

    places.forget_person(db, MINA)

    assert places.chosen(db, sealer, MINA) is None
    assert places.chosen(db, sealer, OMID) == home(1)


def test_audits_are_told_latest_first_and_kept_for_a_year(db: Connection) -> None:
    audits.note(db, 1.0, MINA, 7, "status", "c1", "l1")
    audits.note(db, 2.0, OMID, 8, "find")

    assert audits.latest(db, 10) == [
        Audit(2.0, *OMID, 8, "find", "", ""),
        Audit(1.0, *MINA, 7, "status", "c1", "l1"),
    ]
    assert [each.connection for each in audits.latest(db, 10, connection=7)] == [7]
    audits.sweep(db, 1.5 + audits.KEPT_SECONDS)
    assert [each.at for each in audits.latest(db, 10)] == [2.0]


def test_a_question_waits_in_its_session(db: Connection, sealer: Sealer) -> None:
    where = Place("telegram", "c", "", "1")
    session = sessions.at(db, where, 1.0, 60.0)
    asked = Dialogue("setup", "partner", {"authorization": "hidden"})
    assert dialogues.of(sealer, session) is None

    dialogues.keep(db, sealer, session, asked)

    again = sessions.at(db, where, 2.0, 60.0)
    assert dialogues.of(sealer, again) == asked
    assert b"hidden" not in (again.dialogue or b"")
    dialogues.keep(db, sealer, again, None)
    assert dialogues.of(sealer, sessions.at(db, where, 3.0, 60.0)) is None
