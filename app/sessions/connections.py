"""Who signed in to Plume, and whom they let look through their connection.

Credentials are bytes here; what they mean, `app.plume.credentials` knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from app.storage.sealed import Sealer
from app.storage.tables import connections, grants, invitations

EVERYBODY = "*"  # the user id of a grant for a whole platform


class Person(NamedTuple):
    platform: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be seen: everything where both are None, else what either names."""

    customers: frozenset[str] | None = None
    locations: frozenset[str] | None = None

    @property
    def everything(self) -> bool:
        return self.customers is None and self.locations is None

    def covers(self, customer: str, location: str | None = None) -> bool:
        """Tell whether a location may be seen, or some location of a customer."""
        if self.everything or customer in (self.customers or ()):
            return True
        return location is not None and location in (self.locations or ())


EVERYTHING = Scope()


class Way(NamedTuple):
    """How somebody reaches Plume. `own`: they signed in themselves."""

    connection: int
    credentials: bytes
    scope: Scope
    own: bool


class Granted(NamedTuple):
    person: Person
    scope: Scope
    made_at: float


def keep(db: Connection, sealer: Sealer, owner: Person, credentials: bytes, now: float) -> int:
    """Keep the credentials of a person in place of earlier ones; grants stay."""
    sealed = sealer.seal(credentials, _place(owner))
    added = insert(connections).values(**owner._asdict(), credentials=sealed, made_at=now)
    added = added.on_conflict_do_update(
        index_elements=["platform", "user_id"], set_={"credentials": sealed, "made_at": now}
    )
    number: int = db.execute(added.returning(connections.c.id)).scalar_one()
    return number


def drop(db: Connection, owner: Person) -> bool:
    """Delete a connection with all its grants and invitations; False where there is none."""
    mine = (connections.c.platform == owner.platform, connections.c.user_id == owner.user_id)
    return db.execute(delete(connections).where(*mine)).rowcount == 1


def own(db: Connection, owner: Person) -> int | None:
    """Return the number of the connection that a person made."""
    mine = (connections.c.platform == owner.platform, connections.c.user_id == owner.user_id)
    return db.execute(select(connections.c.id).where(*mine)).scalar()


def way(db: Connection, sealer: Sealer, person: Person) -> Way | None:
    """Return the best way of a person: an own connection, a grant, one for everybody."""
    mine = select(connections.c.id, connections.c.credentials).where(
        connections.c.platform == person.platform, connections.c.user_id == person.user_id
    )
    if (row := db.execute(mine).first()) is not None:
        return Way(row[0], sealer.open(row[1], _place(person)), EVERYTHING, own=True)
    granted = (
        select(
            connections.c.id,
            connections.c.credentials,
            connections.c.platform,
            connections.c.user_id,
            grants.c.scope,
            grants.c.user_id,
        )
        .join(grants, grants.c.connection == connections.c.id)
        .where(
            grants.c.platform == person.platform, grants.c.user_id.in_((person.user_id, EVERYBODY))
        )
        # One that names the person goes before one for everybody, the latest first.
        .order_by(grants.c.user_id == EVERYBODY, grants.c.made_at.desc(), connections.c.id)
    )
    found = db.execute(granted).first()
    if found is None:
        return None
    number, credentials, platform, owner, scope, user = found
    opened = sealer.open(credentials, _place(Person(platform, owner)))
    seen = _scope(sealer.open(scope, _grant(number, Person(person.platform, user))))
    return Way(number, opened, seen, own=False)


def grant(
    db: Connection, sealer: Sealer, connection: int, to: Person, scope: Scope, now: float
) -> None:
    """Let somebody look through a connection; a later grant replaces the earlier one."""
    sealed = sealer.seal(_dumped(scope), _grant(connection, to))
    added = insert(grants).values(connection=connection, **to._asdict(), scope=sealed, made_at=now)
    db.execute(
        added.on_conflict_do_update(
            index_elements=["connection", "platform", "user_id"],
            set_={"scope": sealed, "made_at": now},
        )
    )


def revoke(db: Connection, connection: int, person: Person) -> bool:
    theirs = (
        grants.c.connection == connection,
        grants.c.platform == person.platform,
        grants.c.user_id == person.user_id,
    )
    return db.execute(delete(grants).where(*theirs)).rowcount == 1


def granted(db: Connection, sealer: Sealer, connection: int) -> list[Granted]:
    """Return whom a connection serves, in the order of their ids."""
    rows = (
        select(grants.c.platform, grants.c.user_id, grants.c.scope, grants.c.made_at)
        .where(grants.c.connection == connection)
        .order_by(grants.c.platform, grants.c.user_id)
    )
    found = []
    for platform, user_id, scope, made_at in db.execute(rows):
        person = Person(platform, user_id)
        seen = _scope(sealer.open(scope, _grant(connection, person)))
        found.append(Granted(person, seen, made_at))
    return found


def invite(
    db: Connection, sealer: Sealer, connection: int, token: str, scope: Scope, until: float
) -> None:
    """Let whoever shows `token` first look through a connection."""
    mark = sealer.fingerprint(token.encode())
    sealed = sealer.seal(_dumped(scope), f"invitations/{mark.hex()}")
    values = {"mark": mark, "connection": connection, "scope": sealed, "until": until}
    db.execute(insert(invitations), values)


def redeem(db: Connection, sealer: Sealer, token: str, person: Person, now: float) -> bool:
    """Turn an invitation into a grant, once; False for one that is unknown, used or too old."""
    mark = sealer.fingerprint(token.encode())
    mine = invitations.c.mark == mark
    row = db.execute(
        select(invitations.c.connection, invitations.c.scope).where(mine, invitations.c.until > now)
    ).first()
    db.execute(delete(invitations).where(mine))
    if row is None:
        return False
    scope = _scope(sealer.open(row[1], f"invitations/{mark.hex()}"))
    grant(db, sealer, row[0], person, scope, now)
    return True


def sweep(db: Connection, now: float) -> None:
    db.execute(delete(invitations).where(invitations.c.until <= now))


def forget_person(db: Connection, person: Person) -> None:
    """Delete what a person brought, and what they were let see."""
    drop(db, person)
    theirs = (grants.c.platform == person.platform, grants.c.user_id == person.user_id)
    db.execute(delete(grants).where(*theirs))


def reseal(db: Connection, sealer: Sealer) -> int:
    """Seal all credentials with the newest key; return how many."""
    rows = db.execute(select(connections)).all()
    for number, platform, user_id, credentials, _ in rows:
        place = _place(Person(platform, user_id))
        fresh = sealer.seal(sealer.open(credentials, place), place)
        mine = connections.c.id == number
        db.execute(update(connections).where(mine).values(credentials=fresh))
    return len(rows)


def _dumped(scope: Scope) -> bytes:
    return orjson.dumps([_sorted(scope.customers), _sorted(scope.locations)])


def _sorted(ids: frozenset[str] | None) -> Sequence[str] | None:
    return None if ids is None else sorted(ids)


def _scope(dumped: bytes) -> Scope:
    customers, locations = (None if ids is None else frozenset(ids) for ids in orjson.loads(dumped))
    return Scope(customers, locations)


def _place(owner: Person) -> str:
    return f"connections/{owner.platform}/{owner.user_id}"


def _grant(connection: int, person: Person) -> str:
    return f"grants/{connection}/{person.platform}/{person.user_id}"
