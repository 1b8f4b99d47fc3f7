"""How many calls may go out, over all who sign in: Plume counts them by our address.

Its firewall allows 2,000 in five minutes and advises six a second; what exceeds it gets 403.
"""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from loguru import logger

from app import metrics
from app.errors import PlumeBusy

Purpose = Literal["person", "background"]

PER_SECOND: Final = 6
WINDOW: Final = 300.0  # seconds in which the firewall counts
FOR_PEOPLE: Final = 2  # what nobody waits for gets one part in so many
# A person who looks up foreign ids gets the same 403 as one whom the firewall shuts out.
FOREIGN: Final = 5  # different refused things, with no success between
FOREIGN_SECONDS: Final = 60.0
LONGEST_PAUSE: Final = 3_600.0  # seconds, whatever Plume asks for; then one call may try


@dataclass(frozen=True, slots=True)
class Granted:
    """Whether a call may go out: at once, or it has to `wait` so many seconds and ask again.

    `paused` is for how long nobody may call, `window` for how long the firewall still counts.
    """

    wait: float = 0.0
    paused: float = 0.0
    window: float | None = None


class Shared(Protocol):
    """The budget of all instances behind one address."""

    @property
    def share(self) -> int:
        """Into how many parts the budget goes: 1 where all are counted together."""
        ...

    async def take(self, purpose: Purpose, most: int, most_background: int) -> Granted:
        """Take one call of this second, if there is one, and wait for no other."""
        ...

    def pause(self, seconds: float) -> None:
        """Let no instance call for so long. What is paused for longer stays so."""
        ...


class _Lane:
    """At most `most` calls in each second, and those who wait for their turn, in order."""

    def __init__(self, most: int) -> None:
        self.turn = asyncio.Lock()
        self.ahead = 0
        self.most = most
        self._times: deque[float] = deque(maxlen=most)

    def wait(self, now: float, ahead: int, share: int) -> float:
        """Return for how many seconds a call waits that has so many before it."""
        most = max(1, self.most // share)
        seconds, place = divmod(ahead, most)
        missing = most - len(self._times)
        freed = now if place < missing else self._times[place - missing] + 1
        return max(0.0, freed - now) + seconds

    def room(self, now: float, share: int) -> int:
        most = max(1, self.most // share)
        return max(0, most - sum(time > now - 1 for time in self._times))

    def spend(self, now: float) -> None:
        self._times.append(now)


class Budget:
    """Six calls a second, half of them for people alone. They are 1,800 in five minutes.

    `clock` counts seconds and never goes back. `shared` is what other instances take of them.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        per_second: int = PER_SECOND,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        shared: Shared | None = None,
    ) -> None:
        self._shared = shared
        self._clock = clock
        self._sleep = sleep
        self._all = _Lane(per_second)
        self._background = _Lane(max(1, per_second // FOR_PEOPLE))
        self._paused_until = -math.inf
        self._window_began = -math.inf
        self._foreign: deque[tuple[float, str]] = deque()

    @property
    def paused(self) -> float:
        """How many seconds no call goes out, 0 when they do."""
        return max(0.0, self._paused_until - self._clock())

    @property
    def left(self) -> int:
        """How many calls may go out at this moment."""
        return 0 if self.paused else self._all.room(self._clock(), self._share)

    async def spend(self, purpose: Purpose, *, within: float) -> None:
        """Wait for the turn of one call, up to `within` seconds.

        Raises:
            PlumeBusy: it would take longer. `retry_after` says how long.
        """
        lane = self._all if purpose == "person" else self._background
        started = self._clock()
        self._affordable(self._wait(purpose, lane.ahead), within)
        lane.ahead += 1
        try:
            async with lane.turn:
                while (wait := await self._take(purpose)) > 0:
                    self._affordable(wait, within - (self._clock() - started))
                    await self._sleep(wait)
        finally:
            lane.ahead -= 1

    def succeeded(self) -> None:
        """Take note of an answer that was no refusal: the firewall lets us through."""
        self._foreign.clear()

    def foreign(self, thing: str) -> None:
        """Take note that Plume calls `thing` another partner's.

        Several different ones within a minute are the firewall's doing.
        """
        now = self._clock()
        self._foreign.append((now, thing))
        while self._foreign[0][0] < now - FOREIGN_SECONDS:
            self._foreign.popleft()
        if len({name for _, name in self._foreign}) >= FOREIGN:
            self._foreign.clear()
            self.shut_out()

    def shut_out(self) -> float:
        """Pause until the firewall's window ends; return the seconds.

        Nobody says when its windows begin. Ours begins with the first call after the one
        before; if that is too early, the next 403 begins a whole new one.
        """
        wait = max(1.0, self._window_began + WINDOW - self._clock())
        self.pause(wait)
        return wait

    def pause(self, seconds: float) -> None:
        """Let no call out for so long."""
        seconds = min(seconds, LONGEST_PAUSE)
        self.paused_elsewhere(seconds)
        if self._shared is not None:
            self._shared.pause(seconds)
        logger.warning("plume.paused", seconds=round(seconds, 1))

    def paused_elsewhere(self, seconds: float) -> None:
        """Take note that another instance lets no call out for so long."""
        until = self._clock() + min(seconds, LONGEST_PAUSE)
        self._paused_until = max(self._paused_until, until)

    @property
    def _share(self) -> int:
        return 1 if self._shared is None else self._shared.share

    async def _take(self, purpose: Purpose) -> float:
        """Count one call and return 0, or return how many seconds it has to wait."""
        if (wait := self._wait(purpose, 0)) > 0:
            return wait
        if self._shared is not None:
            granted = await self._shared.take(purpose, self._all.most, self._background.most)
            if granted.paused > 0:
                self.paused_elsewhere(granted.paused)
            if granted.wait > 0:
                return granted.wait
            if granted.window is not None:
                self._window_began = self._clock() + granted.window - WINDOW
            # A pause, or a call of the other lane, may have come first meanwhile.
            if (wait := self._wait(purpose, 0)) > 0:
                return wait
        self._note(purpose)
        return 0.0

    def _wait(self, purpose: Purpose, ahead: int) -> float:
        now, share = self._clock(), self._share
        return max(self.paused, *(lane.wait(now, ahead, share) for lane in self._lanes(purpose)))

    def _note(self, purpose: Purpose) -> None:
        now = self._clock()
        if now >= self._window_began + WINDOW:
            self._window_began = now
        for lane in self._lanes(purpose):
            lane.spend(now)

    def _lanes(self, purpose: Purpose) -> tuple[_Lane, ...]:
        return (self._all,) if purpose == "person" else (self._all, self._background)

    def _affordable(self, wait: float, within: float) -> None:
        if wait > within:
            metrics.limited("budget")
            cause = "paused" if self.paused else "budget"
            raise PlumeBusy(retry_after=math.ceil(wait), cause=cause)
