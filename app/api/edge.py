"""The outermost layer: a request id for everything, and an answer to every fault."""

import asyncio
import random
import time

from loguru import logger
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import stopping, unexpected


class Edge:
    """Gives each request an id: in its log lines, in the header `X-Request-ID`, in problems."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # No secret: it only has to be its own. The system's source of secrets lets go of the
        # interpreter, and waits to get it back.
        request_id = f"{random.getrandbits(64):016x}"
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status = 0

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        with logger.contextualize(request_id=request_id):
            try:
                await self._app(scope, receive, marked)
            except asyncio.CancelledError:
                # The server stops and has waited long enough. It would log this as a fault and
                # answer 500; the task ends here in any case.
                logger.warning("request.cut_off")
                if not status:
                    await stopping(request_id)(scope, receive, marked)
            except Exception:  # noqa: BLE001 - the outermost loop
                logger.exception("request.failed")
                if not status:
                    await unexpected(request_id)(scope, receive, marked)
            logger.debug(
                "request.done",
                method=scope["method"],
                path=scope["path"],
                status=status,
                duration_ms=round((time.perf_counter() - began) * 1000, 1),
            )
