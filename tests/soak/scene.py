"""The real bot and the real service, with doors around them at which they can be killed."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from simulator.telegram import TelegramWorld, create_telegram
from tests.processes import MOST, Program, Service, TelegramBot
from tests.servers import serve
from tests.soak.chats import Talk, people_of
from tests.soak.doors import Door, Moment, Step, Traps
from tests.soak.link import create_link
from tests.soak.provider import create_provider

P = TypeVar("P", bound=Program)
ACK = re.compile(r"/deliveries/(\d+)/ack")
FAR: tuple[Moment, ...] = ("lost", "unheard", "heard")
BOTH_WAYS = ("update", "ack placed", "ack sent")
STEPS_OF_BOT = (
    *(Step(request, moment) for request in BOTH_WAYS for moment in FAR),
    *(Step(request, moment) for request in ("sendMessage", "final edit") for moment in FAR),
    Step("growing edit", "unheard"),
    Step("getUpdates", "unheard"),
    Step("getUpdates", "heard"),
    Step("deliveries", "lost"),
    Step("deliveries", "begun"),
)
STEPS_OF_SERVICE = (
    *(Step(request, moment) for request in BOTH_WAYS for moment in FAR),
    Step("deliveries", "begun"),
    Step("model", "lost"),
    Step("model", "unheard"),
    Step("model", "begun"),
    Step("model", "heard"),
)


@dataclass(slots=True)
class Victim(Generic[P]):
    """A program that is killed and started again."""

    program: P
    kills: int = 0
    starts: int = 0

    @property
    def runs(self) -> bool:
        return self.starts > 0 and self.program.status is None

    async def start(self) -> None:
        await self.program.start()
        self.starts += 1

    async def kill(self) -> None:
        assert self.program.status is None, f"It ended by itself:\n{self.program.log[-2000:]}"
        self.kills += 1
        await self.program.kill()


@dataclass(slots=True)
class Scene:
    """`asked` is each call of the model, with the number of the service's start that made it.

    `placed` are the deliveries with the messages of which the service was told.
    """

    world: TelegramWorld
    telegram: str
    traps: Traps
    services: tuple[Victim[Service], ...]
    bot: Victim[TelegramBot]
    talks: list[Talk]
    asked: list[tuple[str, int]]
    placed: set[tuple[int, int]]

    @property
    def service(self) -> Victim[Service]:
        return self.services[0]

    @property
    def service_kills(self) -> int:
        return sum(service.kills for service in self.services)

    @property
    def kills(self) -> int:
        return self.bot.kills + self.service_kills


@asynccontextmanager
async def scene(folder: Path, chats: int, **settings: str) -> AsyncIterator[Scene]:
    """Serve the world around bot and service, which are not started yet.

    `settings` are the service's. At the end both, if they run, are asked to stop, and have to do
    so with status 0.
    """
    world, traps = TelegramWorld(), Traps()
    talks = people_of(world, chats)
    asked: list[tuple[str, int]] = []
    provider = create_provider(lambda text: asked.append((text, made.service.starts)))
    async with (
        serve(Door(create_telegram(world), traps, of_telegram)) as telegram,
        serve(Door(provider, traps, of_model)) as ai,
    ):
        own = {"TELEGRAM_BOT_TOKEN": world.token, "TELEGRAM_API_BASE": telegram}
        own |= {"TELEGRAM_RATE_LIMIT": MOST} | settings
        service = Service(folder, f"{ai}/v1", **own)
        placed: set[tuple[int, int]] = set()
        link = create_link(service.base, lambda path, body: placed.update(placed_by(path, body)))
        async with serve(Door(link, traps, of_link)) as url:
            bot = TelegramBot(folder, service, telegram, world.token, SERVICE_URL=url)
            victims = (Victim(service),), Victim(bot)
            made = Scene(world, telegram, traps, *victims, talks, asked, placed)
            async with ended(made.bot, made.service):
                yield made


@asynccontextmanager
async def ended(*victims: Victim[Any]) -> AsyncIterator[None]:
    """Ask those that run to stop in the end, with status 0; after a failure kill them."""
    try:
        yield
    except BaseException:
        for victim in victims:
            if victim.runs:
                await victim.program.kill()
        raise
    for victim in victims:
        status = await victim.program.stop() if victim.runs else 0
        assert status == 0, victim.program.log[-2000:]


def placed_by(path: str, body: bytes) -> Iterator[tuple[int, int]]:
    if (found := ACK.fullmatch(path)) is not None:
        for message in json.loads(body).get("message_ids") or ():
            yield int(found[1]), int(message)


def of_model(path: str, _: bytes) -> str:
    return path.partition("/chat/")[1] and "model"


def of_telegram(path: str, body: bytes) -> str:
    method = path.rpartition("/")[2]
    if method != "editMessageText":
        return method
    # What still grows has the button that stops it.
    return "growing edit" if b"%2Fstop" in body else "final edit"


def of_link(path: str, body: bytes) -> str:
    if ACK.fullmatch(path):
        return f"ack {json.loads(body)['outcome']}"
    return {"/webhook/telegram": "update", "/deliveries": "deliveries"}.get(path, path)
