"""The bot's process: it opens everything, runs both ways, and ends with a code.

0: it was stopped. 1: something nobody foresaw, in the log. 2: Telegram refuses the token.
3: another process polls with the same token. 78: it is not configured.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from loguru import logger
from telegram import Bot

from panoptes_bot import log
from panoptes_bot.client import Service
from panoptes_bot.clock import Clock
from panoptes_bot.deliver import Deliverer
from panoptes_bot.menu import Menu
from panoptes_bot.messages import Messages
from panoptes_bot.pace import Pace
from panoptes_bot.reach import Reach
from panoptes_bot.receive import Receiver, use_webhook
from panoptes_bot.settings import BotSettings, SettingsRefused, read_settings
from panoptes_bot.telegram_api import SecondPoller, TokenRefused, open_bot
from wire.supervisor import Supervisor

STOPPED = 0
FAILED = 1
TOKEN_REFUSED = 2
SECOND_POLLER = 3
NOT_CONFIGURED = 78  # EX_CONFIG of sysexits.h: a supervisor need not try again
PRIVATE = 0o077


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The Telegram bot.")
    parser.add_argument("--check", action="store_true", help="say what keeps it from starting")
    check = parser.parse_args(arguments).check
    os.umask(PRIVATE)
    try:
        settings = read_settings(user=os.geteuid() if os.name == "posix" else None)
        if check:
            _print("The bot can start with these settings.")
            return STOPPED
        secrets, file = settings.secrets(), settings.telegram_log_file
        log.configure(level=settings.log_level, file=file, secrets=secrets)
    except SettingsRefused as refused:
        _print("The bot cannot start:", *(f"  - {reason}" for reason in refused.reasons))
        return NOT_CONFIGURED
    except OSError as error:
        _print("The bot cannot start:", f"  - TELEGRAM_LOG_FILE: {error.strerror}")
        return NOT_CONFIGURED
    return asyncio.run(run(settings))


async def run(settings: BotSettings, clock: Clock | None = None) -> int:
    """Run until SIGTERM or SIGINT, or until it is no use; return the exit code."""
    stop, supervisor = asyncio.Event(), Supervisor()
    _on_signals(stop)
    work = asyncio.create_task(_work(settings, clock or Clock(), supervisor))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    supervisor.tell("Finishes what it places.", STOPPING=1)
    work.cancel()
    code = STOPPED
    try:
        await work
    except* asyncio.CancelledError:
        logger.info("bot.stopped")
    except* TokenRefused:
        logger.critical("bot.token_refused", do="put the token of @BotFather in TELEGRAM_BOT_TOKEN")
        code = TOKEN_REFUSED
    except* SecondPoller:
        logger.critical("bot.second_poller", do="another process uses this token; stop one of them")
        code = SECOND_POLLER
    # The outermost place: whatever it was, the process ends and says so.
    except* Exception:  # noqa: BLE001 - see above
        logger.exception("bot.failed")
        code = FAILED
    return code


async def _work(settings: BotSettings, clock: Clock, supervisor: Supervisor) -> None:
    bot, close_bot = open_bot(settings)
    service = Service(str(settings.service_url), settings.bot_api_key)
    try:
        pace = Pace(clock)
        messages = Messages(bot, pace, Reach("telegram"), clock)
        menu = Menu(bot, service)
        deliverer = Deliverer(service, messages, Reach("service"), clock, connected=menu.look)
        logger.info("bot.started", webhook=settings.telegram_webhook_url is not None)
        async with asyncio.TaskGroup() as loops:
            receiver = Receiver(bot, service, pace, clock)
            loops.create_task(_receive(settings, bot, receiver, clock))
            loops.create_task(deliverer.run())
            loops.create_task(menu.run())
            loops.create_task(_live(supervisor, clock))
    finally:
        await service.close()
        await close_bot()


async def _receive(settings: BotSettings, bot: Bot, receiver: Receiver, clock: Clock) -> None:
    url, secret = settings.telegram_webhook_url, settings.telegram_webhook_secret
    if url is None or secret is None:
        await receiver.run()
    else:
        await use_webhook(bot, str(url), secret.get_secret_value(), clock)


async def _live(supervisor: Supervisor, clock: Clock) -> None:
    """Tell that both ways are open, and then, if that is asked for, that the loop still turns."""
    supervisor.tell("Carries messages.", READY=1)
    while (interval := supervisor.interval) is not None:
        supervisor.tell(WATCHDOG=1)
        await clock.sleep(interval)


def _on_signals(stop: asyncio.Event) -> None:
    def heard() -> None:
        if stop.is_set():
            # Whoever asks twice does not wait for what is being placed. It is delivered again.
            os._exit(STOPPED)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Windows has no such handlers; there Ctrl-C ends the process as it always does.
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, heard)


def _print(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - there is no log yet
