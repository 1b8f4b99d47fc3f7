import asyncio
from pathlib import Path

import pytest
from sqlalchemy.engine import URL, make_url
from typer.testing import CliRunner, Result

from app.admin.cli import cli
from app.sessions import connections
from app.sessions.connections import Person
from app.settings import ELSEWHERE, names
from app.storage.opening import open_store
from app.storage.sealed import Sealer, read_keys
from app.storage.sqlite import open_sqlite

MINA = Person("telegram", "1")
KEY_FILE = Path("secrets/encryption.key")
DATABASE = "sqlite:///data/arash.db"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [*names(), *ELSEWHERE]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, ["env"]).exit_code == 0
    return tmp_path


def way(keys: tuple[bytes, ...]) -> bytes | None:
    with open_sqlite(make_url(DATABASE)) as store:
        found = asyncio.run(store.run(lambda db: connections.way(db, Sealer(keys), MINA)))
    return found.credentials if found else None


def sign_in() -> None:
    sealer = Sealer(read_keys(KEY_FILE))
    with open_sqlite(make_url(DATABASE)) as store:
        asyncio.run(store.run(lambda db: connections.keep(db, sealer, MINA, b"mine", 1.0)))


def test_sign_ins_open_with_the_new_key_alone() -> None:
    sign_in()
    (old,) = read_keys(KEY_FILE)

    done = CliRunner().invoke(cli, ["rotate-keys"])

    assert (done.exit_code, "1 Plume sign-ins" in done.output) == (0, True)
    new, *others = read_keys(KEY_FILE)
    assert others == [old]
    assert new != old
    assert way((new,)) == b"mine"
    assert KEY_FILE.stat().st_mode & 0o777 == 0o600


def test_while_the_service_runs_nothing_is_changed() -> None:
    sign_in()
    before = KEY_FILE.read_text()

    with open_sqlite(make_url(DATABASE)):
        refused = CliRunner().invoke(cli, ["rotate-keys"])

    assert refused.exit_code == 1
    assert "Nothing was changed: another service is running" in refused.output
    assert KEY_FILE.read_text() == before


def test_without_settings_it_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / ".env").unlink()

    refused = CliRunner().invoke(cli, ["rotate-keys"])

    assert refused.exit_code == 1
    assert "INTERNAL_API_KEY: is not set" in refused.output


def test_while_services_run_on_postgresql_nothing_is_changed(
    postgres_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.admin.postgres.LOOKS", 2)
    database = postgres_url.render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", database)
    before = KEY_FILE.read_text()

    async def beside_a_service() -> Result:
        async with open_store(database):
            return await asyncio.to_thread(CliRunner().invoke, cli, ["rotate-keys"])

    refused = asyncio.run(beside_a_service())
    alone = CliRunner().invoke(cli, ["rotate-keys"])

    assert (refused.exit_code, alone.exit_code) == (1, 0)
    assert "Nothing was changed: a service is running on this database" in refused.output
    assert KEY_FILE.read_text().endswith(before)
