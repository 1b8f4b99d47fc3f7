"""A port that leads to another one, and may be closed."""

import asyncio
import contextlib
from urllib.parse import urlsplit


class Gate:
    """Closed, it refuses connections, and those that were open are cut."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._there = parts.hostname or "", parts.port or 0
        self._port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Open it, on the same port each time."""
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _lead(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, on = await asyncio.open_connection(*self._there)
        both = {back, on}
        self._open |= both
        try:
            await asyncio.gather(_pump(here, on), _pump(there, back))
        finally:
            self._open -= both
            for writer in both:
                writer.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await source.read(65_536):
            sink.write(piece)
            await sink.drain()
    sink.transport.abort()
