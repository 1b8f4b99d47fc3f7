import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.admin.cli import cli
from app.settings import ELSEWHERE, names, read_settings
from app.storage.sealed import read_keys

ROOT = Path(__file__).resolve().parents[2]
KEYS = ("INTERNAL_API_KEY", "BOT_API_KEY", "ADMIN_API_KEY")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [*names(), *ELSEWHERE]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["env", *arguments])


def test_what_it_writes_starts_and_seals() -> None:
    assert run().exit_code == 0

    found = read_settings()

    assert len(read_keys(found.keys.encryption_key_file)) == 1
    assert sorted(found.keys.secrets()) == sorted(KEYS)
    assert len(set(found.secrets())) == 3
    assert str(found.keys.encryption_key_file) == "secrets/encryption.key"


def test_it_works_as_a_program_of_its_own(folder: Path) -> None:
    command = [sys.executable, "-m", "app", "env", "--folder", str(folder)]

    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    assert (folder / ".env").is_file()


def test_another_folder_works_from_wherever_the_service_starts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("--folder", "elsewhere").exit_code == 0

    for start in (folder, folder / "elsewhere"):
        monkeypatch.chdir(start)
        assert read_settings(folder / "elsewhere" / ".env").keys.encryption_key_file.is_file()


def test_only_the_owner_may_read_what_it_writes(folder: Path) -> None:
    run()

    files = [folder / ".env", folder / "secrets" / "encryption.key"]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700


def test_every_key_is_fresh_and_none_is_shown(folder: Path) -> None:
    shown = run().output
    first = read_settings().secrets()
    run("--folder", "other")
    second = read_settings(folder / "other" / ".env").secrets()

    assert not set(first) & set(second)
    assert not any(secret in shown for secret in first)
    # No hexadecimal key can hold a placeholder by chance.
    assert all(re.fullmatch(r"[0-9a-f]{64}", key) for key in first)


@pytest.mark.parametrize("present", [".env", "secrets/encryption.key"])
def test_it_never_writes_over_what_is_there(folder: Path, present: str) -> None:
    (folder / "secrets").mkdir()
    (folder / present).write_text("mine")

    refused = run()

    assert refused.exit_code == 1
    assert f"{present} is there already and was left alone." in refused.output
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [(file.relative_to(folder).as_posix(), file.read_text()) for file in files] == [
        (present, "mine")
    ]
