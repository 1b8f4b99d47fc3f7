"""How the service ends: `run_service.py` as its own process, and a supervisor that listens."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from uvicorn.loops.auto import auto_loop_factory

from app.errors import StorageUnavailable
from app.serving import TAKEN_AT_ONCE, answers, doors_of
from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.openrouter.world import KEY
from tests.api.service import BOT, INTERNAL, bearer, said, until
from tests.servers import serve
from tests.test_run_service import Running, answered, running

EVENTS = {"Accept": "text/event-stream"}
WEBHOOK = "abcdefghijklmnop-0123456789_ABCDEF"


@pytest.fixture
def world() -> OpenRouterWorld:
    return OpenRouterWorld()


@pytest.fixture
async def upstream(world: OpenRouterWorld) -> AsyncIterator[dict[str, str]]:
    async with serve(create_openrouter(world)) as url:
        yield {"OPENROUTER_SERVICE_URL": f"{url}/api/v1", "OPENROUTER_API_KEY": KEY}


@asynccontextmanager
async def draining(
    folder: Path, world: OpenRouterWorld, **settings: str
) -> AsyncIterator[tuple[Running, "asyncio.Task[httpx.Response]"]]:
    """Run a service that was told to stop while it answers a message; yield that answer too."""
    async with running(folder, **settings) as service:
        asked = asyncio.create_task(service.post(said("hello", message_id="first")))
        await until(world.chats)
        service.process.send_signal(signal.SIGTERM)
        await unready(service)
        yield service, asked


async def unready(service: Running) -> None:
    for _ in range(100):
        if (await service.http.get("/health/ready")).status_code == 503:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def exit_status(service: Running) -> int:
    await service.process.communicate()
    assert service.process.returncode is not None
    return service.process.returncode


async def test_while_it_drains_nothing_new_is_taken_and_what_runs_is_finished(
    tmp_path: Path, world: OpenRouterWorld, upstream: dict[str, str]
) -> None:
    world.first_token = 1.5
    update = json.dumps({"update_id": 1})
    secret = {"X-Telegram-Bot-Api-Secret-Token": WEBHOOK, "Content-Type": "application/json"}
    async with draining(tmp_path, world, TELEGRAM_WEBHOOK_SECRET=WEBHOOK, **upstream) as (
        service,
        asked,
    ):
        http = service.http
        refused = [
            await service.post(said("again", chat_id="other")),
            await http.post("/webhook/internal", json=said("x"), headers=bearer(INTERNAL)),
            await http.post("/webhook/telegram", content=update, headers=secret),
            await http.get("/deliveries", headers=bearer(BOT)),
        ]
        stranger = await http.post("/message", json=said("x"), headers=bearer("wrong" * 8))
        alive = await http.get("/health/live")
        heard = await asked
        status = await exit_status(service)

    assert [each.status_code for each in refused] == [503] * 4
    assert {each.json()["error"] for each in refused} == {"stopping"}
    assert {each.headers["Retry-After"] for each in refused} == {"5"}
    assert (stranger.status_code, alive.status_code) == (401, 200)
    assert (heard.status_code, status) == (200, 0)


async def test_a_stream_that_runs_is_finished_too(
    tmp_path: Path, world: OpenRouterWorld, upstream: dict[str, str]
) -> None:
    world.first_token = 0.7
    headers = bearer(INTERNAL) | EVENTS
    async with running(tmp_path, **upstream) as service:
        async with service.http.stream(
            "POST", "/message", json=said("hello"), headers=headers
        ) as heard:
            pieces = heard.aiter_text()
            first = await anext(pieces)
            service.process.send_signal(signal.SIGTERM)
            rest = "".join([piece async for piece in pieces])
        status = await exit_status(service)

    assert "event: progress" in first
    assert "event: reply" in rest
    assert status == 0


async def test_what_is_not_finished_in_time_is_answered_after_the_restart(
    tmp_path: Path, world: OpenRouterWorld, upstream: dict[str, str]
) -> None:
    world.first_token = 60.0
    plain, streamed = said("hello"), said("hello", chat_id="other")
    took = []
    for stops in range(2):  # with the restart after them, one more than a turn is tried
        async with running(tmp_path, DRAIN_SECONDS="1", **upstream) as service:
            asked = [] if stops else [ask(service, plain), ask(service, streamed, EVENTS)]
            await until(partial(called, world, 2 * (stops + 1)))
            began = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            assert await exit_status(service) == 0
            took.append(time.monotonic() - began)
            await asyncio.gather(*asked, return_exceptions=True)
    world.first_token = 0.0
    async with running(tmp_path, **upstream) as service:
        heard = [await answered(service, question) for question in (plain, streamed)]

    assert max(took) < 1 + 1 + 1.5
    assert [each.json()["error"] for each in heard] == [None, None]
    assert [each.json()["data"]["message_count"] for each in heard] == [1, 1]


def called(world: OpenRouterWorld, times: int) -> bool:
    return len(world.chats()) >= times


def ask(
    service: Running, question: dict[str, Any], headers: Mapping[str, str] = MappingProxyType({})
) -> "asyncio.Task[httpx.Response]":
    headers = bearer(INTERNAL) | dict(headers)
    return asyncio.create_task(service.http.post("/message", json=question, headers=headers))


async def test_a_second_signal_ends_it_at_once_and_loses_nothing(
    tmp_path: Path, world: OpenRouterWorld, upstream: dict[str, str]
) -> None:
    world.first_token = 60.0
    async with draining(tmp_path, world, **upstream) as (service, asked):
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        status = await exit_status(service)
        took = time.monotonic() - began
        await asyncio.gather(asked, return_exceptions=True)
    world.first_token = 0.0
    async with running(tmp_path, **upstream) as service:
        heard = await answered(service, said("hello", message_id="first"))

    assert status == 0
    assert took < 2
    assert (heard.status_code, heard.json()["success"]) == (200, True)


BEARER = b"Host: x\r\nAuthorization: Bearer %s\r\n" % BOT.encode()
HALVES = {
    "nothing": b"",
    "half of the headers": b"POST /message HTTP/1.1\r\nHost: x\r\nContent-Le",
    "half of the body": b"POST /webhook/telegram HTTP/1.1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1000\r\n" + BEARER + b"\r\n{",
    "all of it": b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n",
    "a stream": b"GET /deliveries HTTP/1.1\r\n" + BEARER + b"\r\n",
}


async def test_nobody_holds_up_the_end_by_saying_half_of_something(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        with ExitStack() as clients:
            for sent in HALVES.values():
                client = socket.create_connection(("127.0.0.1", port_of(service)))
                clients.enter_context(closing(client)).sendall(sent)
            await asyncio.sleep(0.2)
            began = time.monotonic()
            found = await service.end(signal.SIGTERM)

    assert found.code == 0
    assert not [line for line in found.lines if "request.cut_off" in line]
    assert time.monotonic() - began < 3


def port_of(service: Running) -> int:
    port = service.http.base_url.port
    assert port is not None
    return port


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def told(supervisor: socket.socket) -> list[str]:
    """Return what was said so far, a line each."""
    supervisor.settimeout(0)
    lines: list[str] = []
    try:
        while True:
            lines += supervisor.recv(4096).decode().splitlines()
    except BlockingIOError:
        return lines


async def test_the_supervisor_hears_of_the_start_of_life_and_of_the_end(
    tmp_path: Path, supervisor: socket.socket
) -> None:
    watched = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    async with running(tmp_path, **watched) as service:
        await asyncio.sleep(0.5)
        alive = told(supervisor)
        # Frozen, it says nothing more.
        service.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.3)
        told(supervisor)
        await asyncio.sleep(0.3)
        frozen = told(supervisor)
        service.process.send_signal(signal.SIGCONT)
        service.process.send_signal(signal.SIGTERM)
        status = await exit_status(service)

    assert alive.count("READY=1") == 1
    assert alive.count("WATCHDOG=1") >= 3
    assert any(line.startswith("STATUS=") for line in alive)
    assert frozen == []
    assert "STOPPING=1" in told(supervisor)
    assert status == 0


class Storage:
    """A store that answers in time, too late, or that it is away."""

    shared = True

    def __init__(self, seconds: float = 0.0, *, away: bool = False) -> None:
        self._seconds = seconds
        self._away = away

    async def run(self, work: object) -> object:
        await asyncio.sleep(self._seconds)
        if self._away:
            raise StorageUnavailable
        return None


@pytest.mark.parametrize(
    ("storage", "well"),
    [(Storage(), True), (Storage(away=True), True), (Storage(60.0), False)],
    ids=["answers", "is away and says so", "says nothing"],
)
async def test_silence_of_the_storage_alone_is_reason_to_be_restarted(
    storage: Storage, *, well: bool
) -> None:
    assert await answers(storage, 0.05) is well  # type: ignore[arg-type]


def test_those_who_come_at_once_are_not_taken_one_by_one() -> None:
    taken: list[asyncio.BaseTransport] = []

    class Taking(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken.append(transport)

    async def rounds(door: socket.socket) -> int:
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Taking, sock=each) for each in doors_of(door)]
        count = 0
        while len(taken) < len(callers):
            count += 1
            await asyncio.sleep(0)
        for transport in taken:
            transport.close()
        for server in servers:
            server.close()
        return count

    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
        address = door.getsockname()
        callers = [
            stack.enter_context(socket.create_connection(address)) for _ in range(8 * TAKEN_AT_ONCE)
        ]
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            count = runner.run(rounds(door))

    assert count <= 16
