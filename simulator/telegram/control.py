"""The switchboard, for tests and harnesses in other processes: `/_sim/telegram/…`."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.telegram.faults import FAULTS
from simulator.telegram.world import Call, TelegramWorld

SWITCHES = {
    "revoked": bool, "limits_rates": bool, "reads_all_in_groups": bool, "token": str,
    "webhook_pause": float,
}  # fmt: skip


def control(world: TelegramWorld) -> list[Route]:
    """Return the routes: faults, switches, calls, updates, presses."""
    switchboard = _Switchboard(world)
    return [
        Route("/faults", switchboard.faults, methods=["GET", "POST", "DELETE"]),
        Route("/switches", switchboard.switches, methods=["GET", "POST"]),
        Route("/calls", switchboard.calls, methods=["GET", "DELETE"]),
        Route("/updates", switchboard.updates, methods=["GET", "DELETE"]),
        Route("/presses/{id}", switchboard.press),
    ]


class _Switchboard:
    def __init__(self, world: TelegramWorld) -> None:
        self._world = world

    async def faults(self, request: Request) -> Response:
        """Tell the table, queue `{method, fault, times?, chat?}`, or forget what is queued."""
        if request.method == "GET":
            return JSONResponse(FAULTS)
        if request.method == "DELETE":
            self._world.faults.clear()
            return Response(status_code=204)
        asked = await request.json()
        try:
            self._world.fail(
                asked["method"], asked["fault"], int(asked.get("times", 1)), asked.get("chat")
            )
        except (KeyError, TypeError, ValueError):
            return JSONResponse({"error": "There is no such fault, or no method is named."}, 404)
        return Response(status_code=204)

    async def switches(self, request: Request) -> Response:
        if request.method == "POST":
            asked = await request.json()
            for name, value in asked.items():
                if name not in SWITCHES or not isinstance(value, SWITCHES[name]):
                    return JSONResponse({"error": f"There is no such switch: {name}."}, 404)
            for name, value in asked.items():
                setattr(self._world, name, value)
        shown = {name: getattr(self._world, name) for name in SWITCHES if name != "token"}
        return JSONResponse(shown)

    async def calls(self, request: Request) -> Response:
        """Tell the bot's calls in order: of one `method`, in one `chat`, from number `after`."""
        if request.method == "DELETE":
            self._world.calls.clear()
            return Response(status_code=204)
        query = request.query_params
        method, chat = query.get("method"), query.get("chat")

        def wanted(call: Call) -> bool:
            return (not method or call.method == method) and (not chat or str(call.chat) == chat)

        everything: list[dict[str, Any]] = [asdict(it) for it in self._world.calls if wanted(it)]
        return JSONResponse(everything[int(query.get("after", 0)) :])

    async def updates(self, request: Request) -> Response:
        """Tell what waits for the bot, or throw it away."""
        updates = self._world.updates
        if request.method == "DELETE":
            updates.waiting.clear()
            return Response(status_code=204)
        told = [update.json() for update in updates.alive()]
        return JSONResponse(
            {"next_id": updates.next_id, "expired": updates.expired, "waiting": told}
        )

    async def press(self, request: Request) -> Response:
        press = self._world.presses.get(request.path_params["id"])
        return JSONResponse(asdict(press)) if press else JSONResponse({"error": "Unknown."}, 404)
