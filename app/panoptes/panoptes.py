"""What commands and REST use to look at networks."""

from collections.abc import Callable
from dataclasses import dataclass

from app.panoptes.access import Access
from app.panoptes.reports import Reports


@dataclass(frozen=True, slots=True)
class Panoptes:
    """`bot_name` returns how the bot is called on Telegram, empty while nobody knows."""

    access: Access
    reports: Reports
    bot_name: Callable[[], str] = str

    def link(self, token: str) -> str:
        """Return what somebody opens, or else sends, to take an invitation."""
        name = self.bot_name()
        return f"https://t.me/{name}?start={token}" if name else f"/start {token}"
