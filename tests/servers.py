"""Runs an ASGI app on a real socket, in the loop of the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from simulator.sockets import OpenProtocol


@asynccontextmanager
async def serve(app: ASGIApp, *, http: type[asyncio.Protocol] = OpenProtocol) -> AsyncIterator[str]:
    """Serve `app` on a free port of 127.0.0.1 and yield its base URL, without a final slash.

    The app's lifespan runs. At the end connections are cut and requests that still run are
    cancelled, so that leaving takes milliseconds whatever the app hangs on.

    Raises:
        RuntimeError: the app's lifespan failed; the log says why.
    """
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http=http,
        ws="none",
        log_config=None,
        proxy_headers=False,  # uvicorn would believe whatever this machine forwards
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    try:
        await server.startup()
    except SystemExit as error:
        raise RuntimeError("The app did not start.") from error
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        await _stop(server)


async def _stop(server: uvicorn.Server) -> None:
    # uvicorn's own shutdown sleeps and then waits for its clients to go.
    for listener in server.servers:
        listener.close()
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    running = set(server.server_state.tasks)
    if running:
        # Apps that watch for the end of their connection end by themselves.
        _, running = await asyncio.wait(running, timeout=0.05)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for listener in server.servers:
        await listener.wait_closed()
    await server.lifespan.shutdown()
