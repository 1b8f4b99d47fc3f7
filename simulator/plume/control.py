"""The switchboard, for tests and harnesses in other processes: `/_sim/plume/…`."""

from collections.abc import Callable
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.plume.equipment import nodes_at
from simulator.plume.failure import Json
from simulator.plume.faults import FAULTS
from simulator.plume.people import Customer
from simulator.plume.scenarios import SCENARIOS
from simulator.plume.world import PlumeWorld

SETTINGS = (
    "lifetime", "latency", "sso_latency", "firewall", "reboot_seconds", "test_seconds", "drip",
    "shift",
)  # fmt: skip


def control(world: PlumeWorld, addresses: Callable[[str], Json]) -> list[Route]:
    """Return the routes. `addresses` tells where the cloud lies, from this server's base."""
    switchboard = _Switchboard(world, addresses)
    return [
        Route("/faults", switchboard.faults, methods=["GET", "POST", "DELETE"]),
        Route("/switches", switchboard.switches, methods=["GET", "POST"]),
        Route("/calls", switchboard.calls, methods=["GET", "DELETE"]),
        Route("/credentials", switchboard.credentials),
        Route("/scenarios", switchboard.scenarios),
        Route("/secrets", switchboard.secrets),
        Route("/revoke", switchboard.revoke, methods=["POST"]),
        Route("/forget", switchboard.forget, methods=["POST"]),
    ]


class _Switchboard:
    def __init__(self, world: PlumeWorld, addresses: Callable[[str], Json]) -> None:
        self._world = world
        self._addresses = addresses

    async def faults(self, request: Request) -> Response:
        """Tell the table, queue `{path, fault, times?}` (-1: always), or forget what is queued."""
        if request.method == "GET":
            return JSONResponse(FAULTS)
        if request.method == "DELETE":
            self._world.faults.clear()
            return Response(status_code=204)
        asked = await request.json()
        try:
            self._world.fail(str(asked["path"]), str(asked["fault"]), int(asked.get("times", 1)))
        except (KeyError, TypeError, ValueError):
            return JSONResponse({"error": "There is no such fault, or no path is named."}, 404)
        return Response(status_code=204)

    async def switches(self, request: Request) -> Response:
        """Tell or set the world's settings and the shape of its answers, by name."""
        world = self._world
        if request.method == "POST":
            for name, value in (await request.json()).items():
                try:
                    self._set(name, value)
                except (KeyError, ValueError) as error:
                    return JSONResponse({"error": f"{name}: {error}"}, 404)
        settings: dict[str, Any] = {name: getattr(world, name) for name in SETTINGS}
        return JSONResponse(settings | world.switches.told())

    def _set(self, name: str, value: Any) -> None:
        if name not in SETTINGS:
            self._world.switches.set(name, value)
            return
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number and not (name == "firewall" and value is None):
            raise ValueError("A number.")
        setattr(self._world, name, value)

    async def calls(self, request: Request) -> Response:
        """Tell the calls in order: of a `path` pattern, of one `method`, from number `after`."""
        if request.method == "DELETE":
            self._world.calls.clear()
            return Response(status_code=204)
        query = request.query_params
        pattern, method = query.get("path", "*").lower(), query.get("method")
        told = [
            asdict(call)
            for call in self._world.calls
            if method in {None, call.method} and fnmatchcase(call.path.lower(), pattern)
        ]
        return JSONResponse(told[int(query.get("after", 0)) :])

    async def credentials(self, request: Request) -> Response:
        """Tell what a person pastes to sign in, and where the cloud is."""
        partners = [
            {"name": it.name, "header": it.header, "partner_id": it.id}
            for it in self._world.partners
        ]
        base = str(request.base_url).removesuffix("/_sim/plume/").rstrip("/")
        return JSONResponse({"partners": partners, "addresses": self._addresses(base)})

    async def scenarios(self, _: Request) -> Response:
        """Tell the named customers, with every id that finds them."""
        return JSONResponse([self._told(self._world.scenario(name)) for name in SCENARIOS])

    def _told(self, customer: Customer) -> Json:
        locations = [
            {
                "id": place.id,
                "name": place.plan.label,
                "service_id": place.service_id,
                "nodes": [node.serial for node in nodes_at(self._world, place)],
            }
            for place in customer.places
        ]
        scenario = SCENARIOS[customer.scenario or ""]
        return {
            "scenario": scenario.name,
            "about": scenario.about,
            "customer_id": customer.id,
            "account": customer.account,
            "name": customer.name,
            "email": customer.email,
            "locations": locations,
        }

    async def secrets(self, _: Request) -> Response:
        return JSONResponse(self._world.secrets())

    async def revoke(self, _: Request) -> Response:
        """Let all tokens die now."""
        self._world.tokens.revoke()
        return Response(status_code=204)

    async def forget(self, _: Request) -> Response:
        self._world.forget()
        return Response(status_code=204)
