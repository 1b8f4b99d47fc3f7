"""The replayed Plume Cloud, and the load that asks of another place each time."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from bench.load import Spec, run
from bench.plume import Recorded, Replaying
from bench.upstream import Upstream
from simulator.plume import CLOUD, PARTNER, PlumeWorld


@asynccontextmanager
async def cloud() -> AsyncIterator[httpx.AsyncClient]:
    recorded = Recorded()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Replaying(recorded, 0.0), "127.0.0.1", 0)
    async with server:
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base) as http:
            yield http


async def test_an_answer_is_replayed_for_every_id_and_a_refusal_is_not() -> None:
    place = PlumeWorld().place("all_fine")
    path = f"/api/Customers/{place.customer.id}/locations/{place.id}/nodes"
    form = {"grant_type": "client_credentials", "scope": PARTNER.scope}
    async with cloud() as http:
        refused = await http.get(path)
        signed_in = await http.post(
            f"/oauth2/{CLOUD}/v1/token", data=form, headers={"Authorization": PARTNER.header}
        )
        token = signed_in.json()["access_token"]
        found = await http.get(path, headers={"Authorization": f"Bearer {token}"})
        again = await http.get(path.replace(place.id, "f" * 24))

    assert refused.status_code == 401
    assert found.status_code == again.status_code == 200
    assert found.content == again.content
    assert b"GW" in found.content


async def test_each_request_can_be_about_a_place_of_its_own() -> None:
    asked: list[bytes] = []

    class Recording(Upstream):
        def _answer(self, line: bytes, body: bytes) -> None:
            asked.append(line)
            super()._answer(line, body)

    server = await asyncio.get_running_loop().create_server(Recording, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await run(Spec(port, "/look?location={place}", {}, "", 2, 0.05, 0.25, "GET"))

    assert len(set(asked)) == len(asked) > 20
    assert all(re.match(rb"GET /look\?location=[0-9a-f]{24} ", line) for line in asked)
