"""Waiting for somebody who is away, and saying so once."""

import time
from collections.abc import Callable, Iterator

from loguru import logger

LONGEST_PAUSE = 30.0  # seconds
QUIET = 30.0  # seconds after it came back


class Reach:
    """Whether `name` answers. Logs when that changes, and not each of many short breaks."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._said: set[str] = set()
        self._quiet_until = float("-inf")

    def lost(self, cause: str) -> None:
        if cause in self._said or self._clock() < self._quiet_until:
            return
        self._said.add(cause)
        logger.warning(f"{self._name}.away", cause=cause)

    def found(self) -> None:
        if self._said:
            logger.info(f"{self._name}.back")
            self._said.clear()
            self._quiet_until = self._clock() + QUIET


def pauses(first: float = 1.0, longest: float = LONGEST_PAUSE) -> Iterator[float]:
    """Yield seconds to wait before the next try, twice as long each time, without end."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 2, longest)
