"""Databases of the tests on a PostgreSQL server that is there, and servers of their own to kill.

`TEST_DATABASE_URL` names the server; unset, it is the one on this machine's usual port.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.storage.postgres import open_postgres
from app.storage.tables import metadata
from simulator.ports import free_port

SERVER = make_url(os.environ.get("TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/test"))
NUMBERED = [
    table.name
    for table in metadata.sorted_tables
    if "id" in table.c and table.name != "reservations"
]


def apart(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own: the test may be within a loop already."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()


@cache
def missing() -> str:
    """Return why there is no server, nothing where there is one."""
    try:
        apart(_execute("SELECT 1"))
    except (OSError, asyncpg.PostgresError) as error:
        return f"no PostgreSQL at {SERVER.host}:{SERVER.port} ({type(error).__name__})"
    return ""


@contextmanager
def database(*, durable: bool = False) -> Iterator[URL]:
    """Make an empty database and drop it at the end."""
    name = f"arash_test_{secrets.token_hex(6)}"
    apart(_execute(f"CREATE DATABASE {name}"))
    try:
        if not durable:  # whether a commit is on the disk is not what most tests are about
            apart(_execute(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        yield SERVER.set(database=name)
    finally:
        apart(_execute(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def migrated() -> Iterator[URL]:
    with database() as url:
        apart(_opened(url))
        yield url


def engine(url: URL) -> Engine:
    """Return an engine that works within `app`'s driver, so within a greenlet."""
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"), poolclass=NullPool
    ).sync_engine


async def empty(url: URL) -> None:
    """Take everything out of a database."""
    names = ", ".join(table.name for table in metadata.sorted_tables)
    await _execute(f"TRUNCATE {names} RESTART IDENTITY", url)


def count_from_one(db: Connection) -> None:
    for name in NUMBERED:
        db.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), 1, false)"))


@asynccontextmanager
async def connected(url: URL = SERVER) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(
        host=url.host,
        port=url.port,
        user=url.username,
        password=url.password,
        database=url.database,
    )
    try:
        yield connection
    finally:
        await connection.close()


async def _execute(statement: str, url: URL = SERVER) -> None:
    async with connected(url) as connection:
        await connection.execute(statement)


async def _opened(url: URL) -> None:
    async with open_postgres(url):
        pass


@contextmanager
def server() -> Iterator["Server"]:
    """Start a server of a test's own, and end it."""
    # Not in the folder of pytest: that is closed to the user `postgres`.
    with tempfile.TemporaryDirectory(prefix="arash-postgres-") as folder:
        own = Server(Path(folder))
        own.start()
        try:
            yield own
        finally:
            own.stop("immediate")


class Server:
    """A server of a test's own, as the user `postgres` where the tests run as root."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not found:
            pytest.skip("PostgreSQL is not installed")
        self._bin, self._folder = found[-1], folder / "postgres"
        self.url = make_url(f"postgresql://postgres@127.0.0.1:{free_port()}/postgres")
        self._folder.mkdir(mode=0o700)
        if os.getuid() == 0:
            shutil.chown(self._folder, "postgres")
            folder.chmod(0o755)
        self._run("initdb", "-D", self._folder, "-U", "postgres", "-A", "trust", "-N")

    def start(self) -> None:
        port = f"-p {self.url.port} -k {self._folder} -c listen_addresses=127.0.0.1"
        self._run(
            "pg_ctl", "-D", self._folder, "-w", "-l", self._folder / "log", "-o", port, "start"
        )

    def stop(self, mode: str = "fast") -> None:
        """`immediate` is what a crash is: no checkpoint, connections cut."""
        self._run("pg_ctl", "-D", self._folder, "-m", mode, "-w", "stop")

    def signal(self, number: int) -> None:
        """Send a signal to every process of the server: to freeze it, say."""
        main = int((self._folder / "postmaster.pid").read_text().split()[0])
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(main)], capture_output=True, text=True, check=False
        )
        for pid in (*map(int, listed.stdout.split()), main):
            os.kill(pid, number)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._bin / program), *map(str, arguments)]
        who = "postgres" if os.getuid() == 0 else None
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            timeout=60,
            user=who,
            group=who,
        )
