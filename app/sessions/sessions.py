"""A conversation: who, where, since when, and how much was said."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from app.storage.prepared import Prepared
from app.storage.tables import OPEN, exchanges, sessions, turns

PUBLIC_ID_BYTES = 16  # nobody guesses 128 bits


class Place(NamedTuple):
    """Where a conversation happens. People in one group each have their own."""

    platform: str
    chat_id: str
    thread_id: str  # empty where there are no threads
    user_id: str


@dataclass(frozen=True, slots=True)
class Session:
    """One stretch of a conversation, until it expires. Times are seconds since 1970."""

    id: int
    public_id: str
    place: Place
    started_at: float
    active_at: float
    message_count: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    told: str = ""  # the model whose replacement the person was told of
    dialogue: bytes | None = None  # sealed: see `app.sessions.dialogues`


_COLUMNS = tuple(sessions.c.keys())
_AT_PLACE = Prepared(
    select(sessions)
    .where(and_(*(sessions.c[name] == bindparam(name) for name in Place._fields)))
    # Where several units run at a time: the turns of a conversation come one after the other, so
    # that their numbers tell their order. SQLite has one writer anyway.
    .with_for_update()
)
_NUMBERED = Prepared(select(sessions).where(sessions.c.id == bindparam("key")))
_OPEN_TURN = Prepared(
    select(turns.c.id).where(turns.c.conversation == bindparam("key"), OPEN).limit(1)
)
_ADD = Prepared(insert(sessions).returning(sessions.c.id), _COLUMNS[1:])
_COUNT = Prepared(
    update(sessions)
    .where(sessions.c.id == bindparam("key"))
    .values(
        active_at=bindparam("now"),
        message_count=sessions.c.message_count + 1,
        prompt_tokens=sessions.c.prompt_tokens + bindparam("prompt"),
        completion_tokens=sessions.c.completion_tokens + bindparam("completion"),
        cost_usd=sessions.c.cost_usd + bindparam("cost"),
        told=bindparam("heard"),
    )
)
_ASK = Prepared(
    update(sessions).where(sessions.c.id == bindparam("key")).values(dialogue=bindparam("sealed"))
)
_BUSY = exists().where(turns.c.conversation == sessions.c.id, OPEN)


def at(db: Connection, place: Place, now: float, lifetime: float) -> Session:
    """Return the session of a place; a new one where there is none or it expired.

    What an expired one remembered is deleted. One that has a turn open does not expire.
    """
    row = _AT_PLACE(db, **place._asdict()).fetchone()
    if row is not None:
        known = _session(row)
        if known.active_at > now - lifetime or _busy(db, known.id):
            return known
        forget(db, known.id)
    fresh = Session(0, secrets.token_hex(PUBLIC_ID_BYTES), place, now, now)
    values = {name: getattr(fresh, name) for name in _COLUMNS[1:] if name not in Place._fields}
    (number,) = _ADD(db, **values, **place._asdict()).fetchone()
    return replace(fresh, id=number)


def numbered(db: Connection, number: int) -> Session | None:
    row = _NUMBERED(db, key=number).fetchone()
    return None if row is None else _session(row)


def count(
    db: Connection,
    session: int,
    now: float,
    *,
    prompt: int,
    completion: int,
    cost_usd: float,
    told: str,
) -> bool:
    """Add one message and what it took. False where the session was deleted meanwhile."""
    counted = _COUNT(
        db, key=session, now=now, prompt=prompt, completion=completion, cost=cost_usd, heard=told
    )
    return counted.rowcount == 1


def keep_dialogue(db: Connection, session: int, sealed: bytes | None) -> None:
    """Remember the question that waits for an answer, or that none does."""
    _ASK(db, key=session, sealed=sealed)


def forget(db: Connection, session: int) -> None:
    """Delete a session with everything it remembers."""
    db.execute(delete(sessions).where(sessions.c.id == session))


def forget_person(db: Connection, platform: str, user_id: str) -> int:
    """Delete every session of a person on a platform; return how many."""
    theirs = and_(sessions.c.platform == platform, sessions.c.user_id == user_id)
    return db.execute(delete(sessions).where(theirs)).rowcount


def clear(db: Connection, platform: str | None) -> int:
    """Delete all sessions, or those of one platform; return how many."""
    everything = delete(sessions)
    if platform is not None:
        everything = everything.where(sessions.c.platform == platform)
    return db.execute(everything).rowcount


def move(db: Connection, platform: str, chat_id: str, new_chat_id: str) -> None:
    """Let the conversations of a chat go on under its new id.

    Not those of people who have begun another one there.
    """
    theirs = and_(sessions.c.platform == platform, sessions.c.chat_id == chat_id)
    there = sessions.alias("there")
    begun = exists().where(
        there.c.platform == platform,
        there.c.chat_id == new_chat_id,
        there.c.thread_id == sessions.c.thread_id,
        there.c.user_id == sessions.c.user_id,
    )
    db.execute(update(sessions).where(theirs, ~begun).values(chat_id=new_chat_id))


def sweep(db: Connection, now: float, lifetime: float) -> int:
    """Delete the sessions that expired, but for those with an open turn; return how many."""
    old = sessions.c.active_at <= now - lifetime
    return db.execute(delete(sessions).where(old, ~_BUSY)).rowcount


class Census(NamedTuple):
    platform: str
    sessions: int
    active: int  # of them, those with activity since the time that was asked for


def census(db: Connection, alive_since: float, active_since: float) -> list[Census]:
    """Return one row per platform that has sessions which did not expire."""
    active = func.sum(case((sessions.c.active_at > active_since, 1), else_=0))
    rows = select(sessions.c.platform, func.count(), active).where(
        sessions.c.active_at > alive_since
    )
    return [Census(*row) for row in db.execute(rows.group_by(sessions.c.platform))]


class Row(NamedTuple):
    session: Session
    history_length: int  # messages that are remembered


def page(
    db: Connection, platforms: Sequence[str], alive_since: float, offset: int, limit: int
) -> list[Row]:
    """Return sessions of `platforms` that did not expire, the latest activity first."""
    rows = (
        _rows()
        .where(sessions.c.platform.in_(platforms), sessions.c.active_at > alive_since)
        .order_by(sessions.c.active_at.desc(), sessions.c.id.desc())
    )
    return [
        Row(_session(row[:-1]), 2 * row[-1]) for row in db.execute(rows.offset(offset).limit(limit))
    ]


def find(db: Connection, public_id: str) -> Row | None:
    row = db.execute(_rows().where(sessions.c.public_id == public_id)).first()
    return None if row is None else Row(_session(row[:-1]), 2 * row[-1])


def _rows() -> Select[Any]:
    remembered = (
        select(func.count())
        .select_from(exchanges)
        .where(exchanges.c.session == sessions.c.id)
        .scalar_subquery()
    )
    return select(sessions, remembered)


def _busy(db: Connection, session: int) -> bool:
    return _OPEN_TURN(db, key=session).fetchone() is not None


def _session(row: Sequence[Any]) -> Session:
    number, public_id, platform, chat_id, thread_id, user_id, *rest = row
    return Session(number, public_id, Place(platform, chat_id, thread_id, user_id), *rest)
