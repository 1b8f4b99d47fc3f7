"""What operators have to know: a row per cause, shared by all instances.

A cause is open from `began_at` until `over_at`. `told_at` is when it was last sent, 0 before.
"""

from typing import Final, NamedTuple

from sqlalchemy import Connection, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from app.storage.tables import alerts

KEPT_SECONDS: Final = 30 * 86_400.0


class Alert(NamedTuple):
    cause: str
    began_at: float
    seen_at: float
    told_at: float

    @property
    def is_told(self) -> bool:
        """Tell whether it was sent since it began this time."""
        return self.told_at >= self.began_at


_COLUMNS: Final = tuple(alerts.c[name] for name in Alert._fields)


def raise_(db: Connection, cause: str, at: float, seen: float | None = None) -> Alert:
    """Note that a cause was met: a new one, one that goes on, or one that has come back."""
    new = insert(alerts).values(
        cause=cause, began_at=at, seen_at=at if seen is None else seen, told_at=0.0, over_at=None
    )
    again = case((alerts.c.over_at.is_(None), alerts.c.began_at), else_=new.excluded.began_at)
    kept = new.on_conflict_do_update(
        index_elements=["cause"],
        set_={"began_at": again, "seen_at": new.excluded.seen_at, "over_at": None},
    )
    return Alert(*db.execute(kept.returning(*_COLUMNS)).one())


def tell(db: Connection, alert: Alert, now: float) -> bool:
    """Note that it is sent now; False where somebody else was faster."""
    mine = (alerts.c.cause == alert.cause, alerts.c.told_at == alert.told_at)
    told = update(alerts).where(*mine, alerts.c.over_at.is_(None)).values(told_at=now)
    return db.execute(told).rowcount == 1


def over(db: Connection, cause: str, at: float) -> Alert | None:
    """Note that a cause is over; None where it was before, or somebody else was faster."""
    mine = (alerts.c.cause == cause, alerts.c.over_at.is_(None))
    ended = update(alerts).where(*mine).values(over_at=at).returning(*_COLUMNS)
    row = db.execute(ended).first()
    return None if row is None else Alert(*row)


def open_(db: Connection) -> list[Alert]:
    rows = select(*_COLUMNS).where(alerts.c.over_at.is_(None)).order_by(alerts.c.cause)
    return [Alert(*row) for row in db.execute(rows)]


def sweep(db: Connection, now: float) -> None:
    """Delete what was last met a month ago."""
    db.execute(delete(alerts).where(alerts.c.seen_at <= now - KEPT_SECONDS))
