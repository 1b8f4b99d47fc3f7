"""Updates on their way to the bot: each waits until it is confirmed, or until its life ends."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.telegram.failure import Json, conflict

MESSAGE_LIFE = 24 * 3600.0  # seconds
PRESS_LIFE = 150.0
LONGEST_WAIT = 50
MOST = 100  # updates in one answer
NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
_ONE_BY_ONE = 0.5  # seconds in which the same question is answered by one update at a time
_HURRY = 3.0  # seconds between starts below which a short wait becomes this long


@dataclass(frozen=True, slots=True)
class Update:
    """`queue` is what stays in order: a chat, or the presses of a person."""

    id: int
    kind: str
    content: Json
    dies: float
    queue: str

    def json(self) -> Json:
        return {"update_id": self.id, self.kind: self.content}


@dataclass
class Updates:
    """The one queue of a bot. `pace` are the server's brakes against pollers that spin."""

    clock: Callable[[], float]
    next_id: int = 1
    pace: bool = True
    allowed: list[str] = field(default_factory=list)
    waiting: list[Update] = field(default_factory=list)
    expired: int = 0
    polled: float = -1e9  # time.monotonic() at which the last poll began or ended
    _poll: "asyncio.Future[str] | None" = None
    _asked: tuple[int, float, float] = (-1, -1e9, -1e9)  # offset, began, ended

    def __post_init__(self) -> None:
        self.changed = asyncio.Event()

    def add(self, kind: str, content: Json, *, queue: str, born: float, life: float) -> None:
        """Queue an update, unless the bot asked not to be sent its kind."""
        if kind in NOT_BY_DEFAULT if not self.allowed else kind not in self.allowed:
            return
        self.waiting.append(Update(self.next_id, kind, content, born + life, queue))
        self.next_id += 1
        self.wake()

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    @property
    def is_polled(self) -> bool:
        return self._poll is not None

    def alive(self) -> list[Update]:
        now = self.clock()
        alive = [update for update in self.waiting if update.dies > now]
        self.expired += len(self.waiting) - len(alive)
        self.waiting[:] = alive
        return alive

    def confirm(self, offset: int) -> None:
        """Delete what lies before `offset`; a negative one keeps that many of the newest."""
        alive = self.alive()
        if offset < 0:
            self.waiting[:] = alive[offset:]
        elif offset > 0:
            self.waiting[:] = [update for update in alive if update.id >= offset]

    def end_poll(self, by: str) -> None:
        """Refuse the call that waits, because of another one."""
        if self._poll and not self._poll.done():
            self._poll.set_result(by)

    async def take(self, offset: int, limit: int, timeout: float) -> list[Json]:  # noqa: ASYNC109
        """Return what waits, after at most `timeout` seconds.

        Raises:
            Refused: 409, a newer call took over.
        """
        self.end_poll("getUpdates")
        mine: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._poll = mine
        limit, timeout = self._slowed(offset, limit, min(timeout, LONGEST_WAIT))
        self.confirm(offset)
        ends = time.monotonic() + timeout
        try:
            while not self.alive() and time.monotonic() < ends:
                changed = asyncio.create_task(self.changed.wait())
                first: set[asyncio.Future[Any]] = {mine, changed}
                left = ends - time.monotonic()
                await asyncio.wait(first, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if mine.done():
                    raise conflict(mine.result())
            return [update.json() for update in self.alive()[:limit]]
        finally:
            self.polled = time.monotonic()
            self._asked = (offset, self._asked[1], self.polled)
            if self._poll is mine:
                self._poll = None

    def _slowed(self, offset: int, limit: int, wait: float) -> tuple[int, float]:
        now = time.monotonic()
        last, began, ended = self._asked
        self._asked = (offset, now, ended)
        self.polled = now
        if not self.pace or offset != last:
            return limit, wait
        if now < began + _HURRY:
            wait = max(wait, _HURRY)
        return (1 if now < ended + _ONE_BY_ONE else limit), wait
