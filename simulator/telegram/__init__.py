"""A simulated Telegram: the Bot API, people who use it, its faults, and a chat page."""

from simulator.telegram.app import create_telegram, telegram_routes
from simulator.telegram.bodies import Upload
from simulator.telegram.faults import FAULTS
from simulator.telegram.people import Impossible
from simulator.telegram.world import GROUP, TOKEN, Call, TelegramWorld

__all__ = [
    "FAULTS",
    "GROUP",
    "TOKEN",
    "Call",
    "Impossible",
    "TelegramWorld",
    "Upload",
    "create_telegram",
    "telegram_routes",
]
