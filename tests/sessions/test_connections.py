import pytest
from sqlalchemy import Connection, text

from app.sessions import connections
from app.sessions.connections import EVERYBODY, EVERYTHING, Person, Scope, Way
from app.storage.sealed import Sealer

OWNER, MATE, STRANGER = Person("telegram", "1"), Person("telegram", "2"), Person("telegram", "3")
NARROW = Scope(customers=frozenset({"c1"}), locations=frozenset({"l9"}))
HIDDEN = b"Basic hidden"


@pytest.fixture
def mine(db: Connection, sealer: Sealer) -> int:
    return connections.keep(db, sealer, OWNER, HIDDEN, 1.0)


def test_who_signed_in_sees_everything(db: Connection, sealer: Sealer, mine: int) -> None:
    assert connections.way(db, sealer, OWNER) == Way(mine, HIDDEN, EVERYTHING, own=True)
    assert connections.way(db, sealer, MATE) is None


def test_later_credentials_replace_earlier_ones_and_grants_stay(
    db: Connection, sealer: Sealer, mine: int
) -> None:
    connections.grant(db, sealer, mine, MATE, NARROW, 2.0)

    assert connections.keep(db, sealer, OWNER, b"newer", 3.0) == mine

    assert connections.way(db, sealer, MATE) == Way(mine, b"newer", NARROW, own=False)


def test_the_credentials_are_sealed_and_bound_to_their_owner(
    db: Connection, sealer: Sealer
) -> None:
    connections.keep(db, sealer, OWNER, HIDDEN, 1.0)

    kept = db.execute(text("SELECT credentials FROM connections")).scalar_one()

    assert b"hidden" not in kept
    assert sealer.open(kept, "connections/telegram/1") == HIDDEN


def test_a_grant_is_for_one_person_and_ends_when_it_is_revoked(
    db: Connection, sealer: Sealer, mine: int
) -> None:
    connections.grant(db, sealer, mine, MATE, NARROW, 2.0)

    assert connections.way(db, sealer, STRANGER) is None
    assert [each.person for each in connections.granted(db, sealer, mine)] == [MATE]
    assert connections.revoke(db, mine, MATE)
    assert not connections.revoke(db, mine, MATE)
    assert connections.way(db, sealer, MATE) is None


def test_a_grant_that_names_somebody_goes_before_one_for_everybody(
    db: Connection, sealer: Sealer, mine: int
) -> None:
    connections.grant(db, sealer, mine, Person("telegram", EVERYBODY), EVERYTHING, 9.0)
    connections.grant(db, sealer, mine, MATE, NARROW, 2.0)

    mate, stranger = (connections.way(db, sealer, who) for who in (MATE, STRANGER))

    assert mate is not None
    assert stranger is not None
    assert (mate.scope, stranger.scope) == (NARROW, EVERYTHING)
    assert connections.way(db, sealer, Person("internal", "3")) is None


def test_ones_own_connection_goes_before_a_grant(db: Connection, sealer: Sealer, mine: int) -> None:
    connections.grant(db, sealer, mine, MATE, NARROW, 2.0)

    own = connections.keep(db, sealer, MATE, b"mate's", 3.0)

    assert connections.way(db, sealer, MATE) == Way(own, b"mate's", EVERYTHING, own=True)


def test_an_invitation_works_once_and_in_time(db: Connection, sealer: Sealer, mine: int) -> None:
    connections.invite(db, sealer, mine, "token", NARROW, until=100.0)
    connections.invite(db, sealer, mine, "late", NARROW, until=100.0)

    assert connections.redeem(db, sealer, "token", MATE, 99.0)
    assert not connections.redeem(db, sealer, "token", STRANGER, 99.0)
    assert not connections.redeem(db, sealer, "late", STRANGER, 100.0)
    assert not connections.redeem(db, sealer, "unknown", STRANGER, 1.0)

    way = connections.way(db, sealer, MATE)
    assert way is not None
    assert way.scope == NARROW
    assert connections.way(db, sealer, STRANGER) is None


def test_a_connection_takes_its_grants_and_invitations_with_it(
    db: Connection, sealer: Sealer, mine: int
) -> None:
    connections.grant(db, sealer, mine, MATE, NARROW, 2.0)
    connections.invite(db, sealer, mine, "token", EVERYTHING, until=100.0)

    connections.forget_person(db, OWNER)

    assert connections.way(db, sealer, OWNER) is None
    assert connections.way(db, sealer, MATE) is None
    assert not connections.redeem(db, sealer, "token", STRANGER, 1.0)


def test_who_is_forgotten_sees_nothing_of_others(db: Connection, sealer: Sealer, mine: int) -> None:
    connections.grant(db, sealer, mine, MATE, EVERYTHING, 2.0)

    connections.forget_person(db, MATE)

    assert connections.way(db, sealer, MATE) is None
    assert connections.way(db, sealer, OWNER) is not None


@pytest.mark.parametrize(
    ("scope", "customer", "location", "seen"),
    [
        (EVERYTHING, "c", "l", True),
        (EVERYTHING, "c", None, True),
        (NARROW, "c1", "any", True),
        (NARROW, "c1", None, True),
        (NARROW, "c2", "l9", True),
        (NARROW, "c2", "l1", False),
        (NARROW, "c2", None, False),
        (Scope(customers=frozenset()), "c", "l", False),
        (Scope(locations=frozenset()), "c", "l", False),
    ],
)
def test_a_scope_covers_what_it_names(
    scope: Scope, customer: str, location: str | None, *, seen: bool
) -> None:
    assert scope.covers(customer, location) is seen


def test_credentials_are_sealed_anew_with_the_newest_key(db: Connection) -> None:
    old, new = b"o" * 32, b"n" * 32
    number = connections.keep(db, Sealer([old]), OWNER, HIDDEN, 1.0)

    assert connections.reseal(db, Sealer([new, old])) == 1

    way = connections.way(db, Sealer([new]), OWNER)
    assert way == Way(number, HIDDEN, EVERYTHING, own=True)
