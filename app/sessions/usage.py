"""What was answered, per day, platform and model."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from app.storage.prepared import Prepared
from app.storage.tables import usage

_NEW = insert(usage)
_ADD = Prepared(
    _NEW.on_conflict_do_update(
        index_elements=["day", "platform", "model"],
        set_={
            name: usage.c[name] + _NEW.excluded[name]
            for name in ("messages", "prompt_tokens", "completion_tokens", "cost_usd")
        },
    ),
    usage.c.keys(),
)


class Use(NamedTuple):
    platform: str
    model: str  # empty: no model was asked
    messages: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


def add(db: Connection, use: Use, now: float) -> None:
    _ADD(db, day=int(now // 86_400), **use._asdict())


def totals(db: Connection) -> list[Use]:
    """Return one row per platform and model, over all days."""
    sums = [func.sum(usage.c[name]) for name in Use._fields[2:]]
    rows = select(usage.c.platform, usage.c.model, *sums).group_by(usage.c.platform, usage.c.model)
    return [Use(*row) for row in db.execute(rows)]


def cost_of_day(db: Connection, now: float) -> float:
    """Return USD, by what was reported of the answers of a day."""
    mine = usage.c.day == int(now // 86_400)
    return float(db.execute(select(func.sum(usage.c.cost_usd)).where(mine)).scalar() or 0.0)
