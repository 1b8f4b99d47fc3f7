"""How many messages a person may send: an exact sliding window."""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, Generic, Protocol, TypeVar

WINDOW_SECONDS: Final = 60.0
LATE_SECONDS: Final = 3600.0  # what is dated still earlier counts as so much before the latest

Person = tuple[str, str]
Entry = tuple[float, str]  # when something counts, and what tells it from others of that time
K = TypeVar("K", bound=Hashable)
_time = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`left` after this message; `reset` is when the next place becomes free, in seconds.

    `allowed` is false where there was no place; nothing is spent then. `place` is what was spent.
    """

    allowed: bool
    limit: int
    left: int
    reset: float
    place: Entry | None = field(default=None, compare=False)


class Limits(Protocol):
    """The time is the caller's: a backlog counts by when it was sent, in whatever order it comes.

    No stretch of a window holds more than the limit.
    """

    async def spend(self, key: Person, sent_at: float, limit: int) -> Verdict:
        """Take one place of `limit` in the windows that `sent_at` lies in, if all have one."""
        ...

    async def look(self, key: Person, now: float, limit: int) -> Verdict:
        """Return what is left, and take nothing."""
        ...

    async def refund(self, key: Person, spent: Verdict) -> None:
        """Give back what was spent: the message was no new one."""
        ...


class Counts(Generic[K]):
    """What was counted of each key, in the order of its times."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._entries: OrderedDict[K, tuple[float, list[Entry]]] = OrderedDict()
        self._latest = 0.0

    def of(self, key: K) -> Sequence[Entry]:
        found = self._entries.get(key)
        return found[1] if found else ()

    def items(self) -> list[tuple[K, Entry]]:
        return [(key, entry) for key, (_, kept) in self._entries.items() for entry in kept]

    def add(self, key: K, entry: Entry) -> None:
        """Count an entry. One that is counted already is not counted again."""
        self._latest = max(self._latest, entry[0])
        entries = self._entries[key][1] if key in self._entries else []
        if entries:
            old = entries[-1][0] - LATE_SECONDS - self.seconds
            del entries[: bisect_right(entries, old, key=_time)]
        at = bisect_left(entries, entry)
        if not entry[1] or at == len(entries) or entries[at] != entry:
            entries.insert(at, entry)
        self._entries[key] = (self._latest, entries)
        self._entries.move_to_end(key)
        self._forget()

    def remove(self, key: K, entry: Entry) -> bool:
        """Take one entry back; False where it is not here."""
        found = self._entries.get(key)
        if found is None:
            return False
        at = bisect_left(found[1], entry)
        if at == len(found[1]) or found[1][at] != entry:
            return False
        del found[1][at]
        if not found[1]:
            del self._entries[key]
        return True

    def _forget(self) -> None:
        # A window is enough for what comes in order; the other one is for what comes late.
        idle = self._latest - 2 * self.seconds
        while self._entries and next(iter(self._entries.values()))[0] <= idle:
            self._entries.popitem(last=False)


def dated(entries: Sequence[Entry], at: float) -> float:
    """Return when something of that time counts, beside these."""
    return max(at, entries[-1][0] - LATE_SECONDS) if entries else at


def judged(entries: Sequence[Entry], at: float, limit: int, seconds: float) -> Verdict:
    """Return whether there is a place at that time, and what is left once it is taken."""
    most, oldest = _fullest(entries, at, seconds)
    allowed = most < limit
    first = min(oldest, at) if allowed else oldest
    return Verdict(allowed, limit, max(0, limit - most - 1), first + seconds - at)


def looked(entries: Sequence[Entry], now: float, limit: int, seconds: float) -> Verdict:
    """Return what is left now. What is dated later, by another clock than ours, counts as well."""
    begin = bisect_right(entries, now - seconds, key=_time)
    count = len(entries) - begin
    reset = entries[begin][0] + seconds - now if count else 0.0
    return Verdict(count < limit, limit, max(0, limit - count), reset)


def _fullest(entries: Sequence[Entry], at: float, seconds: float) -> tuple[int, float]:
    """Return what the fullest window with `at` in it holds: how many, and the time of the first.

    The windows that matter end at `at`, or at an entry after it that is less than a window away.
    """
    begin = bisect_right(entries, at - seconds, key=_time)
    end = bisect_right(entries, at, key=_time)
    most, oldest = end - begin, entries[begin][0] if end > begin else at
    for last in range(end, len(entries)):
        since = entries[last][0] - seconds
        if since >= at:
            break
        while entries[begin][0] <= since:
            begin += 1
        if last + 1 - begin > most:
            most, oldest = last + 1 - begin, entries[begin][0]
    return most, oldest


class LocalLimits:
    """Counts in memory, for one process alone."""

    def __init__(self, seconds: float = WINDOW_SECONDS) -> None:
        self._counts: Counts[Person] = Counts(seconds)

    async def spend(self, key: Person, sent_at: float, limit: int) -> Verdict:
        entries = self._counts.of(key)
        at = dated(entries, sent_at)
        verdict = judged(entries, at, limit, self._counts.seconds)
        if not verdict.allowed:
            return verdict
        place = (at, "")
        self._counts.add(key, place)
        return Verdict(verdict.allowed, limit, verdict.left, verdict.reset, place)

    async def look(self, key: Person, now: float, limit: int) -> Verdict:
        return looked(self._counts.of(key), now, limit, self._counts.seconds)

    async def refund(self, key: Person, spent: Verdict) -> None:
        if spent.place is not None:
            self._counts.remove(key, spent.place)
