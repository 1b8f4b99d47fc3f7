"""The HTTP side: one door before sign-in, Customer API, Reports API and LTE service."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from simulator.plume import perform, sso
from simulator.plume.asked import Asked, Handler, Table
from simulator.plume.control import control
from simulator.plume.failure import Refused, Reply, firewall, refused
from simulator.plume.faults import Fault
from simulator.plume.finding import FINDING
from simulator.plume.lte import LTE
from simulator.plume.partners import CLOUD, Partner
from simulator.plume.quality import QUALITY
from simulator.plume.reads import READS
from simulator.plume.reports import REPORTS
from simulator.plume.shapes import shaped
from simulator.plume.world import Call, PlumeWorld
from simulator.plume.writes import WRITES
from simulator.script import Act, Play, Script

ENDPOINTS: Table = {**FINDING, **READS, **REPORTS, **QUALITY, **WRITES, **LTE}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Addresses:
    """Where a served world is: what an operator sets."""

    sso: str
    api: str
    reports: str
    lte: str


def addresses(base: str) -> Addresses:
    """Return the addresses below `base`, which has no final slash; the API's have one."""
    token = f"{base}/oauth2/{CLOUD}/v1/token"
    return Addresses(token, f"{base}/api/", f"{base}/reports/", f"{base}/lteservice/")


def create_plume(world: PlumeWorld) -> Starlette:
    """Return the app: `/oauth2/…`, `/api`, `/reports`, `/lteservice` and `/_sim/plume`.

    It has to run on `simulator.sockets.OpenProtocol`, or faults of the socket are a 500.
    """
    return Starlette(routes=plume_routes(world))


def plume_routes(world: PlumeWorld, prefix: str = "") -> list[Mount]:
    """Return the same as routes, for an app that has others beside them.

    The cloud lies below `prefix`, the switchboard always at `/_sim/plume`.
    """
    door = _Door(world)
    switchboard = control(world, lambda base: addresses(base + prefix).__dict__)
    return [
        Mount("/_sim/plume", routes=switchboard),
        Mount(
            prefix,
            routes=[
                Route("/oauth2/{cloud}/v1/{call}", door.sign_in, methods=["POST"]),
                *(
                    Route(f"/{base}/{{path:path}}", door.call, methods=METHODS)
                    for base in ("api", "reports", "lteservice")
                ),
            ],
        ),
    ]


class _Door:
    """Records a call, lets faults strike, checks the token, finds who answers."""

    def __init__(self, world: PlumeWorld) -> None:
        self._world = world
        self._finder = _Finder(ENDPOINTS)

    async def call(self, request: Request) -> Response:
        world = self._world
        call = Call(
            request.method, unquote(_path(request)), dict(request.query_params), world.time(),
            await _body(request),
        )  # fmt: skip
        return await self._perform(request, call, world.latency)

    async def sign_in(self, request: Request) -> Response:
        call = Call("POST", unquote(_path(request)), {}, self._world.time())
        return await self._perform(request, call, self._world.sso_latency)

    async def _perform(self, request: Request, call: Call, latency: float) -> Response:
        world = self._world
        world.calls.append(call)
        world.in_flight += 1
        world.most_at_once = max(world.most_at_once, world.in_flight)
        try:
            await asyncio.sleep(latency)
            script = await self._script(request, call)
        except BaseException:
            world.in_flight -= 1
            raise
        call.status = 0 if script.steps == [Act.RESET] else script.status

        def ended(_: bool) -> None:  # noqa: FBT001
            world.in_flight -= 1

        return Play(script, ended)

    async def _script(self, request: Request, call: Call) -> Script:
        world = self._world
        signs_in = call.path.startswith("/oauth2")
        address = request.client.host if request.client else ""
        if not signs_in and not world.lets_in(address):
            return perform.refusal(firewall())
        fault = world.faults.next(call.method, call.path)
        if fault and (script := perform.instead(fault, world)):
            world.faults.spend(fault)
            return script
        try:
            answer = await self._token(request) if signs_in else self._answer(request, call)
        except Refused as told:
            return perform.refusal(told)
        if fault is None:
            return perform.answered(answer)
        world.faults.spend(fault)
        return await _late(fault, answer, world)

    async def _token(self, request: Request) -> Any:
        calls = {"token": sso.sign_in, "introspect": sso.introspect}
        said = request.path_params
        if said["call"] not in calls:
            raise refused(404)
        body = await request.body()
        return calls[said["call"]](self._world, said["cloud"], request.headers, body)

    def _answer(self, request: Request, call: Call) -> Any:
        partner = self._partner(request, call)
        found = self._finder.find(call.method, _path(request))
        if found is None:
            raise refused(404, f"There is no method to handle {call.method} {call.path}")
        handler, args = found
        asked = Asked(self._world, partner, args, call.query, call.body)
        answer = handler(asked)
        if isinstance(answer, Reply):
            return answer
        return shaped(answer, self._world.switches)

    def _partner(self, request: Request, call: Call) -> Partner:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self._world.tokens.find(text) if scheme == "Bearer" else None
        if token is None:
            raise refused(401)
        wanted = call.path.startswith("/reports") and self._world.switches.needs_client_id
        if wanted and call.query.get("client_id") != token.partner.client_id:
            raise refused(401)
        return token.partner


async def _late(fault: Fault, answer: Any, world: PlumeWorld) -> Script:
    if fault.name == "delay":
        await asyncio.sleep(float(fault.argument or 1))
    return perform.spoiled(fault, answer, world)


class _Finder:
    """Finds who answers a path. As at Plume, the case of a path's fixed words is free."""

    def __init__(self, table: Table) -> None:
        self._by_length: dict[tuple[str, int], list[tuple[list[str], Handler]]] = {}
        for line, handler in table.items():
            method, _, path = line.partition(" ")
            parts = path.split("/")
            self._by_length.setdefault((method, len(parts)), []).append((parts, handler))

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
        said = [unquote(part) for part in path.strip("/").split("/")]
        for parts, handler in self._by_length.get((method, len(said)), []):
            pairs = list(zip(parts, said, strict=True))
            if all(part[0] == "{" or part.lower() == word.lower() for part, word in pairs):
                return handler, {part[1:-1]: word for part, word in pairs if part[0] == "{"}
        return None


def _path(request: Request) -> str:
    """Return the path below the prefix, still percent-encoded: a slash in an id is none."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.decode("latin-1").removeprefix(request.scope.get("root_path", ""))


async def _body(request: Request) -> Any:
    """Return the JSON or the form of a write, None where there is neither."""
    raw = await request.body()
    if "form" in request.headers.get("content-type", ""):
        return {name: values[-1] for name, values in parse_qs(raw.decode()).items()}
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None
