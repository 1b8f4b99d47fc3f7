"""The one clock of the process, so that a test can tell it the time."""

import asyncio
import time
from contextlib import suppress


class Clock:
    """Seconds that never go back, and waiting for them."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return when `event` is set, after `seconds` at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
