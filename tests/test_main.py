"""What `create_app` opens, wires and closes."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

from app.errors import ModelTimeout, StorageUnavailable
from app.llm.openrouter import OpenRouter
from app.main import create_app
from app.platforms.telegram import Bot
from app.storage.sealed import KeyRefused
from app.storage.store import StorageRefused
from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.telegram import TelegramWorld, create_telegram
from tests.api.service import Place, Service, said, until
from tests.servers import serve
from wire.message import Message


@pytest.fixture
def world() -> OpenRouterWorld:
    return OpenRouterWorld()


@pytest.fixture
async def place(world: OpenRouterWorld, tmp_path: Path) -> AsyncIterator[Place]:
    (tmp_path / "data").mkdir(mode=0o700)
    async with serve(create_openrouter(world)) as upstream:
        yield Place(tmp_path, upstream, world)


@pytest.fixture
def logged() -> Iterator[list[str]]:
    events: list[str] = []
    number = logger.add(lambda line: events.append(line.record["message"]), level="DEBUG")
    yield events
    logger.remove(number)


def test_importing_it_opens_nothing(tmp_path: Path) -> None:
    code = (
        "import os, threading; before = len(os.listdir('/proc/self/fd'));"
        "import app.main, run_service;"
        "print(threading.active_count(), len(os.listdir('/proc/self/fd')) - before, os.listdir())"
    )
    root = str(Path(__file__).parents[1])

    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout == "1 0 []\n"


def test_making_it_opens_nothing_either(tmp_path: Path) -> None:
    place = Place(tmp_path, "http://127.0.0.1:1", OpenRouterWorld())

    create_app(place.settings())

    assert sorted(path.name for path in tmp_path.iterdir()) == ["encryption.key"]


async def test_leaving_it_closes_everything(place: Place) -> None:
    before = asyncio.all_tasks()
    app = create_app(place.settings())
    async with app.router.lifespan_context(app):
        store = app.state.parts.memory.store
        during = asyncio.all_tasks() - before
    await asyncio.sleep(0)

    with pytest.raises(StorageUnavailable):
        await store.run(lambda _: None)
    assert len(during) >= 3
    assert asyncio.all_tasks() - before == set()
    async with app.router.lifespan_context(app):
        assert await app.state.parts.health.ready()


@pytest.mark.parametrize(
    ("broken", "refusal"),
    [("encryption.key", KeyRefused), ("data/service.db", StorageRefused)],
)
async def test_a_start_that_is_refused_leaves_nothing_open(
    place: Place, broken: str, refusal: type[Exception]
) -> None:
    settings = place.settings()
    spoilt(place.folder / broken)
    app = create_app(settings)

    with pytest.raises(refusal):
        async with app.router.lifespan_context(app):
            pass

    mended(place.folder / broken)
    async with place.running() as service:
        assert (await service.http.get("/health/ready")).status_code == 200


def spoilt(file: Path) -> None:
    if file.exists():
        file.rename(file.with_suffix(".kept"))
    file.touch(0o600)
    file.write_bytes(b"no such thing" * 1000)


def mended(file: Path) -> None:
    file.unlink()
    if (kept := file.with_suffix(".kept")).exists():
        kept.rename(file)


async def test_the_list_of_models_is_asked_for_again_after_a_failure(
    place: Place, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    monkeypatch.setattr("app.background.LEARN_AGAIN", 0.01)
    place.world.next("http-500", 2, at="/models")

    async with place.running() as service:
        assert service.parts.health.catalogue.is_live

    assert logged.count("models.unknown") == 2
    assert logged.count("models.learned") == 1


async def test_without_the_list_of_models_it_answers_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(_: OpenRouter) -> None:
        raise ModelTimeout

    monkeypatch.setattr(OpenRouter, "models", unknown)
    app = create_app(place.settings())
    async with app.router.lifespan_context(app):
        parts = app.state.parts
        admitted = await parts.processor.admit(Message.model_validate(said("hello")), "internal")
        answer = await parts.processor.work(admitted)

    # The configured one is tried first; that it is gone leads to the one that stands in.
    asked = [call.body["model"] for call in place.world.chats()]
    assert asked == ["openai/gpt-5-chat", "openai/gpt-5.4"]
    assert answer.data.model == "openai/gpt-5.4"


@pytest.mark.parametrize(
    ("fault", "bot"),
    [
        ("silence", Bot("4242", asked=True)),
        ("unauthorized", Bot("4242")),
        ("delay:0", Bot("4242", "arash_sim_bot")),
    ],
)
async def test_it_asks_telegram_for_its_name_until_that_is_known_or_refused(
    place: Place, fault: str, bot: Bot
) -> None:
    world = TelegramWorld()
    world.fail("getMe", fault)
    async with serve(create_telegram(world)) as telegram:
        known: dict[str, Any] = {"telegram_bot_token": world.token, "telegram_api_base": telegram}
        async with place.running(**known) as service:
            await until(lambda: world.of("getMe") and service.parts.inbox.bot == bot)


async def test_a_bot_that_learned_its_name_has_not_failed(place: Place, logged: list[str]) -> None:
    world = TelegramWorld()
    async with serve(create_telegram(world)) as telegram:
        known: dict[str, Any] = {"telegram_bot_token": world.token, "telegram_api_base": telegram}
        async with place.running(**known) as service:
            await until(lambda: service.parts.inbox.bot.name == world.username)
            await asyncio.sleep(0.05)

    assert "background.ended" not in logged


async def test_any_gateway_of_the_openai_dialect_works(place: Place) -> None:
    changes: dict[str, Any] = {
        "openrouter_dialect": "openai",
        "openrouter_service_url": f"{place.upstream}/openai/v1",
        "internal_default_model": "openai/gpt-4.1",
    }
    async with place.running(**changes) as service:
        heard = await service.post(said("hello"))

    assert (heard.status_code, heard.json()["data"]["model"]) == (200, "openai/gpt-4.1")


async def test_a_task_of_the_background_does_not_end_in_silence(
    place: Place, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    monkeypatch.setattr("app.background.SWEEP_EVERY", 0.0)
    monkeypatch.setattr("app.chat.memory.sessions.sweep", lambda *_, **__: 1 / 0)

    async with place.running():
        await until(lambda: "background.ended" in logged)

    assert logged.count("background.ended") == 1


async def test_storage_that_goes_away_does_not_end_the_sweep(
    place: Place, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    monkeypatch.setattr("app.background.SWEEP_EVERY", 0.01)

    async def away(*_: object) -> None:
        raise StorageUnavailable

    async with place.running() as service:
        with monkeypatch.context() as broken:
            broken.setattr("app.chat.memory.Memory.sweep", away)
            await until(lambda: logged.count("sweep.failed") > 1)
        await service.say("/help")
        await _all_expire(service)
        await until(lambda: "sweep.done" in logged)


async def _all_expire(service: Service) -> None:
    await service.sql("UPDATE sessions SET active_at = 0 RETURNING 1")
