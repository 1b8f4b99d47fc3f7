"""Tells the administrators on Telegram what only they can mend, and when it is over.

Once per cause and hour, by all instances together. Whoever rings the bell neither waits nor
fails: what they said is kept in memory, and a task of its own writes it down and sends it.
"""

import asyncio
import math
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

from loguru import logger
from sqlalchemy import Connection

from app import texts
from app.errors import AppError
from app.storage import alerts, deliveries
from app.storage.alerts import Alert
from app.storage.deliveries import Target
from app.storage.sealed import Sealer
from app.storage.store import Store
from wire.reply import Reply

PLATFORM: Final = "telegram"
HOUR: Final = 3600.0
SEEN_EVERY: Final = 60.0  # seconds in which the same cause is noted once
LOOK_EVERY: Final = 10.0  # seconds: at what other instances noted, and at the database itself
MOST_KEPT: Final = 1000  # of what was said while the database is away
LONGEST_CAUSE: Final = 64
# How long after it was sent the same is sent again while it goes on; of the others, an hour.
AGAIN: Final = {"spend_most": math.inf}
# These only happen: an hour later they are over, and nobody hears of that.
EVENTS: Final = frozenset(
    {"dead_letters", "model_gone", "spend_small", "task_ended", "update_unreadable"}
)
STORAGE: Final = "storage_away"
# What Telegram says of those who do not want to be written to, or cannot.
NOT_WANTED: Final = (
    "blocked", "deactivated", "kicked", "removed", "not a member", "initiate conversation",
    "chat not found",
)  # fmt: skip


class _Said(NamedTuple):
    key: str
    at: float
    over: bool


class Alerts:
    """A `Bell`. `admins` are ids of Telegram; without any, the log alone tells."""

    def __init__(
        self, store: Store, sealer: Sealer, clock: Callable[[], float], admins: Collection[str]
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._admins = tuple(sorted(admins))
        self._said: list[_Said] = []
        self._seen: dict[str, float] = {}
        self._logged: dict[str, float] = {}
        self._open: set[str] = set()
        self._away_since: float | None = None
        self._rung = asyncio.Event()

    @property
    def sends(self) -> bool:
        """Tell whether there is anybody to send to; then somebody has to `keep` it."""
        return bool(self._admins)

    def raise_(self, cause: str, about: str = "") -> None:
        """See `Bell`."""
        key, now = _key(cause, about), self._clock()
        if now - self._seen.get(key, -math.inf) < SEEN_EVERY:
            return
        if key not in self._open or now - self._logged.get(key, -math.inf) >= HOUR:
            self._logged[key] = now
            logger.error("alert.raised", cause=key)
        self._seen[key] = now
        self._open.add(key)
        self._say(_Said(key, now, over=False))

    def over(self, cause: str, about: str | None = None) -> None:
        """See `Bell`."""
        if not self._open:
            return
        for key in [each for each in self._open if _is_of(each, cause, about)]:
            logger.info("alert.over", cause=key)
            self._open.discard(key)
            self._seen.pop(key, None)
            self._say(_Said(key, self._clock(), over=True))

    def refused(self, target: Target, reason: str) -> None:
        """Say that a delivery became a dead letter, unless that is the person's own wish.

        One of our own alerts is none: it would tell of itself, without end.
        """
        ours = target.source is None and target.chat_id in self._admins
        if not ours and not any(word in reason.lower() for word in NOT_WANTED):
            self.raise_("dead_letters")

    async def keep(self) -> None:
        """Write down and send what was said, as long as this lives."""
        while True:
            self._rung.clear()
            await self.write()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._rung.wait()

    async def write(self) -> None:
        """Send what is due. What cannot be written now is kept for the next time."""
        said, self._said = self._said, []
        now, away = self._clock(), self._away_since
        try:
            found = await self._store.run(partial(self._unit, said, now, away))
        except AppError as error:
            self._said = (said + self._said)[:MOST_KEPT]
            if error.cause != "closed" and away is None:
                self._away_since = now
        except Exception:  # noqa: BLE001 - the outermost loop: what it said is lost, it goes on
            logger.exception("alerts.failed")
        else:
            self._away_since = None
            waiting = {each.key for each in self._said if not each.over}
            self._open = {each.cause for each in found} | waiting

    def _say(self, said: _Said) -> None:
        if self._admins and len(self._said) < MOST_KEPT:
            self._said.append(said)
            self._rung.set()

    def _unit(
        self, said: list[_Said], now: float, away: float | None, db: Connection
    ) -> list[Alert]:
        if away is not None:
            self._send_if_due(db, alerts.raise_(db, STORAGE, away, now), now)
            alerts.over(db, STORAGE, now)
        for each in said:
            if not each.over:
                self._send_if_due(db, alerts.raise_(db, each.key, each.at), now)
            elif (ended := alerts.over(db, each.key, each.at)) is not None and ended.is_told:
                self._send(db, _over_text(ended, each.at), now)
        for alert in alerts.open_(db):
            if alert.is_told and alert.seen_at + HOUR <= now and _cause(alert) in EVENTS:
                alerts.over(db, alert.cause, now)
            else:
                self._send_if_due(db, alert, now)
        return alerts.open_(db)

    def _send_if_due(self, db: Connection, alert: Alert, now: float) -> None:
        again = AGAIN.get(_cause(alert), HOUR) if alert.is_told else HOUR
        news = alert.seen_at > alert.told_at
        if news and alert.told_at + again <= now and alerts.tell(db, alert, now):
            self._send(db, _text(alert, now), now)

    def _send(self, db: Connection, text: str, now: float) -> None:
        if not text:
            return
        reply = Reply(response=text).model_dump_json().encode()
        for admin in self._admins:
            # The private chat of a person has the id of that person.
            target = Target(PLATFORM, admin, None, None, admin)
            deliveries.add(db, self._sealer, target, now, reply=reply)


def _key(cause: str, about: str) -> str:
    return f"{cause}:{about}"[:LONGEST_CAUSE] if about else cause


def _cause(alert: Alert) -> str:
    return alert.cause.partition(":")[0]


def _is_of(key: str, cause: str, about: str | None) -> bool:
    return key.partition(":")[0] == cause if about is None else key == _key(cause, about)


def _text(alert: Alert, now: float) -> str:
    cause, _, about = alert.cause.partition(":")
    text = texts.ALERTS.get(cause, texts.ALERT_UNKNOWN)
    lasted = texts.lasting(now - alert.began_at)
    return text.format(cause=cause, about=texts.code(about), lasted=lasted)


def _over_text(alert: Alert, at: float) -> str:
    cause, _, about = alert.cause.partition(":")
    text = texts.ALERTS_OVER.get(cause, "")
    return text.format(about=texts.code(about), lasted=texts.lasting(at - alert.began_at))
