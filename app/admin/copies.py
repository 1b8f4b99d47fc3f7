"""A backup is an SQLite file with the tables of the service, whichever database it is of."""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Table, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from app.admin.refusal import Refused
from app.storage.migrate import migrate, version_of, versions
from app.storage.tables import metadata

TABLES: Final = metadata.sorted_tables  # those that others refer to come first
# Their rows are numbered by the database, and no number may come twice.
NUMBERED: Final = [table for table in TABLES if table.autoincrement_column is not None]
BESIDE: Final = ("-journal", "-wal", "-shm")  # what SQLite keeps beside a file


@contextmanager
def written(file: Path, *, replace: bool) -> Iterator[Path]:
    """Yield a name beside `file`. At the end it is on the disk in the place of `file`, or gone.

    Raises:
        Refused: `file` is there already, unless it is to be replaced, or cannot be written.
    """
    if file.exists() and not replace:
        raise Refused(f"{file} is there already; name another file, or say --replace")
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        yield draft
        _settle(draft)
        draft.replace(file)
        _settle(file.parent)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}") from error
    finally:
        for name in ("", *BESIDE):
            with suppress(OSError):
                draft.with_name(draft.name + name).unlink(missing_ok=True)


def reader(file: Path) -> sqlite3.Connection:
    """Return a connection that cannot write. The service may write at the same time."""
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=5)


def bring_up_to_date(file: Path) -> None:
    """Give a file all tables, as this program has them."""
    engine = create_engine(URL.create("sqlite", database=str(file)), poolclass=NullPool)
    try:
        with engine.begin() as db:
            migrate(db)
    finally:
        engine.dispose()


def check(file: Path, how: str) -> None:
    """Look at a backup; `how` is the pragma: the quick check, or the whole one.

    Raises:
        Refused: it is none, damaged, or of a newer version of this program.
    """
    if not file.is_file():
        raise Refused(f"{file} is not there")
    try:
        with closing(reader(file)) as db:
            if db.execute(f"PRAGMA {how}(1)").fetchone() != ("ok",):
                raise Refused(f"{file} is damaged; take another backup")
            if (version := version_of(db)) is None:
                raise Refused(f"{file} is no backup of this service")
            if db.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise Refused(f"{file} is not of one moment; take another backup")
    except sqlite3.Error:
        raise Refused(f"{file} is no backup, or damaged") from None
    if version not in versions():
        raise Refused(f"a newer version wrote {file}; restore it with that one")


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    there = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    return {
        table.name: db.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0]  # noqa: S608 - names of ours
        for table in TABLES
        if table.name in there
    }


def last_number(db: sqlite3.Connection, table: Table) -> int:
    """Return the last number that was given to a row, 0 where there was none."""
    kept = db.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", (table.name,))
    used = db.execute(f'SELECT max(id) FROM "{table.name}"')  # noqa: S608 - as above
    return max(found or 0 for (found,) in (kept.fetchone(), used.fetchone()))


def count_from(db: sqlite3.Connection, table: Table, last: int) -> None:
    """Let the next row have a number after `last`, where SQLite remembers that."""
    if table.dialect_kwargs.get("sqlite_autoincrement") and last:
        db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, last))


def _settle(path: Path) -> None:
    """Wait until it is on the disk."""
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
