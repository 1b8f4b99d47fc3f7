"""How many messages a person may send: an exact sliding window."""

from collections import deque
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
SWEEP_EVERY = 1024  # spends: keys that nobody used for a window are dropped then


@dataclass(frozen=True, slots=True)
class Verdict:
    """`left` after this message; `reset` is when the next place becomes free, in seconds.

    `allowed` is false where there was no place; nothing is spent then.
    """

    allowed: bool
    limit: int
    left: int
    reset: float


class Limits:
    """Counts in memory. The time is the caller's: a backlog counts by when it was sent."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, str], deque[float]] = {}
        self._until_sweep = SWEEP_EVERY

    def spend(self, key: tuple[str, str], sent_at: float, limit: int) -> Verdict:
        """Take one place of `limit` in the minute before `sent_at`, if there is one.

        Times of one key are expected in order; an earlier one counts as the latest seen.
        """
        self._sweep(sent_at)
        times = self._spent.setdefault(key, deque())
        sent_at = max(sent_at, times[-1]) if times else sent_at
        while times and times[0] <= sent_at - WINDOW_SECONDS:
            times.popleft()
        allowed = len(times) < limit
        if allowed:
            times.append(sent_at)
        return self._verdict(times, sent_at, limit, allowed=allowed)

    def look(self, key: tuple[str, str], now: float, limit: int) -> Verdict:
        """Return what is left, and take nothing."""
        times = deque(time for time in self._spent.get(key, ()) if time > now - WINDOW_SECONDS)
        return self._verdict(times, now, limit, allowed=len(times) < limit)

    def refund(self, key: tuple[str, str]) -> None:
        """Give back the last place: the message was no new one."""
        if times := self._spent.get(key):
            times.pop()

    @staticmethod
    def _verdict(times: deque[float], now: float, limit: int, *, allowed: bool) -> Verdict:
        reset = times[0] + WINDOW_SECONDS - now if times else 0.0
        return Verdict(allowed, limit, max(0, limit - len(times)), reset)

    def _sweep(self, now: float) -> None:
        self._until_sweep -= 1
        if self._until_sweep > 0:
            return
        idle = now - WINDOW_SECONDS
        for key in [key for key, times in self._spent.items() if not times or times[-1] <= idle]:
            del self._spent[key]
        # Of those that are left: of all, every sweep would come later than the one before.
        self._until_sweep = max(SWEEP_EVERY, len(self._spent))
