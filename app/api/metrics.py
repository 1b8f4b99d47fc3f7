"""`GET /metrics`: what Prometheus reads."""

import asyncio
import ipaddress
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, Security

from app import metrics
from app.api.auth import BEARER
from app.api.docs import problems
from app.api.parts import CurrentParts, Parts
from app.errors import AppError, Forbidden
from app.storage import backlog

STORAGE_SECONDS = 0.5  # then the page comes without what only the database knows
LOOK_EVERY = 0.5  # seconds, at how late the loop is
# Whoever is named in one of these came through a proxy, which alone is on this machine.
FORWARDED = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip"})

router = APIRouter(tags=["service"])


async def reader(
    request: Request, parts: CurrentParts, _bearer: Annotated[object, Security(BEARER)] = None
) -> None:
    """Let in who may read numbers: its own key, the admin's, and in development who is here.

    Raises:
        NotAuthenticated, Forbidden, TooManyLogins: nobody else.
    """
    caller = await parts.keys.caller(request)
    if caller is None:
        if not (parts.open_metrics and _is_here(request)):
            await parts.keys.refuse(request)
    elif not (caller.metrics or caller.admin):
        raise Forbidden


@router.get(
    "/metrics",
    summary="The service in numbers, for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "Text, or OpenMetrics for who asks for that by `Accept`.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **problems(401, 403, 429),
    },
)
async def page(
    request: Request, parts: CurrentParts, _reader: Annotated[None, Depends(reader)]
) -> Response:
    await _look(parts)
    body, media_type = metrics.page(request.headers.get("accept", ""))
    return Response(body, headers={"Cache-Control": "no-store"}, media_type=media_type)


async def watch_loop() -> None:
    """Measure how late the event loop is, as long as this lives."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOK_EVERY
        await asyncio.sleep(LOOK_EVERY)
        metrics.loop_lag.observe(max(0.0, loop.time() - due))


async def _look(parts: Parts) -> None:
    now = parts.processor.clock()
    try:
        async with asyncio.timeout(STORAGE_SECONDS):
            queues = await parts.memory.store.run(partial(backlog.queues, now=now))
            if parts.health.spending is not None:
                metrics.spending(*await parts.health.spending.today())
    except (AppError, TimeoutError):
        queues = None
    metrics.ready.set(queues is not None and not parts.health.draining)
    metrics.show_queues(queues, now, parts.platforms)


def _is_here(request: Request) -> bool:
    if request.client is None or any(name in FORWARDED for name, _ in request.headers.raw):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
