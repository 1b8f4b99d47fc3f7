"""The menu that opens at `/`, and what a newcomer reads before the first message."""

import asyncio
import re

from loguru import logger
from telegram import Bot, BotCommand, BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats
from telegram.error import TelegramError

from panoptes_bot.client import MenuEntry, Service, ServiceAway
from panoptes_bot.telegram_api import unclear

NAME = re.compile(r"[a-z0-9_]{1,32}", re.ASCII)
LONGEST_SUMMARY = 256
MOST_COMMANDS = 100
SHORT_DESCRIPTION = "Answers questions, reads pictures, translates, watches over WiFi networks."
DESCRIPTION = (
    "Ask anything, or send a picture with a question. The answer comes from an AI model.\n\n"
    "/help lists what else there is."
)


class Menu:
    """Sets the menu when the service has another one. Whatever fails is tried at the next look."""

    def __init__(self, bot: Bot, service: Service) -> None:
        self._bot = bot
        self._service = service
        self._shown: tuple[MenuEntry, ...] | None = None
        self._look = asyncio.Event()

    def look(self) -> None:
        """Ask for another look: the service may be a newer one."""
        self._look.set()

    async def run(self) -> None:
        while True:
            await self._look.wait()
            self._look.clear()
            await self.refresh()

    async def refresh(self) -> None:
        try:
            entries = await self._service.menu()
            if entries != self._shown:
                await self._show(entries)
                self._shown = entries
        except ServiceAway as away:
            logger.warning("menu.unknown", cause=away.cause)
        except TelegramError as error:
            # Also a refused token: the polls will say so, and some servers lack these methods.
            logger.warning("menu.failed", cause=unclear(error).cause)

    async def _show(self, entries: tuple[MenuEntry, ...]) -> None:
        fit = [entry for entry in entries if NAME.fullmatch(entry.name)]
        private, groups = BotCommandScopeAllPrivateChats(), BotCommandScopeAllGroupChats()
        await self._bot.set_my_commands(_commands(fit), scope=private)
        shared = [entry for entry in fit if entry.groups]
        await self._bot.set_my_commands(_commands(shared), scope=groups)
        await self._bot.set_my_short_description(SHORT_DESCRIPTION)
        await self._bot.set_my_description(DESCRIPTION)
        logger.info("menu.set", commands=len(fit))


def _commands(entries: list[MenuEntry]) -> list[BotCommand]:
    return [
        BotCommand(entry.name, (entry.summary or entry.name)[:LONGEST_SUMMARY])
        for entry in entries[:MOST_COMMANDS]
    ]
