"""The HTTP side: the Bot API, the people's side, the switchboard, and the chat page."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from simulator.sockets import gone, reset
from simulator.telegram.bodies import Upload, parameters_of
from simulator.telegram.control import control
from simulator.telegram.failure import Json, Refused, unauthorized
from simulator.telegram.faults import Fault
from simulator.telegram.methods import METHODS
from simulator.telegram.page import page
from simulator.telegram.userside import userside
from simulator.telegram.world import Call, TelegramWorld

_METHODS = {name.lower(): (name, method) for name, method in METHODS.items()}


def create_telegram(world: TelegramWorld) -> Starlette:
    """Return the app: the Bot API at `/bot…` and `/file/bot…`, the page at `/`, `/_sim/telegram`.

    It has to run on `simulator.sockets.OpenProtocol`, or faults of the socket are a 500.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        world.webhook.stop()

    return Starlette(routes=telegram_routes(world), lifespan=lifespan)


def telegram_routes(world: TelegramWorld) -> list[Route | Mount]:
    """Return the same as routes, for an app that has others beside them.

    Such an app calls `world.webhook.stop()` at its end.
    """
    door = _Door(world)
    return [
        Route("/bot{token:str}/{method:str}", door.call, methods=["GET", "POST"]),
        Route("/file/bot{token:str}/{path:path}", door.file),
        Mount("/_sim/telegram", routes=[*control(world), *userside(world)]),
        *page(),
    ]


class _Door:
    """One bot's way in."""

    def __init__(self, world: TelegramWorld) -> None:
        self._world = world

    async def call(self, request: Request) -> Response:
        known = _METHODS.get(request.path_params["method"].lower())
        name = known[0] if known else request.path_params["method"]
        try:
            parameters = await parameters_of(request)
        except Refused as refused:
            return _refusal(refused)
        call = Call(name, _shown(parameters), self._world.clock())
        self._world.called(call)
        try:
            response = await self._answer(request, call, parameters)
        except Refused as refused:
            response = _refusal(refused)
        call.status = response.status_code
        return response

    async def _answer(self, request: Request, call: Call, parameters: Json) -> Response:
        world = self._world
        if world.revoked or request.path_params["token"] != world.token:
            raise unauthorized()
        fault = world.take_fault(call.method, call.chat)
        if fault and (instead := await self._instead(request, call, fault)):
            return instead
        if call.method not in METHODS:
            raise Refused(404, "Not Found: method not found")
        if call.chat is not None:
            world.spend(call.chat)
        result = await _carried_out(world, request, call.method, parameters)
        response = JSONResponse({"ok": True, "result": result})
        if fault and fault.name == "delay":
            await asyncio.sleep(fault.number)
        if fault and fault.name == "reset_after":
            return _Reset()
        return response

    async def _instead(self, request: Request, call: Call, fault: Fault) -> Response | None:
        """Answer with a fault, or return None for those that strike afterwards.

        Raises:
            Refused: the fault is a refusal.
        """
        if fault.name == "migrate":
            chat = self._world.chat_of(call.chat)
            self._world.people.migrate(chat.id)
        elif fault.name == "error":
            page = "<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"
            return HTMLResponse(page, int(fault.number))
        elif fault.name == "reset_before":
            return _Reset()
        elif fault.name == "silence":
            await gone(request.receive)
            return _Reset()
        elif refusal := fault.refusal():
            raise refusal
        return None

    async def file(self, request: Request) -> Response:
        if self._world.revoked or request.path_params["token"] != self._world.token:
            return _refusal(unauthorized())
        path = request.path_params["path"]
        call = Call("file", {"path": path}, self._world.clock())
        self._world.called(call)
        fault = self._world.take_fault("file", None)
        try:
            if fault and (instead := await self._instead(request, call, fault)):
                return instead
        except Refused as refused:
            return _refusal(refused)
        if fault and fault.name == "delay":
            await asyncio.sleep(fault.number)
        file = self._world.files.at(path, self._world.clock())
        if file is None:
            return _refusal(Refused(404, "Not Found"))
        call.status = 200
        return Response(file.content, media_type="application/octet-stream")


async def _carried_out(world: TelegramWorld, request: Request, name: str, asked: Json) -> Any:
    done = METHODS[name](world, asked)
    if not asyncio.iscoroutine(done):
        return done
    # A poller that hung up must not go on waiting here: it would take what the next one wants.
    waiting = asyncio.ensure_future(done)
    leaving = asyncio.ensure_future(gone(request.receive))
    try:
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await waiting if waiting.done() else []
    finally:
        waiting.cancel()
        leaving.cancel()


class _Reset(Response):
    """Resets the connection where an answer was due."""

    status_code = 0

    def __init__(self) -> None:
        super().__init__()
        self.status_code = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        reset(scope)
        await gone(receive)


def _refusal(refused: Refused) -> JSONResponse:
    return JSONResponse(refused.body(), refused.status, dict(refused.headers()))


def _shown(parameters: Json) -> Json:
    return {
        name: str(value) if isinstance(value, Upload) else value
        for name, value in parameters.items()
    }
