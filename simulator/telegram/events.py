"""What happens, told at once to every page that looks."""

import asyncio
import contextlib
from collections.abc import Iterator

from simulator.telegram.failure import Json

Event = tuple[int | None, str, Json, int | None]  # chat, name, what, for one person only
MOST_WAITING = 10_000  # events before a page that does not read is left behind


class Events:
    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Event]] = set()

    def tell(self, chat: int | None, name: str, what: Json, *, only: int | None = None) -> None:
        for listener in self._listeners:
            with contextlib.suppress(asyncio.QueueFull):
                listener.put_nowait((chat, name, what, only))

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Event]]:
        queue: asyncio.Queue[Event] = asyncio.Queue(MOST_WAITING)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
