"""The text of an answer while it is written, kept so that others can show it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from app.errors import StorageUnavailable

EVERY = 1.0  # seconds between two writes of one answer


class Growth:
    """Collects what a model says and hands it on, at most once a second. It is a `Say`."""

    def __init__(self, show: Callable[[str], Awaitable[None]]) -> None:
        self._show = show
        self._pieces: list[str] = []
        self._showing: asyncio.Task[None] | None = None
        self._noting: asyncio.Task[None] | None = None

    def __call__(self, piece: str) -> None:
        self._pieces.append(piece)
        if self._showing is None:
            self._showing = asyncio.create_task(self._run())

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def begin(self, note: str, after: float) -> None:
        """Show `note` where nothing was said for the first `after` seconds."""
        self._noting = asyncio.create_task(self._note(note, after))

    def end(self) -> None:
        """Stop showing: the whole answer comes by another way."""
        for task in (self._showing, self._noting):
            if task is not None:
                task.cancel()

    async def _note(self, note: str, after: float) -> None:
        await asyncio.sleep(after)
        if not self._pieces:
            with contextlib.suppress(StorageUnavailable):
                await self._show(note)

    async def _run(self) -> None:
        shown = 0
        while True:
            if len(self._pieces) > shown:
                shown = len(self._pieces)
                try:
                    await self._show(self.text)
                except StorageUnavailable:
                    return  # only the show is over; the answer itself goes on
            await asyncio.sleep(EVERY)
