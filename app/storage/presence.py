"""Which instances are alive: each holds a lock as long as its connection lives.

See `app.storage.staying` for how it does. PostgreSQL lets go of the lock when the process dies,
however it dies. What it was working on is then free at once, and nobody waits for the lease to
run out. Where locks tell nothing (behind a pooler, say, or when a machine vanishes without a
word), the lease still does.
"""

from typing import Final

from sqlalchemy import Connection, bindparam, select, text, update

from app.storage.tables import OPEN, turns

CLASS: Final = 0x4172_6173  # any number, the same for every instance
# After its own start the server knows of nobody, until all have come back.
COME_BACK: Final = 15.0  # seconds

_HELD: Final = text(
    "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
    " AND classid::bigint = :class"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND pg_postmaster_start_time() < now() - make_interval(secs => :back)"
).bindparams(bindparam("class", CLASS), bindparam("back", COME_BACK))


def missing(db: Connection, me: str, now: float) -> frozenset[str]:
    """Return who holds turns and is not there: nobody where the locks cannot tell."""
    holding = select(turns.c.owner).where(OPEN, turns.c.lease_until > now).distinct()
    owners = {owner for owner in db.execute(holding).scalars() if owner not in {"", me}}
    if not owners or db.dialect.name != "postgresql":
        return frozenset()
    held = {number & 0xFFFF_FFFF for number in db.execute(_HELD).scalars()}
    if key_of(me) & 0xFFFF_FFFF not in held:
        return frozenset()  # not even this one is seen
    return frozenset(owner for owner in owners if key_of(owner) & 0xFFFF_FFFF not in held)


def free(db: Connection, owners: frozenset[str]) -> int:
    """Let go of what those who are gone were working on; return how many turns."""
    theirs = (turns.c.owner.in_(owners), OPEN)
    return db.execute(update(turns).where(*theirs).values(lease_until=0.0)).rowcount


def key_of(owner: str) -> int:
    # A signed number of 32 bits is what such a lock takes.
    return int.from_bytes(bytes.fromhex(owner)[:4], signed=True)
