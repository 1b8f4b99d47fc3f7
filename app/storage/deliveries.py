"""What is on its way to a person, until somebody says that it arrived.

A delivery is `open`, `ended` (it arrived, or nobody waits for it any more) or `refused`: a dead
letter, kept with its reason. While an answer is written, the text so far stands in its row, so
that any process can show it. Every change raises `changed`, by which readers go on.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Select, bindparam, delete, func, insert, null, select, update

from app.storage.prepared import Prepared
from app.storage.sealed import Sealer
from app.storage.tables import DUE, deliveries

KEPT_SECONDS = 7 * 86_400.0
_marks = count(time.time_ns() // 1_000)  # a process that starts later begins higher


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


@dataclass(frozen=True, slots=True)
class Due:
    """`reply` is the final answer; before there is one, `progress` is the text so far."""

    id: int
    target: Target
    edits: tuple[str, ...]
    reply: bytes | None
    progress: bytes | None
    changed: int


class Dead(NamedTuple):
    id: int
    platform: str
    chat_id: str
    reason: str
    created_at: float


_COLUMNS = (
    "id", "platform", "chat_id", "thread_id", "source_message_id", "user_id",
    "edits", "reply", "progress", "changed",
)  # fmt: skip
_ADD = Prepared(
    insert(deliveries).returning(deliveries.c.id),
    [column.name for column in deliveries.c if column.name not in {"id", "progress"}],
)
_ANSWER = Prepared(
    update(deliveries)
    .where(deliveries.c.turn == bindparam("of_turn"), DUE)
    .values(reply=bindparam("said"), progress=null(), changed=bindparam("mark"))
    .returning(deliveries.c.id)
)
_GROW = Prepared(
    update(deliveries)
    .where(deliveries.c.turn == bindparam("of_turn"), DUE, deliveries.c.reply.is_(None))
    .values(progress=bindparam("text"), changed=bindparam("mark"))
)


def add(
    db: Connection,
    sealer: Sealer,
    target: Target,
    now: float,
    *,
    turn: int | None = None,
    reply: bytes | None = None,
    edits: Sequence[str] = (),
) -> int:
    """Keep a delivery: of a `turn` that will be answered, or of a `reply` that is there."""
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
    )
    number: int = added.fetchone()[0]
    return number


def answer(db: Connection, sealer: Sealer, turn: int, target: Target, reply: bytes) -> None:
    """Give the delivery of a turn its final reply."""
    _ANSWER(db, of_turn=turn, said=sealer.seal(reply, _place(target)), mark=next(_marks)).fetchone()


def grow(db: Connection, sealer: Sealer, turn: int, target: Target, text: bytes) -> None:
    """Show how far the answer of a turn has come."""
    _GROW(db, of_turn=turn, text=sealer.seal(text, _place(target)), mark=next(_marks))


def due(
    db: Connection, sealer: Sealer, platform: str, since: int, now: float, most: int
) -> list[Due]:
    """Return open deliveries that changed after `since`, in the order of their change."""
    rows = (
        _rows()
        .where(deliveries.c.platform == platform, DUE, deliveries.c.changed > since)
        .where(deliveries.c.not_before <= now)
        .order_by(deliveries.c.changed)
        .limit(most)
    )
    return [_due(sealer, row) for row in db.execute(rows)]


def find(db: Connection, sealer: Sealer, number: int) -> tuple[Due, State] | None:
    row = db.execute(
        select(*(deliveries.c[name] for name in _COLUMNS), deliveries.c.state).where(
            deliveries.c.id == number
        )
    ).first()
    return None if row is None else (_due(sealer, row[:-1]), State(row[-1]))


def place(db: Connection, number: int, edits: Sequence[str]) -> None:
    """Remember the messages that stand for a delivery."""
    _change(db, number, edits=orjson.dumps(edits).decode())


def later(db: Connection, number: int, not_before: float) -> None:
    _change(db, number, not_before=not_before, changed=next(_marks))


def end(db: Connection, number: int, state: State, reason: str = "") -> None:
    """End a delivery. One that arrived keeps nothing of what was said."""
    values: dict[str, Any] = {"state": state.value, "reason": reason[:256], "progress": None}
    if state is State.ENDED:
        values["reply"] = None
    _change(db, number, **values)


def move(db: Connection, platform: str, chat_id: str, new_chat_id: str) -> None:
    """Follow a chat that has a new id. Sealed texts stay bound to where they were said."""
    moved = (deliveries.c.platform == platform, deliveries.c.chat_id == chat_id, DUE)
    db.execute(update(deliveries).where(*moved).values(chat_id=new_chat_id, changed=next(_marks)))


def dead(db: Connection, platform: str | None, most: int) -> list[Dead]:
    """Return the dead letters, the latest first."""
    columns = (deliveries.c[name] for name in Dead._fields)
    rows = select(*columns).where(deliveries.c.state == State.REFUSED.value)
    if platform is not None:
        rows = rows.where(deliveries.c.platform == platform)
    return [Dead(*row) for row in db.execute(rows.order_by(deliveries.c.id.desc()).limit(most))]


def redrive(db: Connection, numbers: Sequence[int] | None) -> int:
    """Open dead letters again, all or those named; return how many."""
    gone = deliveries.c.state == State.REFUSED.value
    again = update(deliveries).where(gone, deliveries.c.reply.is_not(None))
    if numbers is not None:
        again = again.where(deliveries.c.id.in_(numbers))
    again = again.values(
        state=State.OPEN.value, reason="", edits="[]", not_before=0.0, changed=next(_marks)
    )
    return db.execute(again).rowcount


def counted(db: Connection) -> dict[str, int]:
    """Return how many deliveries are in each state."""
    rows = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    return dict(db.execute(rows).tuples().all())


def sweep(db: Connection, now: float) -> int:
    """Delete the ended and the dead ones that are older than a week; return how many."""
    old = (deliveries.c.created_at <= now - KEPT_SECONDS, ~DUE)
    return db.execute(delete(deliveries).where(*old)).rowcount


def forget_person(db: Connection, platform: str, user_id: str) -> None:
    """Delete what was delivered to a person; what is under way still arrives."""
    theirs = (deliveries.c.platform == platform, deliveries.c.user_id == user_id, ~DUE)
    db.execute(delete(deliveries).where(*theirs))


def _change(db: Connection, number: int, **values: Any) -> None:
    db.execute(update(deliveries).where(deliveries.c.id == number, DUE).values(**values))


def _rows() -> Select[Any]:
    return select(*(deliveries.c[name] for name in _COLUMNS))


def _due(sealer: Sealer, row: Sequence[Any]) -> Due:
    number, *where, edits, reply, progress, changed = row
    target = Target(*where)
    opened = (
        None if sealed is None else sealer.open(sealed, _place(target))
        for sealed in (reply, progress)
    )
    said, grown = opened
    return Due(number, target, tuple(orjson.loads(edits)), said, grown, changed)


def _place(target: Target) -> str:
    # Not the chat's id: that changes when a group becomes a supergroup.
    return f"deliveries/{target.platform}/{target.user_id}"
