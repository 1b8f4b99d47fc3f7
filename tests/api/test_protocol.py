import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.api.body import client_gone
from app.api.protocol import Limits, protocol
from tests.corpus.raw import NOTHING, Heard, exchange, hear, send_raw
from tests.servers import serve

QUICK = Limits(header_seconds=0.2, body_seconds=0.2, linger_seconds=0.2)
HELLO = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def get(*headers: bytes, path: bytes = b"/") -> bytes:
    return b"\r\n".join([b"GET %b HTTP/1.1" % path, b"Host: a", *headers, b"", b""])


def post(*headers: bytes, body: bytes = b"", path: bytes = b"/count") -> bytes:
    head = [b"POST %b HTTP/1.1" % path, b"Host: a", *headers, b"", b""]
    return b"\r\n".join(head) + body


class Echo:
    """Remembers what reached it."""

    def __init__(self) -> None:
        self.calls = 0
        self.release = asyncio.Event()
        routes = [
            Route("/", self.hello),
            Route("/count", self.count, methods=["POST"]),
            Route("/headers", self.headers, methods=["POST"]),
            Route("/wait", self.wait),
            Route("/deaf", self.hello, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes, exception_handlers={ClientDisconnect: client_gone})

    async def hello(self, _: Request) -> Response:
        self.calls += 1
        return PlainTextResponse("hello")

    async def count(self, request: Request) -> Response:
        size = len(await request.body())
        self.calls += 1
        return PlainTextResponse(str(size))

    async def headers(self, request: Request) -> Response:
        await request.body()
        return JSONResponse(sorted(name.decode() for name, _ in request.scope["headers"]))

    async def wait(self, _: Request) -> Response:
        await self.release.wait()
        return PlainTextResponse("waited")


class Door:
    def __init__(self, port: int, echo: Echo) -> None:
        self.port = port
        self.echo = echo

    async def say(self, raw: bytes) -> Heard:
        return await send_raw("127.0.0.1", self.port, raw)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


@asynccontextmanager
async def opened(limits: Limits) -> AsyncIterator[Door]:
    echo = Echo()
    async with serve(echo.app, http=protocol(limits)) as base:
        yield Door(urlsplit(base).port or 0, echo)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with opened(Limits()) as opened_door:
        yield opened_door


@pytest.fixture
async def quick() -> AsyncIterator[Door]:
    async with opened(QUICK) as opened_door:
        yield opened_door


def refused(heard: Heard, status: int, error: str) -> None:
    problem = json.loads(heard.body)
    assert (heard.status, problem["error"]) == (status, error)
    assert (problem["success"], problem["data"]) == (False, None)
    assert problem["request_id"] == heard.headers["x-request-id"]
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["connection"] == "close"


async def test_an_ordinary_request_is_answered(door: Door) -> None:
    heard = await door.say(HELLO)

    assert (heard.status, heard.body) == (200, b"hello")


async def test_a_connection_serves_many_requests(door: Door) -> None:
    async with door.open() as (reader, writer):
        heard = [await exchange(reader, writer, raw) for raw in (HELLO, post(), HELLO) * 3]

    assert {reply.status for reply in heard} == {200}


async def test_headers_up_to_the_cap_are_taken(door: Door) -> None:
    size = Limits().header_bytes - len(b"Host: a\r\nX: \r\n")

    heard = [await door.say(get(b"X: " + b"a" * length)) for length in (size, size + 1)]

    assert heard[0].status == 200
    refused(heard[1], 431, "headers_too_large")


@pytest.mark.parametrize("extra", [b"", b"\r\n\r\n"], ids=["unfinished", "whole"])
async def test_a_header_without_end_is_cut_while_it_arrives(door: Door, extra: bytes) -> None:
    heard = await door.say(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 5_000_000 + extra)

    refused(heard, 431, "headers_too_large")
    assert door.echo.calls == 0


async def test_64_headers_are_taken_and_one_more_is_not(door: Door) -> None:
    heard = [await door.say(get(*[b"X: y"] * count)) for count in (63, 64)]

    assert heard[0].status == 200
    refused(heard[1], 431, "headers_too_large")


async def test_many_small_headers_are_cut_before_they_end(door: Door) -> None:
    heard = await door.say(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100)

    refused(heard, 431, "headers_too_large")


async def test_an_address_up_to_the_cap_is_taken(door: Door) -> None:
    cap = Limits().url_bytes

    heard = [await door.say(get(path=b"/?" + b"a" * length)) for length in (cap - 2, cap - 1)]

    assert heard[0].status == 200
    refused(heard[1], 414, "url_too_long")


async def test_an_address_without_end_is_cut_while_it_arrives(door: Door) -> None:
    refused(await door.say(b"GET /" + b"a" * 5000), 414, "url_too_long")


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"),
        post(b"Content-Length: 3", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post(b"Transfer-Encoding: chunked", body=b"zz\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", body=b"2\r\nabcd\r\n0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", body=b"1;" + b"x" * 600_000),
        post(b"Transfer-Encoding: chunked", body=b"0\r\nX: " + b"x" * 600_000),
        b"GET / HTTP/1.1\r\n\r\n",
        get(b"Host: b"),
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
        b"\r\n" * 10_000,
    ],
)
async def test_what_is_no_clear_request_is_refused(door: Door, raw: bytes) -> None:
    refused(await door.say(raw), 400, "bad_request")


@pytest.mark.parametrize("host", [b"a", b"a.b-c.d:8001", b"127.0.0.1:1", b"[::1]:80", b"arash_bot"])
async def test_ordinary_hosts_are_taken(door: Door, host: bytes) -> None:
    heard = await door.say(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host)

    assert heard.status == 200


async def test_a_tunnel_is_refused(door: Door) -> None:
    heard = await door.say(b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n")

    refused(heard, 405, "method_not_allowed")
    assert heard.headers["allow"]


@pytest.mark.parametrize("kind", [b"websocket", b"h2c"])
async def test_an_upgrade_is_answered_as_if_it_had_not_been_asked(door: Door, kind: bytes) -> None:
    wish = b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + kind
    async with door.open() as (reader, writer):
        first = await exchange(reader, writer, get(*wish))
        second = await exchange(
            reader, writer, post(*wish, b"Content-Length: 3", body=b"abc", path=b"/count")
        )
        third = await exchange(reader, writer, HELLO)

    assert [heard.body for heard in (first, second, third)] == [b"hello", b"3", b"hello"]


async def test_trailers_do_not_become_headers(door: Door) -> None:
    body = b"1\r\na\r\n0\r\nAuthorization: x\r\n\r\n"

    heard = await door.say(post(b"Transfer-Encoding: chunked", body=body, path=b"/headers"))

    assert json.loads(heard.body) == ["host", "transfer-encoding"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: a\r\nX:",
        b"\r\n",
        post(b"Content-Length: 3", body=b"a"),
        post(b"Transfer-Encoding: chunked", body=b"3\r\na"),
    ],
    ids=["silence", "half a head", "blank line", "half a body", "half a chunk"],
)
async def test_half_a_request_runs_out_of_time(quick: Door, raw: bytes) -> None:
    before = time.monotonic()

    heard = await quick.say(raw)

    refused(heard, 408, "too_slow")
    assert 0.15 < time.monotonic() - before < 0.6
    assert quick.echo.calls == 0


async def test_a_refused_request_is_not_answered_as_well(
    quick: Door, caplog: pytest.LogCaptureFixture
) -> None:
    async with quick.open() as (reader, writer):
        refusal = await exchange(reader, writer, get(b"Content-Length: 3", path=b"/wait"))
        quick.echo.release.set()
        await asyncio.sleep(0.05)
        rest = await reader.read()

    refused(refusal, 408, "too_slow")
    assert rest == b""
    assert caplog.records == []


async def test_a_dripping_client_gains_no_time(quick: Door) -> None:
    async with quick.open() as (reader, writer):
        hearing = asyncio.create_task(hear(reader))
        before = time.monotonic()
        for byte in HELLO * 2:
            writer.write(bytes([byte]))
            await asyncio.wait([hearing], timeout=0.02)
        heard = await hearing

    refused(heard, 408, "too_slow")
    assert time.monotonic() - before < 1.5
    assert quick.echo.calls == 0


async def test_a_client_that_leaves_is_no_fault_here(
    quick: Door, caplog: pytest.LogCaptureFixture
) -> None:
    async with quick.open() as (_, writer):
        writer.write(post(b"Content-Length: 3", body=b"a"))
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)

    assert quick.echo.calls == 0
    assert caplog.records == []


async def test_a_second_request_has_its_own_deadline(quick: Door) -> None:
    async with quick.open() as (reader, writer):
        first = await exchange(reader, writer, HELLO)
        second = await exchange(reader, writer, b"GET / HTTP/1.1\r\n")

    assert first.status == 200
    refused(second, 408, "too_slow")


async def test_a_slow_answer_is_not_a_slow_request(quick: Door) -> None:
    async with quick.open() as (reader, writer):
        asking = asyncio.create_task(exchange(reader, writer, get(path=b"/wait")))
        await asyncio.sleep(0.5)
        quick.echo.release.set()
        heard = await asking

    assert (heard.status, heard.body) == (200, b"waited")


async def test_a_body_that_waits_for_the_answer_before_it_is_not_slow(quick: Door) -> None:
    size = 1_000_000
    async with quick.open() as (reader, writer):
        writer.write(get(path=b"/wait") + post(b"Content-Length: %d" % size, body=b"a" * size))
        await asyncio.sleep(0.5)
        quick.echo.release.set()
        heard = [await hear(reader), await hear(reader)]

    assert [reply.body for reply in heard] == [b"waited", b"%d" % size]


async def test_an_unwanted_body_is_drained_so_far_and_no_further(door: Door) -> None:
    async def after(*sizes: int) -> Sequence[int]:
        heard = []
        async with door.open() as (reader, writer):
            for size in sizes:
                head = post(b"Content-Length: %d" % size, path=b"/missing")
                heard.append(await exchange(reader, writer, head))
                heard.append(await exchange(reader, writer, b"a" * size + HELLO))
        return [reply.status for reply in heard]

    small, large = await after(60_000, 60_000), await after(400_000)

    assert small == [404, 200, 404, 200]
    assert large == [404, NOTHING.status]


async def test_a_bad_request_waits_for_the_answer_before_it(door: Door) -> None:
    async with door.open() as (reader, writer):
        writer.write(get(path=b"/wait") + b"nonsense\r\n\r\n")
        await asyncio.sleep(0.05)
        door.echo.release.set()
        heard = [await hear(reader), await hear(reader)]

    assert heard[0].body == b"waited"
    refused(heard[1], 400, "bad_request")


async def test_a_bad_body_behind_another_request_reaches_nobody(door: Door) -> None:
    bad = post(b"Transfer-Encoding: chunked", body=b"zz\r\n")
    async with door.open() as (reader, writer):
        writer.write(get(path=b"/wait") + bad)
        await asyncio.sleep(0.05)
        door.echo.release.set()
        heard = [await hear(reader), await hear(reader)]

    assert heard[0].body == b"waited"
    refused(heard[1], 400, "bad_request")
    assert door.echo.calls == 0


async def test_a_refused_client_can_read_why_while_it_still_sends(door: Door) -> None:
    async with door.open() as (reader, writer):
        writer.write(get(*[b"X: y"] * 100))
        await asyncio.sleep(0.05)
        writer.write(b"more" * 1000)
        heard = await hear(reader)
        rest = await reader.read()

    refused(heard, 431, "headers_too_large")
    assert rest == b""


async def test_connections_per_address_are_capped_and_come_free_again() -> None:
    async with opened(Limits(connections_per_address=2)) as door:
        async with door.open() as one, door.open() as two:
            answered = [await exchange(*one, HELLO), await exchange(*two, HELLO)]
            over = await door.say(HELLO)
        await asyncio.sleep(0.05)
        afterwards = await door.say(HELLO)

    assert {heard.status for heard in answered} == {200}
    refused(over, 503, "too_many_connections")
    assert over.headers["retry-after"] == "5"
    assert afterwards.status == 200


async def test_connections_in_all_are_capped() -> None:
    async with opened(Limits(connections=1)) as door, door.open() as one:
        answered = await exchange(*one, HELLO)
        over = await door.say(HELLO)

    assert answered.status == 200
    refused(over, 503, "too_many_connections")


async def test_a_flood_beyond_the_cap_is_cut_without_a_word() -> None:
    async with opened(Limits(connections=0, linger_seconds=60.0)) as door:
        held = [await asyncio.open_connection("127.0.0.1", door.port) for _ in range(80)]
        heard = [await hear(reader) for reader, _ in held]
        for _, writer in held:
            writer.transport.abort()
        await asyncio.sleep(0.05)
        afterwards = await door.say(HELLO)

    assert [reply.status for reply in heard].count(503) == 64
    assert heard.count(NOTHING) == 16
    assert afterwards.status == 503


async def test_a_thousand_connections_of_one_address_are_served(door: Door) -> None:
    held = [await asyncio.open_connection("127.0.0.1", door.port) for _ in range(1000)]
    heard = await asyncio.gather(*(exchange(*pair, HELLO) for pair in held))
    for _, writer in held:
        writer.transport.abort()

    assert {reply.status for reply in heard} == {200}


class Started(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 0),
        (b"GET / HTTP/1.1\r\nHost:", 0),
        (post(b"Content-Length: 3", body=b"a"), 503),
    ],
    ids=["silence", "half a head", "half a body"],
)
async def test_half_a_request_does_not_hold_up_the_end(raw: bytes, status: int) -> None:
    config = uvicorn.Config(
        Echo().app, port=0, http=protocol(Limits()), lifespan="off", log_config=None
    )
    server = Started(config)
    serving = asyncio.create_task(server.serve())
    await server.up.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    await asyncio.sleep(0.05)

    before = time.monotonic()
    server.should_exit = True
    heard = await hear(reader)
    await serving
    took = time.monotonic() - before
    writer.transport.abort()

    assert heard.status == status
    assert took < 1.5
