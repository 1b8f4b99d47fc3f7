"""From a message to a committed reply: the one road that every platform takes.

`admit` checks a message, spends the person's allowance and keeps the turn; `work` answers it.
What they keep, each keeps in one unit of work.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from loguru import logger
from sqlalchemy import Connection

from app import metrics, texts, tracing
from app.chat import counting, reading
from app.chat.conversation import Conversation
from app.chat.growth import Growth
from app.chat.kept import INBOX, place_of, read, request_of, target_of
from app.chat.lanes import Lanes
from app.chat.late import with_age
from app.chat.limits import Limits, Verdict
from app.chat.memory import Context, Deliver, Memory
from app.chat.outbox import Outbox, drawn
from app.chat.pictures import Pictures
from app.chat.refusals import apology, failure, limit_reached
from app.chat.stops import Stops
from app.commands.base import Allowance, Call, Outcome
from app.errors import (
    AppError,
    InvalidBody,
    PlatformNotAllowed,
    StorageUnavailable,
    TooManyMessages,
)
from app.llm.base import Picture, Say
from app.platforms.platform import Platform
from app.sessions.sessions import Place
from app.storage import deliveries, turns
from app.storage.deliveries import Target
from app.storage.turns import Key, NewTurn, Taken
from wire.answer import Answer
from wire.message import Message
from wire.reply import Reply


@dataclass(frozen=True, slots=True)
class Admitted:
    """A turn that is kept. `reply`: it was answered before; `context`: it may go on at once."""

    message: Message
    platform: Platform
    verdict: Verdict
    key: Key
    place: Place
    pictures: tuple[Picture, ...] = ()
    turn: int = 0
    conversation: int = 0
    context: Context | None = None
    reply: Answer | None = None
    request_id: str = ""
    accepted_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Processor:
    """After `slow` seconds without a word a person who waits for a delivery hears so."""

    platforms: Mapping[str, Platform]
    memory: Memory
    lanes: Lanes
    limits: Limits
    pictures: Pictures
    conversation: Conversation
    outbox: Outbox
    stops: Stops
    clock: Callable[[], float] = time.time
    slow: float = 20.0

    async def admit(self, message: Message, caller: str, request_id: str = "") -> Admitted:
        """Keep the turn of a message from `caller`, the platform of its key.

        What is logged about it later bears its `request_id`.

        Raises:
            AppError: refused, and nothing is kept.
        """
        if message.platform != caller:
            if message.platform not in self.platforms:
                raise InvalidBody("platform: there is no such platform; see GET /platforms.")
            raise PlatformNotAllowed
        platform = self.platforms[caller]
        reading.check(message)
        person = (platform.name, message.user_id)
        verdict = await self.limits.spend(person, self.clock(), platform.rate_limit)
        if not verdict.allowed:
            metrics.limited("person")
            raise TooManyMessages(limit_reached(verdict), retry_after=verdict.reset)
        try:
            admitted = await self._keep(message, platform, verdict, request_id)
        except AppError:
            await self.limits.refund(person, verdict)
            raise
        if admitted.reply is None:
            return admitted
        await self.limits.refund(person, verdict)
        verdict = await self.limits.look(person, self.clock(), platform.rate_limit)
        return replace(admitted, verdict=verdict)

    async def work(self, admitted: Admitted, say: Say | None = None) -> Answer:
        """Answer an admitted turn, in its order; `say` takes the text as it comes.

        Cancelled, the turn stays open, for whoever takes it up; see `abandon`.

        Raises:
            AppError: no answer; the same message may be sent again.
        """
        if admitted.reply is not None:
            return admitted.reply
        async with self.lanes.hold(admitted.turn, admitted.conversation):
            try:
                context = admitted.context
                if context is None:
                    await self.lanes.turn_of(admitted.turn, admitted.conversation)
                    context = await self._recall(admitted)
                call = self._call(admitted, context, say)
                return await self._finish(admitted, call, self._answer(call, admitted))
            except StorageUnavailable:
                raise  # nothing can be written: the lease runs out, and the turn is taken up
            except Exception as error:
                counting.turn_failed(admitted.platform.name, error)
                await self.abandon(admitted)
                raise

    async def abandon(self, admitted: Admitted) -> None:
        """Give a turn up without a reply, so that the same message may be sent again."""
        await self._give_up(admitted.turn, admitted.key)

    async def resume(self, taken: Taken) -> None:
        """Answer a turn that a process left behind. Never raises: nobody is there to hear."""
        came, attempts = taken.request_id, taken.attempts
        with (
            logger.contextualize(request_id=came or None),
            tracing.later(came, "resume", attempts=attempts),
        ):
            await self._resume(taken)

    async def _resume(self, taken: Taken) -> None:
        async with self.lanes.hold(taken.id, taken.conversation):
            try:
                await self._answer_again(taken)
            except StorageUnavailable:
                # Nothing can be written: the lease runs out, and the turn is taken up again.
                logger.warning("turn.left_for_later", turn=taken.id)
            except AppError as error:
                logger.warning("turn.resume_failed", turn=taken.id, cause=error.cause)
                await self._give_up(taken.id, taken.key)
            except Exception:  # noqa: BLE001 - the outermost loop of a turn nobody waits for
                logger.exception("turn.resume_failed", turn=taken.id)
                await self._give_up(taken.id, taken.key)

    async def _answer_again(self, taken: Taken) -> None:
        message, pictures = read(taken.request)
        platform = self.platforms[message.platform]
        person = (platform.name, message.user_id)
        verdict = await self.limits.look(person, self.clock(), platform.rate_limit)
        admitted = Admitted(
            message=message, platform=platform, verdict=verdict, key=taken.key,
            place=place_of(message), pictures=pictures, turn=taken.id,
            conversation=taken.conversation, request_id=taken.request_id,
            accepted_at=taken.accepted_at,
        )  # fmt: skip
        context = await self._recall(admitted)
        tried = taken.attempts > turns.MOST_ATTEMPTS
        if taken.key.caller != INBOX:
            call = self._call(admitted, context, None)
            await self._finish(admitted, call, apology() if tried else self._answer(call, admitted))
            return
        target = target_of(message)
        growth = Growth(partial(self._show, taken.id, target))
        call = self._call(admitted, context, growth)
        coming = apology() if tried else self._delivered(call, admitted, growth)
        await self._finish(admitted, call, coming, partial(self._deliver, taken, message))
        self.outbox.wake()
        self.lanes.wake()

    async def _delivered(self, call: Call, admitted: Admitted, growth: Growth) -> Outcome:
        """Answer so that there is always something to deliver."""
        with self.stops.running(admitted.place, growth) as running:
            growth.begin(texts.SLOW, self.slow)
            try:
                pictures = await self.pictures.fetched(admitted.message)
                return await self.conversation.answer(call, pictures)
            except asyncio.CancelledError:
                if not running.stopped:
                    raise
                running.task.uncancel()
                text = f"{growth.text}\n\n{texts.STOPPED_NOTE}".strip()
                return Outcome(Reply(response=text, error="stopped"))
            except StorageUnavailable:
                raise  # the lease runs out, and the turn is taken up again
            except AppError as error:
                logger.warning("turn.failed", turn=admitted.turn, cause=error.cause)
                return failure(error, call)
            except Exception:  # noqa: BLE001 - somebody waits for an answer, by no other way
                logger.exception("turn.failed", turn=admitted.turn)
                return failure(AppError(), call)
            finally:
                growth.end()

    async def _show(self, turn: int, target: Target, text: str) -> None:
        sealer = self.memory.sealer
        await self.memory.store.run(
            lambda db: deliveries.grow(db, sealer, turn, target, text.encode())
        )
        self.outbox.wake()

    def _deliver(self, taken: Taken, message: Message, db: Connection, answer: Answer) -> None:
        target, now, sealer = target_of(message), self.clock(), self.memory.sealer
        reply = drawn(db, sealer, target, with_age(answer, message, now), now)
        pressed = message.pressed_message_id
        if pressed is None:
            deliveries.answer(db, sealer, taken.id, target, reply)
            return
        edits = (pressed,) if "replace" in answer.actions else ()
        deliveries.add(
            db, sealer, target, now, turn=taken.id, reply=reply, edits=edits,
            request_id=taken.request_id,
        )  # fmt: skip

    async def _give_up(self, turn: int, key: Key) -> None:
        try:
            await self.memory.give_up(turn, key, self.lanes.owner)
        except StorageUnavailable:
            logger.warning("turn.not_given_up", turn=turn)

    async def _keep(
        self, message: Message, platform: Platform, verdict: Verdict, request_id: str
    ) -> Admitted:
        pictures = await self.pictures.sent(message)
        key = Key(platform.name, message.platform, message.chat_id, message.message_id)
        place = place_of(message)
        request, fingerprint = request_of(self.memory.sealer, message, pictures)
        now = self.clock()
        admitted = Admitted(
            message, platform, verdict, key, place, pictures, request_id=request_id, accepted_at=now
        )

        def unit(db: Connection) -> Admitted:
            if (reply := turns.known(db, self.memory.sealer, key, fingerprint)) is not None:
                return replace(admitted, reply=Answer.model_validate_json(reply))
            session = self.memory.session(db, place, now)
            new = NewTurn(key, message.user_id, session.id, fingerprint, request, request_id)
            added = turns.add(db, self.memory.sealer, new, self.lanes.owner, now)
            context = self.memory.context(db, session, platform) if added.working else None
            return replace(admitted, turn=added.id, conversation=session.id, context=context)

        return await self.memory.store.run(unit)

    async def _recall(self, admitted: Admitted) -> Context:
        return await self.memory.recall(
            admitted.place, admitted.platform, self.clock(), admitted.conversation
        )

    def _call(self, admitted: Admitted, context: Context, say: Say | None) -> Call:
        verdict = admitted.verdict
        return Call(
            message=admitted.message,
            words="",
            platform=admitted.platform,
            session=context.session,
            profile=context.profile,
            history=context.history,
            allowance=Allowance(verdict.limit, verdict.left, verdict.reset),
            now=self.clock(),
            say=None if context.profile.streaming is False else say,
            dialogue=context.dialogue,
        )

    async def _answer(self, call: Call, admitted: Admitted) -> Outcome:
        return await self.conversation.answer(call, admitted.pictures)

    async def _finish(
        self,
        admitted: Admitted,
        call: Call,
        coming: Awaitable[Outcome],
        deliver: Deliver | None = None,
    ) -> Answer:
        began = time.perf_counter()
        owner = self.lanes.owner
        with tracing.span("turn", platform=admitted.platform.name):
            outcome = await coming
            answer = await self.memory.keep(
                admitted.turn, admitted.key, owner, call, outcome, self.clock(), deliver
            )
        served = self.memory.catalogue.serving(call.model)
        name, taken = admitted.platform.name, self.clock() - admitted.accepted_at
        counting.turn_ended(name, served, outcome, taken)
        logger.info(
            "turn.done",
            turn=admitted.turn,
            platform=name,
            session=call.session.public_id[:8],
            model=outcome.spoken.model if outcome.spoken else "",
            duration_ms=round((time.perf_counter() - began) * 1000, 1),
        )
        return answer
