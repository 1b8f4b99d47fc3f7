"""A PostgreSQL database, for commands that read or write all of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeAlias

import asyncpg
from sqlalchemy import Table
from sqlalchemy.engine import URL

from app.admin.refusal import Refused
from app.storage.driver import APPLICATION, HOPELESS, sqlstate

CONNECT_SECONDS: Final = 5.0
CHUNK: Final = 1_000  # rows
LOOKS, LOOK_AGAIN = 20, 0.1  # seconds: a connection that was just closed is shown for a moment
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@asynccontextmanager
async def connected(url: URL) -> AsyncIterator[Connection]:
    """Open a connection of our own.

    Raises:
        Refused: the database does not answer or does not let us in.
    """
    try:
        db = await asyncpg.connect(_dsn(url), timeout=CONNECT_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = HOPELESS.get(sqlstate(error), "it does not answer")
        raise Refused(f"DATABASE_URL: {reason}") from None
    try:
        yield db
    except asyncpg.PostgresError as error:
        # Not its text: that holds values.
        raise Refused(
            f"the database refused ({type(error).__name__}, {error.sqlstate}); nothing was changed"
        ) from None
    except (OSError, asyncpg.InterfaceError):
        raise Refused("the connection to the database broke; nothing was changed") from None
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await db.close(timeout=CONNECT_SECONDS)


async def check_alone(db: Connection) -> None:
    """Look whether a service works on this database.

    Raises:
        Refused: one does.
    """
    for _ in range(LOOKS):
        others = await db.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = $1 AND pid <> pg_backend_pid()",
            APPLICATION,
        )
        if not others:
            return
        await asyncio.sleep(LOOK_AGAIN)
    raise Refused("a service is running on this database; stop every one of them first")


async def rows(db: Connection, table: Table) -> AsyncIterator[list[tuple[Any, ...]]]:
    """Yield all rows in pieces, in the order of their key; within a transaction."""
    columns = ", ".join(f'"{column.name}"' for column in table.c)
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    cursor = await db.cursor(f'SELECT {columns} FROM "{table.name}" ORDER BY {key}')  # noqa: S608 - names of ours
    while found := await cursor.fetch(CHUNK):
        yield [tuple(row) for row in found]


async def write(db: Connection, table: Table, records: Sequence[Sequence[Any]]) -> None:
    """Add rows.

    Raises:
        Refused: they do not fit.
    """
    columns = [column.name for column in table.c]
    try:
        await db.copy_records_to_table(table.name, records=records, columns=columns)
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        kind = type(error).__name__
        raise Refused(f"rows of {table.name} do not fit ({kind}); nothing was changed") from None


async def last_number(db: Connection, table: Table) -> int:
    """Return the last number that was given to a row, 0 where there was none."""
    sequence = await db.fetchval("SELECT pg_get_serial_sequence($1, 'id')", table.name)
    said = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"  # noqa: S608 - as above
    return int(await db.fetchval(said))


async def count_from(db: Connection, table: Table, last: int) -> None:
    """Let the next row have the number after `last`."""
    await db.execute(
        "SELECT setval(pg_get_serial_sequence($1, 'id'), $2, $3)",
        table.name,
        max(last, 1),
        last > 0,
    )


def _dsn(url: URL) -> str:
    """Return the URL as asyncpg reads it: `ssl` is called `sslmode` there."""
    url = url.set(drivername="postgresql")
    if (mode := url.query.get("ssl")) is not None:
        url = url.difference_update_query(["ssl"]).update_query_dict({"sslmode": mode})
    return url.render_as_string(hide_password=False)
