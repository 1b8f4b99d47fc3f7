"""The outermost layer: a request id for everything, and an answer to every fault."""

import asyncio
import random
import re
import time
from typing import Final

from loguru import logger
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import metrics, tracing
from app.api.problems import stopping, unexpected

_ID: Final = re.compile(rb"[0-9a-f]{16}")
UNCOUNTED: Final = "/metrics"  # it would count itself
# Asked every few seconds, or open for hours.
UNTRACED: Final = (UNCOUNTED, "/health", "/health/live", "/health/ready", "/deliveries")


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

        with (
            logger.contextualize(request_id=request_id, **_named(scope)),
            _traced(scope, request_id) as span,
        ):
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
            if scope["path"] != UNCOUNTED:
                metrics.requested(scope.get("route"), scope["method"], status)
            if tracing.on():
                route = getattr(scope.get("route"), "path", metrics.OTHER)
                method = scope["method"] if scope["method"] in metrics.METHODS else metrics.OTHER
                span.rename(f"{method} {route}")
                span.tell(status=status)


def _traced(scope: Scope, request_id: str) -> tracing.Span:
    if not tracing.on() or scope["path"] in UNTRACED:
        return tracing.OFF
    headers = Headers(scope=scope)
    caller, presented = headers.get("traceparent", ""), headers.getlist("authorization")
    # A trace that anybody may join can be filled by anybody.
    believed = caller and presented and scope["app"].state.parts.keys.known(presented)
    return tracing.request(request_id, caller if believed else "")


def _named(scope: Scope) -> dict[str, str]:
    """Return the id that the caller names, such as that of the message it answers: for the log.

    It is never taken for ours, so that anybody may name one.
    """
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return {"called_by": value.decode()} if _ID.fullmatch(value) else {}
    return {}
