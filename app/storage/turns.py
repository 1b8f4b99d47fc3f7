"""The table of turns: inbox, idempotency record and queue at once.

A turn is `waiting` for the earlier ones of its conversation, `working` under a lease, `done`
with its reply, or `failed`, and may then be sent again. Who holds a turn renews the lease;
a turn whose lease ran out is free for anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from app.errors import ConversationBusy, InProgress, MessageIdReused
from app.storage.prepared import Prepared
from app.storage.sealed import Sealer
from app.storage.tables import EARLIER, EARLIER_OPEN, OPEN, turns

LEASE_SECONDS = 30.0
MOST_WAITING = 5  # of one conversation
MOST_ATTEMPTS = 2  # then the person gets an apology
KEPT_SECONDS = 7 * 86_400.0


class State(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


class Key(NamedTuple):
    """What makes a message the same one when it is sent again."""

    caller: str
    platform: str
    chat_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class NewTurn:
    key: Key
    user_id: str
    conversation: int
    fingerprint: bytes
    request: bytes
    request_id: str = ""  # of the call that brought it; its later log lines bear it too


class Added(NamedTuple):
    id: int
    working: bool


@dataclass(frozen=True, slots=True)
class Taken:
    id: int
    key: Key
    conversation: int
    attempts: int
    request: bytes
    request_id: str = ""
    accepted_at: float = 0.0


_KNOWN = Prepared(
    select(turns.c.id, turns.c.state, turns.c.fingerprint, turns.c.reply).where(
        *(turns.c[name] == bindparam(name) for name in Key._fields)
    )
)
_COLUMNS = tuple(column.name for column in turns.c if column.name not in {"id", "reply"})
_QUEUE = Prepared(insert(turns).returning(turns.c.id), _COLUMNS)
_OPEN_TURNS = (
    select(func.count().label("number"))
    .select_from(turns)
    .where(turns.c.conversation == bindparam("conversation"), OPEN)
    .subquery()
)
_FIRST_OF_ALL = _OPEN_TURNS.c.number == 0
_IN_ORDER = {
    "state": case((_FIRST_OF_ALL, State.WORKING.value), else_=State.WAITING.value),
    "attempts": case((_FIRST_OF_ALL, 1), else_=0),
}
# One statement: on PostgreSQL each is a round trip.
_ADD = Prepared(
    insert(turns)
    .from_select(
        _COLUMNS,
        select(
            *(_IN_ORDER.get(name, bindparam(name, type_=turns.c[name].type)) for name in _COLUMNS)
        ).where(_OPEN_TURNS.c.number < MOST_WAITING),
    )
    .returning(turns.c.id, turns.c.state)
)
_FINISH = Prepared(
    update(turns)
    .where(
        turns.c.id == bindparam("key"),
        turns.c.owner == bindparam("holder"),
        OPEN,  # one that still waits can be given up as well
    )
    .values(state=bindparam("outcome"), request=null(), reply=bindparam("said"))
)


_HELD_UP = exists().where(
    EARLIER.c.conversation == turns.c.conversation,
    EARLIER.c.id < turns.c.id,
    EARLIER_OPEN,
)
_RAN_OUT = turns.c.lease_until <= bindparam("now")
_TAKE = Prepared(
    update(turns)
    .where(turns.c.id == bindparam("key"), OPEN, ~_HELD_UP)
    .where(or_(_RAN_OUT, turns.c.owner == bindparam("holder")))
    .where(or_(turns.c.state == State.WAITING.value, _RAN_OUT))
    .values(
        state=State.WORKING.value,
        owner=bindparam("holder"),
        lease_until=bindparam("until"),
        attempts=turns.c.attempts + 1,
    )
    .returning(turns.c.conversation, turns.c.attempts, turns.c.request)
    .returning(turns.c.request_id, turns.c.accepted_at)
    .returning(*(turns.c[name] for name in Key._fields))
)
_FIRST = select(func.min(turns.c.id)).where(OPEN).group_by(turns.c.conversation)
_ORPHANS = Prepared(
    select(turns.c.id)
    .where(turns.c.id.in_(_FIRST.scalar_subquery()), _RAN_OUT)
    .order_by(turns.c.id)
    .limit(bindparam("most"))
)


def known(db: Connection, sealer: Sealer, key: Key, fingerprint: bytes) -> bytes | None:
    """Return the stored reply where the same message was answered before.

    None where it is new, or failed before: then it may be added again.

    Raises:
        MessageIdReused: the same ids came with another message.
        InProgress: the same message is being answered.
    """
    found = _KNOWN(db, **key._asdict()).fetchone()
    if found is None:
        return None
    number, state, seen, reply = found
    if seen != fingerprint:
        raise MessageIdReused
    if state == State.DONE:
        return sealer.open(reply, _place(key))
    if state != State.FAILED:
        raise InProgress(retry_after=1)
    # In the order of its second coming: a new row puts it at the end of the queue.
    db.execute(delete(turns).where(turns.c.id == number))
    return None


def add(db: Connection, sealer: Sealer, turn: NewTurn, owner: str, now: float) -> Added:
    """Keep a turn at the end of its conversation's queue, held by `owner`.

    One that no earlier turn holds up is `working` at once.

    Raises:
        ConversationBusy: too many turns of this conversation are waiting.
    """
    added = _ADD(db, **_row(sealer, turn, now), owner=owner, lease_until=now + LEASE_SECONDS)
    row = added.fetchone()
    if row is None:
        raise ConversationBusy(retry_after=5)
    number, state = row
    return Added(number, state == State.WORKING)


def queue(db: Connection, sealer: Sealer, turn: NewTurn, now: float, *, not_before: float) -> int:
    """Keep a turn at the end of its conversation's queue, for whoever takes it from then on."""
    waiting = {"state": State.WAITING.value, "attempts": 0}
    added = _QUEUE(db, **_row(sealer, turn, now), **waiting, owner="", lease_until=not_before)
    number: int = added.fetchone()[0]
    return number


def waiting(db: Connection, sealer: Sealer, key: Key) -> bytes | None:
    """Return the request of a turn that nobody has begun; None where there is none."""
    found = select(turns.c.request).where(*_still(key))
    request = db.execute(found).scalar()
    return None if request is None else sealer.open(request, _place(key))


def replace(
    db: Connection,
    sealer: Sealer,
    key: Key,
    request: bytes,
    fingerprint: bytes,
    *,
    not_before: float = 0.0,
) -> None:
    """Give a turn that nobody has begun another request, and let it wait if there is more."""
    sealed = sealer.seal(request, _place(key))
    until = case((turns.c.lease_until > not_before, turns.c.lease_until), else_=not_before)
    values = {"request": sealed, "fingerprint": fingerprint, "lease_until": until}
    db.execute(update(turns).where(*_still(key)).values(values))


def drop(db: Connection, caller: str, platform: str, chat_id: str) -> None:
    """End the turns of a chat that nobody has begun: nobody is there to hear the answers."""
    theirs = (turns.c.caller == caller, turns.c.platform == platform, turns.c.chat_id == chat_id)
    waiting = turns.c.state == State.WAITING.value
    ended = {"state": State.FAILED.value, "request": None}
    db.execute(update(turns).where(*theirs, waiting).values(ended))


def take(db: Connection, sealer: Sealer, turn: int, owner: str, now: float) -> Taken | None:
    """Lease a turn whose time has come.

    None where an earlier turn of its conversation is open, somebody else works on it, or it is
    no longer open.
    """
    row = _TAKE(db, key=turn, holder=owner, now=now, until=now + LEASE_SECONDS).fetchone()
    if row is None:
        return None
    conversation, attempts, request, request_id, accepted_at, *ids = row
    key = Key(*ids)
    opened = sealer.open(request, _place(key))
    return Taken(turn, key, conversation, attempts, opened, request_id, accepted_at)


def finish(
    db: Connection, sealer: Sealer, turn: int, key: Key, owner: str, reply: bytes | None
) -> bool:
    """End a turn with its reply, or as failed without one.

    The request is gone then. False, and nothing is written, where the lease was lost: somebody
    else answers this turn.
    """
    said = None if reply is None else sealer.seal(reply, _place(key))
    outcome = State.FAILED if reply is None else State.DONE
    ended = _FINISH(db, key=turn, holder=owner, outcome=outcome.value, said=said)
    return ended.rowcount == 1


def discard(db: Connection, turn: int) -> None:
    """End a turn as failed, whoever holds it: nobody can read it."""
    unreadable = update(turns).where(turns.c.id == turn, OPEN)
    db.execute(unreadable.values(state=State.FAILED, request=null()))


def renew(db: Connection, held: Sequence[int], owner: str, now: float) -> None:
    """Prolong the leases of the turns that `owner` still works on or waits for."""
    mine = (turns.c.id.in_(held), turns.c.owner == owner, OPEN)
    db.execute(update(turns).where(*mine).values(lease_until=now + LEASE_SECONDS))


def release(db: Connection) -> int:
    """Free every open turn; for a start that knows that nobody else is alive."""
    return db.execute(update(turns).where(OPEN).values(lease_until=0.0)).rowcount


def leave(db: Connection, owner: str) -> int:
    """Free what `owner` holds, at its end in good order; return how many turns.

    The attempts that it began do not count: no fault of the turns ended them.
    """
    begun = case((turns.c.state == State.WORKING.value, 1), else_=0)
    freed = {"lease_until": 0.0, "attempts": turns.c.attempts - begun}
    return db.execute(update(turns).where(turns.c.owner == owner, OPEN).values(freed)).rowcount


def orphans(db: Connection, now: float, most: int) -> list[int]:
    """Return open turns that nobody holds and no earlier one holds up, the oldest first."""
    return [number for (number,) in _ORPHANS(db, now=now, most=most).fetchall()]


def sweep(db: Connection, now: float) -> int:
    """Delete the ended turns that are older than a week; return how many."""
    old = (turns.c.accepted_at <= now - KEPT_SECONDS, ~OPEN)
    return db.execute(delete(turns).where(*old)).rowcount


def forget_person(db: Connection, platform: str, user_id: str) -> None:
    """Delete the ended turns of a person, replies and all."""
    theirs = (turns.c.platform == platform, turns.c.user_id == user_id, ~OPEN)
    db.execute(delete(turns).where(*theirs))


def _row(sealer: Sealer, turn: NewTurn, now: float) -> dict[str, Any]:
    return turn.key._asdict() | {
        "user_id": turn.user_id,
        "conversation": turn.conversation,
        "fingerprint": turn.fingerprint,
        "request": sealer.seal(turn.request, _place(turn.key)),
        "accepted_at": now,
        "request_id": turn.request_id,
    }


def _still(key: Key) -> list[ColumnElement[bool]]:
    mine = [turns.c[name] == value for name, value in key._asdict().items()]
    return [*mine, turns.c.state == State.WAITING.value]


def _place(key: Key) -> str:
    # Each with its length: an id may hold any sign that could stand between them.
    return "turns/" + "/".join(f"{len(part)}:{part}" for part in key)
