"""Bringing deliveries to whoever carries them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial

from loguru import logger
from sqlalchemy import Connection

from app import metrics, texts, tracing
from app.chat import counting
from app.chat.alerts import Alerts
from app.errors import AppError, NotFound, StorageUnavailable, TooLate
from app.platforms.telegram import KEY_MARK
from app.storage import deliveries, inbox
from app.storage.deliveries import START, Dead, Due, Found, Mark, State, Target
from app.storage.sealed import Sealer
from app.storage.store import Store
from wire.delivery import Acknowledgement, Delivery, Progress
from wire.reply import Reply

LOOK_EVERY = 1.0  # seconds: at what another process wrote, and at what had to wait
# Where several write at a time, what was changed first may be committed last: for as long as a
# unit of work may take, and clocks may differ.
LOOK_BACK = 12.0  # seconds
CARE_EVERY = 10.0
AT_ONCE = 200
MOST_SEND = 64  # bytes that a button of Telegram carries


@dataclass(slots=True)
class _Reader:
    """How far one has come, and when it is to see again what had to wait: ids and times.

    It goes in rounds, each from the oldest delivery to the newest: an answer that is ready sooner
    than an earlier one of its chat must not be placed before it. A round brings what changed
    `since` the last one, `until` it began; in the middle of one, `beyond` is what was read last.
    Now and then, at `back_at`, a round looks back; by `seen` it knows what it has brought.
    """

    platform: str
    since: Mark = START
    until: Mark = START
    start: Mark = START
    beyond: int = 0
    later: dict[int, float] = field(default_factory=dict)
    back_at: float = 0.0
    seen: dict[int, int] = field(default_factory=dict)

    def begin(self, now: float, latest: Mark, *, back: bool) -> None:
        """Begin a round, with what may have been committed late where `back`."""
        self.until = max(self.since, latest)
        self.start = self.since
        if back and now >= self.back_at:
            self.back_at = now + LOOK_EVERY
            self.start = Mark(self.oldest, 0)
            self.seen = {n: mark for n, mark in self.seen.items() if mark >= self.oldest}

    @property
    def oldest(self) -> int:
        """The mark before which nothing is committed any more."""
        return max(0, self.since.changed - int(LOOK_BACK * 1e6))

    def fresh(self, found: list[Due], again: Collection[int]) -> list[Due]:
        """Return what was not brought before, or is asked for again."""
        news = [due for due in found if due.id in again or self.seen.get(due.id) != due.changed]
        self.seen |= {due.id: due.changed for due in found}
        return news


class Outbox:
    """Everything on its way. Reading it again from the start loses nothing.

    `tell` lets other processes know of a "delivery" that changed.
    """

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        clock: Callable[[], float],
        alerts: Alerts | None = None,
        tell: Callable[[str, str], object] = lambda _topic, _what: None,
    ) -> None:
        self._alerts = alerts
        self._tell = tell
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._watchers: set[asyncio.Event] = set()
        self._closed = False

    def close(self) -> None:
        """Let everybody who watches go: the service ends, and they will ask again."""
        self._closed = True
        self.woken()

    def wake(self) -> None:
        """Say that something changed."""
        self.woken()
        self._tell("delivery", "")

    def woken(self) -> None:
        """Let everybody who watches look: another process says that something changed."""
        for watcher in self._watchers:
            watcher.set()

    async def changes(self, platform: str) -> AsyncIterator[Delivery | Progress | None]:
        """Yield every open delivery, then each change; None where nothing came for a while.

        Whoever comes late need not have heard what was before: a text that grows is told after
        the delivery that it belongs to.
        """
        changed = asyncio.Event()
        self._watchers.add(changed)
        readers = metrics.of(metrics.delivery_readers, platform)
        readers.inc()
        reader = _Reader(platform)
        try:
            while not self._closed:
                changed.clear()
                found = await self._news(reader)
                for due in found or ():
                    if due.id not in reader.later:
                        for event in _events(due):
                            yield event
                goes_on = found is not None and reader.beyond
                if not goes_on and not await _set_within(changed, LOOK_EVERY):
                    yield None
        finally:
            self._watchers.discard(changed)
            readers.dec()

    async def acknowledge(self, platform: str, number: int, said: Acknowledgement) -> None:
        """Remember what became of a delivery.

        Raises:
            NotFound: there is none of this number on this platform.
            TooLate: it has ended before.
        """
        found = await self._store.run(partial(self._acknowledge, platform, number, said))
        now, began = self._clock(), found.created_at
        counting.acknowledged(platform, said.outcome, now - began)
        if said.outcome in {"sent", "refused"}:
            facts = {"platform": platform, "outcome": said.outcome}
            tracing.past(found.request_id, "delivery", began, now, **facts)
        with logger.contextualize(request_id=found.request_id or None):
            logger.info("delivery.acknowledged", delivery=number, outcome=said.outcome)
        if said.outcome == "refused" and self._alerts is not None:
            self._alerts.refused(found.target, said.reason or "")
        if said.outcome == "sent" and said.reason:
            self.wake()

    def _acknowledge(
        self, platform: str, number: int, said: Acknowledgement, db: Connection
    ) -> Found:
        found = deliveries.find(db, number)
        if found is None or found.target.platform != platform:
            raise NotFound
        if found.state is not State.OPEN:
            raise TooLate
        if _moves(found.target, said):
            deliveries.move(db, platform, found.target.chat_id, str(said.new_chat_id))
        # What is refused may be driven again: then it is known what stands in the chat, if only
        # that nothing does.
        if said.message_ids or said.outcome == "refused":
            deliveries.place(db, number, said.message_ids)
        match said.outcome:
            # An answer that is still being written cannot have arrived.
            case "sent" if found.answered:
                deliveries.end(db, number, State.ENDED)
                if said.reason:
                    self._ask_to_delete(db, found)
            case "refused":
                deliveries.end(db, number, State.REFUSED, said.reason or "")
            case "later":
                deliveries.later(db, number, self._clock() + (said.retry_after or LOOK_EVERY))
        return found

    def _ask_to_delete(self, db: Connection, found: Found) -> None:
        """Tell a person that their message still stands there: only they can delete it now."""
        said = Reply(response=texts.DELETE_IT, success=False, error="not_deleted")
        reply = said.model_dump_json().encode()
        came = found.request_id
        deliveries.add(db, self._sealer, found.target, self._clock(), reply=reply, request_id=came)

    async def dead(self) -> tuple[list[Dead], int]:
        """Return the latest dead letters, and how many updates nobody could read."""
        return await self._store.run(
            lambda db: (deliveries.dead(db, None, AT_ONCE), inbox.unreadable(db))
        )

    async def redrive(self, number: int | None) -> int:
        """Open dead letters again, all or one; return how many."""
        numbers = None if number is None else [number]
        return await self._store.run(lambda db: deliveries.redrive(db, numbers))

    async def care(self) -> None:
        """Apologise for what nobody will answer any more, as long as this lives."""
        while True:
            try:
                await self._store.run(self._apologise)
            except AppError as error:
                logger.warning("outbox.storage_away", cause=error.cause)
            await asyncio.sleep(CARE_EVERY)

    def _apologise(self, db: Connection) -> None:
        said = Reply(response=texts.GAVE_UP, success=False, error="gave_up")
        for turn, target in deliveries.forsaken(db):
            logger.error("delivery.forsaken", turn=turn)
            deliveries.answer(db, self._sealer, turn, target, said.model_dump_json().encode())

    async def _news(self, reader: _Reader) -> list[Due] | None:
        """Return what changed; None where the database does not say."""
        now, began = self._clock(), reader.beyond
        again = [n for n, time in reader.later.items() if time <= now and n > began]

        def unit(db: Connection) -> tuple[list[Due], int]:
            if not began:
                latest = deliveries.latest(db, reader.platform)
                reader.begin(now, latest, back=self._store.shared)
            back = reader.oldest if self._store.shared else None
            return deliveries.due(
                db, self._sealer, reader.platform, reader.start, AT_ONCE,
                beyond=began, again=again, back=back,
            )  # fmt: skip

        try:
            found, reader.beyond = await self._store.run(unit)
        except StorageUnavailable:
            return None  # it is in the log, and the next look may find it there again
        if not reader.beyond:
            reader.since = reader.until
        for number in again:
            if not reader.beyond or number <= reader.beyond:
                del reader.later[number]
        if self._store.shared:
            found = reader.fresh(found, again)
        for due in found:
            reader.later.pop(due.id, None)
            if due.not_before > now:
                reader.later[due.id] = due.not_before
        return found


def drawn(db: Connection, sealer: Sealer, target: Target, reply: Reply, now: float) -> bytes:
    """Return a reply as it is delivered: what its buttons send fits into a button."""

    def short(send: str | None) -> str | None:
        if send is None or (len(send.encode()) <= MOST_SEND and not send.startswith(KEY_MARK)):
            return send
        return KEY_MARK + inbox.button_key(db, sealer, target.platform, target.user_id, send, now)

    rows = tuple(
        tuple(button.model_copy(update={"send": short(button.send)}) for button in row)
        for row in reply.buttons
    )
    said = Reply(
        response=reply.response,
        success=reply.success,
        error=reply.error,
        buttons=rows,
        images=reply.images,
        actions=reply.actions,
    )
    return said.model_dump_json().encode()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _moves(target: Target, said: Acknowledgement) -> bool:
    return said.new_chat_id is not None and said.new_chat_id != target.chat_id


def _events(due: Due) -> Iterator[Delivery | Progress]:
    target = due.target
    yield Delivery(
        id=due.id,
        platform=target.platform,
        chat_id=target.chat_id,
        thread_id=target.thread_id,
        source_message_id=target.source,
        edits=due.edits,
        final=due.reply is not None,
        reply=None if due.reply is None else Reply.model_validate_json(due.reply),
        request_id=due.request_id or None,
    )
    if due.progress is not None:
        text = due.progress.decode()
        yield Progress(id=due.id, chat_id=target.chat_id, thread_id=target.thread_id, text=text)
