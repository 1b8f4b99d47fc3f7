"""Plume's calls, counted in Redis for all instances behind one address."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from typing import Final

from app.plume.budget import WINDOW, Granted, Purpose
from app.sharing.bus import Bus
from app.sharing.line import Away
from app.sharing.link import Link
from app.sharing.script import Script

SECOND: Final = 1.0
MOMENT: Final = 1e-6
ASK_AGAIN: Final = 0.25  # seconds after Redis did not answer in time, but is not away
# In the time of Redis: the clocks of several machines differ by more than a second may.
_NOW: Final = """
    local function exact(number) return string.format('%.17g', number) end
    local now = tonumber(ARGV[2])
    if not now then
        local time = redis.call('TIME')
        now = time[1] + time[2] / 1000000
    end
    local function left(key) return math.max(0, (redis.call('GET', key) or 0) - now) end
"""
_TAKE: Final = Script(
    _NOW
    + """
    local all, background, pause, window = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
    local lanes = {{all, tonumber(ARGV[4])}}
    if ARGV[3] == 'background' then lanes[2] = {background, tonumber(ARGV[5])} end
    local paused, wait = left(pause), left(pause)
    for _, lane in ipairs(lanes) do
        redis.call('ZREMRANGEBYSCORE', lane[1], '-inf', exact(now - 1))
        if redis.call('ZCARD', lane[1]) >= lane[2] then
            local oldest = redis.call('ZRANGE', lane[1], -lane[2], -lane[2], 'WITHSCORES')[2]
            wait = math.max(wait, oldest + 1 - now)
        end
    end
    if wait > 0 then return {exact(wait), exact(paused), ''} end
    for _, lane in ipairs(lanes) do
        redis.call('ZADD', lane[1], exact(now), ARGV[6])
        redis.call('PEXPIRE', lane[1], 60000)
    end
    if left(window) == 0 then
        redis.call('SET', window, exact(now + ARGV[7]), 'PX', math.ceil(1000 * ARGV[7]))
    end
    return {'0', '0', exact(left(window))}
    """
)
_PAUSE: Final = Script(
    _NOW
    + """
    if left(KEYS[2]) < tonumber(ARGV[3]) then
        redis.call('SET', KEYS[2], exact(now + ARGV[3]), 'PX', math.ceil(1000 * ARGV[3]))
        redis.call('PUBLISH', ARGV[4], ARGV[5] .. ' ' .. ARGV[3])
    end
    """
)


class Grants:
    """See `app.plume.budget.Shared`. While Redis is away, each instance takes only its share.

    `clock` tells the time instead of Redis.
    """

    def __init__(
        self,
        link: Link,
        bus: Bus,
        clock: Callable[[], float] | None = None,
        name: str = "plume",
    ) -> None:
        self._link = link
        self._name = name
        self._clock = clock
        self._numbers = itertools.count()
        self._paused_until = -1.0
        self._pausing: set[asyncio.Task[None]] = set()
        self._channel = bus.channel(f"{name}.paused")
        link.add(self)

    @property
    def share(self) -> int:
        return 1 if self._link.settled else self._link.instances

    async def take(self, purpose: Purpose, most: int, most_background: int) -> Granted:
        name = f"{self._link.me}-{next(self._numbers)}"
        told = [self._now(), purpose, most, most_background, name, WINDOW]
        keys = [f"{self._name}:{key}" for key in ("all", "background", "paused", "window")]
        try:
            wait, paused, window = await self._link.call(_TAKE, keys, told)
        except Away:
            if self._link.here:
                return Granted(wait=ASK_AGAIN)
            # What the others took in the second before is not known.
            held = self._link.left_at + SECOND - self._link.clock()
            return Granted(wait=max(0.0, held))
        # Sums of floats: a millionth of a second is none, unless it is all that there is.
        seconds = max(MOMENT, round(float(wait), 6)) if float(wait) > 0 else 0.0
        return Granted(seconds, round(float(paused), 6), float(window) if window else None)

    def pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._link.clock() + seconds)
        task = asyncio.create_task(self._pause(seconds))
        self._pausing.add(task)
        task.add_done_callback(self._pausing.discard)

    async def seed(self) -> None:
        """See `Returning`. The calls of the second before need not be told: all had their share."""
        left = self._paused_until - self._link.clock()
        if left > 0 and not self._link.settled:
            told = [self._now(), left, self._channel, self._link.me]
            await self._link.call(_PAUSE, [f"{self._name}:paused"], told, returning=True)

    def settle(self) -> None:
        """See `Returning`."""

    async def _pause(self, seconds: float) -> None:
        told = [self._now(), seconds, self._channel, self._link.me]
        with contextlib.suppress(Away):
            await self._link.call(_PAUSE, [f"{self._name}:paused"], told)

    def _now(self) -> float | str:
        return "" if self._clock is None else self._clock()
