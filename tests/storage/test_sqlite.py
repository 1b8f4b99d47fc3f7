import os
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.storage.batches import Batches
from app.storage.migrate import NewerDatabase
from app.storage.sqlite import open_sqlite
from app.storage.store import StorageRefused
from tests.storage.test_durability import ROOT, WRITER
from tests.storage.words import write, written

PAGE = 4096


def opened(file: Path) -> None:
    with open_sqlite(make_url(f"sqlite:///{file}")):
        pass


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL
        ("foreign_keys", 1),
        ("busy_timeout", 5000),
        ("secure_delete", 2),  # FAST
        ("cache_size", -16000),
    ],
)
async def test_the_connection_is_set_as_promised(
    batches: Batches, setting: str, value: object
) -> None:
    found = await batches.run(lambda db: db.exec_driver_sql(f"PRAGMA {setting}").scalar_one())

    assert found == value


async def test_what_was_kept_is_there_after_a_restart(sqlite_file: Path) -> None:
    url = make_url(f"sqlite:///{sqlite_file}")
    with open_sqlite(url) as store:
        await store.run(write("one"))

    with open_sqlite(url) as store:
        assert await store.run(written) == ["one"]


async def test_every_file_is_for_the_owner_alone(sqlite_file: Path) -> None:
    before = os.umask(0)
    try:
        with open_sqlite(make_url(f"sqlite:///{sqlite_file}")) as store:
            await store.run(write("one"))

            found = {file.name: mode(file) for file in sqlite_file.parent.iterdir()}
    finally:
        os.umask(before)

    assert set(found) == {"arash.db", "arash.db-wal", "arash.db-shm", "arash.db.lock"}
    assert set(found.values()) == {0o600}
    assert mode(sqlite_file.parent) == 0o700


def test_a_second_process_is_refused_until_the_first_ends(sqlite_file: Path) -> None:
    with subprocess.Popen([*WRITER, str(sqlite_file)], stdout=subprocess.PIPE, cwd=ROOT) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"open\n"

        with pytest.raises(StorageRefused, match="another service is running"):
            opened(sqlite_file)
        first.kill()

    opened(sqlite_file)


def test_a_refused_process_does_not_take_the_lock_along(sqlite_file: Path) -> None:
    with open_sqlite(make_url(f"sqlite:///{sqlite_file}")):
        with pytest.raises(StorageRefused):
            opened(sqlite_file)
        with pytest.raises(StorageRefused):
            opened(sqlite_file)

    opened(sqlite_file)


def test_a_folder_that_others_may_read_is_refused_and_left_as_it_is(sqlite_file: Path) -> None:
    sqlite_file.parent.mkdir()
    sqlite_file.parent.chmod(0o755)

    with pytest.raises(StorageRefused, match="others may read the folder"):
        opened(sqlite_file)

    assert list(sqlite_file.parent.iterdir()) == []


def test_a_folder_for_the_group_is_fine(sqlite_file: Path) -> None:
    sqlite_file.parent.mkdir()
    sqlite_file.parent.chmod(0o750)

    opened(sqlite_file)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageRefused, match="cannot be written"):
        opened(tmp_path / "file" / "arash.db")


def test_a_folder_in_the_place_of_the_file_is_refused(sqlite_file: Path) -> None:
    sqlite_file.mkdir(parents=True)
    sqlite_file.parent.chmod(0o700)

    with pytest.raises(StorageRefused, match="cannot be used"):
        opened(sqlite_file)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(sqlite_file: Path) -> None:
    sqlite_file.parent.mkdir(mode=0o700)
    sqlite_file.write_bytes(b"no database\n" * PAGE)

    with pytest.raises(StorageRefused, match="cannot be used: file is not a database"):
        opened(sqlite_file)

    assert sqlite_file.read_bytes() == b"no database\n" * PAGE


@pytest.mark.parametrize("first_page", range(1, 12, 2))
def test_a_damaged_file_is_refused(sqlite_file: Path, first_page: int) -> None:
    opened(sqlite_file)
    with sqlite_file.open("r+b") as file:
        file.seek(first_page * PAGE)
        file.write(b"\x55" * PAGE * 4)

    with pytest.raises(StorageRefused, match=r"cannot be used|is damaged"):
        opened(sqlite_file)


async def test_a_newer_database_is_refused_and_left_as_it_is(sqlite_file: Path) -> None:
    url = make_url(f"sqlite:///{sqlite_file}")
    with open_sqlite(url) as store:
        await store.run(
            lambda db: db.exec_driver_sql("UPDATE alembic_version SET version_num='9999'")
        )

    with pytest.raises(NewerDatabase, match="a newer version wrote this database"):
        opened(sqlite_file)

    connection = sqlite3.connect(sqlite_file)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    connection.close()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file:arash?mode=memory&uri=true",
    ],
)
def test_a_database_in_memory_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(StorageRefused, match="must name a file"), open_sqlite(make_url(url)):
        pass

    assert list(tmp_path.iterdir()) == []
