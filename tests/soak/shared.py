"""Two services on one PostgreSQL and one Redis, with one bot and a balancer before them."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sharing.link import BEAT_EVERY, SETTLE_SECONDS
from simulator.telegram import TelegramWorld, create_telegram
from tests.processes import MOST, READY_SECONDS, Service, TelegramBot
from tests.servers import serve
from tests.soak.balancer import Balancer, Target, balanced
from tests.soak.chats import LOOK_EVERY, people_of
from tests.soak.doors import Door, Traps
from tests.soak.link import create_link
from tests.soak.provider import create_provider
from tests.soak.scene import (
    Scene,
    Victim,
    ended,
    of_link,
    of_model,
    of_telegram,
    placed_by,
)

INSTANCES = 2
HASTY_LEASE = "4"  # seconds
SETTLED = SETTLE_SECONDS + 2 * BEAT_EVERY
STARTS = 1000  # more than one instance makes


class Hasty(Service):
    """A service whose leases end soon."""

    script = "tests/soak/hasty"


@dataclass(slots=True)
class Instance(Victim[Service]):
    """One of the services. `traps` are at its own doors; `takes`: it is ready, `since` then."""

    traps: Traps = field(default_factory=Traps)
    takes: bool = False
    since: float = 0.0

    async def ready(self) -> None:
        await self.program.ready()
        self.takes, self.since = True, time.monotonic()

    async def kill(self) -> None:
        self.takes = False
        await Victim.kill(self)


@dataclass(slots=True)
class SharedScene(Scene):
    """`door` leads callers to either instance, `way` the bot: each connection to the next."""

    instances: tuple[Instance, ...]
    door: str
    way: Balancer

    async def start(self) -> None:
        """Start everything; return when all are ready."""
        await asyncio.gather(*(one.start() for one in self.instances), self.bot.start())
        await asyncio.gather(*(one.ready() for one in self.instances))
        async with asyncio.timeout(READY_SECONDS):
            # It found a service, and asks for updates.
            while not (self.world.of("getUpdates") and self.world.of("setMyDescription")):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY)

    async def settled(self) -> None:
        """Wait until every instance counts together with the other one."""
        ready = max(one.since for one in self.instances)
        await asyncio.sleep(max(0.0, ready + SETTLED - time.monotonic()))


@asynccontextmanager
async def shared_scene(
    folder: Path, chats: int, *, hasty: bool, **settings: str
) -> AsyncIterator[SharedScene]:
    """Serve the world around bot and services, which are not started yet.

    `settings` are those of the services, DATABASE_URL and REDIS_URL among them. At the end all
    that run are asked to stop, and have to do so with status 0.
    """
    world, traps, placed = TelegramWorld(), Traps(), set[tuple[int, int]]()
    asked: list[tuple[str, int]] = []
    async with AsyncExitStack() as stack:
        api = Door(create_telegram(world), traps, of_telegram)
        telegram = await stack.enter_async_context(serve(api))
        own = {"TELEGRAM_BOT_TOKEN": world.token, "TELEGRAM_API_BASE": telegram}
        own |= {"TELEGRAM_RATE_LIMIT": MOST, "LEASE_SECONDS": HASTY_LEASE} | settings

        def service(place: Path, provider: str) -> Service:
            return (Hasty if hasty else Service)(place, provider, **own)

        instances = await _instances(stack, folder, service, asked)
        ways = [await _way(stack, one, placed) for one in instances]
        straight = [Target(one.program.base) for one in instances]
        way = await stack.enter_async_context(balanced(*ways))
        door = await stack.enter_async_context(balanced(*straight))
        first = instances[0].program
        bot = Victim(TelegramBot(folder, first, telegram, world.token, SERVICE_URL=way.url))
        made = SharedScene(
            world=world,
            telegram=telegram,
            traps=traps,
            services=instances,
            bot=bot,
            talks=people_of(world, chats),
            asked=asked,
            placed=placed,
            instances=instances,
            door=door.url,
            way=way,
        )
        async with ended(bot, *instances):
            yield made


async def _instances(
    stack: AsyncExitStack,
    folder: Path,
    service: Callable[[Path, str], Service],
    asked: list[tuple[str, int]],
) -> tuple[Instance, ...]:
    """Return the services, each with a way of its own to the one provider."""
    made: list[Instance] = []
    numbers = itertools.count(1)

    def asks(at: int, text: str) -> None:
        asked.append((text, STARTS * at + made[at].starts))

    for at in range(INSTANCES):
        traps, place = Traps(), folder / f"instance-{at + 1}"
        place.mkdir()
        provider = Door(create_provider(partial(asks, at), numbers), traps, of_model)
        url = f"{await stack.enter_async_context(serve(provider))}/v1"
        if made:
            program = made[0].program.beside(place, OPENROUTER_SERVICE_URL=url)
        else:
            program = service(place, url)
        made.append(Instance(program, traps=traps))
    return tuple(made)


async def _way(stack: AsyncExitStack, one: Instance, placed: set[tuple[int, int]]) -> Target:
    """Return the way of the bot to one of the services, past its traps."""
    link = create_link(one.program.base, lambda path, body: placed.update(placed_by(path, body)))
    door = _apart(Door(link, one.traps, of_link))
    return Target(await stack.enter_async_context(serve(door)), partial(getattr, one, "takes"))


def _apart(app: ASGIApp) -> ASGIApp:
    """Let each request come by a connection of its own, which may lead to another instance."""

    async def closing(scope: Scope, receive: Receive, send: Send) -> None:
        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await app(scope, receive, said)

    return closing
