"""Whether somebody is being answered, by whatever process."""

from sqlalchemy import Connection, select

from app.sessions.sessions import Place
from app.storage.tables import sessions, turns
from app.storage.turns import State


def is_answered(db: Connection, place: Place, caller: str) -> bool:
    """Tell whether a turn that `caller` brought is being worked on there."""
    here = [sessions.c[name] == value for name, value in place._asdict().items()]
    found = (
        select(turns.c.id)
        .join(sessions, sessions.c.id == turns.c.conversation)
        .where(*here, turns.c.state == State.WORKING.value, turns.c.caller == caller)
    )
    return db.execute(found.limit(1)).first() is not None
