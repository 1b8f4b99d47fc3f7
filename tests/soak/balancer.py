"""A port that leads to one of several services, whichever takes connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

ONE_PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Target:
    """Where connections may go. `takes` says whether any may go there now."""

    url: str
    takes: Callable[[], bool] = lambda: True


@asynccontextmanager
async def balanced(*targets: Target) -> AsyncIterator["Balancer"]:
    """Open a port that leads each connection to the next of `targets` that takes it.

    Where nobody takes it, it is cut; where its target dies, it ends as that one's does.
    """
    balancer = Balancer(targets)
    server = await asyncio.start_server(balancer.lead, "127.0.0.1", 0)
    balancer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield balancer
    finally:
        server.close()
        await balancer.cut()
        await server.wait_closed()


class Balancer:
    """`url` is where it takes connections."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.url = ""
        self._targets = list(targets)
        self._leading: set[asyncio.Task[None]] = set()

    async def cut(self) -> None:
        """Cut what is open, as balancers do with connections that last long."""
        leading = list(self._leading)
        for task in leading:
            task.cancel()
        await asyncio.gather(*leading, return_exceptions=True)

    def lead(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        # Not a coroutine: asyncio would log one that is cancelled at the end.
        task = asyncio.create_task(self._lead(here, back))
        self._leading.add(task)
        task.add_done_callback(self._leading.discard)

    async def _lead(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        found = await self._connected()
        if found is None:
            back.transport.abort()
            return
        there, on = found
        try:
            await asyncio.gather(_pump(here, on), _pump(there, back))
        finally:
            for writer in (back, on):
                writer.transport.abort()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for _ in self._targets:
            target = self._targets.pop(0)
            self._targets.append(target)
            if not target.takes():
                continue
            parts = urlsplit(target.url)
            with contextlib.suppress(ConnectionError):
                return await asyncio.open_connection(parts.hostname, parts.port)
        return None


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(ONE_PIECE):
            sink.write(piece)
            await sink.drain()
        # What was said last still arrives, and then the end of it.
        sink.close()
        await sink.wait_closed()
    except ConnectionError:
        sink.transport.abort()
