"""A Plume Cloud that takes no time of its own: the simulated one's answers, each made once.

Whatever differs only in its ids or its times gets the same answer, so that a report on a location
that nobody asked for before costs no more here than any other.
"""

import argparse
import asyncio
import re
import socket
from typing import cast

import httpx
import uvloop

from bench.upstream import BACKLOG, LENGTH, NO_MODELS
from simulator.plume import PlumeWorld, create_plume

CLOUD = (b"/oauth2/", b"/api/", b"/reports/")
# Ids and, in a query, times.
VARYING = re.compile(rb"[0-9a-f]{24}|=\d{4}[^& ]*")
HOST = "http://plume"


class Recorded:
    """The answers so far, by what was asked. A refusal is not kept."""

    def __init__(self) -> None:
        self._cloud = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_plume(PlumeWorld())), base_url=HOST
        )
        self._answers: dict[bytes, bytes] = {}

    async def answer(self, head: bytes, body: bytes) -> bytes:
        line, *headers = head.split(b"\r\n")
        method, target, _ = line.split(b" ")
        if not target.startswith(CLOUD):
            return _written(200, NO_MODELS)
        key = VARYING.sub(b"", line)
        if key in self._answers:
            return self._answers[key]
        pairs = (header.decode().split(": ", 1) for header in headers if header)
        sent = {name: value for name, value in pairs if name.lower() != "host"}
        found = await self._cloud.request(
            method.decode(), target.decode(), headers=sent, content=body
        )
        whole = _written(found.status_code, found.content)
        if found.is_success:
            self._answers[key] = whole
        return whole


class Replaying(asyncio.Protocol):
    """One connection; requests come one after the other. `delay` is seconds."""

    def __init__(self, recorded: Recorded, delay: float) -> None:
        self._recorded = recorded
        self._delay = delay
        self._read = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one without being a subclass.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, rest = self._read.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or len(rest) < (int(length[1]) if length else 0):
            return
        self._read = b""
        self._task = asyncio.create_task(self._answer(head, rest))

    async def _answer(self, head: bytes, body: bytes) -> None:
        if self._delay:
            await asyncio.sleep(self._delay)
        self._transport.write(await self._recorded.answer(head, body))


def _written(status: int, body: bytes) -> bytes:
    head = b"HTTP/1.1 %d Told\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


async def serve(port: int, delay: float) -> None:
    loop, recorded = asyncio.get_running_loop(), Recorded()
    with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as door:
        server = await loop.create_server(
            lambda: Replaying(recorded, delay), sock=door, backlog=BACKLOG
        )
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.plume", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.0, help="of each answer, in seconds")
    asked = parser.parse_args()
    uvloop.run(serve(asked.port, asked.delay))


if __name__ == "__main__":
    main()
