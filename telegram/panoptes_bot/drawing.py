"""One delivery, from the placeholder to the last edit.

Each step may be done again by another process that knows only what was acknowledged: what is
placed is said at once, and everything else is an edit.
"""

import asyncio
from contextlib import suppress

from loguru import logger

from panoptes_bot.client import DeliveryEnded, Service, ServiceAway
from panoptes_bot.clock import Clock
from panoptes_bot.messages import Gone, Later, Messages, Place
from panoptes_bot.pieces import STOP, Keyboard, Piece, finished, growing, keyboard_of
from panoptes_bot.reach import Reach, pauses
from panoptes_bot.telegram_api import Moved, Refused
from wire.delivery import Acknowledgement, Delivery

LOOK_EVERY = 1.0  # seconds
# Most commands are answered sooner, and the call would be missed when the text is due.
TYPING_AFTER = 0.5  # seconds
TYPING_AT_MOST = 120.0  # seconds; then a person has understood
MOST_MOVES = 3
MOST_ANEW = 3  # a message that somebody deletes again and again is not wanted
LONGEST_REASON = 200
LONGEST_LATER = 86_400.0


class Drawing:
    """`placing` holds what is just being placed; who ends the process waits for it a little.

    The deliveries of a chat have one `line`: their placeholders stand in the order of what they
    answer, whatever fails before one is there.
    """

    def __init__(
        self,
        delivery: Delivery,
        messages: Messages,
        service: Service,
        reach: Reach,
        clock: Clock,
        placing: set[asyncio.Future[None]],
        line: asyncio.Lock,
    ) -> None:
        self._clock = clock
        self._latest = delivery
        self._ids = list(delivery.edits)
        self._place = Place(delivery.chat_id, delivery.thread_id, delivery.source_message_id)
        self._messages = messages
        self._service = service
        self._reach = reach
        self._text = ""
        self._drawn = ""  # the text that the messages show
        self._shown: dict[str, tuple[Piece, Keyboard]] = {}
        self._final: set[str] = set()  # messages that show their part of the answer
        self._changed = asyncio.Event()
        self._began = self._clock.now()
        self._moved_to: str | None = None
        self._moves = 0
        self._anew = 0
        self._placing = placing
        self._line = line

    def offer(self, delivery: Delivery) -> None:
        """Take a later state of the delivery. What this one has placed itself, it knows."""
        self._latest = delivery
        if len(delivery.edits) > len(self._ids) and self._moved_to is None:
            self._ids = list(delivery.edits)
        self._changed.set()

    def grow(self, text: str) -> None:
        self._text = text
        self._changed.set()

    async def run(self) -> bool:
        """Draw until it is there or cannot be; say whether it was sent."""
        named = self._latest.request_id
        with logger.contextualize(**{"request_id": named} if named else {}):
            return await self._run()

    async def _run(self) -> bool:
        try:
            await self._follow()
        except Refused as refused:
            logger.warning("delivery.refused", delivery=self._latest.id, reason=str(refused))
            await self.give_up(str(refused))
        except Later as later:
            with suppress(DeliveryEnded):
                await self._say("later", retry_after=min(later.seconds, LONGEST_LATER))
        except DeliveryEnded:
            return False
        else:
            return True
        return False

    async def give_up(self, reason: str) -> None:
        with suppress(DeliveryEnded):
            await self._withdraw()
            await self._say("refused", reason=reason[:LONGEST_REASON])

    async def _withdraw(self) -> None:
        """Take away what would never become the answer, as far as the chat lets us."""
        with suppress(Later, Moved):
            for message in [each for each in self._ids if self._is_ours(each)]:
                if not await self._messages.remove(self._place.chat, message):
                    return
                self._ids.remove(message)

    def _is_ours(self, message: str) -> bool:
        reply = self._latest.reply
        # The one whose button was pressed shows an answer of its own.
        pressed = reply is not None and "replace" in reply.actions and self._latest.edits[:1]
        return message not in self._final and message not in (pressed or ())

    async def _follow(self) -> None:
        while True:
            try:
                if not self._ids:
                    async with self._line:
                        await self._add()
                while not self._latest.final:
                    await self._watch()
                await self._finish()
            except Moved as moved:
                self._move(moved.chat)
            else:
                return

    def _move(self, chat: str) -> None:
        self._moves += 1
        if self._moves > MOST_MOVES:
            raise Refused("the chat moves again and again")
        # Ids of messages mean nothing in the other chat.
        self._place = Place(chat, self._place.thread)
        self._ids, self._shown, self._drawn = [], {}, ""
        self._moved_to = chat

    async def _watch(self) -> None:
        self._changed.clear()
        pause = await self._show_growth()
        await self._clock.wait(self._changed, pause)

    async def _show_growth(self) -> float:
        """Draw what can be drawn now; return the seconds until there may be more to do."""
        chat = self._place.chat
        if self._text == self._drawn:
            return await self._type()
        if (wait := self._messages.room(chat)) > 0:
            return wait
        text = self._text
        pieces = growing(text)
        last = len(pieces) - 1
        for index, piece in enumerate(pieces):
            if index == len(self._ids):
                await self._add()
            message, look = self._ids[index], (piece, STOP if index == last else None)
            if self._shown.get(message) == look:
                continue
            try:
                if not await self._messages.try_edit(chat, message, *look):
                    return max(self._messages.room(chat), 1.0)
            except Gone as gone:
                await self._again(index, gone)
                return 0.0
            self._shown[message] = look
        self._drawn = text
        return self._messages.room(chat)

    async def _type(self) -> float:
        passed = self._clock.now() - self._began
        if passed < TYPING_AFTER:
            return TYPING_AFTER - passed
        if passed > TYPING_AT_MOST:
            return TYPING_AT_MOST
        await self._messages.type(self._place)
        return LOOK_EVERY

    async def _finish(self) -> None:
        reply = self._latest.reply
        if reply is None:
            raise Refused("it is final and has no reply")
        note = await self._forget() if "forget" in reply.actions else None
        pieces = finished(reply, len(self._ids))
        keyboard = keyboard_of(reply.buttons)
        last = len(pieces) - 1
        for index, piece in enumerate(pieces):
            if index == len(self._ids):
                await self._add()
            await self._put(index, piece, keyboard if index == last else None)
        for surplus in self._ids[len(pieces) :]:
            await self._messages.remove(self._place.chat, surplus)
        del self._ids[len(pieces) :]
        await self._say("sent", reason=note)

    async def _forget(self) -> str | None:
        source = self._latest.source_message_id
        if source is None or not source.isdigit() or self._moved_to is not None:
            return "not deleted: nobody knows which message"
        kept = await self._messages.delete(self._place.chat, source)
        if kept is None:
            return None
        logger.warning("forget.failed", delivery=self._latest.id, reason=kept)
        return f"not deleted: {kept}"[:LONGEST_REASON]

    async def _put(self, index: int, piece: Piece, keyboard: Keyboard) -> None:
        while self._shown.get(message := self._ids[index]) != (piece, keyboard):
            try:
                await self._messages.edit(self._place.chat, message, piece, keyboard)
            except Gone as gone:
                await self._again(index, gone)
            else:
                self._shown[message] = (piece, keyboard)
        self._final.add(message)

    async def _again(self, index: int, gone: Gone) -> None:
        self._anew += 1
        if self._anew > MOST_ANEW:
            raise Refused("its messages are deleted again and again")
        if gone.there:
            # Before the new one comes: who goes on from what was said finds it gone.
            await self._messages.remove(self._place.chat, self._ids[index])
        self._drawn = ""
        await self._add(index)

    async def _add(self, index: int | None = None) -> None:
        # What is sent must be said too, even if this process ends between.
        adding = asyncio.ensure_future(self._add_and_say(index))
        self._placing.add(adding)
        adding.add_done_callback(self._placing.discard)
        await asyncio.shield(adding)

    async def _add_and_say(self, index: int | None) -> None:
        reply = self._latest.reply
        # One answer makes one sound.
        silent = bool(self._ids) or (reply is not None and "silent" in reply.actions)
        place = self._place if not self._ids else Place(self._place.chat, self._place.thread)
        keyboard = None if self._latest.final else STOP
        at = len(self._ids) if index is None else index

        async def tell(message: str) -> None:
            self._ids[at : at + 1] = [message]
            await self._say("placed")

        try:
            await self._messages.place(place, keyboard, silent=silent, tell=tell)
        except DeliveryEnded as ended:
            # Nobody will ever edit it.
            if ended.known:
                await self._messages.remove(self._place.chat, self._ids[at])
            else:
                await self._withdraw()
            raise

    async def _say(
        self, outcome: str, *, reason: str | None = None, retry_after: float | None = None
    ) -> None:
        said = Acknowledgement.model_validate(
            {
                "outcome": outcome,
                "message_ids": self._ids,
                "reason": reason,
                "retry_after": retry_after,
                "new_chat_id": self._moved_to,
            }
        )
        for pause in pauses():
            try:
                await self._service.acknowledge(self._latest.id, said, self._latest.request_id)
            except ServiceAway as away:
                self._reach.lost(away.cause)
                await self._clock.sleep(pause if away.retry_after is None else away.retry_after)
            else:
                self._reach.found()
                logger.info("delivery.told", delivery=self._latest.id, outcome=outcome)
                return
