"""How PostgreSQL is spoken to, and what comes back when it fails, in whatever wrapping."""

from typing import Final

from asyncpg import PostgresError
from asyncpg.exceptions import InterfaceError
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

APPLICATION: Final = "arash-panoptes"  # as which the service signs in
OLDEST: Final = 130_000  # PostgreSQL 13
# SQLAlchemy wraps what it executes itself. A `Prepared` goes past it, and so does connecting,
# whose errors are the driver's own. OSError: TimeoutError is one, and nobody listening is another.
FAILURES: Final = (
    DBAPIError,
    AsyncAdapt_asyncpg_dbapi.Error,
    PostgresError,
    InterfaceError,
    NoConnectionFree,
    OSError,
)
# Waiting does not help: the operator has to act.
HOPELESS: Final = {
    "28P01": "the password is refused",
    "28000": "this user may not sign in",
    "3D000": "there is no such database",
    "42501": "this user may not make tables",
}


def by_asyncpg(url: URL) -> URL:
    """Return the URL as asyncpg reads it: `sslmode` is called `ssl` there."""
    ssl = url.query.get("sslmode")
    url = url.set(drivername="postgresql+asyncpg").difference_update_query(["sslmode"])
    return url if ssl is None else url.update_query_dict({"ssl": ssl})


def sqlstate(error: BaseException) -> str:
    """Return the code by which PostgreSQL says what is wrong; empty where it says nothing."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlstate", None) or "")
