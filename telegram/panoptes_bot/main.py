"""The bot's process."""

import sys

from telegram import __version__ as library_version


def main() -> int:
    """Say that the bot is not part of this version yet, and which library it will use."""
    print(  # noqa: T201 - there is no log of a bot that does not run
        f"The Telegram bot comes with the next version (python-telegram-bot {library_version} "
        "is there). Until then the service answers POST /message.",
        file=sys.stderr,
    )
    return 1
