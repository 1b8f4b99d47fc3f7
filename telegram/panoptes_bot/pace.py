"""How often Telegram may be called: one budget per chat for every call, and one over all.

A call made during a penalty lengthens it, and cosmetic calls count like any other. So texts that
must arrive wait for their turn, and cosmetic calls are made only where room is left over.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from panoptes_bot.clock import Clock

PRIVATE_SPACING = 1.0  # seconds between calls to one chat, in the long run
# 20 a minute is what Telegram allows in a group: three at once and one per 3.4 s are 20.
GROUP_SPACING = 3.4
BURST = 3
# 30 a second over all chats: five at once and 25 a second stay within it.
OVERALL_SPACING = 1 / 25
OVERALL_BURST = 5
LONGEST_HOLD = 61.0  # seconds, a minute and a little; what takes longer is brought again later
MOMENT = 1e-6  # seconds
TYPING = 5.0  # seconds for which Telegram shows it
MANY_CHATS = 2_000


class Held(Exception):
    """Telegram wants no call to this chat for `seconds`, which is long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"held for {seconds:.0f} s")
        self.seconds = seconds


class _Line:
    """Lets in one at a time: those who finish something first, and each in the order of asking."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._waiting) + self._taken

    @asynccontextmanager
    async def turn(self, *, begins: bool) -> AsyncIterator[None]:
        if self._taken:
            mine = asyncio.get_running_loop().create_future()
            heappush(self._waiting, (begins, next(self._numbers), mine))
            try:
                await mine
            except asyncio.CancelledError:
                if not mine.cancelled():
                    self._next()  # it was let in, and does not come
                raise
        self._taken = True
        try:
            yield
        finally:
            self._next()

    def _next(self) -> None:
        self._taken = False
        while self._waiting and not self._taken:
            mine = heappop(self._waiting)[2]
            if not mine.done():  # cancelled
                mine.set_result(None)
                self._taken = True


@dataclass
class _Budget:
    """`free_at` is when all of it is there again, so an unused one needs no update."""

    spacing: float
    burst: int
    free_at: float = 0.0
    held_until: float = 0.0
    typing_until: float = float("-inf")
    line: _Line = field(default_factory=_Line)

    def wait(self, now: float, *, spare: int = 0) -> float:
        """Return the seconds until a call fits and `spare` more would."""
        full = self.spacing * (self.burst - 1 - spare)
        wait = max(self.free_at - full - now, self.held_until - now)
        # Less than that may be too little to move a clock on.
        return wait if wait > MOMENT else 0.0

    def take(self, now: float) -> None:
        self.free_at = max(self.free_at, now) + self.spacing

    def idle(self, now: float) -> bool:
        return not self.line and max(self.free_at, self.held_until) <= now


class Pace:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._overall = _Budget(OVERALL_SPACING, OVERALL_BURST)
        self._chats: dict[str, _Budget] = {}

    async def turn(self, chat: str, *, begins: bool = False) -> None:
        """Wait until a call to `chat` may be made.

        A call that `begins` something waits for those that finish something; else the order is
        that of asking. So under load some have their answer, rather than all a placeholder.

        Raises:
            Held: that would be longer than `LONGEST_HOLD` seconds.
        """
        budget = self._budget(chat)
        async with budget.line.turn(begins=begins):
            while not await self._took(budget, begins=begins):
                pass

    def spare(self, chat: str) -> bool:
        """Take room for a cosmetic call, if there is some that nobody else needs."""
        if self.room(chat) > 0:
            return False
        self._take(self._budget(chat))
        return True

    def may_type(self, chat: str) -> bool:
        """Take room to show that somebody types, if that is not shown already."""
        now, budget = self._clock.now(), self._budget(chat)
        if budget.typing_until > now or not self.spare(chat):
            return False
        budget.typing_until = now + TYPING
        return True

    def room(self, chat: str) -> float:
        """Return the seconds after which it is worth asking for room for a cosmetic call.

        One call stays free for a text that must arrive; while one waits, there is no room.
        """
        now = self._clock.now()
        budget = self._budget(chat)
        return max(budget.wait(now, spare=1), self._overall.wait(now, spare=1))

    def hold(self, chat: str, seconds: float) -> None:
        """Make no call to `chat` for so long."""
        budget = self._budget(chat)
        budget.held_until = max(budget.held_until, self._clock.now() + seconds)

    def held(self, chat: str) -> float:
        """Return for how many seconds more Telegram wants no call to `chat`."""
        budget = self._chats.get(chat)
        return max(budget.held_until - self._clock.now(), 0.0) if budget else 0.0

    async def _took(self, budget: _Budget, *, begins: bool) -> bool:
        await self._wait(budget)
        async with self._overall.line.turn(begins=begins):
            await self._wait(self._overall)
            # A chat that was held meanwhile does not keep the others waiting.
            free = budget.wait(self._clock.now()) == 0
            if free:
                self._take(budget)
            return free

    async def _wait(self, budget: _Budget) -> None:
        while (wait := budget.wait(now := self._clock.now())) > 0:
            if budget.held_until - now > LONGEST_HOLD:
                raise Held(budget.held_until - now)
            await self._clock.sleep(wait)

    def _take(self, budget: _Budget) -> None:
        now = self._clock.now()
        budget.take(now)
        self._overall.take(now)

    def _budget(self, chat: str) -> _Budget:
        if (found := self._chats.get(chat)) is None:
            if len(self._chats) >= MANY_CHATS:
                now = self._clock.now()
                self._chats = {k: b for k, b in self._chats.items() if not b.idle(now)}
            # Groups have negative numbers, channels have names.
            private = not chat.startswith(("-", "@"))
            found = _Budget(PRIVATE_SPACING if private else GROUP_SPACING, BURST)
            self._chats[chat] = found
        return found
