"""Messages in chats: placed, edited and deleted within the pace, whatever comes between."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from loguru import logger
from telegram import (
    Bot,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
)
from telegram.constants import ChatAction

from panoptes_bot.clock import Clock
from panoptes_bot.pace import Held, Pace
from panoptes_bot.pieces import File, Keyboard, Photo, Piece, Words, simpler
from panoptes_bot.reach import Reach, pauses
from panoptes_bot.render import WAITING
from panoptes_bot.telegram_api import Busy, Moved, Refused, Rejected, Unclear, once

# Seconds more than Telegram asks for: a call that comes too early starts the penalty anew.
MARGIN = 0.5

T = TypeVar("T")
Tell = Callable[[str], Awaitable[None]]
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Gone(Exception):
    """There is no such message any more, or one that cannot be edited so: then it is `there`."""

    def __init__(self, *, there: bool = False) -> None:
        super().__init__()
        self.there = there


class Later(Exception):
    """Not before `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Place:
    """Where messages go. `reply_to` is the message that is answered."""

    chat: str
    thread: str | None = None
    reply_to: str | None = None


class Messages:
    """`strays` counts messages that may stand in a chat without anybody knowing their id."""

    def __init__(self, bot: Bot, pace: Pace, reach: Reach, clock: Clock) -> None:
        self._bot = bot
        self._pace = pace
        self._reach = reach
        self._clock = clock
        self._placing = asyncio.Lock()
        self.strays = 0

    def room(self, chat: str) -> float:
        """Return the seconds after which a cosmetic call is worth trying."""
        return self._pace.room(chat)

    async def place(self, place: Place, keyboard: Keyboard, *, silent: bool, tell: Tell) -> None:
        """Send a message that says to wait, and `tell` its id before any other one is sent.

        So one that ends in between leaves one message at most of which nobody knows. When nobody
        knows whether it was sent, it is sent again.

        Raises:
            Refused, Later, Moved: see there.
        """

        async def send_and_tell() -> None:
            async with self._placing:
                await tell(await self._send(place, keyboard, silent))

        try:
            await self._surely(place.chat, send_and_tell, begins=True)
        except Rejected as rejected:
            if rejected.kind == "topic" and place.thread is not None:
                other = replace(place, thread=None)
            elif rejected.kind == "reply" and place.reply_to is not None:
                other = replace(place, reply_to=None)
            else:
                raise Refused(str(rejected)) from None
            await self.place(other, keyboard, silent=silent, tell=tell)

    async def edit(self, chat: str, message: str, piece: Piece, keyboard: Keyboard) -> None:
        """Make a message show `piece`, as well as Telegram takes it.

        Raises:
            Gone, Refused, Later, Moved: see there.
        """
        try:
            await self._surely(chat, lambda: self._edit(chat, message, piece, keyboard))
        except Rejected as rejected:
            if rejected.kind == "same":
                return
            _raise_if_gone(rejected)
            other = simpler(piece, keyboard, rejected.kind)
            logger.warning("edit.rejected", kind=rejected.kind, again=other is not None)
            if other is None:
                raise Refused(str(rejected)) from None
            await self.edit(chat, message, *other)

    async def try_edit(self, chat: str, message: str, piece: Piece, keyboard: Keyboard) -> bool:
        """Make a message show `piece` if there is room for it now; say whether that is done.

        Raises:
            Gone, Refused, Moved: see there.
        """
        if not self._pace.spare(chat):
            return False
        try:
            await self._call(chat, lambda: self._edit(chat, message, piece, keyboard))
        except Rejected as rejected:
            _raise_if_gone(rejected)
            # What is refused now will be drawn more simply in the end.
            return True
        except (Busy, Unclear):
            return False
        return True

    async def type(self, place: Place) -> None:
        """Show that somebody is at work, if there is room for it and it is not shown already."""
        if not self._pace.may_type(place.chat):
            return
        thread = _number(place.thread)
        try:
            await self._call(
                place.chat,
                lambda: self._bot.send_chat_action(
                    place.chat, ChatAction.TYPING, message_thread_id=thread
                ),
            )
        except (Busy, Moved, Refused, Rejected, Unclear):
            return  # a call that matters will say so too

    async def delete(self, chat: str, message: str) -> str | None:
        """Delete a message; return why it is still there, if it is.

        Raises:
            Later, Moved: see there.
        """
        try:
            await self._surely(chat, lambda: self._bot.delete_message(chat, int(message)))
        except Rejected as rejected:
            return None if rejected.kind == "gone" else str(rejected)
        except Refused as refused:
            return str(refused)
        return None

    async def remove(self, chat: str, message: str) -> bool:
        """Take a message of ours away, or at least its buttons; False where the chat lets us not.

        Raises:
            Later, Moved: see there.
        """
        number = int(message)
        try:
            await self._surely(chat, lambda: self._bot.delete_message(chat, number))
        except Refused:
            return False
        except Rejected as rejected:
            if rejected.kind != "gone":  # it is too old
                with suppress(Refused, Rejected):
                    await self._surely(
                        chat, lambda: self._bot.edit_message_reply_markup(chat, number)
                    )
        return True

    async def _surely(
        self, chat: str, call: Callable[[], Awaitable[T]], *, begins: bool = False
    ) -> T:
        for pause in pauses():
            try:
                await self._pace.turn(chat, begins=begins)
                return await self._call(chat, call)
            except Held as held:
                raise Later(held.seconds) from None
            except Busy:
                continue  # the pace knows how long, and whether that is too long
            except Unclear:
                await self._clock.sleep(pause)
        raise AssertionError("there is always another pause")

    async def _call(self, chat: str, call: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await once(self._bot, call)
        except Unclear as unclear:
            self._reach.lost(unclear.cause)
            raise
        except Busy as busy:
            logger.info("chat.held", seconds=busy.seconds)
            self._pace.hold(chat, busy.seconds + MARGIN)
            self._reach.found()
            raise
        except (Moved, Refused, Rejected):
            self._reach.found()
            raise
        self._reach.found()
        return result

    async def _send(self, place: Place, keyboard: Keyboard, silent: bool) -> str:  # noqa: FBT001
        source = _number(place.reply_to)
        reply = (
            None if source is None else ReplyParameters(source, allow_sending_without_reply=True)
        )
        try:
            message = await once(
                self._bot,
                lambda: self._bot.send_message(
                    place.chat,
                    WAITING,
                    message_thread_id=_number(place.thread),
                    reply_parameters=reply,
                    link_preview_options=NO_PREVIEW,
                    disable_notification=silent,
                    reply_markup=keyboard,
                ),
            )
        except Unclear as unclear:
            if unclear.sent:
                self.strays += 1
                logger.warning("place.unclear", cause=unclear.cause, strays=self.strays)
            raise
        return str(message.message_id)

    async def _edit(self, chat: str, message: str, piece: Piece, keyboard: Keyboard) -> None:
        number = int(message)
        match piece:
            case Words(text):
                entities = [
                    MessageEntity(e.type, e.offset, e.length, url=e.url, language=e.language)
                    for e in text.entities
                ]
                await self._bot.edit_message_text(
                    text.text,
                    chat,
                    number,
                    entities=entities,
                    link_preview_options=NO_PREVIEW,
                    reply_markup=keyboard,
                )
            case Photo(data, caption, name):
                photo = InputMediaPhoto(data, caption=caption, filename=name)
                await self._bot.edit_message_media(photo, chat, number, reply_markup=keyboard)
            case File(data, name, caption):
                file = InputMediaDocument(data, filename=name, caption=caption)
                await self._bot.edit_message_media(file, chat, number, reply_markup=keyboard)


def _raise_if_gone(rejected: Rejected) -> None:
    if rejected.kind in {"gone", "stuck"}:
        raise Gone(there=rejected.kind == "stuck") from None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None
