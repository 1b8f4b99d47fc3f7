"""A bare client of the simulated Plume Cloud, and a clock that is told the time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from simulator.plume import (
    PARTNER,
    Addresses,
    Partner,
    Place,
    PlumeWorld,
    addresses,
    create_plume,
)
from simulator.plume.equipment import nodes_at
from tests.servers import serve
from tests.simulator.bot_api import Clock

FORM = "application/x-www-form-urlencoded"


@dataclass
class Cloud:
    """Calls, and keeps nothing but its token."""

    world: PlumeWorld
    http: httpx.AsyncClient
    base: str

    @property
    def where(self) -> Addresses:
        return addresses(self.base)

    async def sign_in(self, partner: Partner = PARTNER) -> None:
        reply = await self.token(partner)
        assert reply.status_code == 200, reply.text
        self.http.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"

    async def token(self, partner: Partner = PARTNER, **more: Any) -> httpx.Response:
        form = {"grant_type": "client_credentials", "scope": partner.scope} | more
        kept = {name: value for name, value in form.items() if value is not None}
        headers = {"Authorization": partner.header}
        return await self.http.post(self.where.sso, data=kept, headers=headers)

    async def get(self, path: str, /, **query: Any) -> httpx.Response:
        """Read `api/…`, `reports/…` or `lteservice/…`."""
        return await self.http.get(f"{self.base}/{path}", params=query or None)

    async def read(self, path: str, /, **query: Any) -> Any:
        """Return the answer of a read that has to work."""
        reply = await self.get(path, **query)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def of(self, place: Place, path: str = "", base: str = "api", **query: Any) -> Any:
        """Read what lies below a location."""
        return await self.read(below(place, path, base), **query)

    async def send(self, method: str, path: str, **body: Any) -> httpx.Response:
        return await self.http.request(method, f"{self.base}/{path}", json=body)

    def gateway(self, place: Place) -> str:
        return nodes_at(self.world, place)[0].serial


def below(place: Place, path: str = "", base: str = "api") -> str:
    at = f"{base}/Customers/{place.customer.id}/locations/{place.id}"
    return f"{at}/{path}" if path else at


@asynccontextmanager
async def calling(world: PlumeWorld) -> AsyncIterator[Cloud]:
    async with (
        serve(create_plume(world)) as base,
        httpx.AsyncClient(timeout=10, trust_env=False) as http,
    ):
        yield Cloud(world, http, base)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plume(clock: Clock) -> PlumeWorld:
    return PlumeWorld(now=clock)


@pytest.fixture
async def stranger(plume: PlumeWorld) -> AsyncIterator[Cloud]:
    """Has not signed in."""
    async with calling(plume) as cloud:
        yield cloud


@pytest.fixture
async def cloud(stranger: Cloud) -> Cloud:
    """Signed in as the first partner; the sign-in is not among the recorded calls."""
    await stranger.sign_in()
    stranger.world.calls.clear()
    return stranger
