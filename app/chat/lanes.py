"""Who works on which turn: in order within a conversation, and not lost with a process."""

import asyncio
import contextlib
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial

from loguru import logger

from app.errors import AppError, InProgress
from app.storage import presence, turns
from app.storage.sealed import CannotOpen, Sealer
from app.storage.store import Store
from app.storage.turns import Taken

LOOK_EVERY = 1.0  # seconds: at turns that another process may have ended, and at orphans
RENEW_EVERY = turns.LEASE_SECONDS / 3
MISSED_SECONDS = 3.0  # without a sign of life, an instance is taken for dead
MOST_PATIENCE = 900.0  # seconds that a turn waits for the earlier ones
MOST_ORPHANS = 64  # taken up at a time


class Lanes:
    """The turns that this process holds. Only one of a conversation is worked at a time.

    `tell` lets other processes know: "queued", and with the conversation "awaited", and "ended" to
    those who said so. Few turns are waited for, and each word costs every process a reading.
    """

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        clock: Callable[[], float],
        tell: Callable[[str, str], object] = lambda _topic, _what: None,
    ) -> None:
        self.owner = secrets.token_hex(8)
        self._tell = tell
        self.draining = False  # what nobody holds is left for others
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._held: dict[int, int] = {}  # the conversations of the turns
        self._awaited: set[int] = set()  # conversations, of those that are held here
        self._missed: dict[str, float] = {}
        self._look_at = 0.0
        self._queued = asyncio.Event()
        self._waiting: defaultdict[int, list[asyncio.Future[None]]] = defaultdict(list)

    @property
    def busy(self) -> bool:
        """Whether a turn is being answered here, or waits for an earlier one."""
        return bool(self._held)

    def wake(self) -> None:
        """Say that a turn was queued, or that one ended which others may have waited for."""
        self.woken()
        self._tell("queued", "")

    def woken(self) -> None:
        """Look for turns that nobody holds: another process says that there may be some."""
        self._queued.set()

    def ended(self, conversation: int) -> None:
        """Let those go on who waited for a turn of that conversation, wherever it was worked."""
        for waiting in self._waiting.pop(conversation, ()):
            if not waiting.done():
                waiting.set_result(None)

    def awaited(self, conversation: int) -> None:
        """Tell when the turn of that conversation ends: another process waits for it."""
        if self._count(conversation):
            self._awaited.add(conversation)
        else:  # it may have ended while that was said
            self._tell("ended", str(conversation))

    @contextlib.asynccontextmanager
    async def hold(self, turn: int, conversation: int) -> AsyncIterator[None]:
        """Keep the lease of a turn alive, and let the next one of its conversation go on."""
        self._held[turn] = conversation
        try:
            yield
        finally:
            self._held.pop(turn, None)
            self.ended(conversation)
            if conversation in self._awaited:
                self._tell("ended", str(conversation))
                if not self._count(conversation):
                    self._awaited.discard(conversation)

    async def turn_of(self, turn: int, conversation: int) -> Taken:
        """Wait until no earlier turn holds this one up, and take it.

        Raises:
            InProgress: that took too long, or another process has it.
        """
        deadline = self._clock() + MOST_PATIENCE
        told = False
        while self._clock() < deadline:
            # Asked for before looking, so that a turn that ends in between is not missed.
            ended = asyncio.get_running_loop().create_future()
            self._waiting[conversation].append(ended)
            if (taken := await self._take(turn)) is not None:
                return taken
            # Where another turn of it is held here, its end is heard, or it has said so itself.
            if not told and self._count(conversation) <= 1:
                self._tell("awaited", str(conversation))
                told = True
            try:
                # Not `wait_for`: that of Python 3.11 forgets a cancellation which comes
                # together with the result.
                async with asyncio.timeout(LOOK_EVERY):
                    await ended
            except TimeoutError:
                told = False  # whoever should have heard it may not have
        raise InProgress(retry_after=LOOK_EVERY)

    async def keep(self, work: Callable[[Taken], Coroutine[None, None, None]]) -> None:
        """Renew the leases and hand turns that nobody holds to `work`, as long as this lives."""
        renew_at = 0.0
        async with asyncio.TaskGroup() as group:
            while True:
                self._queued.clear()
                try:
                    if (now := self._clock()) >= renew_at:
                        renew_at = now + RENEW_EVERY
                        await self._renew(now)
                    await self._free_the_dead(now)
                    for taken in () if self.draining else await self._orphans(now):
                        group.create_task(work(taken))
                except AppError as error:
                    logger.warning("lanes.storage_away", cause=error.cause)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        await self._queued.wait()

    async def leave(self) -> None:
        """Free the turns that are held here: others need not wait for the leases to run out."""
        try:
            freed = await self._store.run(partial(turns.leave, owner=self.owner))
        except AppError as error:
            logger.warning("turns.not_left", cause=error.cause)
        else:
            if freed:
                logger.info("turns.left", turns=freed)

    def _count(self, conversation: int) -> int:
        return list(self._held.values()).count(conversation)

    async def _take(self, turn: int) -> Taken | None:
        return await self._store.run(
            lambda db: turns.take(db, self._sealer, turn, self.owner, self._clock())
        )

    async def _free_the_dead(self, now: float) -> None:
        """Free what others held who are gone, once they were missed for a while."""
        if not self._store.shared or now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY
        missing = await self._store.run(partial(presence.missing, me=self.owner, now=now))
        self._missed = {owner: self._missed.get(owner, now) for owner in missing}
        dead = frozenset(o for o, since in self._missed.items() if now - since >= MISSED_SECONDS)
        if dead and (freed := await self._store.run(partial(presence.free, owners=dead))):
            logger.info("turns.taken_up", turns=freed)

    async def _renew(self, now: float) -> None:
        held = tuple(self._held)
        if held:
            await self._store.run(lambda db: turns.renew(db, held, self.owner, now))

    async def _orphans(self, now: float) -> list[Taken]:
        found = await self._store.run(partial(turns.orphans, now=now, most=MOST_ORPHANS))
        # At once, so that all are on the disk with one commit: they are of different conversations.
        asked = (self._take_orphan(turn) for turn in found if turn not in self._held)
        taken = await asyncio.gather(*asked, return_exceptions=True)
        for each in taken:
            if isinstance(each, AppError):  # the others have been taken all the same
                logger.warning("lanes.storage_away", cause=each.cause)
            elif isinstance(each, BaseException):
                raise each
        return [each for each in taken if isinstance(each, Taken)]

    async def _take_orphan(self, turn: int) -> Taken | None:
        try:
            return await self._take(turn)
        except CannotOpen:
            # Its key is lost. Left alone, it would hold up its conversation for ever.
            logger.error("turn.unreadable", turn=turn)
            await self._store.run(partial(turns.discard, turn=turn))
            return None
