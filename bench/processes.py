"""Processes on a core of their own."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 15.0
LOOK_EVERY = 0.01
CORES = 2


class Failed(Exception):
    """Something does not do its work. The text says what it said."""


def cores(asked: int | None = None) -> tuple[int, int]:
    """Return the core of what is measured, the first if none is asked for, and that of the rest.

    Raises:
        Failed: there are not two, or no way to tell.
    """
    if not hasattr(os, "sched_getaffinity"):
        raise Failed("This needs Linux.")
    ours = sorted(os.sched_getaffinity(0))
    if len(ours) < CORES:
        raise Failed("This needs two cores.")
    core = ours[0] if asked is None else asked
    return core, next(each for each in reversed(ours) if each != core)


@dataclass(frozen=True, slots=True)
class Start:
    """A command and its surroundings."""

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


@contextlib.contextmanager
def running(start: Start, core: int, log: Path, ready: Callable[[], bool]) -> Iterator[int]:
    """Run a process on `core`, yield its id once it is `ready`, and end it.

    Raises:
        Failed: it ends or is not ready in time.
    """
    with log.open("wb") as output, _on(core):
        process = subprocess.Popen(
            start.command,
            env=dict(start.environment),
            cwd=start.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        ends = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > ends:
                raise Failed(f"{log.stem} does not start: {log.read_text()[-2000:]}")
            time.sleep(LOOK_EVERY)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _on(core: int) -> Iterator[None]:
    # Inherited at the start, so that no thread of the child ever runs elsewhere.
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)
