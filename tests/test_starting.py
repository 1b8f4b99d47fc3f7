"""What keeps the service from starting, by the road that a start takes."""

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import run_service
from app import starting
from app.main import create_app
from app.settings import ELSEWHERE, SettingsRefused, names, read_settings
from app.storage.sqlite import alone
from tests import configurations
from tests.configurations import (
    BAD,
    DATABASE,
    GOOD,
    KEY_FILE,
    KEYS,
    LOGIN,
    PLANTED,
    PRODUCTION,
    TOKEN,
    Bad,
)
from tests.test_run_service import NOT_CONFIGURED, ended, environment, start

SOMEBODY = 10001
WHOLE = bool(os.environ.get("SOAK"))
AS_PROCESSES = [*BAD[:: 14 if WHOLE else 60], *(each for each in BAD if each.opening)]


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings that start, in a folder of their own and none of them in the environment."""
    for name in [*names(), *ELSEWHERE, "CREDENTIALS_DIRECTORY", "PGPASSWORD", "PGPASSFILE"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    runs_as(monkeypatch, os.geteuid() or SOMEBODY)
    mask = os.umask(0o077)
    monkeypatch.setattr(os, "umask", lambda _: mask)
    os.umask(mask)
    return configurations.prepare()


def runs_as(monkeypatch: pytest.MonkeyPatch, user: int) -> None:
    monkeypatch.setattr(starting, "_user", lambda: user)


Tell = Callable[[Mapping[str, str | None]], None]


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch, base: dict[str, str]) -> Tell:
    """Put settings into the environment; None takes one away."""

    def told(changes: Mapping[str, str | None]) -> None:
        for name, value in {**base, **changes}.items():
            if value is not None:
                monkeypatch.setenv(name, value)

    return told


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Start and return what is said, which has to be that it cannot."""

    def started(*arguments: str) -> str:
        monkeypatch.setattr(run_service, "serve", None)  # nothing may come so far
        assert run_service.main(arguments) == NOT_CONFIGURED
        out, said = capsys.readouterr()
        assert out == ""
        return said

    return started


def lines(said: str) -> list[str]:
    """Return the reasons."""
    found = said.splitlines()
    if found[0] != "The service cannot start:":
        return [found[0].removeprefix("The service cannot start: ").removesuffix(".")]
    return [line.removeprefix("  - ") for line in found if line.startswith("  - ")]


def test_there_are_sixty_bad_configurations_and_twenty_good_ones() -> None:
    assert len(BAD) >= 60
    assert len(GOOD) >= 20
    assert len(AS_PROCESSES) >= (8 if WHOLE else 4)


@pytest.mark.parametrize("arguments", [(), ("--check",)], ids=["start", "check"])
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.reason[:40])
def test_a_bad_configuration_is_refused_for_its_one_reason(
    bad: Bad, arguments: tuple[str, ...], tell: Tell, refusal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bad.opening if not arguments else "/proc" in bad.reason:
        pytest.skip("seen by opening it; a process does so below")
    if bad.user is not None:
        runs_as(monkeypatch, bad.user)
    bad.before()
    tell(bad.settings)

    said = refusal(*arguments)

    assert lines(said) == [bad.reason]
    assert not any(secret in said for secret in (PLANTED, TOKEN.partition(":")[2], *KEYS.values()))


@pytest.mark.parametrize("bad", AS_PROCESSES, ids=lambda bad: bad.reason[:40])
async def test_a_process_that_cannot_start_ends_with_78(
    bad: Bad, tmp_path: Path, base: dict[str, str]
) -> None:
    bad.before()
    given = {name: value for name, value in {**base, **bad.settings}.items() if value is not None}
    kept = {name: environment(tmp_path)[name] for name in ("PATH", "PYTHONPATH")}
    if os.geteuid() == 0:
        given.setdefault("ALLOW_ROOT", "true")

    found = await ended(await start(tmp_path, kept | given))

    assert found.code == NOT_CONFIGURED
    assert lines("\n".join(found.lines)) == [bad.reason]
    assert PLANTED not in "\n".join(found.lines)


@pytest.mark.parametrize("good", GOOD, ids=str)
async def test_a_good_configuration_starts(good: Mapping[str, str], tell: Tell) -> None:
    tell(good)

    settings = starting.read(to_start=True)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        ready = await app.state.parts.health.ready()

    assert ready
    assert starting.read(to_start=False) == settings


def test_all_reasons_come_at_once(
    tell: Tell, refusal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configurations.damaged()
    KEY_FILE.chmod(0o644)
    DATABASE.parent.chmod(0o755)
    runs_as(monkeypatch, 0)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        tell({**PRODUCTION, "BOT_API_KEY": None, "CORS_ORIGINS": "*", "API_PORT": str(port)})
        said = refusal()

    assert lines(said) == [
        "BOT_API_KEY: is not set",
        "CORS_ORIGINS: * is not for production; name the pages",
        f"ALLOW_ROOT: {configurations.ROOT}",
        "others may read the key file; `chmod 600` it",
        "others may read the folder data; `chmod o= data`",
        f"127.0.0.1:{port} cannot be listened on: Address already in use",
        "data/arash.db is damaged; restore it from a backup",
    ]
    assert "make env" in said.splitlines()[-1]


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_a_service_that_runs_is_in_the_way_of_a_start_and_not_of_a_check(
    tell: Tell, refusal: Any, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with alone(DATABASE), closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        tell({"API_PORT": str(port)})
        if arguments:
            assert run_service.main(arguments) == 0
            assert capsys.readouterr() == ("The service can start with these settings.\n", "")
        else:
            assert lines(refusal()) == [
                f"127.0.0.1:{port} cannot be listened on: Address already in use",
                "another service is running on data/arash.db; stop it first",
            ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tell: Tell, refusal: Any) -> None:
    DATABASE.parent.mkdir(mode=0o700)
    os.chown(DATABASE.parent, SOMEBODY + 1, -1)
    tell({})

    assert lines(refusal()) == ["the folder data belongs to another user; `chown` it"]


def test_a_disk_that_keeps_nothing_is_refused(
    tell: Tell, refusal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    tell({})

    assert lines(refusal()) == [
        "the folder data is on a disk that cannot lock or keep files; put it on a local one"
    ]


def test_a_check_leaves_nothing_behind(tell: Tell, tmp_path: Path) -> None:
    tell({})

    assert run_service.main(["--check"]) == 0
    assert {file.name for file in tmp_path.rglob("*")} == {"secrets", "encryption.key"}


@pytest.mark.parametrize("upper", [True, False])
def test_secrets_may_come_as_files(
    tell: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, upper: bool
) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    for name, value in KEYS.items():
        (folder / (name if upper else name.lower())).write_text(f"{value}\n")
    (folder / "OPENROUTER_API_KEY").write_text("")
    (folder / "encryption.key").write_bytes(KEY_FILE.read_bytes())
    (folder / "encryption.key").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    absent = dict.fromkeys(KEYS)
    tell({**absent, "ENCRYPTION_KEY_FILE": str(folder / "encryption.key")})

    settings = starting.read(to_start=True)

    assert settings.keys.secrets() == KEYS
    assert settings.models.openrouter_api_key is None


def test_a_file_goes_before_an_empty_line_of_the_environment(
    tell: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openrouter_api_key").write_text("sk-or-v1-from-a-file")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    tell({"OPENROUTER_API_KEY": ""})

    key = read_settings().models.openrouter_api_key

    assert key is not None
    assert key.get_secret_value() == "sk-or-v1-from-a-file"


def test_a_credential_that_is_no_text_is_one_more_reason(
    tell: Tell, refusal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "admin_api_key").write_bytes(b"\xff")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    tell({"LOG_LEVEL": "loud"})

    assert [line.partition(":")[0] for line in lines(refusal())] == ["ADMIN_API_KEY", "LOG_LEVEL"]


def test_the_key_file_is_for_its_owner_alone_elsewhere(
    tell: Tell, refusal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    KEY_FILE.chmod(0o440)
    (tmp_path / "credentials").mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    tell({})

    assert lines(refusal()) == ["others may read the key file; `chmod 600` it"]


@pytest.mark.parametrize(
    ("settings", "handed_over", "expected"),
    [
        ({}, False, []),
        ({}, True, list(KEYS)),
        ({**PRODUCTION, "ENABLE_API_DOCS": "true"}, False, ["ENABLE_API_DOCS"]),
        ({**PRODUCTION, "REDIS_URL": f"redis://{LOGIN}@cache/0"}, False, ["REDIS_URL"]),
        ({**PRODUCTION, "REDIS_URL": f"rediss://{LOGIN}@cache/0"}, False, []),
        ({**PRODUCTION, "REDIS_URL": "redis://127.0.0.1/0"}, False, []),
    ],
)
def test_what_is_doubtful_is_said_and_starts(
    tell: Tell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    expected: list[str],
    *,
    handed_over: bool,
) -> None:
    if handed_over:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    tell(settings)

    said = list(starting.warnings(starting.read(to_start=True)))

    assert sorted(line.partition(":")[0] for line in said) == sorted(expected)
    assert not any(secret in " ".join(said) for secret in (PLANTED, *KEYS.values()))


@pytest.mark.parametrize("name", ["PGPASSWORD", "PGPASSFILE", "PGSSLCERT"])
def test_a_database_elsewhere_may_be_signed_in_to_by_what_its_library_reads(
    tell: Tell, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, PLANTED)
    tell({**PRODUCTION, "DATABASE_URL": "postgresql://arash@database/x"})

    starting.read(to_start=True)


def test_whatever_is_wrong_with_one_setting_the_others_are_looked_at(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group with a bad setting still tells of the others, whichever it is."""
    tell({**PRODUCTION, "TELEGRAM_API_BASE": f"http://{PLANTED}"})
    for name in ("API_PORT", "LOG_LEVEL", "MAX_TOKENS", "TELEGRAM_DAILY_TURNS", "PLUME_ENABLED"):
        monkeypatch.setenv(name, PLANTED)
        with pytest.raises(SettingsRefused) as caught:
            starting.read(to_start=True)
        assert "TELEGRAM_API_BASE" in caught.value.reasons[-1]
        assert any(reason.startswith(f"{name}: ") for reason in caught.value.reasons)
