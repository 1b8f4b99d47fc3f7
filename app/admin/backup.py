"""`backup`: a copy of everything that is stored, of one moment, while the service works."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from app.admin import copies, postgres
from app.admin.copies import NUMBERED, TABLES
from app.admin.refusal import Refused
from app.storage.migrate import versions


async def backup(database: str, file: Path, *, replace: bool = False) -> dict[str, int]:
    """Write all that was committed when this began into `file`; return the rows per table.

    The sealed columns stay sealed: the key is not in it. A file that is there already is
    replaced where that is said.

    Raises:
        Refused: the database cannot be read, or the file cannot be written.
    """
    url = make_url(database)
    with copies.written(file, replace=replace) as draft:
        if url.get_backend_name() == "sqlite":
            _of_sqlite(Path(str(url.database)), draft)
        else:
            await _of_postgres(url, draft)
        copies.check(draft, "quick_check")
        with closing(copies.reader(draft)) as copy:
            return copies.counts(copy)


def _of_sqlite(source: Path, draft: Path) -> None:
    if not source.is_file():
        raise Refused(f"{source} is not there; nothing was ever stored")
    try:
        with closing(copies.reader(source)) as db, closing(sqlite3.connect(draft)) as copy:
            # In one step, which is one moment: one of many steps begins anew with every write
            # of the service. Writers do not wait for it.
            db.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without others beside it
    except sqlite3.Error as error:
        raise Refused(f"{source} cannot be read: {error}") from None


async def _of_postgres(url: URL, draft: Path) -> None:
    async with postgres.connected(url) as db:
        moment = db.transaction(isolation="repeatable_read", readonly=True)
        async with moment:
            await _check_version(db)
            copies.bring_up_to_date(draft)
            with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
                copy.execute("PRAGMA synchronous=OFF")  # it is settled at the end, once
                copy.execute("BEGIN")
                for table in TABLES:
                    marks = ", ".join("?" for _ in table.c)
                    names = ", ".join(f'"{column.name}"' for column in table.c)
                    add = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - names of ours
                    async for rows in postgres.rows(db, table):
                        copy.executemany(add, rows)
                for table in NUMBERED:
                    copies.count_from(copy, table, await postgres.last_number(db, table))
                copy.execute("COMMIT")


async def _check_version(db: postgres.Connection) -> None:
    if await db.fetchval("SELECT to_regclass('alembic_version')") is None:
        raise Refused("nothing was ever stored in this database")
    found, ours = await db.fetchval("SELECT version_num FROM alembic_version"), max(versions())
    if found != ours:
        raise Refused(
            f"this database is of version {found} and this program of {ours}; "
            "back it up with the program that runs on it"
        )
