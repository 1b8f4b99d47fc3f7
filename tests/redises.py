"""Real Redis servers: the shared one of this machine, and ones that a test may mistreat."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from app.sharing.bus import Bus
from app.sharing.link import SETTLE_SECONDS, Link
from simulator.ports import free_port

SHARED_URL: Final = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
UNHURRIED: Final = 5.0  # seconds that Redis has to answer where the test is about something else
_SHARED_ADDRESS: Final = ("127.0.0.1", 6379)


def missing() -> str:
    """Return why there is no shared Redis; empty where there is one."""
    try:
        socket.create_connection(_SHARED_ADDRESS, 1).close()
    except OSError:
        return "no Redis on 127.0.0.1:6379"
    return ""


def shared_url() -> str:
    """Return where the Redis of this machine is; skip the test where there is none."""
    if reason := missing():
        pytest.skip(reason)
    return SHARED_URL


def prefix() -> str:
    """Return one of its own for a test: others use the same server at the same time."""
    return f"test:{secrets.token_hex(6)}:"


class Told:
    """A clock that is told the time."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Instance:
    """What one process has of `app.sharing`; its heart beats when it is told to."""

    def __init__(self, url: str, named: str, seconds: float) -> None:
        self.clock = Told()
        self.link = Link(url, prefix=named, clock=self.clock, seconds=seconds)
        self.bus = Bus(self.link)

    async def settle(self) -> None:
        """Let the time pass in which every instance finds Redis back."""
        await self.link.beat()
        self.clock.now += SETTLE_SECONDS
        await self.link.beat()


@asynccontextmanager
async def instance(url: str, named: str, seconds: float = UNHURRIED) -> AsyncIterator[Instance]:
    """Open one more instance. It hears the others; it has not met Redis yet."""
    made = Instance(url, named, seconds)
    async with made.bus.opened():
        try:
            yield made
        finally:
            await made.link.close()


async def listening(*instances: Instance) -> None:
    """Wait until what one says is heard by the others."""
    for each in instances:
        async with asyncio.timeout(5):
            await each.bus.listening.wait()


async def cleared(url: str, named: str) -> None:
    """Take away what a test left in a Redis that others use, too."""
    link = Link(url)
    keys = [key async for key in link.client.scan_iter(f"{named}*")]
    if keys:
        await link.client.unlink(*keys)
    await link.close()


class Server:
    """A Redis of the test's own, on a free port, with nothing on the disk."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        given = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", *self._options)
        self._process = subprocess.Popen(
            ("redis-server", *given, "--dir", str(self._folder)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise TimeoutError

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def say(self, *words: str) -> None:
        """Say something to it over a connection of its own.

        Raises:
            AssertionError: it refuses.
        """
        with socket.create_connection(("127.0.0.1", self.port), 2) as line:
            parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
            line.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
            heard = line.recv(1000)
            assert heard.startswith(b"+"), heard


@contextmanager
def server(folder: Path, *options: str) -> Iterator[Server]:
    """Start one; skip the test where no Redis is installed."""
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server is installed")
    started = Server(folder, *options)
    try:
        yield started
    finally:
        started.thaw()
        started.kill()
