"""deploy/systemd: units that systemd takes as they are, and that give little away."""

import re
from pathlib import Path

import pytest

from app.settings import names
from tests.deploy.tools import DEPLOY, changed, needs, run

FOLDER = DEPLOY / "systemd"
UNITS = {
    "arash-bot.service": "arash-bot.service",
    "arash-bot@8002.service": "arash-bot@.service",
    "panoptes-telegram-bot.service": "panoptes-telegram-bot.service",
}
MOST_EXPOSED = 1.5  # of 10
PYTHON = "/opt/arash-panoptes/.venv/bin/python"


def text(unit: str) -> str:
    return (FOLDER / UNITS[unit]).read_text()


def settings(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", text(unit), re.MULTILINE)


def put(folder: Path, unit: str, content: str) -> Path:
    """Write a unit as if the program were installed."""
    file = folder / unit
    file.write_text(content.replace(PYTHON, "/usr/bin/true"))
    return file


def exposure(unit: Path) -> float:
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_takes_the_unit_without_a_word(unit: str, tmp_path: Path) -> None:
    done = run("systemd-analyze", "verify", "--man=no", put(tmp_path, unit, text(unit)))

    assert (done.stdout, done.returncode) == ("", 0)


@needs("systemd-analyze")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Type=notify", "Type=notifies"),
        ("ProtectHome=yes", "ProtectHome=maybe"),
        ("WatchdogSec=", "WatchdogSeconds="),
        ("SetCredential=BOT_API_KEY:\\n", "SetCredential=BOT_API_KEY:"),
        ("SystemCallFilter=@system-service", "SystemCallFilter=@system-services"),
    ],
)
def test_a_slip_in_a_unit_is_said(old: str, new: str, tmp_path: Path) -> None:
    unit = "arash-bot.service"

    done = run("systemd-analyze", "verify", put(tmp_path, unit, changed(text(unit), (old, new))))

    assert unit in done.stdout


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_hardly_exposed(unit: str, tmp_path: Path) -> None:
    assert exposure(put(tmp_path, unit, text(unit))) <= MOST_EXPOSED


@needs("systemd-analyze")
def test_a_unit_that_is_open_is_seen(tmp_path: Path) -> None:
    unit = "arash-bot.service"
    softer = changed(text(unit), ("PrivateUsers=yes\n", ""), ("CapabilityBoundingSet=\n", ""))

    assert exposure(put(tmp_path, unit, softer)) > MOST_EXPOSED


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_keeps_what_the_programs_expect(unit: str) -> None:
    assert settings(unit, "Type") == ["notify"]
    assert settings(unit, "WatchdogSec") == ["30"]
    assert settings(unit, "TimeoutStopSec") == ["40"]
    assert settings(unit, "Restart") == ["on-failure"]
    assert "78" in settings(unit, "RestartPreventExitStatus")[0].split()
    assert settings(unit, "UMask") == ["0077"]


@pytest.mark.parametrize("unit", UNITS)
def test_every_credential_is_a_setting_with_something_in_its_place(unit: str) -> None:
    loaded = [line.split(":") for line in settings(unit, "LoadCredential")]
    instead = {line.partition(":")[0] for line in settings(unit, "SetCredential")}

    assert {name for name, _ in loaded} - {"encryption.key"} <= set(names())
    assert all(path == f"/etc/arash-panoptes/credentials/{name}" for name, path in loaded)
    assert {name for name, _ in loaded} == instead


def test_the_bot_gets_no_key_but_its_own() -> None:
    loaded = settings("panoptes-telegram-bot.service", "LoadCredential")

    assert {line.partition(":")[0] for line in loaded} == {
        "BOT_API_KEY",
        "TELEGRAM_BOT_TOKEN",
        "TELEGRAM_WEBHOOK_SECRET",
    }


def test_another_instance_differs_by_its_port_alone() -> None:
    one, more = (text(unit).splitlines() for unit in list(UNITS)[:2])
    differing = set(one) ^ set(more)

    assert [line for line in more if line.startswith("ExecStart=")] == [
        f"ExecStart=/usr/bin/env API_PORT=%i {PYTHON} /opt/arash-panoptes/run_service.py"
    ]
    assert all(line.startswith(("#", "Description=", "ExecStart=")) for line in differing)
