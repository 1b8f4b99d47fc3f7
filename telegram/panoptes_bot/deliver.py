"""The way out: what the service has for people, drawn in their chats."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from weakref import WeakValueDictionary

from loguru import logger

from panoptes_bot.client import Service, ServiceAway
from panoptes_bot.clock import Clock
from panoptes_bot.drawing import Drawing
from panoptes_bot.messages import Messages
from panoptes_bot.reach import Reach, pauses
from panoptes_bot.telegram_api import TokenRefused
from wire.delivery import Delivery, Progress

REMEMBERED = 1_000  # deliveries that were sent; late news of them is no news
GRACE = 3.0  # seconds for what is just being placed, when the process ends


class Deliverer:
    """Follows the stream of the service and draws each delivery by itself."""

    def __init__(
        self,
        service: Service,
        messages: Messages,
        reach: Reach,
        clock: Clock,
        connected: Callable[[], None] = lambda: None,
    ) -> None:
        self._service = service
        self._messages = messages
        self._reach = reach
        self._clock = clock
        self._connected = connected
        self._open: dict[int, Drawing] = {}
        self._placing: set[asyncio.Future[None]] = set()
        # Each lives as long as a drawing of its chat.
        self._lines: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._sent: OrderedDict[int, None] = OrderedDict()

    async def run(self) -> None:
        """Deliver until cancelled.

        Raises:
            ExceptionGroup: of `TokenRefused`.
        """
        try:
            async with asyncio.TaskGroup() as drawings:
                await self._follow(drawings)
        finally:
            await self._settle()

    async def _follow(self, drawings: asyncio.TaskGroup) -> None:
        waits = pauses()
        while True:
            try:
                async for event in self._service.deliveries():
                    if event is None:
                        self._reach.found()
                        waits = pauses()
                        self._connected()
                    else:
                        self._take(event, drawings)
            except ServiceAway as away:
                self._reach.lost(away.cause)
                pause = next(waits)
                await self._clock.sleep(pause if away.retry_after is None else away.retry_after)

    def _take(self, event: Delivery | Progress, drawings: asyncio.TaskGroup) -> None:
        drawing = self._open.get(event.id)
        if isinstance(event, Progress):
            # One that nobody knows will come whole when it is final.
            if drawing is not None:
                drawing.grow(event.text)
        elif drawing is not None:
            drawing.offer(event)
        elif event.id not in self._sent:
            line = self._lines.setdefault(event.chat_id, asyncio.Lock())
            drawing = Drawing(
                event, self._messages, self._service, self._reach, self._clock, self._placing, line
            )
            self._open[event.id] = drawing
            drawings.create_task(self._carry(event.id, drawing))

    async def _carry(self, number: int, drawing: Drawing) -> None:
        try:
            if await drawing.run():
                self._remember(number)
        except TokenRefused:
            raise
        # One delivery that nobody foresaw must not keep all others from their people.
        except Exception as error:  # noqa: BLE001 - see above
            logger.exception("delivery.failed", delivery=number)
            await drawing.give_up(f"the bot failed: {type(error).__name__}")
        finally:
            del self._open[number]

    def _remember(self, number: int) -> None:
        self._sent[number] = None
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    async def _settle(self) -> None:
        placing = list(self._placing)
        if placing:
            await asyncio.wait(placing, timeout=GRACE)
        for each in placing:
            each.cancel()
        await asyncio.gather(*placing, return_exceptions=True)
