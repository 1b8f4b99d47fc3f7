"""Wake-ups between instances. Whoever misses one looks by himself a little later."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from loguru import logger
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from app.sharing.line import BATCH_SECONDS, ended
from app.sharing.link import BEAT_EVERY, Link

MOST_WAITING: Final = 1024  # different things to say; what is more is left out
SILENCE_SECONDS: Final = 5 * BEAT_EVERY  # with no beat heard, the connection is a dead one
LISTEN_AGAIN: Final = 1.0
NEXT: Final = "\n"  # between things that are said together

Handler = Callable[[str], None]


class Bus:
    """`publish` says a thing to all other instances, `on` names who hears one here.

    Publishing waits for nothing. The same thing, said twice before it went out, goes out once.
    No payload holds `NEXT`.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._handlers: dict[str, Handler] = {}
        self._missed: list[Callable[[], None]] = []
        self._waiting: dict[tuple[str, str], None] = {}
        self._said = asyncio.Event()
        self.listening = asyncio.Event()

    def on(self, topic: str, handler: Handler, *, missed: Callable[[], None] | None = None) -> None:
        """Let `handler` hear what others publish, `missed` that something may have been lost."""
        self._handlers[topic] = handler
        if missed is not None:
            self._missed.append(missed)

    def channel(self, topic: str) -> str:
        return f"{self._link.prefix}{topic}"

    def publish(self, topic: str, payload: str = "") -> bool:
        """Say it to the others; False where that is not possible now."""
        if not self._link.here or len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting[(topic, payload)] = None
        self._said.set()
        return True

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Speak and listen as long as this lasts."""
        tasks = [asyncio.create_task(self._speak()), asyncio.create_task(self._listen())]
        try:
            yield
        finally:
            await ended(*tasks)

    async def _speak(self) -> None:
        while True:
            await self._said.wait()
            self._said.clear()
            said, self._waiting = self._waiting, {}
            # It is the beat that says of the link whether it works.
            with contextlib.suppress(RedisError, OSError):
                async with asyncio.timeout(BATCH_SECONDS):
                    line = self._link.client.pipeline(transaction=False)
                    topics: dict[str, list[str]] = {}
                    for topic, payload in said:
                        topics.setdefault(topic, []).append(payload)
                    # Together, as hearing one costs more than saying it. Who said it comes first:
                    # we hear ourselves, too.
                    for topic, payloads in topics.items():
                        line.publish(self.channel(topic), f"{self._link.me} {NEXT.join(payloads)}")
                    await line.execute()

    async def _listen(self) -> None:
        while True:
            if self._link.here:
                with contextlib.suppress(RedisError, OSError):
                    await self._heard()
                self.listening.clear()
            await asyncio.sleep(LISTEN_AGAIN)

    async def _heard(self) -> None:
        async with self._link.client.pubsub() as ear:
            async with asyncio.timeout(BATCH_SECONDS):
                await ear.subscribe(self.channel("beat"), *map(self.channel, self._handlers))
            while (message := await self._next(ear)) is not None:
                if message["type"] == "subscribe":
                    self._subscribed()
                elif message["type"] == "message":
                    self._handle(message["channel"], message["data"])

    async def _next(self, ear: PubSub) -> dict[str, str] | None:
        found: dict[str, str] | None = await ear.get_message(timeout=SILENCE_SECONDS)
        return found

    def _subscribed(self) -> None:
        if not self.listening.is_set():
            self.listening.set()
            for missed in self._missed:
                missed()

    def _handle(self, channel: str, data: str) -> None:
        sender, _, payloads = data.partition(" ")
        handler = self._handlers.get(channel.removeprefix(self._link.prefix))
        if handler is None or sender == self._link.me:
            return
        for payload in payloads.split(NEXT):
            try:
                handler(payload)
            except Exception:  # noqa: BLE001 - one that cannot be read must not end the hearing
                logger.exception("sharing.unreadable")
