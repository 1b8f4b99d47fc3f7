"""The way in: updates are asked for and handed to the service, raw.

The offset, by which Telegram forgets what was before it, moves only past updates that the service
has kept. So whatever ends between, an update comes again rather than never.
"""

import asyncio
import warnings
from collections import deque
from collections.abc import Iterable
from typing import Any

from loguru import logger
from telegram import Bot
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.warnings import PTBUserWarning

from panoptes_bot.client import Json, Service, ServiceAway, UpdateRefused
from panoptes_bot.clock import Clock
from panoptes_bot.pace import Pace
from panoptes_bot.reach import Reach, pauses
from panoptes_bot.telegram_api import SecondPoller, TokenRefused, seconds, unclear

# Telegram remembers an older choice where none is sent, so it always is.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
HOLD = 30  # seconds for which Telegram keeps a call waiting
AT_ONCE = 100  # updates of one call; the most there are
LANES = 8  # chats whose updates are handed over side by side
ROOM_TO_ANSWER = 15.0  # seconds beyond HOLD
# An instance that is ending may still ask once or twice.
CONFLICT_PAUSE = 5.0
MOST_CONFLICTS = 3
CONFLICT_WINDOW = 120.0
LONGEST_NOTICE = 200  # characters
MOST_NOTICES = 100  # on their way at once; more are left out


class Receiver:
    def __init__(
        self,
        bot: Bot,
        service: Service,
        pace: Pace,
        clock: Clock,
    ) -> None:
        self._bot = bot
        self._service = service
        self._pace = pace
        self._clock = clock
        self._telegram = Reach("polling")
        self._forwarding = Reach("forwarding")
        self._conflicts: deque[float] = deque(maxlen=MOST_CONFLICTS)
        self._notices: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Ask for updates until cancelled.

        Raises:
            TokenRefused: there is nothing to wait for.
            SecondPoller: the two would take each other's updates for ever.
        """
        # The library has a method of its own, which would read the updates.
        warnings.filterwarnings("ignore", category=PTBUserWarning, message=".*getUpdates.*")
        waits, offset, cleared = pauses(), 0, False
        while True:
            try:
                if not cleared:
                    # While a webhook is set, Telegram refuses to be asked.
                    await self._bot.delete_webhook()
                    cleared = True
                batch = await self._ask(offset)
            except InvalidToken:
                raise TokenRefused from None
            except Conflict as error:
                cleared = "webhook" not in error.message.lower()
                await self._give_way()
            except RetryAfter as error:
                await self._clock.sleep(seconds(error) + 0.5)
            except TelegramError as error:
                self._telegram.lost(unclear(error).cause)
                await self._clock.sleep(next(waits))
            else:
                self._telegram.found()
                waits = pauses()
                if batch:
                    await self._hand_over(batch)
                    offset = batch[-1]["update_id"] + 1

    async def _ask(self, offset: int) -> list[Json]:
        asked = {
            "offset": offset,
            "timeout": HOLD,
            "limit": AT_ONCE,
            "allowed_updates": list(ALLOWED_UPDATES),
        }
        batch: Any = await self._bot.do_api_request(
            "getUpdates", api_kwargs=asked, read_timeout=HOLD + ROOM_TO_ANSWER
        )
        return batch if isinstance(batch, list) else []

    async def _give_way(self) -> None:
        """Wait for the other one to end, or end.

        Raises:
            SecondPoller: it is still there.
        """
        now = self._clock.now()
        self._conflicts.append(now)
        recent = [when for when in self._conflicts if when > now - CONFLICT_WINDOW]
        if len(recent) >= MOST_CONFLICTS:
            raise SecondPoller
        logger.warning("polling.conflict", times=len(recent))
        await self._clock.sleep(CONFLICT_PAUSE)

    async def _hand_over(self, batch: list[Json]) -> None:
        """Hand over all of it, in order within each chat."""
        chats: dict[object, list[Json]] = {}
        for update in batch:
            chats.setdefault(_chat_of(update), []).append(update)
        waiting = iter(chats.values())
        async with asyncio.TaskGroup() as lanes:
            for _ in range(min(LANES, len(chats))):
                lanes.create_task(self._lane(waiting))

    async def _lane(self, waiting: Iterable[list[Json]]) -> None:
        for updates in waiting:
            for update in updates:
                await self._forward(update)

    async def _forward(self, update: Json) -> None:
        for pause in pauses():
            try:
                notice = await self._service.accept(update)
            except UpdateRefused as refused:
                logger.error(
                    "update.refused", update=update.get("update_id"), status=refused.status
                )
                return
            except ServiceAway as away:
                self._forwarding.lost(away.cause)
                await self._clock.sleep(pause if away.retry_after is None else away.retry_after)
            else:
                self._forwarding.found()
                self._tell(update, notice)
                return

    def _tell(self, update: Json, notice: str | None) -> None:
        """Let a pressed button stop turning. Nothing depends on it, so nobody waits for it."""
        press = update.get("callback_query")
        chat = _chat_of(update)
        if not isinstance(press, dict) or len(self._notices) >= MOST_NOTICES:
            return
        if self._pace.held(str(chat)) > 0:
            return
        task = asyncio.create_task(self._answer(str(press.get("id")), notice))
        self._notices.add(task)
        task.add_done_callback(self._notices.discard)

    async def _answer(self, press: str, notice: str | None) -> None:
        text = None if notice is None else notice[:LONGEST_NOTICE]
        try:
            await self._bot.answer_callback_query(press, text=text)
        except TelegramError as error:
            logger.debug("press.unanswered", cause=type(error).__name__)


def _chat_of(update: Json) -> object:
    """Return the number of the chat that an update is about, else of the person, else None."""
    for part in update.values():
        if isinstance(part, dict):
            message = part.get("message")
            for holder in (part, message if isinstance(message, dict) else {}):
                chat = holder.get("chat")
                if isinstance(chat, dict):
                    return chat.get("id")
            sender = part.get("from")
            if isinstance(sender, dict):
                return sender.get("id")
    return None


async def use_webhook(bot: Bot, url: str, secret: str, clock: Clock) -> None:
    """Have Telegram call the service itself.

    Raises:
        TokenRefused: there is nothing to wait for.
    """
    reach = Reach("webhook")
    for pause in pauses():
        try:
            await bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED_UPDATES)
        except InvalidToken:
            raise TokenRefused from None
        except RetryAfter as error:
            await clock.sleep(seconds(error) + 0.5)
        except TelegramError as error:
            reach.lost(unclear(error).cause)
            await clock.sleep(pause)
        else:
            reach.found()
            logger.info("webhook.set")
            return
