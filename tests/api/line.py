"""People of a simulated Telegram at one end of the line, the real service at the other.

What people do becomes updates, and goes through `POST /webhook/telegram`; no bot is in between.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from app.llm.patience import Patience
from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.telegram import TelegramWorld, create_telegram
from simulator.telegram.people import People
from tests.api.service import BOT, Place, Service, bearer, settled, until
from tests.servers import serve
from wire.delivery import Delivery
from wire.reply import Reply

Json = dict[str, Any]
MINA, JONAS, AISHA = 1001, 1002, 1003
ANSWERED = "deliveries WHERE state = 'open' AND platform = 'telegram' AND reply IS NOT NULL"
PATIENCE = 10.0  # seconds
PATIENT = Patience(connect=5.0, first_token=60.0, gap=60.0, total=120.0, retries=1, max_wait=0.2)
ALLOWED = ["message", "edited_message", "callback_query", "my_chat_member"]
SECRET = "0123456789-made-up-secret-0123456789"  # pragma: allowlist secret


class Gate:
    """Stands before the model. While it is shut, questions wait here; `waiting` counts them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = asyncio.Event()
        self._open.set()
        self.waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/chat/completions"):
            self.waiting += 1
            try:
                await self._open.wait()
            finally:
                self.waiting -= 1
        await self._app(scope, receive, send)

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()


@dataclass(frozen=True, slots=True)
class Line:
    service: Service
    telegram: TelegramWorld
    model: OpenRouterWorld
    gate: Gate

    async def bring(self, headers: Json | None = None) -> list[Json]:
        """Bring what people did, in order, and return what is said to each update."""
        return [await self.post(update.json(), headers) for update in self._taken()]

    async def post(self, update: Any, headers: Json | None = None) -> Json:
        heard = await self.service.http.post(
            "/webhook/telegram", content=orjson.dumps(update), headers=_json(headers)
        )
        assert heard.status_code == 200, heard.text
        found: Json = heard.json()
        return found

    async def do(self, *acts: Callable[[People], Any]) -> list[Json]:
        """Let people do something, and bring it."""
        for act in acts:
            act(self.telegram.people)
        return await self.bring()

    async def say(self, text: str, person: int = MINA, chat: int | None = None) -> list[Json]:
        return await self.do(lambda it: it.say(person, text, chat))

    async def answers(self) -> list[Delivery]:
        """Return the answers that wait, once there is one to everything that was brought."""
        await settled(self.service)
        count = await self.service.sql(f"SELECT count(*) FROM {ANSWERED}")
        found: dict[int, Delivery] = {}
        changes = self.service.parts.outbox.changes("telegram")
        async with aclosing(changes), asyncio.timeout(PATIENCE):  # type: ignore[type-var]
            while len(found) < count:
                change = await anext(changes)
                if isinstance(change, Delivery) and change.final:
                    found[change.id] = change
        return [found[number] for number in sorted(found)]

    async def replies(self) -> list[Reply]:
        return [each.reply for each in await self.answers() if each.reply is not None]

    async def texts(self) -> list[str]:
        return [reply.response for reply in await self.replies()]

    def asked(self) -> list[Any]:
        """Return what the model was asked last, each time: the content of the last message."""
        return [chat.body["messages"][-1]["content"] for chat in self.model.chats()]

    def _taken(self) -> list[Any]:
        taken = self.telegram.updates.alive()
        self.telegram.updates.waiting.clear()
        return list(taken)


def _json(headers: Json | None) -> Json:
    return {"Content-Type": "application/json"} | (bearer(BOT) if headers is None else headers)


def telegram_world(**settings: Any) -> TelegramWorld:
    world = TelegramWorld(pace=False, **settings)
    world.updates.allowed = list(ALLOWED)
    return world


@asynccontextmanager
async def line(
    place: Place, telegram: TelegramWorld | None = None, **changes: Any
) -> AsyncIterator[Line]:
    """Start a service that fetches files from a simulated Telegram; `changes` as of `running`."""
    world = telegram or telegram_world()
    gate = Gate(create_openrouter(place.world))
    wires = {"patience": PATIENT} | changes.pop("wires", {})
    async with serve(create_telegram(world)) as url, serve(gate) as model:
        settings = {
            "telegram_bot_token": world.token,
            "telegram_api_base": url,
            "openrouter_service_url": f"{model}/api/v1",
        }
        async with place.running(wires=wires, **settings | changes) as service:
            service.parts.inbox.bot = _known(service, world)
            yield Line(service, world, place.world, gate)


def _known(service: Service, world: TelegramWorld) -> Any:
    # What the service soon learns by itself.
    bot = service.parts.inbox.bot
    return type(bot)(str(world.bot_id), world.username)


@asynccontextmanager
async def writing(
    telephone: Line, text: str = "Tell me a story", **say: Any
) -> AsyncIterator[None]:
    """Keep the model at an answer; what is done inside finds it there."""
    telephone.gate.close()
    await telephone.say(text, **say)
    await until(lambda: telephone.gate.waiting == 1)
    yield
    telephone.gate.open()
