"""Who looked at whose network, and who let whom: kept for a year."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from app.sessions.connections import Person
from app.storage.tables import audits

KEPT_SECONDS = 365 * 86_400.0


class Audit(NamedTuple):
    at: float
    platform: str
    user_id: str
    connection: int
    action: str
    customer_id: str
    location_id: str


def note(
    db: Connection,
    now: float,
    person: Person,
    connection: int,
    action: str,
    customer_id: str = "",
    location_id: str = "",
) -> None:
    values = Audit(now, *person, connection, action, customer_id, location_id)
    db.execute(insert(audits), values._asdict())


def latest(db: Connection, most: int, connection: int | None = None) -> list[Audit]:
    """Return the lines, the latest first."""
    rows = select(*(audits.c[name] for name in Audit._fields)).order_by(audits.c.id.desc())
    if connection is not None:
        rows = rows.where(audits.c.connection == connection)
    return [Audit(*row) for row in db.execute(rows.limit(most))]


def sweep(db: Connection, now: float) -> None:
    db.execute(delete(audits).where(audits.c.at <= now - KEPT_SECONDS))
