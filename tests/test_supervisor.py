"""What is told to whoever started the program, and what comes from there."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from wire.supervisor import CredentialUnreadable, Supervisor, credentials


def listening(name: str) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    door.bind(name)
    door.settimeout(5)
    return door


@pytest.mark.parametrize("abstract", [False, True])
def test_what_is_told_arrives_a_line_each(tmp_path: Path, *, abstract: bool) -> None:
    name = f"@arash-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with closing(listening(name.replace("@", "\0") if abstract else name)) as door:
        Supervisor({"NOTIFY_SOCKET": name}).tell("All is well.", READY=1)

        assert door.recv(100) == b"READY=1\nSTATUS=All is well."


def test_nothing_is_told_where_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)

    supervisor = Supervisor({"WATCHDOG_USEC": "1000000"})
    supervisor.tell("All is well.", READY=1)

    assert supervisor.interval is None


def test_whoever_is_gone_or_does_not_listen_holds_up_nobody(tmp_path: Path) -> None:
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "absent")}).tell(READY=1)
    with closing(listening(str(tmp_path / "full"))):
        for _ in range(2000):
            Supervisor({"NOTIFY_SOCKET": str(tmp_path / "full")}).tell("x" * 1000, READY=1)


@pytest.mark.parametrize(
    ("given", "interval"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_life_is_told_twice_as_often_as_it_is_asked_for(
    given: dict[str, str], interval: float | None
) -> None:
    assert Supervisor({"NOTIFY_SOCKET": "/x", **given}).interval == interval


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


def test_secrets_come_as_files_named_as_the_settings(folder: Path) -> None:
    (folder / "BOT_API_KEY").write_text("one\n")
    (folder / "admin_api_key").write_text("two")
    (folder / "METRICS_API_KEY").write_text("\n")
    (folder / "encryption.key").write_bytes(b"\xff")

    found = credentials(["BOT_API_KEY", "ADMIN_API_KEY", "METRICS_API_KEY", "INTERNAL_API_KEY"])

    assert found == {"bot_api_key": "one", "admin_api_key": "two"}


def test_a_file_that_is_no_text_is_named(folder: Path) -> None:
    (folder / "bot_api_key").write_bytes(b"\xff\xfe")

    with pytest.raises(CredentialUnreadable, match=r"^BOT_API_KEY: .*cannot be read"):
        credentials(["BOT_API_KEY"])


def test_without_such_a_folder_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert credentials(["BOT_API_KEY"]) == {}
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "absent"))
    assert credentials(["BOT_API_KEY"]) == {}
