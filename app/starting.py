"""Whether the service can start here: every reason against it, at once.

What the settings say is looked at in `app.settings`; this adds the machine: who runs it, the key
file, the folder of the database, the port. Nothing is changed by looking, but for the lock file.
"""

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from app.contradictions import SECRETS, Known, is_loopback
from app.settings import Settings, SettingsRefused, read_settings
from app.storage.migrate import version_of, versions
from app.storage.sealed import KeyRefused, read_keys
from app.storage.sqlite import EVERYBODY, alone, check_rights
from app.storage.store import StorageRefused

ROOT = 0
BACKLOG = 2048  # connections that wait to be accepted


class CannotListen(Exception):
    """Nobody could reach the service. The text says where it was to listen, and why not."""


def read(
    env_file: Path | None = Path(".env"),
    *,
    to_start: bool,
    user: int | None = None,
    **given: Any,
) -> Settings:
    """Return settings with which the service can start.

    Not `to_start`, it is no matter that a service is running already: then its port and its
    database are in use as they should be. `user` is for tests.

    Raises:
        SettingsRefused: with every reason, one line each.
    """
    reasons: list[str] = []
    settings: Settings | None = None
    try:
        settings = read_settings(env_file, **given)
        known: Known = settings.by_name()
    except SettingsRefused as refused:
        reasons, known = refused.reasons, refused.known
    reasons += _machine(known, _user() if user is None else user)
    if to_start:
        reasons += _in_use(known)
    # This takes as long as the database is large, and opening it does the same.
    if reasons or not to_start:
        reasons += _database(known)
    if reasons or settings is None:
        raise SettingsRefused(list(dict.fromkeys(reasons)), known) from None
    return settings


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that has its address, and does not listen yet.

    Raises:
        CannotListen: the port is taken or not allowed, or the address is not of this machine.
    """
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if os.name == "posix":  # elsewhere it would let two listen to the same port
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise _cannot_listen(host, port, error) from error
    return door


def listen(door: socket.socket) -> None:
    """Let a bound socket take connections.

    Raises:
        CannotListen: somebody else took the port in the meantime.
    """
    try:
        door.listen(BACKLOG)
    except OSError as error:
        host, port, *_ = door.getsockname()
        raise _cannot_listen(host, port, error) from error


def warnings(settings: Settings) -> Iterator[str]:
    """Yield what does not keep the service from starting, and still had better be changed."""
    known = settings.by_name()
    if os.environ.get("CREDENTIALS_DIRECTORY"):
        for name in SECRETS:
            if os.environ.get(name.upper()):
                yield f"{name.upper()}: is in the environment, though secrets come as files"
    if not settings.service.production:
        return
    if settings.service.docs:
        yield "ENABLE_API_DOCS: whoever reaches the service can read how it is called"
    if (redis := known["redis_url"]) is not None:
        url = make_url(redis.get_secret_value())
        if url.drivername == "redis" and not is_loopback(url.host or "localhost"):
            yield "REDIS_URL: its password goes over the network as it is; rediss:// would not"


def _machine(known: Known, user: int) -> Iterator[str]:
    if user == ROOT and known.get("environment") == "production" and not known.get("allow_root"):
        yield (
            "ALLOW_ROOT: the service runs as root; run it as a user of its own, or set "
            "ALLOW_ROOT=true where a container maps root to somebody else"
        )
    key_file, database = known.get("encryption_key_file"), _file(known)
    if key_file is not None:
        yield from _key_file(key_file, database)
    if database is not None:
        yield from _folder(database, user)
    if (log := known.get("log_file")) is not None and not _writable(log):
        yield "LOG_FILE: cannot be written by this user; empty, no file is written"


def _key_file(file: Path, database: Path | None) -> Iterator[str]:
    try:
        read_keys(file)
    except KeyRefused as refused:
        yield str(refused)
    if database is not None and file.resolve().is_relative_to(database.parent.resolve()):
        yield (
            "ENCRYPTION_KEY_FILE: lies in the folder of the database, whose copy would hold both; "
            "move it elsewhere"
        )


def _folder(database: Path, user: int) -> Iterator[str]:
    folder = database.parent
    if os.name != "posix":
        return
    try:
        if not folder.exists():
            return  # it will be made
        check_rights(folder)
        if folder.stat().st_uid not in {user, ROOT}:
            yield f"the folder {folder} belongs to another user; `chown` it"
        if database.exists() and database.stat().st_mode & EVERYBODY:
            yield f"others may read {database}; `chmod o= {database}`"
    except StorageRefused as refused:
        yield str(refused)
    except OSError as error:
        yield f"the folder {folder} cannot be looked at: {error.strerror}"


def _in_use(known: Known) -> Iterator[str]:
    if (host := known.get("api_host")) and (port := known.get("api_port")) is not None:
        try:
            bound(host, port).close()
        except CannotListen as refused:
            yield str(refused)
    if (database := _file(known)) is not None:
        try:
            with alone(database):
                pass
        except StorageRefused as refused:
            yield str(refused)


def _database(known: Known) -> Iterator[str]:
    """Look into a database without opening it for good."""
    file = _file(known)
    if file is None:
        return
    try:
        if not file.is_file() or not file.stat().st_size:
            return
        name = f"{file.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(name, uri=True, timeout=1)) as db:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                yield f"{file} is damaged; restore it from a backup"
            elif version_of(db) not in {None, *versions()}:
                yield "a newer version wrote this database; run that one"
    except sqlite3.Error as error:
        yield f"{file} cannot be used: {error}"
    except OSError:
        return  # said of its folder


def _file(known: Known) -> Path | None:
    """Return the file of an SQLite database; None where it is another, or refused."""
    given = known.get("database_url")
    if given is None:
        return None
    url = make_url(given.get_secret_value())
    if url.get_backend_name() != "sqlite" or url.query or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


def _writable(file: Path) -> bool:
    if file.exists():
        return file.is_file() and os.access(file, os.W_OK)
    there = next((folder for folder in file.parents if folder.exists()), Path())
    return there.is_dir() and os.access(there, os.W_OK)


def _user() -> int:
    return os.geteuid() if os.name == "posix" else -1


def _cannot_listen(host: str, port: int, error: OSError) -> CannotListen:
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else "unknown host"
    return CannotListen(f"{host}:{port} cannot be listened on: {reason}")
