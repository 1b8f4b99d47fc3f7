"""The scripts for systemd: read by shellcheck, and run where they cannot start anything."""

import shlex
import stat
import sys
from pathlib import Path

import pytest

from app.settings import names
from tests.deploy.tools import DEPLOY, ROOT, changed, needs, run

SCRIPTS = [DEPLOY / "systemd" / "install.sh", DEPLOY / "systemd" / "arash", ROOT / ".ci" / "run"]
INSTALL = DEPLOY / "systemd" / "install.sh"


@needs("shellcheck")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.name))
def test_shellcheck_finds_nothing(script: Path) -> None:
    done = run("shellcheck", script)

    assert (done.stdout, done.returncode) == ("", 0)


@needs("shellcheck")
def test_shellcheck_catches(tmp_path: Path) -> None:
    broken = tmp_path / "install.sh"
    broken.write_text(changed(INSTALL.read_text(), ('rm -r "$made"', "rm -r $made")))

    assert run("shellcheck", broken).returncode


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the program in it, whose virtual environment is that of the tests."""
    folder = tmp_path_factory.mktemp("root")
    venv = folder / "opt" / "arash-panoptes" / ".venv"
    (venv / "bin").mkdir(parents=True)
    python = venv / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    (venv / "installed.txt").write_text((ROOT / "requirements.txt").read_text())
    done = run(INSTALL, DESTDIR=str(folder))
    assert (done.stdout, done.returncode) == ("", 0)
    return folder


def test_an_installation_has_every_secret_in_a_file_of_its_own(installed: Path) -> None:
    folder = installed / "etc" / "arash-panoptes"
    keys = {file.name: file.read_text().strip() for file in (folder / "credentials").iterdir()}
    settings = (folder / "arash.env").read_text()
    modes = [stat.S_IMODE(file.stat().st_mode) for file in (folder / "credentials").iterdir()]

    assert {"INTERNAL_API_KEY", "BOT_API_KEY", "ADMIN_API_KEY", "encryption.key"} <= set(keys)
    assert set(modes) == {0o600}
    assert stat.S_IMODE((folder / "credentials").stat().st_mode) == 0o700
    assert all(len(key) >= 32 and key not in settings for key in keys.values())
    assert not [it for it in settings.splitlines() if it.startswith(("BOT_API_KEY", "DATABASE_"))]
    assert "\nENVIRONMENT=production\n" in settings
    written = [it.partition("=")[0] for it in settings.splitlines() if it[:1].isupper()]
    assert set(written) & set(names())


def test_installing_again_leaves_settings_and_secrets_alone(installed: Path) -> None:
    folder = installed / "etc" / "arash-panoptes"
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    done = run(INSTALL, DESTDIR=str(installed))

    assert (done.stdout, done.returncode) == ("", 0)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_only_the_program_is_installed(installed: Path) -> None:
    program = installed / "opt" / "arash-panoptes"
    wanted = {
        "run_service.py",
        "run_telegram_bot.py",
        "requirements.txt",
        "app",
        "wire",
        "telegram",
    }

    assert wanted <= {path.name for path in program.iterdir()}
    assert not {".git", ".env", "secrets", "data"} & {path.name for path in program.iterdir()}
