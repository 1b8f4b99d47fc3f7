"""Locations that a person chose: the latest, the recent ones and the favourites."""

from dataclasses import dataclass

import orjson
from sqlalchemy import ColumnElement, Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.sessions.connections import Person
from app.storage.sealed import Sealer
from app.storage.tables import places

MOST_RECENT = 20
MOST_FAVOURITES = 50
LATER = 0.001  # seconds


@dataclass(frozen=True, slots=True)
class Chosen:
    """A location of a customer, with the names it had when it was chosen."""

    customer_id: str
    location_id: str
    customer: str = ""
    location: str = ""
    favourite: bool = False


def choose(db: Connection, sealer: Sealer, person: Person, place: Chosen, now: float) -> None:
    """Make a location the one that reports are about."""
    names = sealer.seal(orjson.dumps((place.customer, place.location)), _where(person))
    latest = db.execute(select(func.max(places.c.chosen_at)).where(*_theirs(person))).scalar()
    now = max(now, (latest or 0.0) + LATER)  # the order of choices does not hang on clocks
    added = insert(places).values(
        **person._asdict(),
        customer_id=place.customer_id,
        location_id=place.location_id,
        names=names,
        favourite=0,
        chosen_at=now,
    )
    db.execute(
        added.on_conflict_do_update(
            index_elements=["platform", "user_id", "customer_id", "location_id"],
            set_={"names": names, "chosen_at": now},
        )
    )
    _trim(db, person)


def chosen(db: Connection, sealer: Sealer, person: Person) -> Chosen | None:
    """Return the location that a person chose last."""
    found = recent(db, sealer, person, 1)
    return found[0] if found else None


def recent(db: Connection, sealer: Sealer, person: Person, most: int = MOST_RECENT) -> list[Chosen]:
    """Return what a person chose, the latest first."""
    rows = (
        select(places.c.customer_id, places.c.location_id, places.c.names, places.c.favourite)
        .where(*_theirs(person))
        .order_by(places.c.chosen_at.desc(), places.c.location_id)
        .limit(most)
    )
    found = []
    for customer_id, location_id, names, favourite in db.execute(rows):
        customer, location = orjson.loads(sealer.open(names, _where(person)))
        found.append(Chosen(customer_id, location_id, customer, location, bool(favourite)))
    return found


def mark(db: Connection, person: Person, location_id: str, *, favourite: bool) -> bool:
    """Make a location a favourite, or one no more; False where it was never chosen.

    Of more than `MOST_FAVOURITES`, those chosen longest ago are dropped.
    """
    mine = (*_theirs(person), places.c.location_id == location_id)
    changed = db.execute(update(places).where(*mine).values(favourite=int(favourite))).rowcount
    _trim(db, person)
    return changed > 0


def forget_person(db: Connection, person: Person) -> None:
    db.execute(delete(places).where(*_theirs(person)))


def _trim(db: Connection, person: Person) -> None:
    kinds = ((places.c.favourite == 0, MOST_RECENT), (places.c.favourite == 1, MOST_FAVOURITES))
    for kind, most in kinds:
        newest = (
            select(places.c.chosen_at)
            .where(*_theirs(person), kind)
            .order_by(places.c.chosen_at.desc())
        )
        oldest = db.execute(newest.offset(most - 1).limit(1)).scalar()
        if oldest is not None:
            old = (*_theirs(person), kind, places.c.chosen_at < oldest)
            db.execute(delete(places).where(*old))


def _theirs(person: Person) -> tuple[ColumnElement[bool], ...]:
    return (places.c.platform == person.platform, places.c.user_id == person.user_id)


def _where(person: Person) -> str:
    return f"places/{person.platform}/{person.user_id}"
