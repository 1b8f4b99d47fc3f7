"""What others bring in: kept once, then answered by whoever has time.

The sender hears that it is accepted after the commit. Whatever there is to say to the person, a
refusal too, goes out as a delivery.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import orjson
from loguru import logger
from sqlalchemy import Connection

from app import metrics, texts
from app.bell import SILENT, Bell
from app.chat import reading
from app.chat.kept import INBOX, place_of, read, request_of, target_of
from app.chat.limits import Verdict
from app.chat.outbox import Outbox, drawn
from app.chat.processor import Processor
from app.chat.refusals import Refusals
from app.errors import (
    AppError,
    InProgress,
    InvalidBody,
    InvalidJson,
    MessageIdReused,
    NotReady,
)
from app.platforms import telegram
from app.platforms.platform import Platform
from app.platforms.telegram import (
    KEY_MARK,
    Bot,
    Gone,
    Ignored,
    Incoming,
    Moved,
    NameAwaited,
    Unreadable,
)
from app.sessions import sessions
from app.storage import deliveries, inbox, turns, webhooks
from app.storage.deliveries import Target
from app.storage.turns import Key, NewTurn
from wire.message import MAX_ATTACHMENTS, Message
from wire.reply import Reply

ALBUM_SECONDS = 1.0  # the pictures of an album come one by one, each this soon after another
AN_ALBUM = 60.0  # seconds in which something is said once about an album, not of each picture
STOP = frozenset({"/stop", "/cancel"})
ACCEPTED = 202  # what a kept message is answered
# Notes that something came, and what it was; False where it came before.
First = Callable[[Connection, str], bool]


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of a message.

    `counts`: it is one more of this person, answered or refused, and none that came before.
    `notice` is what the presser of a button may be told.
    """

    counts: bool = False
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of an update: where it was a `press`, its id, and what the presser is told."""

    press: str | None = None
    notice: str | None = None


@dataclass(slots=True)
class Inbox:
    """`bot` is who we are on Telegram, once that is known."""

    platforms: Mapping[str, Platform]
    processor: Processor
    outbox: Outbox
    bot: Bot = field(default_factory=Bot)
    bell: Bell = SILENT
    refusals: Refusals = field(init=False)

    def __post_init__(self) -> None:
        self.refusals = Refusals(self.processor.clock)

    async def take_update(self, body: bytes, request_id: str = "") -> Heard:
        """Keep an update of Telegram once.

        What cannot be read is kept too, and counted: refused, it would come again and again.

        Raises:
            InvalidJson: it is not even JSON, so Telegram never said it.
            NotReady, StorageUnavailable: nothing is kept; send it again.
        """
        raw = _parsed(body)
        number, press = telegram.update_id_of(raw), telegram.press_id_of(raw)

        def first(db: Connection, outcome: str) -> bool:
            return number is None or self._first(db, number, outcome)

        try:
            read = telegram.read(raw, self.bot)
            if isinstance(read, Incoming):
                incoming = replace(read, request_id=request_id)
                return Heard(press, (await self._take(incoming, first)).notice)
            await self._note(first, read)
        except AppError:
            raise
        except NameAwaited:
            # Ignored, it would be lost: this process may have been killed a moment ago.
            raise NotReady(retry_after=1.0) from None
        except Unreadable:
            await self._set_aside(number, body)
        except Exception:  # noqa: BLE001 - it would come again for ever, and hold up the others
            logger.exception("inbox.failed", update=number)
            await self._set_aside(number, body)
        return Heard(press)

    async def take_message(
        self, message: Message, request_id: str = "", webhook_id: str = ""
    ) -> None:
        """Keep a message of any platform; the answer comes as a delivery.

        `webhook_id` is of a signed call: it is noted in the same unit of work, and a call that
        came before does nothing.

        Raises:
            AppError: refused, and nothing is kept.
        """
        reading.check(message)
        now = self.processor.clock()

        def first(db: Connection, _outcome: str) -> bool:
            if not webhook_id:
                return True
            before = webhooks.first_status(db, message.platform, webhook_id, ACCEPTED, now)
            if before not in {None, ACCEPTED}:
                raise InvalidBody("A call of this webhook-id was refused before. Send a new id.")
            return before is None

        kept = await self._take(Incoming(message, now, request_id=request_id), first)
        logger.debug("inbox.message", new=kept.counts)

    async def note_refused(self, platform: str, webhook_id: str, status: int) -> None:
        """Keep that a signed call was refused for what it says: it is answered so for good."""
        now = self.processor.clock()
        await self.processor.memory.store.run(
            lambda db: webhooks.first_status(db, platform, webhook_id, status, now)
        )

    async def _take(self, incoming: Incoming, first: First) -> Kept:
        message, processor = incoming.message, self.processor
        platform = self.platforms[message.platform]
        if _stops(message) and (notice := await self._stop(incoming, first)) is not None:
            return Kept(notice=notice)
        person = (platform.name, message.user_id)
        now = processor.clock()
        # What is dated later than now would be counted until then.
        sent_at = min(incoming.sent_at or now, now)
        verdict = await processor.limits.spend(person, sent_at, platform.rate_limit)

        def unit(db: Connection) -> Kept:
            if not first(db, "taken"):
                return Kept()
            return self._keep(db, incoming, platform, verdict)

        kept = Kept()
        try:
            kept = await processor.memory.store.run(unit)
        finally:
            if verdict.allowed and not kept.counts:
                await processor.limits.refund(person, verdict)
        if kept.counts and not verdict.allowed:
            metrics.limited("person")
        self.outbox.wake()
        processor.lanes.wake()
        return kept

    async def _stop(self, incoming: Incoming, first: First) -> str | None:
        """Stop what is being written; None where nothing is, and the words are a message."""
        stops, place = self.processor.stops, place_of(incoming.message)
        elsewhere = await stops.runs_elsewhere(place)
        if not (incoming.pressed or place in stops.here or elsewhere):
            return None
        new = await self._note(first, Ignored("stop"))
        stopped = stops.stop(place) if new else False
        if new and elsewhere and not stopped:
            stopped = stops.stop_elsewhere(place)
        return texts.STOPPED if stopped else texts.NOTHING_RUNS

    def _keep(
        self, db: Connection, incoming: Incoming, platform: Platform, verdict: Verdict
    ) -> Kept:
        message = self._unfolded(db, incoming.message)
        if inbox.is_banned(db, platform.name, message.user_id):
            return Kept()
        if message.text.startswith(KEY_MARK) and incoming.pressed:
            return Kept(notice=texts.STALE_BUTTON)
        key = Key(INBOX, platform.name, message.chat_id, message.message_id)
        if (incoming.edited or incoming.album) and self._joins(db, key, incoming):
            return Kept()
        # An edit of what was answered, or was never for us, is no new question.
        alone = not incoming.edited and incoming.addressed
        request, fingerprint = request_of(self.processor.memory.sealer, message)
        if not alone or self._came_before(db, key, fingerprint):
            return Kept()
        refusal = self.refusals.reason(db, message, platform, verdict)
        if refusal is None:
            session = self.processor.memory.session(db, place_of(message), self.processor.clock())
            came = incoming.request_id
            new = NewTurn(key, message.user_id, session.id, fingerprint, request, came)
            self._queue(db, message, new, ALBUM_SECONDS if incoming.album else 0.0)
        elif not incoming.album or not self.refusals.was_told("album", key.message_id, AN_ALBUM):
            self._say(db, target_of(message), refusal, incoming)
        return Kept(counts=True)

    def _came_before(self, db: Connection, key: Key, fingerprint: bytes) -> bool:
        """Tell whether the message is known, perhaps by another update."""
        try:
            return turns.known(db, self.processor.memory.sealer, key, fingerprint) is not None
        except (MessageIdReused, InProgress):
            return True

    def _queue(self, db: Connection, message: Message, new: NewTurn, wait: float) -> None:
        sealer, now = self.processor.memory.sealer, self.processor.clock()
        turn = turns.queue(db, sealer, new, now, not_before=now + wait)
        if not message.pressed_message_id:
            # A placeholder is due at once. A pressed button may redraw its own message instead.
            target, came = target_of(message), new.request_id
            deliveries.add(db, sealer, target, now, turn=turn, request_id=came)

    def _joins(self, db: Connection, key: Key, incoming: Incoming) -> bool:
        """Let an edit replace what waits, or another picture of an album join it."""
        sealer, message, until = self.processor.memory.sealer, incoming.message, 0.0
        found = turns.waiting(db, sealer, key)
        if found is None:
            return False
        waiting, _ = read(found)
        if incoming.album and incoming.edited:
            # The edit is of one picture; nothing but its caption changes the album.
            message = waiting.model_copy(update={"text": message.text or waiting.text})
        elif incoming.album:
            message = self._with_another(db, waiting, incoming)
            until = self.processor.clock() + ALBUM_SECONDS
        request, fingerprint = request_of(sealer, message)
        turns.replace(db, sealer, key, request, fingerprint, not_before=until)
        return True

    def _with_another(self, db: Connection, album: Message, incoming: Incoming) -> Message:
        message = incoming.message
        parts = (*album.attachments, *message.attachments)
        full = len(parts) > MAX_ATTACHMENTS
        if full and not self.refusals.was_told("full", album.message_id, AN_ALBUM):
            text = texts.ALBUM_FULL.format(most=MAX_ATTACHMENTS)
            self._say(db, target_of(album), text, incoming, success=True)
        changed = {
            "attachments": parts[:MAX_ATTACHMENTS],
            "text": album.text or message.text,
            # One that holds what nobody can read is refused as a whole.
            "type": album.type if message.type == "image" else message.type,
        }
        return album.model_copy(update=changed)

    def _say(
        self, db: Connection, target: Target, text: str, to: Incoming, *, success: bool = False
    ) -> None:
        if text:
            sealer, now = self.processor.memory.sealer, self.processor.clock()
            reply = drawn(db, sealer, target, Reply(response=text, success=success), now)
            deliveries.add(db, sealer, target, now, reply=reply, request_id=to.request_id)

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

    async def _note(self, first: First, read: Moved | Gone | Ignored) -> bool:
        """Keep that an update came, and do what it says; False where it came before."""
        outcome = type(read).__name__.lower()

        def unit(db: Connection) -> bool:
            if not first(db, outcome):
                return False
            if isinstance(read, Moved):
                sessions.move(db, telegram.PLATFORM, read.chat_id, read.new_chat_id)
                deliveries.move(db, telegram.PLATFORM, read.chat_id, read.new_chat_id)
            elif isinstance(read, Gone):
                turns.drop(db, INBOX, telegram.PLATFORM, read.chat_id)
                deliveries.refuse(db, telegram.PLATFORM, read.chat_id, read.reason)
            return True

        return await self.processor.memory.store.run(unit)

    async def _set_aside(self, number: int | None, body: bytes) -> None:
        sealed = self.processor.memory.sealer.seal(body, "updates")

        def unit(db: Connection) -> None:
            # One without a number gets one of ours, below zero: Telegram's are above.
            found = inbox.least_number(db) - 1 if number is None else number
            self._first(db, found, "unreadable", sealed)

        await self.processor.memory.store.run(unit)
        logger.warning("inbox.unreadable", update=number)
        self.bell.raise_("update_unreadable")

    def _first(self, db: Connection, number: int, outcome: str, raw: bytes | None = None) -> bool:
        now = self.processor.clock()
        return inbox.first_time(db, self.bot.id, number, outcome, now, raw)


def _stops(message: Message) -> bool:
    words = reading.cleaned(message.text).lower()
    return words.partition("@")[0] in STOP


def _parsed(body: bytes) -> object:
    """Return what a body says; nothing where it is JSON that cannot be kept as values.

    Raises:
        InvalidJson: it is none.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        # Takes NaN, halves of surrogate pairs and numbers of any size.
        json.loads(body, parse_int=str)
    except RecursionError:
        return None
    except ValueError:
        raise InvalidJson("The body is not JSON. Send an update as Telegram made it.") from None
    return None
