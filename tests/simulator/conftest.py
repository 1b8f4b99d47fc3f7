from collections.abc import AsyncIterator

import httpx
import pytest

from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.openrouter.world import KEY
from tests.servers import serve


@pytest.fixture
def world() -> OpenRouterWorld:
    return OpenRouterWorld(index_delay=0.0, drip=0.01, pause=0.002)


@pytest.fixture
async def base_url(world: OpenRouterWorld) -> AsyncIterator[str]:
    async with serve(create_openrouter(world)) as base_url:
        yield base_url


@pytest.fixture
async def http(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=5) as http:
        yield http
