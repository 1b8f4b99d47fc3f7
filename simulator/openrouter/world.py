"""The state of one simulated OpenRouter: what it knows, what was asked, what goes wrong next."""

import random
import string
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.openrouter.catalogue import CATALOGUE, RETIRED, Entry
from simulator.openrouter.faults import FAULTS

KEY = "sk-or-v1-simulated"
CHAT = "/chat/completions"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request. Header names are lower case, the key is not kept, `at` is Unix seconds."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    at: float


@dataclass(slots=True)
class Generation:
    """What `GET /generation` tells. `ended` is Unix seconds, None while it runs."""

    id: str
    model: str
    provider: str
    streamed: bool
    began: float
    usage: dict[str, Any]
    finish: str | None
    native_finish: str | None
    user: str | None
    session_id: str | None
    cancelled: bool = False
    ended: float | None = None


@dataclass
class OpenRouterWorld:
    """Everything a test may set or look at. Times are seconds.

    `index_delay` is how long after its end a generation is still unknown to `GET /generation`.
    `pause` lies between two writes that must not arrive in one piece; `drip` between the
    pieces of answers that never end. `credits` and `used` are USD.
    """

    seed: int = 1
    keys: set[str] = field(default_factory=lambda: {KEY})
    management_keys: set[str] = field(default_factory=set)
    catalogue: dict[str, Entry] = field(default_factory=lambda: dict(CATALOGUE))
    retired: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(RETIRED))
    first_token: float = 0.0
    between_tokens: float = 0.0
    comments: int = 2
    index_delay: float = 0.5
    pause: float = 0.005
    drip: float = 0.25
    redirect_to: str = "http://elsewhere.invalid"
    credits: float = 1000.0
    used: float = 0.0
    clock: Callable[[], float] = time.time
    requests: list[Recorded] = field(default_factory=list)
    faults: deque[tuple[str, str]] = field(default_factory=deque)
    cancelled: list[str] = field(default_factory=list)
    generations: dict[str, Generation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  (ids that repeat, not secrets)

    def next(self, fault: str, times: int = 1, at: str = CHAT) -> None:
        """Let the next `times` requests to `at` (a path below the prefix) fail so.

        Raises:
            KeyError: there is no such fault in `FAULTS`.
        """
        if fault not in FAULTS:
            raise KeyError(fault)
        self.faults.extend([(fault, at)] * times)

    def take_fault(self, at: str) -> str | None:
        """Return the next fault queued for a path, and forget it."""
        for queued in self.faults:
            if queued[1] == at:
                self.faults.remove(queued)
                return queued[0]
        return None

    def retire(self, slug: str, *instead: str) -> None:
        """Take a model out of the list, as OpenRouter does without notice."""
        self.catalogue.pop(slug, None)
        self.retired[slug] = instead

    def new_id(self) -> str:
        letters = "".join(self._random.choices(string.ascii_letters + string.digits, k=20))
        return f"gen-{int(self.clock())}-{letters}"

    def chats(self) -> list[Recorded]:
        """Return the recorded chat requests alone."""
        return [request for request in self.requests if request.path.endswith(CHAT)]

    def reset(self) -> None:
        """Forget requests, faults and generations. Settings stay."""
        self.used = 0.0
        for memory in (self.requests, self.faults, self.cancelled, self.generations):
            memory.clear()
        self._random.seed(self.seed)
