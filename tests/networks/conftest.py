from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.panoptes.panoptes import no_picture
from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.plume import PlumeWorld, addresses, create_plume
from tests.api.service import Clock, Place, Service
from tests.networks.engineer import Engineer
from tests.servers import serve

NOW = 1_795_208_400.0  # 2026-11-20 21:00 UTC


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def plume(clock: Clock) -> PlumeWorld:
    return PlumeWorld(now=clock)


@pytest.fixture
async def place(plume: PlumeWorld, tmp_path: Path) -> AsyncIterator[Place]:
    """Where services run on the same files, beside a simulated Plume Cloud."""
    (tmp_path / "data").mkdir(mode=0o700)
    world = OpenRouterWorld(index_delay=0.0, drip=0.0, pause=0.0)
    async with serve(create_openrouter(world)) as upstream, serve(create_plume(plume)) as cloud:
        where = addresses(cloud)
        changes = {
            "plume_sso_url": where.sso,
            "plume_api_base": where.api,
            "plume_reports_base": where.reports,
            "plume_calls_per_second": 1_000,  # the pace has tests of its own
        }
        yield Place(tmp_path, upstream, world, changes)


@pytest.fixture
async def service(place: Place, clock: Clock) -> AsyncIterator[Service]:
    # Drawing starts a process of its own; the tests of pictures do.
    async with place.running(wires={"clock": clock, "draw": no_picture}) as service:
        yield service


@pytest.fixture
async def engineer(service: Service) -> Engineer:
    """Somebody who signed in and chose nothing yet."""
    engineer = Engineer(service)
    await engineer.sign_in()
    return engineer
