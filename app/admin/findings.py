"""What a check found, and what all checks are given."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path

import httpx

from app.settings import Settings
from app.storage.sealed import Sealer


class State(StrEnum):
    FINE = "fine"
    DOUBTFUL = "doubtful"  # works, and still had better be looked at
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """`piece` is what was looked at, `next` what to do; neither holds a value of a setting."""

    piece: str
    state: State
    what: str
    next: str = ""


def fine(piece: str, what: str) -> Finding:
    return Finding(piece, State.FINE, what)


def doubtful(piece: str, what: str, todo: str) -> Finding:
    return Finding(piece, State.DOUBTFUL, what, todo)


def broken(piece: str, what: str, todo: str) -> Finding:
    return Finding(piece, State.BROKEN, what, todo)


@dataclass(slots=True)
class Clocks:
    """How far the clocks of others are from ours, in seconds; above zero they are ahead."""

    now: Callable[[], float] = time.time
    ahead: dict[str, float] = field(default_factory=dict)

    def note(self, whose: str, said: float, *, exact: bool = True) -> None:
        # A date of HTTP has no fractions: on the average half a second has passed.
        self.ahead[whose] = said + (0.0 if exact else 0.5) - self.now()

    def listen(self, http: httpx.AsyncClient, whose: str) -> None:
        """Take note of the dates of all answers that a client gets."""

        async def note(response: httpx.Response) -> None:
            try:
                said = parsedate_to_datetime(response.headers.get("date", ""))
            except (ValueError, OverflowError):
                return
            self.note(whose, said.timestamp(), exact=False)

        http.event_hooks = {"response": [note]}


@dataclass(slots=True)
class Case:
    """One visit. `elsewhere` are the settings of the bot that the service does not read.

    `stored` is what the database said, for those who go on with it.
    """

    settings: Settings
    elsewhere: Mapping[str, str]
    env_file: Path
    sealer: Sealer | None
    clocks: Clocks
    free: Callable[[Path], int]
    stored: "asyncio.Future[Stored | None]"


@dataclass(slots=True)
class Stored:
    """Numbers of what is stored. `sign_ins` have None where the key does not open them."""

    version: str | None = None
    server: int = 0
    replica: bool = False
    may_create: bool = True
    now: float | None = None
    dead: int = 0
    oldest_wait: float = 0.0
    opens: bool | None = None
    sign_ins: list[tuple[str, str, bytes | None]] = field(default_factory=list)
