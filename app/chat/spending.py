"""What AI answers may cost in a day: the purse of the whole service, all its instances."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from loguru import logger

from app import metrics, texts
from app.bell import SILENT, Bell
from app.errors import AppError, SpendHeld, SpendLimitReached
from app.sessions import usage
from app.storage import spends
from app.storage.spends import DAY, Day
from app.storage.store import Store

MOST: Final = 0.8  # of the limit: from here on the operators know
ALL: Final = 0.95  # of it: from here on it is no use to ask for less
HELD_SECONDS: Final = 10.0  # after which open calls will have let go of something


class Today(NamedTuple):
    """USD. `spent` is what answers did cost, `held` what those that are written may still cost."""

    spent: float
    held: float
    limit: float | None


class Spending:
    """A `Purse` with a `limit` in USD; None: nothing is held, and everything is allowed.

    `longest`: seconds that a call takes at most.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        limit: Decimal | None,
        longest: float,
        bell: Bell = SILENT,
    ) -> None:
        self.limit = None if limit is None else float(limit)
        self._store = store
        self._clock = clock
        self._longest = longest
        self._bell = bell
        self._used_up_on = -1.0
        self._most_on = -1.0

    @property
    def used_up(self) -> bool:
        """Tell whether an answer was refused today for what it could cost."""
        return self._used_up_on == self._clock() // DAY

    async def today(self) -> Today:
        """Return what the answers of today cost; without a limit, of those that were kept.

        Raises:
            StorageUnavailable: nobody knows.
        """
        now = self._clock()
        if self.limit is not None:
            return Today(*await self._store.run(partial(spends.today, now=now)), self.limit)
        return Today(await self._store.run(partial(usage.cost_of_day, now=now)), 0.0, None)

    async def hold(self, most: float) -> str:
        """See `Purse`."""
        if self.limit is None:
            return ""
        name, now, limit = uuid.uuid4().hex, self._clock(), self.limit
        taken, day = await self._store.run(
            lambda db: spends.hold(db, name, most, limit, now, now + self._longest)
        )
        self._ring(day, limit, now)
        if not taken:
            raise self._refusal(most, limit, day, now)
        return name

    async def settle(self, hold: str, cost: float | None) -> None:
        """See `Purse`."""
        if not hold:
            return
        try:
            await self._store.run(lambda db: spends.settle(db, hold, cost))
        except AppError as error:
            # All that was held is spent then: more than it cost, and the answer is not lost.
            logger.warning("spend.not_settled", cause=error.cause)

    def _ring(self, day: Day, limit: float, now: float) -> None:
        today = now // DAY
        if day.spent < MOST * limit:
            self._used_up_on = -1.0
            self._bell.over("spend_limit")
            self._bell.over("spend_most")
        elif self._most_on != today:
            self._most_on = today
            self._bell.raise_("spend_most", f"{limit:g}")

    def _refusal(self, most: float, limit: float, day: Day, now: float) -> SpendLimitReached:
        metrics.limited("spend")
        logger.warning(
            "spend.refused", most_usd=most, spent_usd=day.spent, held_usd=day.held, limit_usd=limit
        )
        if most > limit:
            self._bell.raise_("spend_small", f"{limit:g}")
            return SpendLimitReached(texts.SPENT_NEVER, cause="spend_small")
        if day.spent + most <= limit:
            return SpendHeld(retry_after=HELD_SECONDS, cause="spend_held")
        wait = DAY - now % DAY
        if day.spent >= MOST * limit:
            self._used_up_on = now // DAY
            self._bell.raise_("spend_limit", f"{limit:g}")
        said = texts.SPENT if day.spent >= ALL * limit else texts.SPENT_NEARLY
        sentence = said.format(wait=texts.lasting(wait))
        return SpendLimitReached(sentence, retry_after=wait, cause="spend_limit")
