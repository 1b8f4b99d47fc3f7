"""What commands and REST use to look at networks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.network.pictures import SpeedPicture, UptimePicture, WanPicture
from app.panoptes.access import Access
from app.panoptes.reports import Reports

Draw = Callable[[WanPicture | UptimePicture | SpeedPicture], Awaitable[bytes | None]]


async def no_picture(picture: WanPicture | UptimePicture | SpeedPicture) -> bytes | None:
    """Draw nothing."""


@dataclass(frozen=True, slots=True)
class Panoptes:
    """`bot_name` returns how the bot is called on Telegram, empty while nobody knows.

    `draw` returns a chart as PNG, None where it cannot be drawn.
    """

    access: Access
    reports: Reports
    bot_name: Callable[[], str] = str
    draw: Draw = no_picture

    def link(self, token: str) -> str:
        """Return what somebody opens, or else sends, to take an invitation."""
        name = self.bot_name()
        return f"https://t.me/{name}?start={token}" if name else f"/start {token}"
