"""Telegram's Bot API: one call, and what its failure means."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

import httpx
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from panoptes_bot.settings import BotSettings, loopback

CONNECTIONS = 64
CALL_TIMEOUT = 20.0  # seconds
CONNECT_TIMEOUT = 5.0
MEDIA_TIMEOUT = 60.0

Kind = Literal[
    "same", "gone", "stuck", "topic", "reply", "long", "never", "buttons", "entities", "other"
]
# What Telegram writes, in small letters. The first that is found counts.
KINDS: tuple[tuple[str, Kind], ...] = (
    ("message is not modified", "same"),
    ("message to edit not found", "gone"),
    ("message to delete not found", "gone"),
    ("message_id_invalid", "gone"),
    ("message can't be edited", "stuck"),
    ("no text in the message to edit", "stuck"),
    ("no media in the message to edit", "stuck"),
    ("message thread not found", "topic"),
    ("topic_deleted", "topic"),
    ("message to be replied not found", "reply"),
    ("reply message not found", "reply"),
    ("message is too long", "long"),
    ("message_too_long", "long"),
    ("chat not found", "never"),
    ("rights", "never"),
    ("chat_write_forbidden", "never"),
    ("topic_closed", "never"),
    ("button", "buttons"),
    ("reply markup", "buttons"),
    ("reply_markup", "buttons"),
    ("entit", "entities"),
)

T = TypeVar("T")


class TokenRefused(Exception):
    """Telegram does not know the token, or no longer."""


class SecondPoller(Exception):
    """Somebody else asks for the updates of this bot."""


class Refused(Exception):
    """It will never be drawn there."""


class Moved(Exception):
    """The chat is another one now."""

    def __init__(self, chat: str) -> None:
        super().__init__("the chat has a new id")
        self.chat = chat


class Rejected(Exception):
    """Telegram does not take the call as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        lower = reason.lower()
        self.kind: Kind = next((kind for words, kind in KINDS if words in lower), "other")


class Busy(Exception):
    """Telegram wants no call for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"for {seconds:.0f} s")
        self.seconds = seconds


class Unclear(Exception):
    """No answer that says what became of it. `sent` is False where nothing can have."""

    def __init__(self, cause: str, *, sent: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.sent = sent


def open_bot(settings: BotSettings) -> tuple[Bot, Callable[[], Awaitable[Any]]]:
    """Return the library's bot, for calls only, and what closes it."""
    # Else the library warns at each `RetryAfter` that its seconds will once be a timedelta.
    os.environ.setdefault("PTB_TIMEDELTA", "true")
    base = settings.telegram_api_base
    root = str(base).rstrip("/")
    calls, polls = (
        HTTPXRequest(
            connection_pool_size=size,
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=CALL_TIMEOUT,
            write_timeout=CALL_TIMEOUT,
            pool_timeout=CALL_TIMEOUT,
            media_write_timeout=MEDIA_TIMEOUT,
            httpx_kwargs={"trust_env": not loopback(base)},
        )
        for size in (CONNECTIONS, 2)
    )
    bot = Bot(
        settings.telegram_bot_token.get_secret_value(),
        base_url=f"{root}/bot",
        base_file_url=f"{root}/file/bot",
        request=calls,
        get_updates_request=polls,
    )
    return bot, lambda: asyncio.gather(calls.shutdown(), polls.shutdown())


async def once(bot: Bot, call: Callable[[], Awaitable[T]]) -> T:
    """Make a call and say in our words why it failed.

    Raises:
        Busy, Moved, Refused, Rejected, Unclear: see there.
        TokenRefused: the token is the reason, and not a method that this server lacks.
    """
    try:
        return await call()
    except RetryAfter as error:
        raise Busy(seconds(error)) from None
    except ChatMigrated as error:
        raise Moved(str(error.new_chat_id)) from None
    except Forbidden as error:
        raise Refused(error.message) from None
    except BadRequest as error:
        raise Rejected(error.message) from None
    except (InvalidToken, EndPointNotFound):
        await _confirm_token(bot)
        raise Refused("the server has no such method") from None
    except TelegramError as error:
        if "too large" in error.message.lower():  # 413, which no repetition makes smaller
            raise Rejected(error.message) from None
        raise unclear(error) from None


def seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return float(after if isinstance(after, int | float) else after.total_seconds())


def unclear(error: TelegramError) -> Unclear:
    cause = error.__cause__
    unsent = isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    # The text of an error may hold the URL, and so the token.
    name = type(error if cause is None else cause).__name__
    return Unclear(name, sent=not unsent)


async def _confirm_token(bot: Bot) -> None:
    try:
        await bot.get_me()
    except InvalidToken:
        raise TokenRefused from None
    except TelegramError:
        return
