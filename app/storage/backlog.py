"""What waits, and for how long: one question that a scrape may ask every few seconds."""

from sqlalchemy import Connection, and_, case, func, select, union_all
from sqlalchemy.sql.expression import literal_column

from app.metrics import Queue
from app.storage.tables import DUE, OPEN, deliveries, turns


def queues(db: Connection, now: float) -> list[Queue]:
    """Return what is open, by platform: turns `waiting` and `working`, `deliveries` with an answer.

    Deliveries that have to wait, as Telegram asked for it, are `later`. Both partial indexes
    serve: the rows that ended are not looked at.
    """
    rests = deliveries.c.not_before > now
    state = case((rests, literal_column("'later'")), else_=literal_column("'deliveries'"))
    ready = and_(DUE, deliveries.c.reply.is_not(None))
    open_turns = (
        select(turns.c.platform, turns.c.state, func.count(), func.min(turns.c.accepted_at))
        .where(OPEN)
        .group_by(turns.c.platform, turns.c.state)
    )
    due = (
        select(deliveries.c.platform, state, func.count(), func.min(deliveries.c.created_at))
        .where(ready)
        .group_by(deliveries.c.platform, state)
    )
    return [Queue(*row) for row in db.execute(union_all(open_turns, due))]
