"""All that goes through one Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.chat.limits import WINDOW_SECONDS
from app.sharing.bus import Bus
from app.sharing.grants import Grants
from app.sharing.limits import SharedLimits
from app.sharing.link import Link


class Sharing:
    """What shares is made first, and `opened` then."""

    def __init__(self, url: str) -> None:
        self.link = Link(url)
        self.bus = Bus(self.link)

    def limits(self, name: str, seconds: float = WINDOW_SECONDS) -> SharedLimits:
        return SharedLimits(self.link, self.bus, name, seconds)

    def grants(self) -> Grants:
        return Grants(self.link, self.bus)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with self.link.opened(), self.bus.opened():
            yield
