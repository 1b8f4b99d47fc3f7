"""deploy/supervisor: both programs in one container, by the real supervisord."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.telegram import TelegramWorld, create_telegram
from tests.deploy.tools import DEPLOY
from tests.processes import Service, TelegramBot
from tests.servers import serve

TOKEN = "4242:" + "a1B2" * 8
PATIENCE = 60.0
DRAIN = 30.0  # seconds for all of it


@dataclass(frozen=True, slots=True)
class Container:
    process: asyncio.subprocess.Process
    log: Path
    service: Service
    telegram: TelegramWorld

    def said(self, pattern: str) -> list[str]:
        return re.findall(pattern, self.log.read_text())

    def pid(self, name: str) -> int:
        """The latest process of a program."""
        return int(self.said(rf"spawned: '{name}' with pid (\d+)")[-1])

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                assert self.process.returncode is None, self.log.read_text()[-2000:]
                await asyncio.sleep(0.05)

    async def well(self) -> None:
        """Wait until the health check is content with both."""
        async with asyncio.timeout(PATIENCE):
            while await health(self.service.port) != 0:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)


async def health(port: int) -> int:
    """Run the health check of a container with both."""
    url = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(DEPLOY / "container" / "health.py"), "service", "bot"),
        env={"API_PORT": str(port), "SERVICE_URL": url, "PATH": os.environ["PATH"]},
    )
    return await process.wait()


@asynccontextmanager
async def container(folder: Path, **settings: str) -> AsyncIterator[Container]:
    """Run both.py with a service and a bot beside a simulated world."""
    world = TelegramWorld(token=TOKEN)
    log = folder / "both.log"
    async with (
        serve(create_telegram(world)) as telegram,
        serve(create_openrouter(OpenRouterWorld())) as provider,
    ):
        service = Service(folder, f"{provider}/api/v1")
        bot = TelegramBot(folder, service, telegram, TOKEN)
        given = bot._environment | service._environment | {"TMPDIR": str(folder)} | settings
        reader, writer = os.pipe()  # as a container engine has it: a pipe, and not a file
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(DEPLOY / "supervisor" / "both.py")),
            cwd=folder,
            env=given,
            stdout=writer,
            stderr=writer,
        )
        os.close(writer)
        copying = asyncio.create_task(asyncio.to_thread(_copy, reader, log))
        try:
            yield Container(process, log, service, world)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await copying


def _copy(reader: int, log: Path) -> None:
    with os.fdopen(reader, "rb", 0) as source, log.open("wb", 0) as sink:
        while piece := source.read(65_536):
            sink.write(piece)


async def test_what_is_killed_comes_back_and_a_signal_stops_both_in_order(tmp_path: Path) -> None:
    async with container(tmp_path) as running:
        await running.until(running.log.exists)
        await running.well()
        polled = len(running.telegram.of("getUpdates"))
        before = {name: running.pid(name) for name in ("service", "bot")}
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        await running.until(lambda: all(running.pid(name) != before[name] for name in before))
        await running.well()
        await running.until(lambda: len(running.telegram.of("getUpdates")) > polled)
        began = time.monotonic()
        running.process.terminate()
        status = await running.process.wait()
        took = time.monotonic() - began

    assert status == 0
    assert took < DRAIN
    assert running.said(r"stopped: (\w+) ") == ["bot", "service"]
    assert "service.stopped" in running.log.read_text()


async def test_a_service_that_is_not_configured_ends_the_container(tmp_path: Path) -> None:
    async with container(tmp_path, BOT_API_KEY="short") as running:
        async with asyncio.timeout(PATIENCE):
            status = await running.process.wait()

    assert status == 78
    assert running.said(r"spawned: '(\w+)'").count("service") == 1
    assert "BOT_API_KEY" in running.log.read_text()


async def test_a_bot_that_is_not_configured_stays_down_and_is_seen(tmp_path: Path) -> None:
    async with container(tmp_path, TELEGRAM_BOT_TOKEN="") as running:
        await running.until(lambda: running.log.exists() and running.said(r"exited: bot .*78"))
        async with httpx.AsyncClient(trust_env=False) as http:
            await running.until(lambda: running.said("service.started"))
            alive = (await http.get(f"{running.service.base}/health/live")).status_code
        seen = await health(running.service.port)

    assert alive == 200
    assert seen == 1
    assert running.said(r"spawned: '(\w+)'").count("bot") == 1
