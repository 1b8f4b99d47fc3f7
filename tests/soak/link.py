"""What stands between two programs and passes on every request, so that it can be watched."""

import contextlib
from collections.abc import AsyncIterator, Callable

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Scope

from tests.soak.doors import Reset, drop

PASSED = ("authorization", "content-type", "accept")
TOLD = ("content-type", "retry-after")
EVENTS = "text/event-stream"


def create_link(target: str, taken: Callable[[str, bytes], object]) -> Starlette:
    """Return an app that is like `target`; a connection that breaks there breaks here.

    `taken` is told the path and the body of every request that `target` said yes to.
    """
    http = httpx.AsyncClient(
        base_url=target,
        timeout=None,  # those at both ends have theirs
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        trust_env=False,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with http:
            yield

    async def pass_on(request: Request) -> Response:
        path, body = request.url.path, await request.body()
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        asked = http.build_request(request.method, path, headers=headers, content=body)
        try:
            answer = await http.send(asked, stream=True)
            if answer.headers.get("content-type", "").startswith(EVENTS):
                pieces = _pieces(answer, request.scope)
                return StreamingResponse(pieces, answer.status_code, media_type=EVENTS)
            content = await answer.aread()
        except httpx.TransportError:
            return Reset()
        if answer.is_success:
            taken(path, body)
        told = {name: answer.headers[name] for name in TOLD if name in answer.headers}
        return Response(content, answer.status_code, told)

    return Starlette(
        routes=[Route("/{path:path}", pass_on, methods=["GET", "POST", "DELETE"])],
        lifespan=lifespan,
    )


async def _pieces(answer: httpx.Response, scope: Scope) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    except httpx.TransportError:
        drop(scope)
    finally:
        await answer.aclose()
