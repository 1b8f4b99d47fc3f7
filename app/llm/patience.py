"""How long the provider is waited for."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what, in seconds.

    `first_token` counts from the start of an attempt, `gap` between two pieces of what is
    arriving, `total` over everything, retries and waits included. `retries` come on top of the
    first attempt. A wait over `max_wait` is handed to the person instead. After `note` without
    a word, whoever watches the answer grow is told that it takes long.
    """

    connect: float = 5.0
    first_token: float = 30.0
    gap: float = 20.0
    total: float = 120.0
    retries: int = 2
    max_wait: float = 10.0
    note: float = 20.0


class Watch:
    """Ends the block it guards when nothing was heard for too long.

    Leaving the block then raises `TimeoutError`. `keep` moves the deadline away, to so many
    seconds from now, and costs a reading of the clock: the timer itself is set anew only when
    it rings, as a new one for each chunk is dearer than reading the chunk. `move` also moves it
    closer.
    """

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self._due = self._loop.time() + seconds
        self._timer = self._loop.call_at(self._due, self._ring)

    def keep(self, seconds: float) -> None:
        self._due = self._loop.time() + seconds

    def move(self, seconds: float) -> None:
        self._timer.cancel()
        self.keep(seconds)
        self._timer = self._loop.call_at(self._due, self._ring)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _ring(self) -> None:
        now = self._loop.time()
        if now < self._due:
            self._timer = self._loop.call_at(self._due, self._ring)
        else:
            self._timeout.reschedule(now)
