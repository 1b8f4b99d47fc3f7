"""`restore`: put a backup into a database, of the kind that it is of or of the other one."""

import asyncio
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from app.admin import copies, postgres
from app.admin.copies import BESIDE, NUMBERED, TABLES
from app.admin.refusal import Refused
from app.admin.sealing import opens
from app.storage.opening import open_store
from app.storage.sealed import Sealer
from app.storage.sqlite import alone

# Whoever held these turns is not there any more, and no fault of theirs ended the attempts.
FREE = """
UPDATE turns SET owner = '', lease_until = 0, attempts = attempts - (state = 'working')
WHERE state IN ('waiting', 'working')
"""


async def restore(
    file: Path, database: str, sealer: Sealer, *, replace: bool = False
) -> tuple[dict[str, int], bool]:
    """Put all of a backup into a database, whole or not at all.

    Returns the rows per table, and whether the key opens them.

    Raises:
        Refused: the backup cannot be used, a service runs there, or the database holds something
            and `replace` is not said.
        StorageRefused, NewerDatabase: the database cannot be used.
    """
    copies.check(file, "integrity_check")
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        return await asyncio.to_thread(_into_file, file, Path(str(url.database)), sealer, replace)
    with tempfile.TemporaryDirectory(prefix="arash-restore-") as folder:
        draft = Path(folder) / "draft"
        shutil.copyfile(file, draft)
        done = _prepare(draft, sealer)
        await _into_postgres(draft, url, database, replace=replace)
    return done


def _prepare(draft: Path, sealer: Sealer) -> tuple[dict[str, int], bool]:
    copies.bring_up_to_date(draft)
    with closing(sqlite3.connect(draft)) as db, db:
        db.execute(FREE)
    engine = create_engine(URL.create("sqlite", database=str(draft)), poolclass=NullPool)
    with engine.connect() as connection:
        readable = opens(connection, sealer) is not False
    engine.dispose()
    with closing(copies.reader(draft)) as db:
        return copies.counts(db), readable


def _into_file(
    file: Path,
    target: Path,
    sealer: Sealer,
    replace: bool,  # noqa: FBT001 - of one caller
) -> tuple[dict[str, int], bool]:
    with alone(target):
        if not replace and target.exists() and _holds(target):
            raise _not_empty()
        with copies.written(target, replace=True) as draft:
            shutil.copyfile(file, draft)
            done = _prepare(draft, sealer)
            # What the old one has not yet taken over from them must not get into the new one.
            with suppress(sqlite3.Error), closing(sqlite3.connect(target)) as old:
                old.execute("PRAGMA journal_mode=DELETE")
            for name in BESIDE:
                target.with_name(target.name + name).unlink(missing_ok=True)
    return done


def _holds(target: Path) -> bool:
    try:
        with closing(copies.reader(target)) as db:
            return any(copies.counts(db).values())
    except sqlite3.Error:
        raise Refused(f"{target} is damaged; say --replace to put the backup there") from None


async def _into_postgres(draft: Path, url: URL, database: str, *, replace: bool) -> None:
    async with open_store(database):
        pass  # which makes the tables, or brings them up to date
    async with postgres.connected(url) as db, db.transaction():
        await postgres.check_alone(db)
        names = ", ".join(f'"{table.name}"' for table in TABLES)
        await db.execute("SET LOCAL lock_timeout = '10s'")
        await db.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        if replace:
            await db.execute(f"TRUNCATE {names}")
        else:
            for table in TABLES:
                if await db.fetchval(f'SELECT EXISTS (SELECT FROM "{table.name}")'):  # noqa: S608 - names of ours
                    raise _not_empty()
        with closing(copies.reader(draft)) as copy:
            for table in TABLES:
                columns = ", ".join(f'"{column.name}"' for column in table.c)
                found = copy.execute(f'SELECT {columns} FROM "{table.name}"')  # noqa: S608 - as above
                while rows := found.fetchmany(postgres.CHUNK):
                    await postgres.write(db, table, rows)
            for table in NUMBERED:
                await postgres.count_from(db, table, copies.last_number(copy, table))


def _not_empty() -> Refused:
    return Refused(
        "this database holds something already; --replace throws that away, so back it up before"
    )
