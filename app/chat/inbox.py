"""What others bring in: kept once, then answered by whoever has time.

The sender hears that it is accepted after the commit. Whatever there is to say to the person, a
refusal too, goes out as a delivery.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from loguru import logger
from sqlalchemy import Connection

from app import texts
from app.chat import reading
from app.chat.limits import Verdict
from app.chat.outbox import Outbox, drawn
from app.chat.processor import INBOX, Processor, message_of, place_of, target_of
from app.errors import AppError, EmptyMessage, InProgress, MessageIdReused
from app.platforms import telegram
from app.platforms.platform import Platform
from app.platforms.telegram import KEY_MARK, Bot, Ignored, Incoming, Moved, Unreadable
from app.sessions import sessions
from app.storage import deliveries, inbox, turns
from app.storage.deliveries import Target
from app.storage.turns import Key, NewTurn
from wire.message import MAX_ATTACHMENTS, Message
from wire.reply import Reply

ALBUM_SECONDS = 1.0  # the pictures of an album come one by one, within this
STOP = frozenset({"/stop", "/cancel"})


@dataclass(frozen=True, slots=True)
class Kept:
    """`new`: there is a turn more. `notice` is what the presser of a button may be told."""

    new: bool = False
    notice: str | None = None


@dataclass(slots=True)
class Inbox:
    """`bot` is who we are on Telegram, once that is known."""

    platforms: Mapping[str, Platform]
    processor: Processor
    outbox: Outbox
    bot: Bot = field(default_factory=Bot)
    _warned: dict[tuple[str, str], float] = field(default_factory=dict)

    async def take_update(self, raw: object) -> str | None:
        """Keep an update of Telegram once, and return what the presser of a button is told.

        What cannot be read is kept too, and counted.

        Raises:
            StorageUnavailable: nothing is kept; send it again.
        """
        number = telegram.update_id_of(raw)
        try:
            read = telegram.read(raw, self.bot)
        except Unreadable:
            await self._set_aside(number, raw)
            return None
        if isinstance(read, Incoming):
            return (await self._take(read, number)).notice
        await self._note(number, read)
        return None

    async def take_message(self, message: Message) -> None:
        """Keep a message of any platform; the answer comes as a delivery.

        Raises:
            AppError: refused, and nothing is kept.
        """
        reading.check(message)
        kept = await self._take(Incoming(message, self.processor.clock()), None)
        logger.debug("inbox.message", new=kept.new)

    async def _take(self, incoming: Incoming, number: int | None) -> Kept:
        message, processor = incoming.message, self.processor
        platform = self.platforms[message.platform]
        if _stops(message):
            stopped = processor.stop(place_of(message))
            if stopped or incoming.pressed:
                await self._note(number, Ignored("stop"))
                return Kept(notice=texts.STOPPED if stopped else texts.NOTHING_RUNS)
        person = (platform.name, message.user_id)
        sent_at = incoming.sent_at or processor.clock()
        verdict = processor.limits.spend(person, sent_at, platform.rate_limit)

        def unit(db: Connection) -> Kept:
            if number is not None and not self._first(db, number, "taken"):
                return Kept()
            return self._keep(db, incoming, platform, verdict)

        try:
            kept = await processor.memory.store.run(unit)
        except AppError:
            kept = Kept()
            raise
        finally:
            if verdict.allowed and not kept.new:
                processor.limits.refund(person)
        self.outbox.wake()
        processor.lanes.wake()
        return kept

    def _keep(
        self, db: Connection, incoming: Incoming, platform: Platform, verdict: Verdict
    ) -> Kept:
        message = self._unfolded(db, incoming.message)
        if inbox.is_banned(db, platform.name, message.user_id):
            return Kept()
        if message.text.startswith(KEY_MARK) and incoming.pressed:
            return Kept(notice=texts.STALE_BUTTON)
        if (refusal := self._refusal(db, message, platform, verdict)) is not None:
            return self._say(db, target_of(message), refusal)
        key = Key(INBOX, platform.name, message.chat_id, message.message_id)
        if incoming.edited or incoming.album:
            waiting = turns.waiting(db, self.processor.memory.sealer, key)
            if waiting is not None:
                return self._join(db, key, message_of(waiting), incoming)
            if incoming.edited:
                return Kept()  # it was answered, or never for us: an edit is no new question
        return self._queue(db, key, message, wait=ALBUM_SECONDS if incoming.album else 0.0)

    def _queue(self, db: Connection, key: Key, message: Message, wait: float) -> Kept:
        processor, sealer = self.processor, self.processor.memory.sealer
        now = processor.clock()
        request, fingerprint = processor.request(message, ())
        try:
            if turns.known(db, sealer, key, fingerprint) is not None:
                return Kept()
        except (MessageIdReused, InProgress):
            return Kept()  # it came before, by another update
        session = processor.memory.session(db, place_of(message), now)
        new = NewTurn(key, message.user_id, session.id, fingerprint, request)
        turn = turns.queue(db, sealer, new, now, not_before=now + wait)
        if not message.pressed_message_id:
            # A placeholder is due at once. A pressed button may redraw its own message instead.
            deliveries.add(db, sealer, target_of(message), now, turn=turn)
        return Kept(new=True)

    def _join(self, db: Connection, key: Key, waiting: Message, incoming: Incoming) -> Kept:
        """Let an edit replace what waits, or another picture of an album join it."""
        message = incoming.message
        if incoming.album and not incoming.edited:
            parts = (*waiting.attachments, *message.attachments)[:MAX_ATTACHMENTS]
            text = waiting.text or message.text
            message = waiting.model_copy(update={"attachments": parts, "text": text})
        request, fingerprint = self.processor.request(message, ())
        turns.replace(db, self.processor.memory.sealer, key, request, fingerprint)
        return Kept()

    def _refusal(
        self, db: Connection, message: Message, platform: Platform, verdict: Verdict
    ) -> str | None:
        now = self.processor.clock()
        if not platform.admits(message.user_id):
            return texts.NOT_INVITED
        if not verdict.allowed:
            return self._slow_down((platform.name, message.user_id), verdict, now)
        try:
            reading.check(message, fetched=True)
        except EmptyMessage as error:
            return str(error)
        limit = platform.daily_turns
        if limit is None or inbox.spend_day(db, platform.name, message.user_id, now) <= limit:
            return None
        return texts.DAY_USED.format(limit=limit)

    def _slow_down(self, person: tuple[str, str], verdict: Verdict, now: float) -> str:
        """Return the sentence once until there is room again, then nothing: see `_say`."""
        if self._warned.get(person, 0.0) > now:
            return ""
        self._warned = {who: until for who, until in self._warned.items() if until > now}
        self._warned[person] = now + verdict.reset
        seconds = math.ceil(verdict.reset)
        return texts.LIMIT_REACHED.format(limit=verdict.limit, seconds=seconds)

    def _say(self, db: Connection, target: Target, text: str) -> Kept:
        if text:
            sealer, now = self.processor.memory.sealer, self.processor.clock()
            reply = drawn(db, sealer, target, Reply(response=text, success=False), now)
            deliveries.add(db, sealer, target, now, reply=reply)
        return Kept()

    def _unfolded(self, db: Connection, message: Message) -> Message:
        """Return a pressed button's message with what its short key stands for."""
        if not message.text.startswith(KEY_MARK) or not message.pressed_message_id:
            return message
        sent = inbox.button_send(
            db,
            self.processor.memory.sealer,
            message.platform,
            message.user_id,
            message.text.removeprefix(KEY_MARK),
        )
        return message if sent is None else message.model_copy(update={"text": sent})

    async def _note(self, number: int | None, read: Moved | Ignored) -> None:
        def unit(db: Connection) -> None:
            reason = "moved" if isinstance(read, Moved) else "ignored"
            if number is not None and self._first(db, number, reason) and isinstance(read, Moved):
                sessions.move(db, telegram.PLATFORM, read.chat_id, read.new_chat_id)
                deliveries.move(db, telegram.PLATFORM, read.chat_id, read.new_chat_id)

        await self.processor.memory.store.run(unit)

    async def _set_aside(self, number: int | None, raw: object) -> None:
        sealer = self.processor.memory.sealer
        kept = sealer.seal(orjson.dumps(raw), "updates")

        def unit(db: Connection) -> None:
            # One without a number gets one of ours, below zero: Telegram's are above.
            found = inbox.least_number(db) - 1 if number is None else number
            self._first(db, found, "unreadable", kept)

        await self.processor.memory.store.run(unit)
        logger.warning("inbox.unreadable", update=number)

    def _first(self, db: Connection, number: int, outcome: str, raw: bytes | None = None) -> bool:
        now = self.processor.clock()
        return inbox.first_time(db, self.bot.id, number, outcome, now, raw)


def _stops(message: Message) -> bool:
    words = reading.cleaned(message.text).lower()
    return words.partition("@")[0] in STOP
