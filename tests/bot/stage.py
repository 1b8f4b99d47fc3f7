"""A bot between a simulated Telegram and a small service, with a clock that runs fast."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram import Bot

from panoptes_bot.client import Service
from panoptes_bot.clock import Clock
from panoptes_bot.deliver import Deliverer
from panoptes_bot.messages import Messages
from panoptes_bot.pace import Pace
from panoptes_bot.reach import Reach
from panoptes_bot.receive import Receiver
from panoptes_bot.settings import BotSettings, read_settings
from panoptes_bot.telegram_api import open_bot
from simulator.telegram import GROUP, TelegramWorld, create_telegram
from simulator.telegram.chats import Kept
from tests.bot.fake_service import KEY, FakeService
from tests.servers import serve
from wire.delivery import Delivery
from wire.reply import Reply

MINA = 1001
HURRY = 50  # seconds of the bot pass in one of ours


class Hurried(Clock):
    """Fifty seconds pass in one. `slept` is what was waited for, by its own account."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return super().now() * HURRY

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds / HURRY)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        await super().wait(event, seconds / HURRY)


@dataclass
class Stage:
    world: TelegramWorld
    service: FakeService
    settings: BotSettings
    bot: Bot
    clock: Hurried
    pace: Pace
    messages: Messages
    client: Service

    def receiver(self) -> Receiver:
        return Receiver(self.bot, self.client, self.pace, self.clock)

    def deliverer(self, connected: Callable[[], None] = lambda: None) -> Deliverer:
        return Deliverer(self.client, self.messages, Reach("service"), self.clock, connected)

    def messages_in(self, chat: int = MINA) -> list[Kept]:
        """Return the bot's messages in a chat, in order."""
        return [
            it for it in self.world.chats[chat].messages.values() if it.sender == self.world.bot_id
        ]

    def shown(self, chat: int = MINA) -> list[str]:
        """Return the texts or captions of the bot's messages in a chat, in order."""
        contents = [message.content for message in self.messages_in(chat)]
        return [content.get("text") or content.get("caption") or "" for content in contents]

    def methods(self, *names: str) -> list[str]:
        return [call.method for call in self.world.calls if not names or call.method in names]


def bot_settings(telegram: str, service: str, world: TelegramWorld) -> BotSettings:
    return read_settings(
        None,
        telegram_bot_token=world.token,
        bot_api_key=KEY,
        service_url=service,
        telegram_api_base=telegram,
        telegram_log_file="",
    )


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    world, service = TelegramWorld(pace=False), FakeService()
    world.people.say(MINA, "hi")  # nobody can be written to before that
    world.people.say(MINA, "hi", GROUP)
    async with serve(create_telegram(world)) as telegram, serve(service.app()) as address:
        settings = bot_settings(telegram, address, world)
        bot, close = open_bot(settings)
        clock = Hurried()
        pace = Pace(clock)
        client = Service(address, settings.bot_api_key)
        messages = Messages(bot, pace, Reach("telegram"), clock)
        try:
            yield Stage(world, service, settings, bot, clock, pace, messages, client)
        finally:
            await client.close()
            await close()


@asynccontextmanager
async def running(work: Receiver | Deliverer) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(work.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait for what only looking shows."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - the simulator tells nobody
            await asyncio.sleep(0.005)


def placeholder(number: int = 1, chat: int = MINA, source: str | None = None) -> Delivery:
    return Delivery(id=number, platform="telegram", chat_id=str(chat), source_message_id=source)


def final(  # everything that may matter to a drawing
    reply: Reply | str, number: int = 1, chat: int = MINA, *, edits: tuple[str, ...] = ()
) -> Delivery:
    said = Reply(response=reply) if isinstance(reply, str) else reply
    return placeholder(number, chat).model_copy(
        update={"final": True, "reply": said, "edits": edits}
    )
