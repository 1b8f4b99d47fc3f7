"""The command line as a whole: what there is, and what each command says."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from app.admin.cli import cli
from app.settings import ELSEWHERE, names
from app.storage.tables import deliveries
from tests.admin.clinic import Clinic, clinic

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "env",
    "check-config",
    "doctor",
    "backup",
    "restore",
    "rotate-keys",
    "dead-letters",
    "redrive",
    "spend",
    "config-table",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [*names(), *ELSEWHERE]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


async def ran(*arguments: str) -> Result:
    """Run a command beside what runs in the loop of the test."""
    return await asyncio.to_thread(run, *arguments)


@pytest.fixture
async def well(tmp_path: Path) -> AsyncIterator[Clinic]:
    """A running service, whose settings are those of the folder."""
    async with clinic(tmp_path) as made:
        lines = "".join(f"{name}={value}\n" for name, value in made.env.items())
        env_file = tmp_path / ".env"
        env_file.touch(0o600)
        env_file.write_text(lines)
        yield made


def test_every_command_has_one_clear_line() -> None:
    told = run("--help")

    rows = re.findall(r"^  ([a-z-]+)  +(\S.*)$", told.output.split("Commands:")[1], re.MULTILINE)
    assert {name for name, _ in rows} == COMMANDS
    assert all(line.endswith(".") and not line.endswith("...") for _, line in rows), rows
    for name in COMMANDS:
        assert run(name, "--help").exit_code == 0


def test_check_config_names_every_reason_or_none(folder: Path) -> None:
    run("env")
    fine = run("check-config")
    with (folder / ".env").open("a") as env_file:
        env_file.write("API_PORT=many\nTELEGRAM_RATELIMIT=3\n")
    refused = run("check-config")

    assert (fine.exit_code, refused.exit_code) == (0, 78)
    assert "API_PORT: " in refused.output
    assert "TELEGRAM_RATELIMIT: no such setting" in refused.output


def test_the_table_of_settings_has_a_row_each() -> None:
    rows = run("config-table").output.splitlines()

    found = [re.match(r"\| `([A-Z_]+)` \| .* \| .+ \|$", row) for row in rows[2:]]
    assert [row[1] for row in found if row] == [*names(), *ELSEWHERE]
    assert "| `API_PORT` | `8001` | port to listen on |" in rows
    assert any(row.startswith("| `BOT_API_KEY` | needed |") for row in rows)


def test_backup_and_restore_say_what_is_missing() -> None:
    run("env")

    early, absent = run("backup", "first.db"), run("restore", "no.db")

    assert (early.exit_code, absent.exit_code) == (1, 1)
    assert "nothing was ever stored" in early.output
    assert "no.db is not there" in absent.output


async def test_a_backup_of_a_running_service_comes_back(well: Clinic, folder: Path) -> None:
    made = await ran("backup", "mine.db")
    refused = await ran("restore", "mine.db", "--replace")
    with (folder / ".env").open("a") as env_file:
        env_file.write(f"DATABASE_URL=sqlite:///{folder / 'new' / 'arash.db'}\n")
    restored = await ran("restore", "mine.db")

    assert (made.exit_code, refused.exit_code, restored.exit_code) == (0, 1, 0)
    assert f"{well.key_file}" in made.output
    assert "another service is running" in refused.output
    assert "are restored. Start the service." in restored.output


async def test_dead_letters_are_listed_and_sent_again(well: Clinic) -> None:
    await _dead_letter(well)

    listed = await ran("dead-letters")
    wrong = await ran("redrive", "999")
    driven = await ran("redrive", "--all")
    after = await ran("dead-letters")

    number, platform, chat, _, reason = listed.output.splitlines()[1].split("\t")
    assert (platform, chat, reason) == ("telegram", "1001", "blocked \N{REPLACEMENT CHARACTER}[31m")
    assert (wrong.exit_code, driven.exit_code) == (1, 0)
    assert driven.output == "1 on the way again.\n"
    assert int(number) > 0
    assert "no dead letters" in after.output


async def _dead_letter(well: Clinic) -> None:
    memory = well.service.parts.memory
    sealed = memory.sealer.seal(b"{}", "deliveries/telegram/1001")
    letter = {"platform": "telegram", "chat_id": "1001", "user_id": "1001", "state": "refused"}
    letter |= {"edits": "[]", "reason": "blocked \x1b[31m"}
    numbers = {"not_before": 0.0, "created_at": 1.79e9, "changed": 1}
    await memory.store.run(
        lambda db: db.execute(insert(deliveries).values(**letter, **numbers, reply=sealed))
    )


@pytest.mark.usefixtures("well")
async def test_spend_tells_the_money_of_today() -> None:
    told = await ran("spend")

    assert re.fullmatch(
        r"0\.\d{4} USD spent and 0\.0000 USD held of 10\.00 USD today, by UTC\.\n", told.output
    )


@pytest.mark.parametrize("command", [("dead-letters",), ("redrive", "--all"), ("spend",)])
def test_without_a_service_they_say_to_start_it(command: tuple[str, ...], folder: Path) -> None:
    run("env")
    with (folder / ".env").open("a") as env_file:
        env_file.write("API_PORT=9\n")

    told = run(*command)

    assert told.exit_code == 1
    assert "No service answers at http://127.0.0.1:9; start it first." in told.output


@pytest.mark.parametrize("command", [("redrive",), ("redrive", "1", "--all"), ("redrive", "0")])
def test_redrive_wants_one_or_all(command: tuple[str, ...]) -> None:
    assert run(*command).exit_code == 2


@pytest.mark.usefixtures("well")
async def test_another_key_is_refused_in_words(folder: Path) -> None:
    with (folder / ".env").open("a") as env_file:
        env_file.write("ADMIN_API_KEY=another-0123456789abcdefghijklmno\n")

    told = await ran("dead-letters")

    assert (told.exit_code, "does not take ADMIN_API_KEY" in told.output) == (1, True)


async def test_doctor_ends_with_one_where_something_is_broken(well: Clinic) -> None:
    fine = await ran("doctor", "--json")
    well.openrouter.keys.clear()
    broken = await ran("doctor")

    assert (fine.exit_code, broken.exit_code) == (0, 1), fine.output
    assert json.loads(fine.output)["healthy"] is True
    assert "✗ OpenRouter: the key is refused\n    → " in broken.output
    assert not any(secret in fine.output + broken.output for secret in well.secrets())


@pytest.mark.parametrize("name", ["doctor", "backup", "restore"])
def test_what_is_needed_in_a_hurry_has_a_name_of_its_own(name: str) -> None:
    command = [sys.executable, "-m", f"app.{name}", "--help"]

    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)

    assert f"python -m app {name}" in said.stdout
