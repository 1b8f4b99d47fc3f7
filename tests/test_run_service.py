"""`python run_service.py` as its own process."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.storage.sealed import new_key
from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.openrouter.world import KEY
from simulator.ports import free_port
from tests.api.service import ADMIN, BOT, INTERNAL, bearer, said, until
from tests.servers import serve

ROOT = Path(__file__).parents[1]
NOT_CONFIGURED = 78


@dataclass(frozen=True, slots=True)
class Ended:
    code: int | None
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Running:
    process: asyncio.subprocess.Process
    http: httpx.AsyncClient

    async def post(self, message: dict[str, Any]) -> httpx.Response:
        return await self.http.post("/message", json=message, headers=bearer(INTERNAL))

    async def end(self, number: signal.Signals) -> Ended:
        self.process.send_signal(number)
        return await ended(self.process)


def environment(folder: Path, **changes: str) -> dict[str, str]:
    key_file = folder / "encryption.key"
    if not key_file.exists():
        key_file.touch(0o600)
        key_file.write_text(new_key())
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "API_PORT": str(free_port()),
        "INTERNAL_API_KEY": INTERNAL,
        "BOT_API_KEY": BOT,
        "ADMIN_API_KEY": ADMIN,
        "ENCRYPTION_KEY_FILE": str(key_file),
        "DATABASE_URL": f"sqlite:///{folder / 'data' / 'arash.db'}",
        "LOG_FILE": "",
    } | changes


def opened(folder: Path) -> Path:
    Path(environment(folder)["ENCRYPTION_KEY_FILE"]).chmod(0o644)
    return folder


async def start(folder: Path, given: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "run_service.py"),
        cwd=folder,
        env=given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, _ = await asyncio.wait_for(process.communicate(), 20)
    return Ended(process.returncode, out.decode().splitlines())


async def tried(folder: Path, **changes: str) -> Ended:
    """Start a service that should refuse."""
    process = await start(folder, environment(folder, **changes))
    try:
        return await ended(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def running(folder: Path, **changes: str) -> AsyncIterator[Running]:
    given = environment(folder, **changes)
    process = await start(folder, given)
    url = f"http://127.0.0.1:{given['API_PORT']}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=10, trust_env=False) as http:
            await ready(http, process)
            yield Running(process, http)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(http: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    for _ in range(400):
        try:
            if (await http.get("/health/ready")).status_code == 200:
                return
        except httpx.TransportError:
            assert process.returncode is None, (await ended(process)).lines
        await asyncio.sleep(0.05)
    raise TimeoutError


@pytest.fixture
def world() -> OpenRouterWorld:
    return OpenRouterWorld()


@pytest.fixture
async def upstream(world: OpenRouterWorld) -> AsyncIterator[dict[str, str]]:
    async with serve(create_openrouter(world)) as url:
        yield {"OPENROUTER_SERVICE_URL": f"{url}/api/v1", "OPENROUTER_API_KEY": KEY}


async def test_a_refusal_names_every_reason_and_no_value(tmp_path: Path) -> None:
    found = await tried(tmp_path, INTERNAL_API_KEY="short-7f3a", BOT_API_KEY="", API_PORT="70000")

    assert found.code == NOT_CONFIGURED
    assert found.lines[0] == "The service cannot start:"
    for name in ("INTERNAL_API_KEY", "BOT_API_KEY", "API_PORT"):
        assert len([line for line in found.lines if line.startswith(f"  - {name}: ")]) == 1
    assert "make env" in found.lines[-1]
    assert "7f3a" not in "".join(found.lines)
    assert "Traceback" not in "".join(found.lines)


@pytest.mark.parametrize(
    "changes",
    [
        {"TRUSTED_PROXIES": "not-an-address"},
        {"HTTP_RATE_LIMIT": "often"},
        {"LOGIN_RATE_LIMIT": "often"},
        {"LOG_ROTATION": "sometimes"},
        {"LOG_FILE": "/proc/nowhere/service.log"},
        {"OPENROUTER_API_KEY": "sk-or-v1-with a blank"},
        {"OPENROUTER_API_KEY": "sk-or-v1-schlüssel"},
        {"MODEL_ALIASES": "nonsense"},
        {"DATABASE_URL": "sqlite:////proc/nowhere/arash.db"},
        {"DATABASE_URL": "sqlite://"},
        {"ENCRYPTION_KEY_FILE": "/nowhere/encryption.key"},
        {"API_HOST": "0.0.0.0"},
        {"API_HOST": "no.such.host.invalid"},
        {"CORS_ORIGINS": "*", "ENVIRONMENT": "production"},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_what_cannot_work_is_refused_in_plain_words(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    found = await tried(tmp_path, **changes)

    text = "\n".join(found.lines)
    assert found.code == NOT_CONFIGURED
    assert "Traceback" not in text
    assert text.startswith("The service cannot start:")
    assert "with a blank" not in text


async def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    found = await tried(opened(tmp_path))

    assert found.code == NOT_CONFIGURED
    assert found.lines == [
        "The service cannot start: others may read the key file; `chmod 600` it."
    ]


async def test_a_second_service_on_the_same_data_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        found = await tried(tmp_path)
        alive = (await first.http.get("/health/ready")).status_code

    assert found.code == NOT_CONFIGURED
    assert len(found.lines) == 1
    assert "another service is running on" in found.lines[0]
    assert alive == 200


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = await tried(tmp_path, API_PORT=str(port))

    text = "\n".join(found.lines)
    assert found.code == NOT_CONFIGURED
    assert "Traceback" not in text
    assert f"The service cannot start: 127.0.0.1:{port} cannot be listened on" in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_an_idle_service_at_once(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with running(tmp_path) as service:
        async with asyncio.timeout(5):
            found = await service.end(number)

    assert found.code == 0
    assert "service.stopped" in found.lines[-1]


async def test_a_signal_lets_the_answers_be_finished(
    tmp_path: Path, world: OpenRouterWorld, upstream: dict[str, str]
) -> None:
    world.first_token = 0.5
    async with running(tmp_path, **upstream) as service:
        asked = asyncio.create_task(service.post(said("hello")))
        await until(world.chats)
        found = await service.end(signal.SIGTERM)
        heard = await asked

    assert (heard.status_code, found.code) == (200, 0)


async def test_a_signal_waits_no_longer_than_it_was_told(
    tmp_path: Path, world: OpenRouterWorld, upstream: dict[str, str]
) -> None:
    world.first_token = 20.0
    question = said("hello")
    async with running(tmp_path, DRAIN_SECONDS="1", **upstream) as service:
        asked = asyncio.create_task(service.post(question))
        await until(world.chats)
        async with asyncio.timeout(5):
            found = await service.end(signal.SIGTERM)
        cut_off = await asked
    world.first_token = 0.0
    async with running(tmp_path, **upstream) as service:
        heard = await answered(service, question)

    assert found.code == 0
    assert (cut_off.status_code, cut_off.json()["error"]) == (503, "not_ready")
    assert cut_off.headers["Retry-After"] == "5"
    assert "Traceback" not in "\n".join(found.lines)
    assert heard.status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_during_the_start_is_not_lost(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = await start(tmp_path, environment(tmp_path))
    # The lock file is made while the database is opened, before the server listens.
    await until((tmp_path / "data" / "arash.db.lock").exists, 15)

    process.send_signal(number)

    try:
        async with asyncio.timeout(10):
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode is not None


async def test_a_turn_that_is_killed_is_answered_once_after_the_restart(
    tmp_path: Path, world: OpenRouterWorld, upstream: dict[str, str]
) -> None:
    world.first_token = 5.0
    question = said("hello")
    async with running(tmp_path, **upstream) as service:
        asked = asyncio.create_task(service.post(question))
        await until(world.chats)
        found = await service.end(signal.SIGKILL)
        await asyncio.gather(asked, return_exceptions=True)
    world.first_token = 0.0

    async with running(tmp_path, **upstream) as service:
        heard = [await answered(service, question) for _ in range(2)]

    assert found.code == -signal.SIGKILL
    assert [each.status_code for each in heard] == [200, 200]
    assert heard[0].content == heard[1].content
    assert heard[0].json()["data"]["message_count"] == 1
    # The second service may ask for a model that is gone, before it has the list.
    answering = heard[0].json()["data"]["model"]
    assert [call.body["model"] for call in world.chats()].count(answering) == 2


async def answered(service: Running, question: dict[str, Any]) -> httpx.Response:
    """Repeat a message until it is no longer in progress."""
    for _ in range(200):
        heard = await service.post(question)
        if heard.status_code != 409:
            return heard
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_what_it_writes_is_for_its_owner_alone(tmp_path: Path) -> None:
    async with running(tmp_path, LOG_FILE=str(tmp_path / "logs" / "service.log")) as service:
        await service.post(said("/help"))
        modes = {
            path.name: path.stat().st_mode & 0o077
            for folder in ("data", "logs")
            for path in (tmp_path / folder).iterdir()
        }

    assert {"arash.db", "service.log"} <= modes.keys()
    assert set(modes.values()) == {0}


async def test_no_key_is_in_the_log(
    tmp_path: Path, world: OpenRouterWorld, upstream: dict[str, str]
) -> None:
    log = tmp_path / "logs" / "service.log"
    async with running(tmp_path, LOG_FILE=str(log), LOG_LEVEL="DEBUG", **upstream) as service:
        world.next("http-401")
        await service.post(said("swordfish"))
        await service.http.get("/stats", headers=bearer("wrong-key-of-somebody"))
        found = await service.end(signal.SIGTERM)

    for text in (log.read_text(), "\n".join(found.lines)):
        assert "turn" in text or "llm" in text
        for secret in (INTERNAL, BOT, ADMIN, KEY, "wrong-key-of-somebody", "swordfish"):
            assert secret not in text
