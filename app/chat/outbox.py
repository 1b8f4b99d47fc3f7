"""Bringing deliveries to whoever carries them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from sqlalchemy import Connection

from app.errors import NotFound, TooLate
from app.platforms.telegram import KEY_MARK
from app.storage import deliveries, inbox
from app.storage.deliveries import Dead, Due, State, Target
from app.storage.sealed import Sealer
from app.storage.store import Store
from wire.delivery import Acknowledgement, Delivery, Progress
from wire.reply import Reply

LOOK_EVERY = 1.0  # seconds: at what another process wrote, and at what had to wait
AT_ONCE = 200
MOST_SEND = 64  # bytes that a button of Telegram carries


class Outbox:
    """Everything on its way. Reading it again from the start loses nothing."""

    def __init__(self, store: Store, sealer: Sealer, clock: Callable[[], float]) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._watchers: set[asyncio.Event] = set()
        self._closed = False

    def close(self) -> None:
        """Let everybody who watches go: the service ends, and they will ask again."""
        self._closed = True
        self.wake()

    def wake(self) -> None:
        """Say that something changed."""
        for watcher in self._watchers:
            watcher.set()

    async def changes(self, platform: str) -> AsyncIterator[Delivery | Progress | None]:
        """Yield every open delivery, then each change; None where nothing came for a while."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        seen = 0
        try:
            while not self._closed:
                changed.clear()
                for due in await self._due(platform, seen):
                    seen = max(seen, due.changed)
                    yield _shown(due)
                try:
                    async with asyncio.timeout(LOOK_EVERY):
                        await changed.wait()
                except TimeoutError:
                    yield None
        finally:
            self._watchers.discard(changed)

    async def acknowledge(self, platform: str, number: int, said: Acknowledgement) -> None:
        """Remember what became of a delivery.

        Raises:
            NotFound: there is none of this number on this platform.
            TooLate: it has ended before.
        """
        await self._store.run(partial(self._acknowledge, platform, number, said))
        if said.new_chat_id is not None:
            self.wake()

    def _acknowledge(
        self, platform: str, number: int, said: Acknowledgement, db: Connection
    ) -> None:
        found = deliveries.find(db, self._sealer, number)
        if found is None or found[0].target.platform != platform:
            raise NotFound
        due, state = found
        if state is not State.OPEN:
            raise TooLate
        if said.message_ids:
            deliveries.place(db, number, said.message_ids)
        if said.new_chat_id is not None:
            deliveries.move(db, platform, due.target.chat_id, said.new_chat_id)
        match said.outcome:
            case "sent":
                # An answer that is still being written cannot have arrived.
                if due.reply is not None:
                    deliveries.end(db, number, State.ENDED)
            case "refused":
                deliveries.end(db, number, State.REFUSED, said.reason or "")
            case "later":
                deliveries.later(db, number, self._clock() + (said.retry_after or LOOK_EVERY))
            case "placed":
                pass

    async def dead(self) -> tuple[list[Dead], int]:
        """Return the latest dead letters, and how many updates nobody could read."""
        return await self._store.run(
            lambda db: (deliveries.dead(db, None, AT_ONCE), inbox.unreadable(db))
        )

    async def redrive(self, number: int | None) -> int:
        """Open dead letters again, all or one; return how many."""
        numbers = None if number is None else [number]
        again = await self._store.run(lambda db: deliveries.redrive(db, numbers))
        self.wake()
        return again

    async def _due(self, platform: str, since: int) -> list[Due]:
        return await self._store.run(
            lambda db: deliveries.due(db, self._sealer, platform, since, self._clock(), AT_ONCE)
        )


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


def _shown(due: Due) -> Delivery | Progress:
    target = due.target
    if due.reply is None and due.progress is not None and due.edits:
        text = due.progress.decode()
        return Progress(id=due.id, chat_id=target.chat_id, thread_id=target.thread_id, text=text)
    return Delivery(
        id=due.id,
        platform=target.platform,
        chat_id=target.chat_id,
        thread_id=target.thread_id,
        source_message_id=target.source,
        edits=due.edits,
        final=due.reply is not None,
        reply=None if due.reply is None else Reply.model_validate_json(due.reply),
    )
