"""Opening an SQLite database: one process, one file, nothing lost that was committed."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from app.storage.batches import Batches
from app.storage.migrate import migrate
from app.storage.store import StorageRefused

EVERYBODY = 0o007  # the rights of those who are neither the owner nor in the group
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a 2xx follows the fsync
    "foreign_keys=ON",
    "busy_timeout=5000",
    "secure_delete=FAST",
    "cache_size=-16000",  # 16 MB
)


@contextlib.contextmanager
def open_sqlite(url: URL) -> Iterator[Batches]:
    """Open the file that `url` names, made and migrated where needed.

    Raises:
        StorageRefused: it is no file, another process has it, others may read its folder, or it
            is damaged.
        NewerDatabase: a newer program wrote it.
    """
    # A query could turn the name into a URI, and that into memory.
    if not url.database or url.database == ":memory:" or url.query:
        raise StorageRefused("DATABASE_URL must name a file, such as sqlite:///data/arash.db")
    file = Path(url.database)
    with alone(file):
        engine = _engine(url, file)
        try:
            _check(engine, file)
            store = Batches(engine)
        except BaseException:
            engine.dispose()
            raise
        try:
            yield store
        finally:
            store.close()


def _check(engine: Engine, file: Path) -> None:
    try:
        with engine.connect() as db:
            verdict = db.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if verdict == "ok":
            with engine.begin() as db:
                migrate(db)
            return
    except DatabaseError as error:
        raise StorageRefused(f"{file} cannot be used: {error.orig}") from error
    raise StorageRefused(f"{file} is damaged; restore it from a backup")


def check_rights(folder: Path) -> None:
    """Look at who may read a folder.

    Raises:
        StorageRefused: everybody.
    """
    if os.name == "posix" and folder.stat().st_mode & EVERYBODY:
        raise StorageRefused(f"others may read the folder {folder}; `chmod o= {folder}`")


@contextlib.contextmanager
def alone(file: Path) -> Iterator[None]:
    """Hold the folder for this process: two of them would each think the other had crashed.

    Raises:
        StorageRefused: another process holds it, others may read it, or it cannot be held.
    """
    folder = file.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_rights(folder)
        handle = os.open(folder / f"{file.name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageRefused(f"the folder {folder} cannot be written") from error
    try:
        _lock(handle, file)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, file: Path) -> None:
    # The system lets go of the lock when the process ends, however it ends: a restart after
    # kill -9 works at once.
    if os.name != "posix":
        return
    import fcntl  # noqa: PLC0415 - not there on Windows

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fsync(handle)
    except BlockingIOError as error:
        raise StorageRefused(f"another service is running on {file}; stop it first") from error
    except OSError as error:
        raise StorageRefused(
            f"the folder {file.parent} is on a disk that cannot lock or keep files; "
            "put it on a local one"
        ) from error


def _engine(url: URL, file: Path) -> Engine:
    if not file.exists():
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(
        url,
        poolclass=StaticPool,
        hide_parameters=True,  # the text of an error is no place for what people wrote
        connect_args={
            "check_same_thread": False,
            "isolation_level": None,
            "cached_statements": 256,
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(db: Any) -> None:
        # The driver would begin by itself only before a write, and then not for a savepoint.
        db.connection.cursor().execute("BEGIN IMMEDIATE")

    return engine
