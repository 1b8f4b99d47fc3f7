"""Backups of both kinds of database, restored into both."""

import secrets
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, LargeBinary, Table, delete, insert, select
from sqlalchemy.engine import URL
from sqlalchemy.types import Float, Integer

from app.admin import copies
from app.admin import postgres as admin_postgres
from app.admin.backup import backup
from app.admin.copies import TABLES
from app.admin.refusal import Refused
from app.admin.restore import restore
from app.storage.migrate import NewerDatabase, version_of, versions
from app.storage.opening import open_store
from app.storage.sealed import Sealer
from app.storage.store import StorageRefused, Store
from app.storage.tables import audits, exchanges, sessions, turns
from tests import postgres

KINDS = ["sqlite", "postgresql"]
ROWS = 3
CROSSED = pytest.mark.parametrize(
    ("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite")], indirect=True
)


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, migrated."""
    yield from _database(request.param, request, tmp_path / "source")


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'target' / 'arash.db'}"
        return
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.database() as url:
        yield _text(url)


def _database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'arash.db'}"
    else:
        yield _text(request.getfixturevalue("postgres_url"))


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _names_in(folder: Path) -> list[str]:
    """Return the files of a folder, hidden ones too, without the lock."""
    found = folder.iterdir() if folder.is_dir() else ()
    return [path.name for path in found if path.is_file() and path.suffix != ".lock"]


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    async with open_store(url) as store:
        yield store


def fill(db: Connection, *chosen: Table) -> None:
    """Put rows into every table, or some, with values at the edges of their types."""
    for table in chosen or TABLES:
        for number in range(1, ROWS + 1):
            db.execute(insert(table).values({c.name: _value(c, number) for c in table.c}))


def _value(column: Any, number: int) -> Any:
    if column.foreign_keys or (column.name == "id" and isinstance(column.type, Integer)):
        return number
    if isinstance(column.type, LargeBinary):
        return bytes(range(256)) * 8 + bytes([number])
    if isinstance(column.type, Float):
        return 0.1 + number
    if isinstance(column.type, Integer):
        return 2**31 - number
    if column.nullable and number == 1:
        return None
    most = getattr(column.type, "length", None) or 64
    return f"{number} \N{GRINNING FACE} ' \" \\ \n سلام"[:most]


def everything(db: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table.name: [tuple(row) for row in db.execute(select(table).order_by(*table.primary_key))]
        for table in TABLES
    }


def new_numbers(db: Connection) -> list[int]:
    """Add a row to each of two tables; return the numbers that they got."""
    named = {"public_id": secrets.token_hex(8), "chat_id": secrets.token_hex(8)}
    found = []
    for table in (sessions, audits):
        values = {c.name: named.get(c.name, _value(c, 9)) for c in table.c if c.name != "id"}
        found.append(db.execute(insert(table).values(values).returning(table.c.id)).scalar_one())
    return found


async def test_all_rows_come_back_in_either_database(
    source: str, target: str, sealer: Sealer, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    async with opened(source) as store:
        await store.run(fill)
        before = await store.run(everything)
        # With the service at work: neither its lock nor its connections are in the way.
        rows = await backup(source, file)

    done, _ = await restore(file, target, sealer)

    async with opened(target) as store:
        after = await store.run(everything)
    assert done == rows == dict.fromkeys(before, ROWS)
    assert after == before


async def test_it_is_of_one_moment(
    postgres_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed while the tables are read, one after the other, is in none of them."""
    read = admin_postgres.rows

    async def slowly(db: admin_postgres.Connection, table: Table) -> AsyncIterator[Any]:
        async for rows in read(db, table):
            yield rows
        if table is sessions:
            async with open_store(_text(postgres_url)) as store:
                await store.run(lambda db: fill(db, sessions, exchanges))

    monkeypatch.setattr(admin_postgres, "rows", slowly)

    rows = await backup(_text(postgres_url), tmp_path / "backup.db")

    assert (rows["sessions"], rows["exchanges"]) == (0, 0)


@CROSSED
async def test_no_number_comes_twice(
    source: str, target: str, sealer: Sealer, tmp_path: Path
) -> None:
    async with opened(source) as store:
        await store.run(new_numbers)
        last = await store.run(new_numbers)
        # The backup does not see this one, but somebody may remember its number.
        await store.run(lambda db: db.execute(delete(sessions).where(sessions.c.id == last[0])))
        await backup(source, tmp_path / "backup.db")

    await restore(tmp_path / "backup.db", target, sealer)

    async with opened(target) as store:
        found = await store.run(new_numbers)
    assert found == [number + 1 for number in last]


@CROSSED
async def test_open_turns_are_free_and_their_attempt_does_not_count(
    source: str, target: str, sealer: Sealer, tmp_path: Path
) -> None:
    async with opened(source) as store:
        await store.run(lambda db: db.execute(insert(turns), [_open("working"), _open("waiting")]))
        await backup(source, tmp_path / "backup.db")

    await restore(tmp_path / "backup.db", target, sealer)

    async with opened(target) as store:
        columns = select(turns.c.state, turns.c.owner, turns.c.lease_until, turns.c.attempts)
        rows = await store.run(lambda db: db.execute(columns.order_by(turns.c.id)).all())
    assert [tuple(row) for row in rows] == [("working", "", 0.0, 1), ("waiting", "", 0.0, 2)]


def _open(state: str) -> dict[str, Any]:
    values = {column.name: _value(column, 2) for column in turns.c if column.name != "id"}
    held = {"state": state, "message_id": state, "owner": "me", "lease_until": 9e9, "attempts": 2}
    return values | held


@CROSSED
async def test_what_is_there_is_only_replaced_where_that_is_said(
    source: str, target: str, sealer: Sealer, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    async with opened(source):
        await backup(source, file)
    async with opened(target) as store:
        await store.run(fill)

    with pytest.raises(Refused, match="holds something already"):
        await restore(file, target, sealer)
    async with opened(target) as store:
        kept = await store.run(everything)
    await restore(file, target, sealer, replace=True)

    assert {len(rows) for rows in kept.values()} == {ROWS}
    async with opened(target) as store:
        assert not any((await store.run(everything)).values())


@CROSSED
async def test_nothing_is_restored_below_a_running_service(
    source: str, target: str, sealer: Sealer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.admin.postgres.LOOKS", 2)
    file = tmp_path / "backup.db"
    async with opened(source):
        await backup(source, file)

    async with opened(target) as store:
        with pytest.raises((Refused, StorageRefused), match="service is running"):
            await restore(file, target, sealer, replace=True)
        await store.run(fill)  # which goes on


async def test_a_backup_is_private_whole_and_never_written_over(
    source: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    async with opened(source) as store:
        await store.run(fill)
        await backup(source, file)
        with pytest.raises(Refused, match="is there already"):
            await backup(source, file)
        await backup(source, file, replace=True)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert _names_in(tmp_path) == ["backup.db"]
    copies.check(file, "integrity_check")


@CROSSED
async def test_the_key_is_asked_whether_it_opens_what_comes_back(
    source: str, target: str, sealer: Sealer, tmp_path: Path
) -> None:
    async with opened(source) as store:
        await store.run(
            lambda db: db.execute(insert(turns), [_open("done") | {"reply": b"x" * 60}])
        )
        await backup(source, tmp_path / "backup.db")

    _, readable = await restore(tmp_path / "backup.db", target, sealer)

    assert not readable


@pytest.fixture
async def made(tmp_path: Path) -> Path:
    """A backup with rows in it."""
    url, file = f"sqlite:///{tmp_path / 'made' / 'arash.db'}", tmp_path / "backup.db"
    async with opened(url) as store:
        await store.run(fill)
        await backup(url, file)
    return file


@pytest.fixture
def fresh(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'fresh' / 'arash.db'}"


async def test_a_newer_backup_is_refused(made: Path, fresh: str, sealer: Sealer) -> None:
    _change(made, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Refused, match="a newer version wrote"):
        await restore(made, fresh, sealer)


async def test_an_older_backup_is_brought_up_to_date(
    made: Path, fresh: str, sealer: Sealer
) -> None:
    """As 0003 left it: without what 0004 and later added."""
    for table in ("webhooks", "alerts", "reservations", "spends"):
        _change(made, f"DROP TABLE {table}")
    for table in ("turns", "deliveries"):
        _change(made, f"ALTER TABLE {table} DROP COLUMN request_id")
    _change(made, "UPDATE alembic_version SET version_num = '0003'")

    rows, _ = await restore(made, fresh, sealer)

    assert (rows["turns"], rows["webhooks"]) == (ROWS, 0)
    with closing(copies.reader(_file(fresh))) as db:
        assert version_of(db) == max(versions())


def _damage(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(8192)
        opened.write(b"\xff" * 8192)


def _shorten(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def _write_words(file: Path) -> None:
    file.write_text("This is no database. " * 100)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _another(file: Path) -> None:
    file.unlink()
    _change(file, "CREATE TABLE something (id INTEGER)")


@pytest.mark.parametrize("spoil", [_damage, _shorten, _write_words, _empty, _another, Path.unlink])
async def test_what_is_no_whole_backup_is_refused(
    made: Path, fresh: str, sealer: Sealer, spoil: Any
) -> None:
    spoil(made)

    with pytest.raises(Refused):
        await restore(made, fresh, sealer, replace=True)

    assert _names_in(_file(fresh).parent) == []


async def test_a_damaged_database_is_replaced_where_that_is_said(
    made: Path, fresh: str, sealer: Sealer
) -> None:
    await restore(made, fresh, sealer)
    _write_words(_file(fresh))

    with pytest.raises(Refused, match="is damaged; say --replace"):
        await restore(made, fresh, sealer)
    await restore(made, fresh, sealer, replace=True)

    async with opened(fresh) as store:
        assert len((await store.run(everything))["turns"]) == ROWS


async def test_what_the_old_database_left_beside_it_does_not_get_into_the_new_one(
    made: Path, fresh: str, sealer: Sealer
) -> None:
    """After kill -9 the last commits of the old one still stand in its log; it is damaged, too."""
    target = _file(fresh)
    await restore(made, fresh, sealer)
    with closing(sqlite3.connect(target)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA wal_autocheckpoint=0")
        db.execute("DELETE FROM turns")
        db.commit()
        log = target.with_name(f"{target.name}-wal").read_bytes()
    target.with_name(f"{target.name}-wal").write_bytes(log)
    _write_words(target)

    await restore(made, fresh, sealer, replace=True)

    async with opened(fresh) as store:
        assert len((await store.run(everything))["turns"]) == ROWS


async def test_a_newer_postgresql_is_left_alone(made: Path, sealer: Sealer) -> None:
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.migrated() as url:
        postgres.apart(postgres._execute("UPDATE alembic_version SET version_num = '9999'", url))

        with pytest.raises(NewerDatabase):
            await restore(made, _text(url), sealer)
        with pytest.raises(Refused, match="of version 9999"):
            await backup(_text(url), made.with_name("other.db"))


async def test_rows_that_do_not_fit_leave_postgresql_as_it_was(made: Path, sealer: Sealer) -> None:
    if reason := postgres.missing():
        pytest.skip(reason)
    _change(made, "UPDATE webhooks SET platform = 'a name that is much too long for its column'")
    with postgres.database() as url:
        with pytest.raises(Refused, match="rows of webhooks do not fit"):
            await restore(made, _text(url), sealer)

        async with opened(_text(url)) as store:
            assert not any((await store.run(everything)).values())


def _change(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute(statement)
