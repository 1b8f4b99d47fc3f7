import pytest
from sqlalchemy import Connection

from app.sessions import profiles, sessions
from app.sessions.profiles import Profile
from app.sessions.sessions import Place

CHOSEN = Profile("a/b", "de", "short", streaming=False, time_zone="Europe/Berlin")


def test_nobody_has_chosen_anything_yet(db: Connection) -> None:
    assert profiles.of(db, "telegram", "u") == Profile()


@pytest.mark.parametrize(
    "profile", [CHOSEN, Profile(), Profile(streaming=True), Profile(streaming=False)]
)
def test_what_was_chosen_comes_back(db: Connection, profile: Profile) -> None:
    profiles.keep(db, "telegram", "u", profile)

    found = profiles.of(db, "telegram", "u")

    assert found == profile
    assert found.streaming is profile.streaming


def test_a_later_choice_replaces_all_of_the_earlier_one(db: Connection) -> None:
    profiles.keep(db, "telegram", "u", CHOSEN)

    profiles.keep(db, "telegram", "u", Profile(language="fr"))

    assert profiles.of(db, "telegram", "u") == Profile(language="fr")


def test_people_and_platforms_are_apart(db: Connection) -> None:
    people = [("telegram", "u"), ("telegram", "v"), ("internal", "u")]
    for n, (platform, user) in enumerate(people):
        profiles.keep(db, platform, user, Profile(model=f"{n}"))

    profiles.forget(db, "telegram", "u")

    assert [profiles.of(db, *person).model for person in people] == [None, "1", "2"]


def test_a_profile_outlives_its_sessions(db: Connection) -> None:
    sessions.at(db, Place("telegram", "c", "", "u"), 0.0, 60)
    profiles.keep(db, "telegram", "u", CHOSEN)

    assert sessions.sweep(db, 1e9, 60) == 1

    assert profiles.of(db, "telegram", "u") == CHOSEN
