"""The real service and the real bot's code between a simulated Telegram, OpenRouter and Plume.

Everything runs in the loop of the tests, so that nothing is started twice; the bot's clock runs
fast, and the service waits for the provider no longer than it has to here.
"""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.llm.patience import Patience
from app.panoptes.panoptes import no_picture
from panoptes_bot.client import Service as Client
from panoptes_bot.deliver import Deliverer
from panoptes_bot.messages import Messages
from panoptes_bot.pace import Pace
from panoptes_bot.reach import Reach
from panoptes_bot.receive import Receiver
from panoptes_bot.telegram_api import open_bot
from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.plume import PlumeWorld, addresses, create_plume
from simulator.telegram import TelegramWorld, create_telegram
from simulator.telegram.chats import Kept
from tests.api.service import ADMIN, BOT, Place, Service, bearer
from tests.bot.stage import Hurried, bot_settings
from tests.chain.stack import is_final
from tests.servers import serve

SHORTENED = Patience(
    connect=1.0, first_token=1.2, gap=0.8, note=0.4, total=4.0, retries=2, max_wait=1.5
)
SECONDS = 12.0  # that a loaded machine may take for an answer
LOOK_EVERY = 0.02
MINA = 1001  # the administrator
_ONCE = re.compile(rb"\[\[once:([\w-]+)\]\]")


@dataclass
class Once:
    """Stands before the provider: of words with `[[once:fault]]` the first asking fails alone."""

    app: ASGIApp
    struck: set[bytes] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/chat/completions"):
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), bool(part.get("more_body"))
        told = orjson.loads(body)
        asked = orjson.dumps(told["messages"][-1])
        if _ONCE.search(asked) is not None:
            mark = b"" if asked in self.struck else rb"[[fault:\1]]"
            self.struck.add(asked)
            told["messages"][-1] = orjson.loads(_ONCE.sub(mark, asked))
            body = orjson.dumps(told)
        first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return first.pop() if first else await receive()

        await self.app(scope, replayed, send)


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands on the phone of a person: texts from the question on, and the last's buttons."""

    texts: tuple[str, ...]
    buttons: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.texts[-1]


@dataclass
class Stage:
    service: Service
    telegram: TelegramWorld
    model: OpenRouterWorld
    plume: PlumeWorld
    clock: Hurried
    work: tuple["asyncio.Task[None]", ...] = ()
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def somebody(self) -> int:
        return self.telegram.people.join("Somebody").id

    def bots(self, chat: int) -> list[Kept]:
        """Return the bot's messages in a chat, in order."""
        kept = self.telegram.chats[chat].messages.values()
        return [it for it in kept if it.sender == self.telegram.bot_id]

    def shown(self, chat: int, since: int = 0) -> Shown:
        found = [self.telegram.json(it, whole=False) for it in self.bots(chat) if it.id > since]
        keys = found[-1].get("reply_markup", {}).get("inline_keyboard", []) if found else []
        texts = tuple(it.get("text") or it.get("caption") or "" for it in found)
        return Shown(texts, tuple(key["text"] for row in keys for key in row))

    def is_answered(self, chat: int, since: int) -> bool:
        found = [it for it in self.bots(chat) if it.id > since]
        return bool(found) and all(is_final(self.telegram.json(it, whole=False)) for it in found)

    async def ask(self, person: int, text: str, chat: int | None = None) -> Shown:
        """Say something on Telegram; return what is there when nobody works on it any more."""
        where = person if chat is None else chat
        said = self.telegram.people.say(person, text, chat)
        await self.until(lambda: self.is_answered(where, said.id))
        return self.shown(where, said.id)

    def tries(self, words: str) -> int:
        """Return how often the provider was asked something with these words."""
        asked = (it.body["messages"][-1]["content"] for it in self.model.chats())
        return sum(words in str(it) for it in asked)

    def refused(self, *methods: str, chat: int | None = None) -> list[int]:
        """Return the statuses by which Telegram refused calls, in order."""
        return [it.status for it in self.telegram.of(*methods, chat=chat) if it.status >= 400]

    async def dead(self, chat: int) -> list[Any]:
        """Return what the operator's list says of a chat: what could not be delivered."""
        heard = await self.service.http.get("/admin/deliveries", headers=bearer(ADMIN))
        assert heard.status_code == 200, heard.text
        return [it for it in heard.json()["refused"] if it["chat_id"] == str(chat)]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(SECONDS):
            while not holds():
                for ended in (it for it in self.work if it.done()):
                    ended.result()
                await asyncio.sleep(LOOK_EVERY)


@asynccontextmanager
async def running(folder: Path, *, upstream: str = "", **changes: Any) -> AsyncIterator[Stage]:
    """Start everything; `upstream` stands in for the provider, `changes` are settings."""
    (folder / "data").mkdir(mode=0o700)
    telegram = TelegramWorld(pace=False)
    telegram.people.say(MINA, "/start")  # nobody can be written to before that
    model = OpenRouterWorld(index_delay=0.0, drip=0.002, pause=0.002)
    plume = PlumeWorld()
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(serve(Once(create_openrouter(model))))
        cloud = addresses(await stack.enter_async_context(serve(create_plume(plume))))
        phone = await stack.enter_async_context(serve(create_telegram(telegram)))
        settings = {
            "telegram_bot_token": telegram.token,
            "telegram_api_base": phone,
            "telegram_admin_users": str(MINA),
            # Models that are there, so that no note of a stand-in goes with an answer.
            "telegram_model": "openai/gpt-4o-mini",
            "internal_default_model": "openai/gpt-4.1",
            "plume_sso_url": cloud.sso,
            "plume_api_base": cloud.api,
            "plume_reports_base": cloud.reports,
            "plume_calls_per_second": 1_000,
            "telegram_rate_limit": 1_000,  # these have tests of their own
            # The other dialect has no list of models, which is waited for else.
            **({"openrouter_dialect": "openai"} if upstream else {}),
        }
        place = Place(folder, upstream or api, model, settings)
        wires = {"patience": SHORTENED, "draw": no_picture}
        service = await stack.enter_async_context(place.running(wires=wires, **changes))
        made = Stage(service, telegram, model, plume, Hurried())
        await stack.enter_async_context(_bot(made, phone))
        yield made


@asynccontextmanager
async def _bot(stage: Stage, phone: str) -> AsyncIterator[None]:
    bot, close = open_bot(bot_settings(phone, stage.service.url, stage.telegram))
    clock = stage.clock
    client, pace = Client(stage.service.url, SecretStr(BOT)), Pace(clock)
    messages = Messages(bot, pace, Reach("telegram"), clock)
    deliverer = Deliverer(client, messages, Reach("service"), clock, lambda: None)
    loops = Receiver(bot, client, pace, clock), deliverer
    stage.work = tuple(asyncio.create_task(it.run()) for it in loops)
    try:
        await stage.until(lambda: stage.is_answered(MINA, 1))
        yield
    finally:
        for task in stage.work:
            task.cancel()
        await asyncio.gather(*stage.work, return_exceptions=True)
        await client.close()
        await close()
