"""What uvicorn's HTTP protocol does not refuse by itself.

Without this, 50 MB of headers are read into memory, half a request stays open for ever, one
address may take every connection, and a broken request is answered in another shape than
every other error. A refused connection gets the documented problem body and is closed.

Source: `uvicorn.protocols.http.httptools_impl`, uvicorn 0.54, httptools 0.9.
"""

import asyncio
import re
import secrets
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

import httptools
from loguru import logger
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from app.api.door import Door
from wire.problem import Problem


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take before it is refused. Times are seconds.

    `header_seconds` runs from the first byte of a request, and for a new connection from its
    opening; `body_seconds` from the end of the headers. While the service itself does not
    read, neither runs out.

    Where the connections are all taken, those that have not said anything whole yet make room,
    the oldest first: half-open ones keep nobody out. The number per address is larger than what
    an honest program opens: it may be a proxy, which speaks for everybody.
    """

    header_bytes: int = 16 * 1024
    headers: int = 64
    url_bytes: int = 4 * 1024
    header_seconds: float = 10.0
    body_seconds: float = 20.0
    connections: int = 2000
    connections_per_address: int = 1200
    drain_bytes: int = 64 * 1024  # of a body nobody wants, before the connection is cut
    linger_seconds: float = 1.0  # for a refused client to read why


@dataclass(frozen=True, slots=True)
class Refusal:
    status: HTTPStatus
    error: str
    sentence: str
    retry_after: int | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


BAD_REQUEST = Refusal(
    HTTPStatus.BAD_REQUEST, "bad_request", "This is not an HTTP/1.1 request that can be read."
)
BAD_HOST = Refusal(
    HTTPStatus.BAD_REQUEST, "bad_request", "Send exactly one Host header with a host name."
)
NO_TUNNEL = Refusal(
    HTTPStatus.METHOD_NOT_ALLOWED,
    "method_not_allowed",
    "This service is no proxy.",
    headers=((b"allow", b"GET, POST, DELETE"),),
)
TOO_SLOW = Refusal(
    HTTPStatus.REQUEST_TIMEOUT, "too_slow", "The request took too long to arrive. Send it again."
)
URL_TOO_LONG = Refusal(
    HTTPStatus.REQUEST_URI_TOO_LONG, "url_too_long", "This address is too long. Shorten it."
)
HEADERS_TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "headers_too_large",
    "These are too many headers, or too long ones. Send fewer.",
)
TOO_MANY_CONNECTIONS = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "too_many_connections",
    "Too many connections are open. Close some, or try again in a moment.",
    retry_after=5,
)
STOPPING = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "stopping",
    "The service is being restarted. Nothing was kept of this request; send it again.",
    retry_after=5,
)

# A name, an IPv4 or a bracketed IPv6 address, with or without a port. Underscores are no host
# name, but Compose makes such names.
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?[ \t]*")

# Refused connections stay a moment so that their reply can be read. Beyond this many of them
# the next one is cut without a word: a flood must not fill the table of open files.
_LINGERING = 64


class _Stop(Exception):
    """Ends the parser's work; the reason stands in `_Guarded._found`."""


class _Phase(Enum):
    IDLE = 0
    HEAD = 1
    BODY = 2


def protocol(limits: Limits) -> type[HttpToolsProtocol]:
    """Make the class for `uvicorn.Config(http=...)`. Each class counts its own connections."""
    return type("Guarded", (_Guarded,), {"_limits": limits, "_door": _door(limits)})


def _door(limits: Limits) -> Door:
    return Door(limits.connections, limits.connections_per_address)


class _Guarded(HttpToolsProtocol):
    _limits: Limits
    _door: Door

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.ws_protocol_class = None
        self._upgrade = False
        self._phase = _Phase.IDLE
        self._inside = False
        self._lingers = False  # turned away, and may still read why
        self._quiet = 0  # bytes since the parser last got something done
        self._found: Refusal | None = None
        self._deaf = False  # what still arrives is thrown away
        self._last_word: Refusal | None = None
        self._ended = False
        self._spare = self._limits.drain_bytes
        # One timer for the life of a connection looks at the deadline now and then. It comes
        # at least once per shortest deadline, so it is late by less than that.
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def at_work(self) -> bool:
        """Whether a whole request is here whose answer has not begun."""
        if self._phase is not _Phase.IDLE or not self._answering():
            return False
        return not self.cycle.response_started

    # -- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._door.enter(self, self._address()):
            self._turn_away()
            return
        self._inside = True
        self._deadline = self.loop.time() + self._limits.header_seconds
        self._timer = self.loop.call_at(self._deadline, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._inside:
            self._door.leave(self, self._address())
        elif self._lingers:
            self._door.lingering -= 1
        super().connection_lost(exc)

    def make_room(self) -> None:
        """Go at once: nothing whole was ever said here, and somebody else wants in."""
        self._inside = False
        self._deaf = True
        self.transport.abort()

    def shutdown(self) -> None:
        cycle = self.cycle
        if self._ended:
            self.transport.close()
        elif self._phase is _Phase.BODY and not cycle.response_started:
            # Half a request would otherwise hold up the end until its deadline.
            self._refuse(STOPPING)
        else:
            super().shutdown()

    def _address(self) -> str | None:
        return self.client[0] if self.client else None

    def _turn_away(self) -> None:
        if self._door.lingering >= _LINGERING:
            self._deaf = True
            self.transport.abort()
            return
        self._door.lingering += 1
        self._lingers = True
        self._refuse(TOO_MANY_CONNECTIONS)

    # -- what arrives

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._spare -= len(data)
            if self._ended and self._spare < 0:
                self.transport.close()
            return
        self._unset_keepalive_if_required()
        self._quiet += len(data)
        try:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._stay(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(self._found or BAD_REQUEST)
        else:
            if self._quiet or self._phase is not _Phase.IDLE:
                self._await_rest()

    def _stay(self, rest: bytes) -> None:
        """Read a request that wants an upgrade again, as if it had not asked.

        Java's HTTP client asks for HTTP/2 with every request, and the parser takes a body
        behind such a question for the other protocol.
        """
        self._upgrade = False
        version = self.parser.get_http_version().encode()
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            if name != b"upgrade":
                head += [name, b": ", value, b"\r\n"]
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn makes it: what follows a last request is answered by closing.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"".join([*head, b"\r\n", rest]))

    def _await_rest(self) -> None:
        """Set a time for the rest, and refuse what grows without an end.

        That may be a URL, a header, a trailer, or blank lines between two requests.
        """
        limits = self._limits
        if self._deadline is None:
            body = self._phase is _Phase.BODY
            seconds = limits.body_seconds if body else limits.header_seconds
            self._deadline = self.loop.time() + seconds
        if self._phase is _Phase.HEAD:
            if len(self.url) > limits.url_bytes:
                self._refuse(URL_TOO_LONG)
            elif (
                len(self.headers) > limits.headers
                or self._quiet > limits.header_bytes + limits.url_bytes
            ):
                self._refuse(HEADERS_TOO_LARGE)
        elif self._quiet > limits.header_bytes:
            self._refuse(BAD_REQUEST)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase = _Phase.HEAD

    def on_headers_complete(self) -> None:
        self._found = self._judge()
        if self._found is not None:
            raise _Stop
        self._upgrade = self.parser.should_upgrade()
        if self._upgrade:
            return
        super().on_headers_complete()
        # Trailers come through `on_header` too. They must not join the headers, which the
        # application already has in its hands.
        self.headers = []
        self._phase = _Phase.BODY
        self._quiet = 0
        self._spare = self._limits.drain_bytes
        self._deadline = None

    def _judge(self) -> Refusal | None:
        version = self.parser.get_http_version()
        size = hosts = codings = 0
        for name, value in self.headers:
            size += len(name) + len(value) + 4  # colon, blank, CR, LF
            if name == b"host":
                hosts += 1 if _HOST.fullmatch(value) else 2
            elif name == b"transfer-encoding":
                # The parser takes `gzip, chunked` and HTTP/1.0; a proxy in front may not.
                codings += 1 if value.lower() == b"chunked" and version == "1.1" else 2
        if len(self.url) > self._limits.url_bytes:
            return URL_TOO_LONG
        if size > self._limits.header_bytes or len(self.headers) > self._limits.headers:
            return HEADERS_TOO_LARGE
        if version not in {"1.0", "1.1"} or codings > 1:
            return BAD_REQUEST
        if hosts != 1:
            return BAD_HOST
        return NO_TUNNEL if self.parser.get_method() == b"CONNECT" else None

    def on_body(self, body: bytes) -> None:
        self._quiet = 0
        if self.cycle.response_complete:
            self._spare -= len(body)
            if self._spare < 0:
                self.transport.close()
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._upgrade:
            return
        self._phase = _Phase.IDLE
        self._quiet = 0
        self._deadline = None
        self._door.heard(self, self._address())
        super().on_message_complete()

    def on_response_complete(self) -> None:
        last = not self.pipeline
        super().on_response_complete()
        if self._last_word is not None and last and not self.transport.is_closing():
            self._say(self._last_word)

    # -- what is refused

    def _look(self) -> None:
        limits = self._limits
        now = self.loop.time()
        at_latest = now + min(limits.header_seconds, limits.body_seconds)
        if self._deadline is not None:
            if self.flow.read_paused:
                self._deadline = max(self._deadline, at_latest)
            elif now >= self._deadline:
                self._refuse(TOO_SLOW)
                return
            at_latest = min(at_latest, self._deadline)
        self._timer = self.loop.call_at(at_latest, self._look)

    def _refuse(self, refusal: Refusal) -> None:
        """End the connection with `refusal`, after the answers that are still being made."""
        self._deaf = True
        self._deadline = None
        if self._phase is _Phase.BODY:
            self._refuse_body(refusal)
        elif self._answering():
            self._say_later(refusal)
        else:
            self._say(refusal)

    def _answering(self) -> bool:
        if self.cycle is None:
            return False
        return not self.cycle.response_complete

    def _refuse_body(self, refusal: Refusal) -> None:
        cycle = self.cycle
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
            self._say_later(refusal)
        elif cycle.response_started:
            self.transport.close()  # two replies to one request would be worse than none
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self._say(refusal)

    def _say_later(self, refusal: Refusal) -> None:
        self._last_word = refusal
        self.flow.pause_reading()

    def _say(self, refusal: Refusal) -> None:
        request_id = secrets.token_hex(8)
        logger.info(
            "http.refused", status=int(refusal.status), error=refusal.error, request_id=request_id
        )
        self._unset_keepalive_if_required()
        self.transport.write(_reply(refusal, request_id, self.server_state.default_headers))
        self._ended = True
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        # Closing with unread bytes in the socket sends a reset, which may overtake the reply.
        self.transport.write_eof()
        self._spare = self._limits.drain_bytes
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(self._limits.linger_seconds, self.transport.close)


def _reply(refusal: Refusal, request_id: str, default: list[tuple[bytes, bytes]]) -> bytes:
    problem = Problem(
        response=refusal.sentence,
        error=refusal.error,
        retry_after=refusal.retry_after,
        request_id=request_id,
    )
    body = problem.model_dump_json().encode()
    headers = [
        *default,
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        (b"x-request-id", request_id.encode()),
        *refusal.headers,
    ]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", b"%d" % refusal.retry_after))
    lines = [b"%b: %b\r\n" % header for header in headers]
    return b"".join([STATUS_LINE[refusal.status], *lines, b"\r\n", body])
