"""Whether the key at hand is the one that sealed what is stored."""

from sqlalchemy import Connection, select

from app.errors import AppError
from app.sessions import connections
from app.sessions.connections import Person, Way
from app.storage import tables, turns
from app.storage.sealed import CannotOpen, Sealer
from app.storage.turns import Key, State

LATEST = 3  # answers that are tried


def opens(db: Connection, sealer: Sealer) -> bool | None:
    """Try the latest answers and every Plume sign-in; None where there is nothing to try."""
    tried = [*(way is not None for _, way in sign_ins(db, sealer)), *_answers(db, sealer)]
    return all(tried) if tried else None


def sign_ins(db: Connection, sealer: Sealer) -> list[tuple[Person, Way | None]]:
    """Return who signed in to Plume, with None for what the key does not open."""
    columns = (tables.connections.c.platform, tables.connections.c.user_id)
    rows = db.execute(select(*columns).order_by(tables.connections.c.id)).all()
    return [(person, _way(db, sealer, person)) for person in (Person(*row) for row in rows)]


def _way(db: Connection, sealer: Sealer, person: Person) -> Way | None:
    try:
        return connections.way(db, sealer, person)
    except CannotOpen:
        return None


def _answers(db: Connection, sealer: Sealer) -> list[bool]:
    mine = tables.turns.c
    rows = db.execute(
        select(mine.fingerprint, *(mine[name] for name in Key._fields))
        .where(mine.state == State.DONE.value, mine.reply.is_not(None))
        .order_by(mine.id.desc())
        .limit(LATEST)
    ).all()
    found = []
    for fingerprint, *ids in rows:
        try:
            turns.known(db, sealer, Key(*ids), fingerprint)
        except (CannotOpen, AppError):
            found.append(False)
        else:
            found.append(True)
    return found
