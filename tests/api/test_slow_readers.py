"""A client that asks and does not read: it holds up nobody, and no memory is spent on it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app.api.protocol import Limits, protocol
from tests.api.service import BOT, Service, bearer, until
from tests.api.test_webhook import final, send, update, watching
from tests.corpus.raw import send_raw
from tests.servers import serve

PIECE = b"x" * 64 * 1024
PIECES = 1600  # 100 MB
ASK = b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n"


class Tap:
    """Streams without an end, and counts what was taken from it."""

    def __init__(self) -> None:
        self.taken = 0
        self.closed = 0
        self.app = Starlette(routes=[Route("/long", self.long), Route("/", self.short)])

    async def long(self, _: Request) -> Response:
        return StreamingResponse(self._pieces())

    async def short(self, _: Request) -> Response:
        return PlainTextResponse("hello")

    async def _pieces(self) -> AsyncIterator[bytes]:
        try:
            for _ in range(PIECES):
                self.taken += len(PIECE)
                yield PIECE
        finally:
            self.closed += 1


@asynccontextmanager
async def deaf(port: int, raw: bytes) -> AsyncIterator[None]:
    """Ask, and never read."""
    ear = socket.socket()
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ear.setblocking(False)  # noqa: FBT003 - as the library has it
    with ear:
        await asyncio.get_running_loop().sock_connect(ear, ("127.0.0.1", port))
        await asyncio.get_running_loop().sock_sendall(ear, raw)
        yield


async def test_what_nobody_reads_is_not_made_and_ends_with_the_connection() -> None:
    tap = Tap()
    async with serve(tap.app, http=protocol(Limits())) as base:
        port = urlsplit(base).port or 0
        async with deaf(port, ASK):
            await until(lambda: tap.taken)
            heard = [await send_raw("127.0.0.1", port, ASK.replace(b"/long", b"/"))]
            await asyncio.sleep(0.3)
            taken = tap.taken
            await asyncio.sleep(0.2)
            heard.append(await send_raw("127.0.0.1", port, ASK.replace(b"/long", b"/")))
            still = tap.taken
        await until(lambda: tap.closed == 1)

    assert [each.status for each in heard] == [200, 200]
    # What the system keeps for a connection of its own, and 64 KB of ours.
    assert taken == still < 20_000_000


async def test_a_reader_of_deliveries_who_stops_reading_holds_up_nobody(service: Service) -> None:
    port = urlsplit(service.url).port or 0
    key = bearer(BOT)["Authorization"]
    ask = f"GET /deliveries HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\n\r\n".encode()
    async with deaf(port, ask), deaf(port, ask):
        said = [await service.say("/help", BOT, platform="telegram") for _ in range(5)]
        await send(service, update(1, "/help"))
        async with watching(service) as events:
            answered = await final(events)

    assert len(said) == 5
    assert answered["final"]
