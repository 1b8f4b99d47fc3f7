"""The way to Redis. It never holds anybody up: away is away, until the next beat finds it back."""

import asyncio
import contextlib
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from loguru import logger
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from app.bell import SILENT, Bell
from app.sharing.line import BATCH_SECONDS, Away, Line, ended
from app.sharing.script import EMPTIED, Argument, Script

PREFIX: Final = "arash:"
CONNECTIONS: Final = 4  # one for the calls, one that listens, one that publishes
BEAT_EVERY: Final = 1.0  # seconds
FIRST_BEATS: Final = 3  # before the service begins without Redis
GONE_SECONDS: Final = 10.0  # without a beat, an instance is no longer counted
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0  # seconds between two looks at a Redis that is away
# Until then every other instance has found Redis back too, and told what it did alone.
SETTLE_SECONDS: Final = LONGEST_PAUSE + 2 * BEAT_EVERY
# Who sets a Redis has several instances. How many, one that never reached it cannot know.
INSTANCES_UNKNOWN: Final = 4

_CODE: Final = re.compile(r"[A-Z]{3,16}(?= )")  # the word with which Redis says what is wrong
_BEAT: Final = Script(
    """
    local time = redis.call('TIME')
    local now = time[1] + time[2] / 1000000
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[3]))
    redis.call('ZADD', KEYS[2], now, ARGV[1])
    redis.call('SET', KEYS[1], ARGV[2], 'NX')
    redis.call('PUBLISH', ARGV[4], ARGV[1])
    return {redis.call('ZCARD', KEYS[2]), redis.call('GET', KEYS[1])}
    """,
    marked=False,
)


class Returning(Protocol):
    """Somebody who counts alone while Redis is away, or did not answer in time."""

    async def seed(self) -> None:
        """Tell Redis what it does not know, by calls that are `returning`.

        Raises:
            Away: it went away again.
        """
        ...

    def settle(self) -> None:
        """What was told need not be counted here any longer: every instance has told."""
        ...


class Link:
    """One client for the life of the process, and what is known of the other instances.

    `here`: calls go through. `settled`: and what others counted alone is in Redis by now, too.
    Between the two both counts hold, that of Redis and the stricter one of an instance alone.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = PREFIX,
        clock: Callable[[], float] = time.monotonic,
        seconds: float = BATCH_SECONDS,
    ) -> None:
        self.me = secrets.token_hex(4)
        self.prefix = prefix
        self.clock = clock
        self.here = False
        self.settled = False
        self.instances = INSTANCES_UNKNOWN
        self.left_at = clock()
        self.client = _client(url, seconds)
        self._line = Line(self.client, lambda error: self.lose(_kind(error)), seconds)
        self.mark = ""  # of this Redis, with what is in it: an emptied one is another
        self._settles_at = 0.0
        self._pause = FIRST_PAUSE
        self._lost = asyncio.Event()
        self._returning: list[Returning] = []
        self._told_away = False
        self.bell: Bell = SILENT

    def add(self, returning: Returning) -> None:
        self._returning.append(returning)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Beat as long as this lasts. A Redis that is away at the start is no reason not to."""
        # A service that begins without what was spent before it would allow too much.
        for _ in range(FIRST_BEATS):
            await self.beat()
            if self.here:
                break
            await asyncio.sleep(FIRST_PAUSE / 2)
        beating = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            await ended(beating)
            await self.close()

    async def close(self) -> None:
        """Say goodbye, so that the others need not wait for the next beat."""
        if self.here:
            with contextlib.suppress(RedisError, OSError):
                async with asyncio.timeout(BATCH_SECONDS):
                    await self.client.zrem(f"{self.prefix}instances", self.me)
        await self._line.close()
        with contextlib.suppress(RedisError, OSError):
            await self.client.aclose()

    async def call(
        self,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[Argument],
        *,
        returning: bool = False,
    ) -> Any:
        """Run a script on keys of ours, which are named without the prefix.

        Raises:
            Away: at once where that is known, after 0.25 s at the latest.
        """
        if not (self.here or returning):
            raise Away
        named = [f"{self.prefix}{key}" for key in ("mark", *keys)]
        answer = await self._line.ask(script, named, (self.mark, *arguments))
        if answer == EMPTIED:
            self.lose("emptied")
            raise Away
        return answer

    def lose(self, kind: str) -> None:
        """Take note that Redis cannot be used; the next beat looks again."""
        if not self._told_away:
            logger.warning("sharing.away", kind=kind)
            self._told_away = True
            self.bell.raise_("redis_away")
        if self.here:
            self.left_at = self.clock()
        self.here = self.settled = False
        self._lost.set()

    async def beat(self) -> None:
        """Say that we are alive, hear who else is, and notice that Redis went or came."""
        names = [f"{self.prefix}{key}" for key in ("mark", "instances")]
        told = (self.me, secrets.token_hex(8), GONE_SECONDS, f"{self.prefix}beat")
        try:
            instances, mark = await self._line.ask(_BEAT, names, told)
            if self.here and mark != self.mark:
                self.lose("emptied")
            self.mark = mark
            # Those who did not find Redis again yet count alone, too.
            known = self.instances if self._told_away or self._settles_at else 1
            self.instances = instances if self.settled else max(instances, known)
            await self._return(instances)
        except Away:
            return

    async def _return(self, instances: int) -> None:
        for each in self._returning:
            await each.seed()
        now = self.clock()
        if not self.here:
            self.here = True
            self._settles_at = now + SETTLE_SECONDS
            self._lost.clear()
            if self._told_away:
                self._told_away = False
                self.bell.over("redis_away")
                logger.info("sharing.back", instances=self.instances)
        elif now >= self._settles_at:
            for each in self._returning:
                each.settle()
            self.settled = True
            self.instances = instances
            self._pause = FIRST_PAUSE

    async def _keep(self) -> None:
        while True:
            if self.here:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_EVERY):
                        await self._lost.wait()
            if not self.here:
                await asyncio.sleep(self._pause)
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
            await self.beat()


def _client(url: str, seconds: float) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=seconds,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
        protocol=2,
        # A server could stretch our time-outs to ten seconds by these.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        decode_responses=True,
        encoding_errors="replace",
        client_name="arash-panoptes",
    )
    return Redis.from_pool(pool)


def _kind(error: Exception) -> str:
    """Return what went wrong in a word: never the text, which may name the URL."""
    if type(error) is ResponseError and (code := _CODE.match(str(error))):
        return code.group()
    return type(error).__name__
