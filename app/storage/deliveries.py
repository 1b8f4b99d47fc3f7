"""What is on its way to a person, until somebody says that it arrived.

A delivery is `open`, `ended` (it arrived, or nobody waits for it any more) or `refused`: a dead
letter, kept with its reason. While an answer is written, the text so far stands in its row, so
that any process can show it. Every change raises `changed`, by which readers go on.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Any, NamedTuple

import orjson
from loguru import logger
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    null,
    or_,
    select,
    tuple_,
    update,
)

from app.storage.prepared import Prepared
from app.storage.sealed import CannotOpen, Sealer
from app.storage.tables import DUE, NEWER, NEWER_DUE, OPEN, deliveries, turns

KEPT_SECONDS = 7 * 86_400.0
UNREADABLE = "the key that sealed it is lost"


class _Marks:
    """Numbers that rise. By the clock, so that those of several processes follow one another."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = Lock()

    def __next__(self) -> int:
        with self._lock:
            # A clock that is set back must not hide what changes from then on.
            self._last = max(self._last + 1, time.time_ns() // 1_000)
            return self._last


_marks = _Marks()


class State(StrEnum):
    OPEN = "open"
    ENDED = "ended"
    REFUSED = "refused"


class Target(NamedTuple):
    """Where it goes. `source` is the message that is answered."""

    platform: str
    chat_id: str
    thread_id: str | None
    source: str | None
    user_id: str


class Mark(NamedTuple):
    """How far a reader has come."""

    changed: int
    id: int


START = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class Due:
    """`reply` is the final answer; before there is one, `progress` is the text so far."""

    id: int
    target: Target
    edits: tuple[str, ...]
    reply: bytes | None
    progress: bytes | None
    not_before: float
    changed: int
    request_id: str = ""

    @property
    def mark(self) -> Mark:
        return Mark(self.changed, self.id)


class Found(NamedTuple):
    target: Target
    state: State
    answered: bool
    created_at: float
    request_id: str


class Dead(NamedTuple):
    id: int
    platform: str
    chat_id: str
    reason: str
    created_at: float


_TARGET = tuple(
    deliveries.c[name]
    for name in ("platform", "chat_id", "thread_id", "source_message_id", "user_id")
)
_LATEST = tuple(
    deliveries.c[name]
    for name in ("edits", "reply", "progress", "not_before", "changed", "request_id")
)
_ADD = Prepared(
    insert(deliveries).returning(deliveries.c.id),
    [column.name for column in deliveries.c if column.name not in {"id", "progress"}],
)
_ANSWER = Prepared(
    update(deliveries)
    # A dead letter too: driven again, it has something to say.
    .where(deliveries.c.turn == bindparam("of_turn"), deliveries.c.state != State.ENDED.value)
    .values(reply=bindparam("said"), progress=null(), changed=bindparam("mark"))
    .returning(deliveries.c.id)
)
_GROW = Prepared(
    update(deliveries)
    .where(deliveries.c.turn == bindparam("of_turn"), DUE, deliveries.c.reply.is_(None))
    .values(progress=bindparam("text"), changed=bindparam("mark"))
)

_MARK = (deliveries.c.changed, deliveries.c.id)
_SINCE = tuple_(*(bindparam(each.name, type_=each.type) for each in _MARK))
_NEWS = tuple_(*_MARK) > _SINCE
# Of the chat of one that is new, before it, and not yet seen by who came so far: where several
# write at a time, it was committed after what changed later elsewhere.
_OVERTAKEN = and_(
    deliveries.c.changed > bindparam("back"),
    exists().where(
        NEWER.c.platform == deliveries.c.platform,
        NEWER.c.chat_id == deliveries.c.chat_id,
        NEWER.c.id > deliveries.c.id,
        NEWER_DUE,
        tuple_(NEWER.c.changed, NEWER.c.id) > _SINCE,
    ),
)


def _due_of(which: ColumnElement[bool]) -> Select[Any]:
    return (
        select(deliveries.c.id, *_TARGET, *_LATEST)
        .where(deliveries.c.platform == bindparam("of"), DUE)
        .where(deliveries.c.id > bindparam("beyond"), which)
        .order_by(deliveries.c.id)
        .limit(bindparam("most"))
    )


_NEWS_SHARED = or_(_NEWS, _OVERTAKEN)
_DUE = Prepared(_due_of(_NEWS))
_DUE_SHARED = Prepared(_due_of(_NEWS_SHARED))
_FIND = Prepared(
    select(deliveries.c.state, deliveries.c.reply.is_not(None))
    .add_columns(deliveries.c.created_at, deliveries.c.request_id, *_TARGET)
    .where(deliveries.c.id == bindparam("key"))
)
_OPEN = update(deliveries).where(deliveries.c.id == bindparam("key"), DUE)
_PLACE = Prepared(_OPEN.values(edits=bindparam("shown")))
_CLOSE = _OPEN.values(state=bindparam("outcome"), reason=bindparam("why"), progress=null())
_REFUSE = Prepared(_CLOSE)
_END = Prepared(_CLOSE.values(reply=null()))

_GOES_ON = exists().where(turns.c.id == deliveries.c.turn, OPEN)


def add(
    db: Connection,
    sealer: Sealer,
    target: Target,
    now: float,
    *,
    turn: int | None = None,
    reply: bytes | None = None,
    edits: Sequence[str] = (),
    request_id: str = "",
) -> int:
    """Keep a delivery: of a `turn` that will be answered, or of a `reply` that is there.

    `request_id` is of the call that brought what it answers.
    """
    added = _ADD(
        db,
        platform=target.platform,
        chat_id=target.chat_id,
        thread_id=target.thread_id,
        source_message_id=target.source,
        user_id=target.user_id,
        turn=turn,
        state=State.OPEN.value,
        edits=orjson.dumps(edits).decode(),
        reply=None if reply is None else sealer.seal(reply, _place(target)),
        reason="",
        not_before=0.0,
        created_at=now,
        changed=next(_marks),
        request_id=request_id,
    )
    number: int = added.fetchone()[0]
    return number


def answer(db: Connection, sealer: Sealer, turn: int, target: Target, reply: bytes) -> None:
    """Give the delivery of a turn its final reply."""
    _ANSWER(db, of_turn=turn, said=sealer.seal(reply, _place(target)), mark=next(_marks)).fetchone()


def grow(db: Connection, sealer: Sealer, turn: int, target: Target, text: bytes) -> None:
    """Show how far the answer of a turn has come."""
    _GROW(db, of_turn=turn, text=sealer.seal(text, _place(target)), mark=next(_marks))


def latest(db: Connection, platform: str) -> Mark:
    """Return the mark of the latest change of what is open."""
    mine = (deliveries.c.platform == platform, DUE)
    row = db.execute(
        select(deliveries.c.changed, deliveries.c.id)
        .where(*mine)
        .order_by(deliveries.c.changed.desc(), deliveries.c.id.desc())
        .limit(1)
    ).first()
    return START if row is None else Mark(*row)


def due(
    db: Connection,
    sealer: Sealer,
    platform: str,
    since: Mark,
    most: int,
    *,
    beyond: int = 0,
    again: Collection[int] = (),
    back: int | None = None,
) -> tuple[list[Due], int]:
    """Return open deliveries that changed after `since`, in the order in which they were added.

    With the earlier ones of their chats, as far as those changed after `back`, where several
    write at a time: who has seen one of a chat must have seen those before it.

    The number is that of the last one, to ask for those `beyond` it; 0 where that was all. Those
    that have to wait are among them, and those that are asked for `again`. One that nobody can
    read ends here, as refused: it must not hold up the others.
    """
    about = {"of": platform, "beyond": beyond, "most": most, "back": back, **since._asdict()}
    news, news_alone = (_NEWS, _DUE) if back is None else (_NEWS_SHARED, _DUE_SHARED)
    if again:
        read = db.execute(_due_of(or_(news, deliveries.c.id.in_(again))), about).all()
    else:
        read = news_alone(db, **about).fetchall()
    found = [_due(db, sealer, row) for row in read]
    return [each for each in found if each is not None], read[-1][0] if len(read) == most else 0


def find(db: Connection, number: int) -> Found | None:
    row = _FIND(db, key=number).fetchone()
    if row is None:
        return None
    state, answered, created_at, request_id, *target = row
    return Found(Target(*target), State(state), bool(answered), created_at, request_id)


def place(db: Connection, number: int, edits: Sequence[str]) -> None:
    """Remember the messages that stand for a delivery."""
    _PLACE(db, key=number, shown=orjson.dumps(edits).decode())


def later(db: Connection, number: int, not_before: float) -> None:
    values = {"not_before": not_before, "changed": next(_marks)}
    db.execute(update(deliveries).where(deliveries.c.id == number, DUE).values(values))


def end(db: Connection, number: int, state: State, reason: str = "") -> None:
    """End a delivery. One that arrived keeps nothing of what was said."""
    statement = _END if state is State.ENDED else _REFUSE
    statement(db, key=number, outcome=state.value, why=reason[:256])


def move(db: Connection, platform: str, chat_id: str, new_chat_id: str) -> None:
    """Follow a chat that has a new id.

    The ids of its messages are left behind: in the new one they may be anybody's.
    """
    moved = (deliveries.c.platform == platform, deliveries.c.chat_id == chat_id, DUE)
    there = {"chat_id": new_chat_id, "source_message_id": None, "edits": "[]"}
    db.execute(update(deliveries).where(*moved).values(**there, changed=next(_marks)))


def refuse(db: Connection, platform: str, chat_id: str, reason: str) -> None:
    """End what is open in a chat: nobody may write there any more.

    Not what is still being answered: once it is, whoever carries it hears the same.
    """
    theirs = (deliveries.c.platform == platform, deliveries.c.chat_id == chat_id, DUE)
    ended = {"state": State.REFUSED.value, "reason": reason, "progress": None}
    db.execute(update(deliveries).where(*theirs, ~_GOES_ON).values(ended))


def forsaken(db: Connection) -> list[tuple[int, Target]]:
    """Return the turns that ended without a word for their open delivery, and where that goes."""
    silent = (deliveries.c.reply.is_(None), deliveries.c.turn.is_not(None), ~_GOES_ON)
    rows = select(deliveries.c.turn, *_TARGET).where(DUE, *silent)
    return [(turn, Target(*where)) for turn, *where in db.execute(rows)]


def dead(db: Connection, platform: str | None, most: int) -> list[Dead]:
    """Return the dead letters, the latest first."""
    columns = (deliveries.c[name] for name in Dead._fields)
    rows = select(*columns).where(deliveries.c.state == State.REFUSED.value)
    if platform is not None:
        rows = rows.where(deliveries.c.platform == platform)
    return [Dead(*row) for row in db.execute(rows.order_by(deliveries.c.id.desc()).limit(most))]


def redrive(db: Connection, numbers: Sequence[int] | None) -> int:
    """Open dead letters again, all or those named; return how many.

    Not those without an answer: there is nothing to bring yet. What stands of one in its chat is
    gone on with.
    """
    gone = deliveries.c.state == State.REFUSED.value
    again = update(deliveries).where(gone, deliveries.c.reply.is_not(None))
    if numbers is not None:
        again = again.where(deliveries.c.id.in_(numbers))
    opened = {"state": State.OPEN.value, "reason": "", "not_before": 0.0}
    return db.execute(again.values(**opened, changed=next(_marks))).rowcount


def sweep(db: Connection, now: float) -> int:
    """Delete the ended and the dead ones that are older than a week; return how many."""
    old = (deliveries.c.created_at <= now - KEPT_SECONDS, ~DUE)
    return db.execute(delete(deliveries).where(*old)).rowcount


def forget_person(db: Connection, platform: str, user_id: str) -> None:
    """Delete what was delivered to a person; what is under way still arrives."""
    theirs = (deliveries.c.platform == platform, deliveries.c.user_id == user_id, ~DUE)
    db.execute(delete(deliveries).where(*theirs))


def _due(db: Connection, sealer: Sealer, row: Sequence[Any]) -> Due | None:
    number, *where, edits, reply, progress, not_before, changed, request_id = row
    target = Target(*where)
    try:
        said, grown = (
            None if sealed is None else sealer.open(sealed, _place(target))
            for sealed in (reply, progress)
        )
    except CannotOpen:
        logger.error("delivery.unreadable", delivery=number)
        end(db, number, State.REFUSED, UNREADABLE)
        return None
    shown = tuple(orjson.loads(edits))
    return Due(number, target, shown, said, grown, not_before, changed, request_id)


def _place(target: Target) -> str:
    # Not the chat's id: that changes when a group becomes a supergroup.
    return f"deliveries/{target.platform}/{target.user_id}"
