from collections.abc import AsyncIterator

import pytest

from simulator.plume import PlumeWorld
from tests.plume.clouds import Bench, open_bench


@pytest.fixture
def world() -> PlumeWorld:
    return PlumeWorld(customers=60)


@pytest.fixture
async def bench(world: PlumeWorld) -> AsyncIterator[Bench]:
    async with open_bench(world) as bench:
        yield bench
