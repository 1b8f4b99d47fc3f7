"""Answers kept for some seconds, so that pressing a button again asks nobody."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    until: float
    size: int


class Shelf(Generic[T]):
    """What was put last is kept, up to `most` of what `size` counts. Times are seconds.

    What is too old goes when something else comes, at the latest after what was put before it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, now: float) -> T | None:
        kept = self._kept.get(key)
        if kept is not None and now >= kept.until:
            self._drop(key)
            return None
        return kept.value if kept is not None else None

    def put(self, key: Hashable, value: T, *, now: float, seconds: float, size: int) -> None:
        self._drop(key)
        while self._kept and now >= next(iter(self._kept.values())).until:
            self._drop(next(iter(self._kept)))
        if seconds <= 0 or size > self._most:
            return
        self._kept[key] = _Kept(value, now + seconds, size)
        self.size += size
        while self.size > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.size -= kept.size
