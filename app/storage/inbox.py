"""What came in: each update once, who may send, and what long buttons stand for."""

import secrets

from sqlalchemy import Connection, bindparam, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.storage.prepared import Prepared
from app.storage.sealed import CannotOpen, Sealer
from app.storage.tables import bans, buttons, daily, updates

KEPT_SECONDS = 7 * 86_400.0
KEY_BYTES = 12

_NEW = upsert(updates)
_SEEN = Prepared(_NEW.on_conflict_do_nothing(), updates.c.keys())
_TURN = upsert(daily)
_SPEND = Prepared(
    _TURN.on_conflict_do_update(
        index_elements=["day", "platform", "user_id"],
        set_={"turns": daily.c.turns + _TURN.excluded.turns},
    ).returning(daily.c.turns),
    daily.c.keys(),
)
_BANNED = Prepared(
    select(bans.c.since).where(
        bans.c.platform == bindparam("platform"), bans.c.user_id == bindparam("user_id")
    )
)


def first_time(
    db: Connection, bot_id: str, update_id: int, outcome: str, now: float, raw: bytes | None = None
) -> bool:
    """Note an update; False where it came before."""
    seen = _SEEN(db, bot_id=bot_id, update_id=update_id, outcome=outcome, raw=raw, received_at=now)
    return seen.rowcount == 1


def unreadable(db: Connection) -> int:
    """Return how many updates nobody could read."""
    found = select(func.count()).select_from(updates).where(updates.c.outcome == "unreadable")
    return db.execute(found).scalar_one()


def least_number(db: Connection) -> int:
    """Return the least id of an update that is kept, 0 where all are above it."""
    return min(0, db.execute(select(func.min(updates.c.update_id))).scalar() or 0)


def spend_day(db: Connection, platform: str, user_id: str, now: float) -> int:
    """Count a turn of a person; return how many it makes today, by UTC."""
    spent = _SPEND(db, day=int(now // 86_400), platform=platform, user_id=user_id, turns=1)
    turns: int = spent.fetchone()[0]
    return turns


def ban(db: Connection, platform: str, user_id: str, now: float) -> None:
    values = {"platform": platform, "user_id": user_id, "since": now}
    db.execute(upsert(bans).on_conflict_do_nothing(), values)


def unban(db: Connection, platform: str, user_id: str, _now: float) -> bool:
    theirs = (bans.c.platform == platform, bans.c.user_id == user_id)
    return db.execute(delete(bans).where(*theirs)).rowcount == 1


def is_banned(db: Connection, platform: str, user_id: str) -> bool:
    return _BANNED(db, platform=platform, user_id=user_id).fetchone() is not None


def button_key(
    db: Connection, sealer: Sealer, platform: str, user_id: str, send: str, now: float
) -> str:
    """Keep what a button sends, and return a short key that only its owner may press."""
    key = secrets.token_urlsafe(KEY_BYTES)
    sealed = sealer.seal(send.encode(), f"buttons/{key}")
    values = {"key": key, "platform": platform, "user_id": user_id, "send": sealed}
    db.execute(insert(buttons), {**values, "made_at": now})
    return key


def button_send(
    db: Connection, sealer: Sealer, platform: str, user_id: str, key: str
) -> str | None:
    """Return what a key stands for; None for one that is unknown or somebody else's.

    Or of which nobody can read any more what it stands for.
    """
    mine = (buttons.c.key == key, buttons.c.platform == platform, buttons.c.user_id == user_id)
    found = db.execute(select(buttons.c.send).where(*mine)).scalar()
    try:
        return None if found is None else sealer.open(found, f"buttons/{key}").decode()
    except CannotOpen:
        return None


def sweep(db: Connection, now: float) -> None:
    """Delete what is older than a week: by then neither Telegram nor a person repeats it."""
    db.execute(delete(updates).where(updates.c.received_at <= now - KEPT_SECONDS))
    db.execute(delete(buttons).where(buttons.c.made_at <= now - 5 * KEPT_SECONDS))
    db.execute(delete(daily).where(daily.c.day < int(now // 86_400) - 1))


def forget_person(db: Connection, platform: str, user_id: str) -> None:
    db.execute(delete(buttons).where(buttons.c.platform == platform, buttons.c.user_id == user_id))
