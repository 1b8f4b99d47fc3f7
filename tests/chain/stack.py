"""The real service and the real bot as processes, between a simulated Telegram and OpenRouter."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.telegram import TelegramWorld, Upload, create_telegram
from tests.processes import Service, TelegramBot
from tests.servers import serve

Json = dict[str, Any]
PATIENCE = 60.0  # seconds, on a loaded machine
LOOK_EVERY = 0.02
WAITING = "…"
STOP = "Stop"


@dataclass(frozen=True, slots=True)
class Person:
    """Does and sees what a person can on the chat page, through the page's own API."""

    http: httpx.AsyncClient
    id: int

    def _at(self, chat: int | None, rest: str) -> str:
        return f"/users/{self.id}/chats/{self.id if chat is None else chat}/{rest}"

    async def say(self, text: str, chat: int | None = None, **more: Any) -> Json:
        """Send a text; `more` is reply_to, thread or entities."""
        sent: Json = await self._post(self._at(chat, "messages"), json={"text": text} | more)
        return sent

    async def show(self, *pictures: Upload, chat: int | None = None, **more: str) -> list[Json]:
        """Send pictures, several as an album; `more` is caption, reply_to or thread."""
        sent: list[Json] = await self._files("photos", pictures, chat, more)
        return sent

    async def speak(self) -> Json:
        sent: Json = await self._files("voice", [Upload("hm.oga", "audio/ogg", b"hm")], None, {})
        return sent

    async def _files(self, kind: str, files: Any, chat: int | None, more: dict[str, str]) -> Any:
        parts = [("file", (it.name, it.content, it.media_type)) for it in files]
        return await self._post(self._at(chat, kind), files=parts, data=more)

    async def edit(self, message: Json, text: str) -> Json:
        url = self._at(message["chat"]["id"], f"messages/{message['message_id']}")
        edited: Json = _told(await self.http.patch(url, json={"text": text}))
        return edited

    async def press(self, message: Json, label: str) -> str:
        """Press a button; return the number of the press."""
        (found,) = [
            (y, x)
            for y, row in enumerate(message["reply_markup"]["inline_keyboard"])
            for x, key in enumerate(row)
            if key["text"] == label
        ]
        url = self._at(message["chat"]["id"], f"messages/{message['message_id']}/press")
        told = await self._post(url, json={"row": found[0], "column": found[1]})
        return str(told["query_id"])

    async def block(self, *, blocked: bool = True) -> None:
        await self._post(f"/users/{self.id}/{'block' if blocked else 'unblock'}")

    async def found(self, title: str, *members: "Person", forum: bool = False) -> Json:
        """Make a group with the bot in it."""
        body = {"title": title, "members": [it.id for it in members], "forum": forum}
        group: Json = await self._post(f"/users/{self.id}/groups", json=body)
        return group

    async def topic(self, group: int, name: str) -> int:
        return int((await self._post(self._at(group, "topics"), json={"name": name}))["thread"])

    async def messages(self, chat: int | None = None) -> list[Json]:
        """Return what stands in the chat, in order."""
        seen: list[Json] = _told(await self.http.get(self._at(chat, "messages")))
        return seen

    async def commands(self, chat: int | None = None) -> list[Json]:
        """Return the menu of the chat."""
        told = _told(await self.http.get(f"/users/{self.id}"))
        (found,) = [it for it in told["chats"] if it["id"] == (self.id if chat is None else chat)]
        return list(found["commands"])

    async def answers(self, to: Json, count: int = 1) -> list[Json]:
        """Return the `count` messages of the bot after `to` once they are final.

        Raises:
            TimeoutError: they never were; `to` and what stands there instead.
        """
        chat, since = to["chat"]["id"], to["message_id"]
        found: list[Json] = []
        try:
            async with asyncio.timeout(PATIENCE):
                while len(found) < count or not all(map(is_final, found)):
                    await asyncio.sleep(LOOK_EVERY)
                    found = [it for it in await self.messages(chat) if it["message_id"] > since]
                    found = [it for it in found if it["from"]["is_bot"]]
        except TimeoutError:
            raise TimeoutError(to, found) from None
        return found

    async def answer(self, to: Json) -> Json:
        """Return the one final message of the bot after `to`."""
        (found,) = await self.answers(to)
        return found

    async def ask(self, text: str, chat: int | None = None, **more: Any) -> Json:
        """Send a text; return the one answer."""
        return await self.answer(await self.say(text, chat, **more))

    async def _post(self, url: str, **what: Any) -> Any:
        return _told(await self.http.post(url, **what))


@dataclass(frozen=True, slots=True)
class Chain:
    """`canaries` are secrets that only the settings may hold."""

    folder: Path
    telegram: TelegramWorld
    openrouter: OpenRouterWorld
    service: Service
    bot: TelegramBot
    url: str  # of the chat page
    http: httpx.AsyncClient  # at the page's API
    canaries: tuple[str, ...] = field(repr=False)

    async def join(self, name: str = "Nora", **more: Any) -> Person:
        """Return somebody new, who has not started the bot yet."""
        told = _told(await self.http.post("/users", json={"first_name": name} | more))
        return Person(self.http, told["id"])

    def prompts(self, text: str) -> list[Json]:
        """Return the bodies of the model calls whose last message contains `text`."""
        bodies = [it.body for it in self.openrouter.chats()]
        return [it for it in bodies if text in str(it["messages"][-1]["content"])]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for what the worlds show."""
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 - the worlds tell nobody
                await asyncio.sleep(LOOK_EVERY)

    async def admin(self, method: str, path: str) -> Any:
        """Call the service as its operator."""
        headers = {"Authorization": f"Bearer {self.service.admin_key}"}
        url = f"{self.service.base}{path}"
        return _told(await self.http.request(method, url, headers=headers))


def is_final(message: Json) -> bool:
    """Tell whether nobody works on a message of the bot any more."""
    keys = message.get("reply_markup", {}).get("inline_keyboard", [])
    return message.get("text") != WAITING and not any(
        key["text"] == STOP for row in keys for key in row
    )


@asynccontextmanager
async def running(folder: Path, **settings: str) -> AsyncIterator[Chain]:
    """Start everything; `settings` are the service's. Both processes have to end well."""
    key = f"sk-or-v1-{secrets.token_hex(32)}"
    token = f"4242:{secrets.token_urlsafe(26)}"
    world = TelegramWorld(token=token)
    models = OpenRouterWorld(keys={key}, index_delay=0.0)
    async with serve(create_telegram(world)) as telegram, serve(create_openrouter(models)) as api:
        own = {
            "OPENROUTER_API_KEY": key,
            "TELEGRAM_BOT_TOKEN": token,
            "TELEGRAM_API_BASE": telegram,
            "LOG_LEVEL": "DEBUG",
            "LOG_FILE": "logs/service.log",
        }
        service = Service(folder, f"{api}/api/v1", **(own | settings))
        level = (own | settings)["LOG_LEVEL"]
        logs = {"LOG_LEVEL": level, "TELEGRAM_LOG_FILE": "logs/bot.log"}
        bot = TelegramBot(folder, service, telegram, token, **logs)
        canaries = (token, key, service.key, service.admin_key, service.bot_key)
        base = f"{telegram}/_sim/telegram"
        async with httpx.AsyncClient(base_url=base, timeout=30, trust_env=False) as http:
            await service.start()
            try:
                await service.ready()
                await bot.start()
                await _listening(world, bot)
                yield Chain(folder, world, models, service, bot, telegram, http, canaries)
            finally:
                ended = [await bot.stop(), await service.stop()]
        assert ended == [0, 0], (bot.log[-2000:], service.log[-2000:])


async def _listening(world: TelegramWorld, bot: TelegramBot) -> None:
    """Wait until the bot polls and has set its menu."""
    async with asyncio.timeout(PATIENCE):
        while not (world.of("getUpdates") and world.of("setMyDescription")):
            if bot.status is not None:
                raise RuntimeError(bot.log[-2000:])
            await asyncio.sleep(LOOK_EVERY)


def _told(response: httpx.Response) -> Any:
    """Return what an answer holds.

    Raises:
        AssertionError: it is a refusal.
    """
    assert response.is_success, f"{response.status_code}: {response.text}"
    return response.json() if response.content else None
