from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from loguru import logger

from simulator.openrouter import OpenRouterWorld, create_openrouter
from tests.api.service import Place, Service
from tests.servers import serve


@pytest.fixture
def world() -> OpenRouterWorld:
    return OpenRouterWorld(index_delay=0.0, drip=0.01, pause=0.002)


@pytest.fixture
async def place(world: OpenRouterWorld, tmp_path: Path) -> AsyncIterator[Place]:
    (tmp_path / "data").mkdir(mode=0o700)
    async with serve(create_openrouter(world)) as upstream:
        yield Place(tmp_path, upstream, world)


@pytest.fixture
async def service(place: Place) -> AsyncIterator[Service]:
    async with place.running() as service:
        yield service


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Collect the events of the log."""
    events: list[str] = []
    number = logger.add(lambda line: events.append(line.record["message"]), level="DEBUG")
    yield events
    logger.remove(number)
