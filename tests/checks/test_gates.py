"""The gates of `make check` catch what they are for."""

import shutil
from pathlib import Path

import pytest

from tests.checks import lock_check, secret_scan

PLANTED = {
    "an OpenRouter key": "key = 'sk-or-v1-" + "0123456789abcdef" * 4 + "'",
    "a bot token": "token = '110201543:"
    "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw5'",  # pragma: allowlist secret
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a filled .env": "INTERNAL_API_KEY=" + "Zx9" * 14,
    "a URL with a password": "https://user:" + "hunter22secret@example.org/",
}


@pytest.mark.parametrize("kind", PLANTED)
def test_the_secret_scan_finds(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "planted.txt"
    file.write_text(PLANTED[kind] + "\n")

    assert len(list(secret_scan.found([file]))) >= 1


def test_the_secret_scan_looks_at_the_whole_tree() -> None:
    names = {file.name for file in secret_scan.files()}

    assert {"run_service.py", ".env.example", "message.py", "Makefile"} <= names


def test_the_lock_check_finds_a_dependency_that_is_not_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pyproject.toml", *lock_check.LOCKS):
        shutil.copy(lock_check.ROOT / name, tmp_path)
    project = tmp_path / "pyproject.toml"
    project.write_text(project.read_text().replace('    "httpx",\n', '    "httpx",\n    "six",\n'))
    monkeypatch.setattr(lock_check, "ROOT", tmp_path)

    assert "make lock" in lock_check.drift("requirements.txt", lock_check.LOCKS["requirements.txt"])
