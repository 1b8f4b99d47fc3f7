"""The lock check of `make check`: compiling again changes nothing."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {
    "requirements.txt": ["pyproject.toml"],
    "requirements-container.txt": ["--group", "pyproject.toml:container"],
    "requirements-dev.txt": ["--group", "pyproject.toml:dev", "-c", "requirements.txt"],
}
COMPILE = (
    "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11",
    "--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate",
)  # fmt: skip
PINNED = re.compile(r"^[a-z0-9._-]+(?:\[[a-z,]+\])?==[^ ]+(?: ;.*)? \\$", re.MULTILINE)


def drift(name: str, sources: list[str]) -> str:
    """Return why a lock is not what its sources say; empty when it is."""
    lock = ROOT / name
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / name
        # What is locked stays locked: uv prefers the versions that the output names.
        again.write_text(lock.read_text())
        uv = Path(sys.executable).parent / COMPILE[0]
        made = subprocess.run(
            [str(uv), *COMPILE[1:], *sources, "-o", str(again)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            return f"{name}: cannot be compiled: {made.stderr.strip()[-300:]}"
        if again.read_text() != lock.read_text():
            return f"{name}: is not what pyproject.toml says; run `make lock`"
    if not PINNED.search(lock.read_text()) or "--hash=" not in lock.read_text():
        return f"{name}: has no pinned versions with hashes"
    return ""


def main() -> int:
    reasons = list(filter(None, (drift(name, sources) for name, sources in LOCKS.items())))
    print("\n".join([*reasons, f"lock check: {len(LOCKS)} files, {len(reasons)} drifted"]))
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main())
