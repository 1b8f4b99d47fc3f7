"""What was told to be kept is on the disk, whatever happens to the process."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.storage.sqlite import open_sqlite
from tests.storage.words import written

WRITER = [sys.executable, "-m", "tests.storage.writer"]
ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 400  # read before a kill


def kill_while_writing(file: Path, after: int) -> set[str]:
    """Kill a writer after so many lines; return every word that it was told is kept."""
    with subprocess.Popen([*WRITER, str(file)], stdout=subprocess.PIPE, cwd=ROOT) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        said = [writer.stdout.readline() for _ in range(after)]
        writer.kill()
        said += writer.stdout.readlines()
    return {line.decode().strip() for line in said if line.endswith(b"\n")}


async def kept_in(file: Path) -> set[str]:
    with open_sqlite(make_url(f"sqlite:///{file}")) as store:
        verdict = await store.run(
            lambda db: db.exec_driver_sql("PRAGMA integrity_check").scalar_one()
        )
        assert verdict == "ok"
        return set(await store.run(written))


async def kill_often(file: Path, kills: int) -> None:
    told: set[str] = set()
    for kill in range(kills):
        told |= kill_while_writing(file, after=1 + (kill * 137) % MOST_LINES)
        # The next one begins at once on what the killed one left behind.
        assert told - await kept_in(file) == set()
    assert len(told) > kills


async def test_nothing_that_was_told_is_lost_by_kill_9(sqlite_file: Path) -> None:
    await kill_often(sqlite_file, kills=3)


@pytest.mark.soak
@pytest.mark.skipif("SOAK" not in os.environ, reason="SOAK=1 kills twenty times")
async def test_nothing_that_was_told_is_lost_by_twenty_kills(sqlite_file: Path) -> None:
    await kill_often(sqlite_file, kills=20)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_disk_is_asked_before_anybody_is_told(sqlite_file: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    tracer = ["strace", "-f", "-y", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o", str(trace)]

    run = subprocess.run(
        [*tracer, *WRITER, str(sqlite_file), "once"], cwd=ROOT, capture_output=True, check=False
    )

    if run.returncode and "ptrace" in run.stderr.decode():
        pytest.skip("strace may not trace here")
    assert run.returncode == 0, run.stderr.decode()
    calls = trace.read_text()
    between = calls[calls.index(r'"begin\n"') : calls.index(r'"told\n"')]
    log = re.escape(f"{sqlite_file}-wal")
    steps = re.findall(rf"(pwrite64|fsync|fdatasync)\(\d+<{log}>", between)
    assert steps[0] == "pwrite64"
    assert steps[-1] in {"fsync", "fdatasync"}
