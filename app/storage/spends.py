"""What AI answers cost in a day, by UTC, and the most that the open calls may still cost.

Before a call the most that it may cost is held; afterwards what it did cost is spent instead. A
call whose process died is spent in full, and so is one of which nobody told the cost.

A sum of floats is rounded, and a limit that is passed by a rounding is passed. Amounts are whole
`GRAIN`s here, rounded up: their sums are exact up to two million dollars.
"""

import math
from typing import Final, NamedTuple

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.storage.prepared import Prepared
from app.storage.tables import reservations, spends

DAY: Final = 86_400.0
GRAIN: Final = 2.0**-32  # USD
KEPT_DAYS: Final = 400

_DAY: Final = reservations.c.day == bindparam("of_day")
_PASSED: Final = reservations.c.until <= bindparam("now")
_ZERO: Final = upsert(spends).values(spent_usd=0.0)
# An update that changes nothing, for its lock: whoever else holds money of this day waits here.
_LOCK = Prepared(
    _ZERO.on_conflict_do_update(
        index_elements=["day"], set_={"spent_usd": spends.c.spent_usd}
    ).returning(spends.c.spent_usd),
    ["day"],
)


def _sums() -> Select[tuple[float, float]]:
    amounts = func.sum(reservations.c.amount_usd)
    return select(
        func.coalesce(amounts.filter(_PASSED), 0.0), func.coalesce(amounts.filter(~_PASSED), 0.0)
    ).where(_DAY)


_OPEN = Prepared(_sums())
_HOLD = Prepared(insert(reservations), reservations.c.keys())
_SETTLE = Prepared(
    delete(reservations)
    .where(reservations.c.id == bindparam("hold"))
    .returning(reservations.c.day, reservations.c.amount_usd)
)
_NEW = upsert(spends)
_SPEND = Prepared(
    _NEW.on_conflict_do_update(
        index_elements=["day"], set_={"spent_usd": spends.c.spent_usd + _NEW.excluded.spent_usd}
    ).returning(spends.c.spent_usd),
    spends.c.keys(),
)


class Day(NamedTuple):
    """USD. `spent` includes what nobody will settle any more, `held` is that of open calls."""

    spent: float
    held: float


def hold(
    db: Connection, name: str, most: float, limit: float, now: float, until: float
) -> tuple[bool, Day]:
    """Hold the most that a call may cost, if the day's limit leaves room for it.

    Returns whether it does, and the day without this call. At `until` the call is over for
    certain: if nobody settled it by then, it is spent.
    """
    day, amount = int(now // DAY), _grains(most)
    spent = _LOCK(db, day=day).fetchone()[0]
    # A statement of its own: what others held until they let the lock go is seen by it alone.
    passed, held = _OPEN(db, of_day=day, now=now).fetchone()
    found = Day(spent + passed, held)
    taken: bool = found.spent + found.held + amount <= limit
    if taken:
        _HOLD(db, id=name, day=day, amount_usd=amount, until=until)
    return taken, found


def settle(db: Connection, name: str, cost: float | None) -> None:
    """Spend what a call did cost instead of what was held; None: nobody knows, so all of it.

    One that was swept meanwhile is spent already.
    """
    found = _SETTLE(db, hold=name).fetchone()
    if found is not None:
        day, amount = found
        _SPEND(db, day=day, spent_usd=amount if cost is None else _grains(cost))


def today(db: Connection, now: float) -> Day:
    day = int(now // DAY)
    # One statement, so that a call which is settled meanwhile is neither missed nor there twice.
    spent = select(spends.c.spent_usd).where(spends.c.day == day).scalar_subquery()
    found = db.execute(_sums().add_columns(spent), {"of_day": day, "now": now}).one()
    return Day(found[0] + (found[2] or 0.0), found[1])


def sweep(db: Connection, now: float) -> None:
    """Spend what nobody settled in time, and forget days of long ago."""
    late = delete(reservations).where(reservations.c.until <= now)
    rows = db.execute(late.returning(reservations.c.day, reservations.c.amount_usd)).all()
    # In the order of days: two who sweep at once must not wait for each other.
    for day in sorted({row.day for row in rows}):
        amount = sum(row.amount_usd for row in rows if row.day == day)
        _SPEND(db, day=day, spent_usd=amount)
    db.execute(delete(spends).where(spends.c.day < int(now // DAY) - KEPT_DAYS))


def _grains(usd: float) -> float:
    return math.ceil(usd / GRAIN) * GRAIN
