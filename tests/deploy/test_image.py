"""Dockerfile and .dockerignore: what no container engine is needed for to see."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.context import sent
from tests.deploy.tools import ROOT, changed, needs, run

DOCKERFILE = (ROOT / "Dockerfile").read_text()
IGNORE = (ROOT / ".dockerignore").read_text()
# What must stay out of every layer, wherever in the tree somebody leaves it.
PRIVATE = [
    ".env",
    ".env.production",
    ".git/config",
    ".venv/bin/python",
    ".demo/.env",
    "app/.env",
    "app/data/arash.db",
    "app/notes.key",
    "app/tls.pem",
    "app/arash.db-wal",
    "data/arash.db",
    "logs/arash_bot_service.log",
    "secrets/encryption.key",
    "secrets/metrics.key",
    "backup.tar",
    "keys.txt",
    "telegram/secrets/token",
    "deploy/container/.env",
    "deploy/kubernetes/secret.yaml",
    "tests/conftest.py",
]
WANTED = ["requirements.txt", "run_service.py", "app/main.py", "wire/answer.py"]


def instructions(text: str) -> list[tuple[str, str]]:
    """Return name and arguments of each, without comments and line ends."""
    whole = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    pairs = [line.strip().partition(" ") for line in whole.splitlines() if line.strip()]
    return [(name.upper(), rest.strip()) for name, _, rest in pairs]


def faults(text: str) -> list[str]:
    """Return what a Dockerfile must not be, a line each."""
    everything = instructions(text)
    last = max(at for at, (name, _) in enumerate(everything) if name == "FROM")
    final = dict(everything[last:])
    arguments = dict(rest.partition("=")[::2] for name, rest in everything if name == "ARG")
    bases = [rest.split()[0] for name, rest in everything if name == "FROM"]
    bases = [re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], base) for base in bases]
    copied = [rest.split() for name, rest in everything if name in {"COPY", "ADD"}]
    installed = " ".join(rest for name, rest in everything if name == "RUN")
    said = {
        "a base is not pinned to a version": any(
            not re.search(r":\d+\.\d+\.\d+.*slim", base) for base in bases
        ),
        "there is one stage alone": len(bases) < 2,
        "it runs as root, or as a name": final.get("USER") != "10001:10001",
        "no health check in exec form": "CMD [" not in final.get("HEALTHCHECK", ""),
        "the health check needs curl": "curl" in text,
        "the command is not in exec form": not final.get("CMD", "").startswith("["),
        "another signal stops it": final.get("STOPSIGNAL") != "SIGTERM",
        "packages are not checked by hash": "--require-hashes" not in installed,
        "it has build tools": bool(re.search(r"build-essential|gcc", text)),
        "the whole folder is copied": any("." in words[:-1] for words in copied),
        "a secret is an argument or variable": bool(
            re.search(r"^(ARG|ENV)\s.*(KEY|TOKEN|SECRET|PASSWORD)", text, re.MULTILINE)
        ),
        "output is buffered": "PYTHONUNBUFFERED=1" not in final.get("ENV", ""),
        "matplotlib writes elsewhere than in /tmp": "MPLCONFIGDIR=/tmp" not in final.get("ENV", ""),
    }
    return [fault for fault, holds in said.items() if holds]


def test_the_dockerfile_keeps_the_rules() -> None:
    assert faults(DOCKERFILE) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("3.13.11-slim-trixie", "3-slim", "a base is not pinned to a version"),
        ("\nFROM python:${PYTHON}\n", "\n", "there is one stage alone"),
        ("USER 10001:10001\n", "", "it runs as root, or as a name"),
        ("USER 10001:10001", "USER arash", "it runs as root, or as a name"),
        ('CMD ["python", "/app/deploy', "CMD python", "no health check in exec form"),
        ('CMD ["python", "/app/run', "CMD python /app/run", "the command is not in exec form"),
        ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL", "another signal stops it"),
        ("--require-hashes", "", "packages are not checked by hash"),
        ("COPY wire /app/wire", "COPY . /app", "the whole folder is copied"),
        ("WORKDIR /", "ENV BOT_API_KEY=x\nWORKDIR /", "a secret is an argument or variable"),
        ("MPLCONFIGDIR=/tmp", "MPLCONFIGDIR=/app", "matplotlib writes elsewhere than in /tmp"),
    ],
)
def test_the_rules_catch(old: str, new: str, fault: str) -> None:
    assert fault in faults(changed(DOCKERFILE, (old, new)))


def test_no_secret_is_sent_to_the_build() -> None:
    assert list(sent(PRIVATE, IGNORE)) == []
    assert list(sent(WANTED, IGNORE)) == WANTED


def test_only_what_the_image_copies_is_sent_to_the_build() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=True)
    context = set(sent(listed.stdout.decode().splitlines(), IGNORE))
    copied = [
        source
        for name, rest in instructions(DOCKERFILE)
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]

    assert all(any(f"{file}/".startswith(f"{top}/") for file in context) for top in copied)
    assert not [it for it in context if not any(f"{it}/".startswith(f"{top}/") for top in copied)]


@pytest.mark.parametrize(
    ("old", "new"), [("*\n!LICENSE", "!LICENSE"), ("**/.*\n", ""), ("**/secrets\n", "")]
)
def test_a_gap_in_the_dockerignore_is_seen(old: str, new: str) -> None:
    assert list(sent(PRIVATE, changed(IGNORE, (old, new))))


@needs("hadolint")
def test_hadolint_finds_nothing() -> None:
    done = run("hadolint", ROOT / "Dockerfile")

    assert (done.stdout, done.returncode) == ("", 0)


@needs("hadolint")
@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("FROM python:${PYTHON} AS", "FROM python AS", "DL3006"),
        ("WORKDIR /", "RUN cd /tmp\nWORKDIR app", "DL3000"),
        ("WORKDIR /", "RUN apt-get update && apt-get install gcc\nWORKDIR /", "DL3008"),
    ],
)
def test_hadolint_catches(old: str, new: str, rule: str, tmp_path: Path) -> None:
    broken = tmp_path / "Dockerfile"
    broken.write_text(changed(DOCKERFILE, (old, new)))

    done = run("hadolint", broken)

    assert rule in done.stdout
    assert done.returncode
