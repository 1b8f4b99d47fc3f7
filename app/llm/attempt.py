"""One try at getting an answer."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final, Literal, cast

import aiohttp
import httpx
import orjson

from app import metrics
from app.errors import ModelEmpty, ModelInterrupted, ModelTimeout, ModelUnreachable
from app.http import TRANSPORT_ERRORS, is_encoded
from app.llm.answer import Answer, Broken, TooMuch, Unreadable
from app.llm.faults import Fault, bad_reply, read_fault
from app.llm.patience import Patience, Watch
from app.llm.sse import BOM, EventParser, TooLong, WholeBody

_HEADERS: Final = (("Content-Type", "application/json"), ("Accept", "text/event-stream"))
_DONE: Final = b"[DONE]"
_LARGEST_EVENT: Final = 4_000_000  # bytes: an answer of the largest size, escaped
_LARGEST_ERROR: Final = 65_536  # bytes
# Some 250 bytes of JSON come with each token.
_LARGEST_REPLY: Final = 64_000_000
# What follows the finish reason is the usage and the end mark. The answer is whole without
# them; waiting for the very end lets the connection be used again.
_USAGE_WAIT: Final = 3.0
_END_WAIT: Final = 0.1
# Only the connector raises these: nothing was sent. No other error says so, see `app.http`.
_NEVER_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
# Somebody gave up waiting, for what may have been written all the same.
_GAVE_UP: Final = frozenset({408, 504, 524})


class Door:
    """Where chats are asked for. What is the same in all requests is made once."""

    def __init__(self, http: httpx.AsyncClient, patience: Patience) -> None:
        # The transport takes `pool` as the limit of a whole connect, DNS included.
        self.timeout = httpx.Timeout(None, connect=patience.connect, pool=patience.connect)
        self._http = http
        self._headers = http.headers.copy()
        self._headers.update(_HEADERS)
        self._url = httpx.URL(f"{str(http.base_url).rstrip('/')}/chat/completions")
        self._extensions = {"timeout": self.timeout.as_dict()}

    async def knock(self, body: bytes) -> httpx.Response:
        # With `content` it would look through the headers, for what aiohttp adds anyway.
        content = httpx.ByteStream(body)
        request = httpx.Request(
            "POST", self._url, headers=self._headers, stream=content, extensions=self._extensions
        )
        request.read()
        return await self._http.send(request, stream=True)


class Attempt:
    """One request and what comes of it, written into `answer`.

    `billed`: as far as is known, it may have cost something. OpenRouter takes nothing for an error
    before the first token.
    """

    def __init__(
        self, door: Door, answer: Answer, patience: Patience, *, now: float, model: str = ""
    ) -> None:
        self._door = door
        self._answer = answer
        self._patience = patience
        self.billed = True
        self._now = now
        self._heard = False
        self._events = 0
        self._model = model
        self._began = time.perf_counter()
        self._is_stream = False  # by its content type
        self._is_whole = False  # it came to its end mark, or is one JSON body or none
        self._stage: Literal["waiting", "writing", "ending"] = "waiting"

    async def run(self, body: bytes, *, max_tokens: int) -> Fault | None:
        """Return None when the answer is whole, else what went wrong.

        Errors are values here, as those of the transport print the headers of the request, and
        the key with them.
        """
        try:
            async with Watch(self._patience.first_token) as watch:
                return await self._ask(body, max_tokens, watch)
        except TimeoutError:
            return self._out_of_time()

    async def _ask(self, body: bytes, max_tokens: int, watch: Watch) -> Fault | None:
        try:
            response = await self._door.knock(body)
        except TRANSPORT_ERRORS as error:
            self.billed = not isinstance(error.__cause__, _NEVER_SENT)
            return unreachable(error)
        try:
            if not response.is_success:
                self.billed = response.status_code in _GAVE_UP
                return await refusal(response, now=self._now, max_tokens=max_tokens)
            if is_encoded(response):
                return bad_reply("encoded")
            return await self._listen(response, watch)
        finally:
            await response.aclose()

    async def _listen(self, response: httpx.Response, watch: Watch) -> Fault | None:
        try:
            return await self._read(response, watch)
        except Broken as broken:
            return self._broken(broken, response)
        except Unreadable:
            return bad_reply("bad_json", tries=2, tries_after_text=2)
        except TooLong:
            return bad_reply("event_too_large", tries=2, tries_after_text=2)
        except TooMuch:
            return bad_reply("answer_too_large", worthless=True)

    async def _read(self, response: httpx.Response, watch: Watch) -> Fault | None:
        self._is_stream = "event-stream" in response.headers.get("content-type", "")
        # `aiter_raw` would wrap each piece twice more, which a stream of tokens feels.
        pieces = aiter(cast("httpx.AsyncByteStream", response.stream))
        parser: EventParser | WholeBody | None = None
        size = 0
        while True:
            try:
                piece = await anext(pieces, None)
            except TRANSPORT_ERRORS as error:
                return self._cut(error, plain=isinstance(parser, WholeBody))
            if piece is None:
                break
            self._heard = True
            size += len(piece)
            if size > _LARGEST_REPLY:
                raise TooMuch
            if parser is None:
                # Blank lines keep the connection alive while the model works.
                piece = piece.lstrip()
                if not piece:
                    continue
                if piece.startswith(b"<"):
                    return bad_reply("html", tries=2)
                parser = _parser_for(piece)
            if self._take(parser.feed(piece)):
                return await self._drain(pieces, watch)
            self._stay(watch)
        self._is_whole = not isinstance(parser, EventParser)
        if parser is not None:
            self._is_whole |= self._take(parser.end())
        return self._ended()

    def _cut(self, error: Exception, *, plain: bool) -> Fault | None:
        if self._answer.finish is not None:
            return self._ended()
        # Of one JSON body nothing is known before its end, but it had been written.
        return Fault(ModelInterrupted, type(error).__name__) if plain else unreachable(error)

    def _take(self, events: list[bytes]) -> bool:
        """Take the events; return whether the end mark was among them."""
        for event in events:
            data = event
            if not data.startswith(b"{"):
                data = data.strip()
                if data == _DONE:
                    return True
                # Proxies wrap the comments of others: `data: : keepalive`.
                if not data or data.startswith(b":"):
                    continue
            self._events += 1
            self._answer.take(data)
        return False

    def _stay(self, watch: Watch) -> None:
        """Set how long the next piece may take."""
        if self._answer.finish is not None:
            if self._stage != "ending":
                self._note_first()
                self._stage = "ending"
                watch.move(min(_USAGE_WAIT, self._patience.gap))
        elif self._stage == "writing":
            watch.keep(self._patience.gap)
        elif self._answer.began:
            self._note_first()
            self._stage = "writing"
            watch.move(self._patience.gap)

    def _note_first(self) -> None:
        if self._stage == "waiting":
            seconds = time.perf_counter() - self._began
            metrics.of(metrics.first_token_seconds, metrics.model(self._model)).observe(seconds)

    async def _drain(self, pieces: AsyncIterator[bytes], watch: Watch) -> Fault | None:
        self._is_whole = True
        if self._answer.finish is not None:
            self._note_first()
            watch.move(_END_WAIT)
            with contextlib.suppress(*TRANSPORT_ERRORS):
                async for _ in pieces:
                    pass
        return self._ended()

    def _ended(self) -> Fault | None:
        answer = self._answer
        answer.end()
        if answer.finish is None:
            if self._is_whole and not answer.began:
                return Fault(ModelEmpty, "empty", tries=2)
            if not self._events and not self._is_stream:
                return bad_reply("unknown_format", tries=2)
            return Fault(ModelInterrupted, "no_finish", tries=2)
        if not answer.blank or answer.finish == "declined":
            return None
        # All tokens went into thinking: the same would happen again.
        again = 1 if answer.finish == "length" else 2
        return Fault(ModelEmpty, "empty", tries=again, tries_after_text=again)

    def _out_of_time(self) -> Fault | None:
        if self._answer.finish is not None:
            return self._ended()
        if self._answer.began:
            return Fault(ModelInterrupted if self._answer.size else ModelTimeout, "gap")
        # Who sends keep-alives is at work, and the same work would take as long again.
        return Fault(ModelTimeout, "first_token", tries=1 if self._heard else 2)

    def _broken(self, broken: Broken, response: httpx.Response) -> Fault | None:
        # A limit that was reached was seen to be told twice: as the finish reason, then as an
        # error.
        if self._answer.finish in {"length", "declined"}:
            return self._ended()
        self.billed = self._answer.began
        if broken.body is None:
            return Fault(ModelInterrupted, "error_finish", tries=2)
        return read_fault(response.status_code, response.headers, broken.body, now=self._now)


def _parser_for(piece: bytes) -> EventParser | WholeBody:
    # By its first byte: gateways name wrong content types, and no line of an event stream
    # begins with a brace.
    plain = piece.removeprefix(BOM).startswith((b"{", b"["))
    return WholeBody(limit=_LARGEST_EVENT) if plain else EventParser(limit=_LARGEST_EVENT)


def unreachable(error: Exception) -> Fault:
    if isinstance(error, aiohttp.ClientResponseError):
        return bad_reply("bad_http")
    return Fault(ModelUnreachable, type(error).__name__, tries=3)


async def refusal(response: httpx.Response, *, now: float, max_tokens: int = 0) -> Fault:
    """Read what the body of an error says, as far as it can be read."""
    body: object = None
    if not response.has_redirect_location and not is_encoded(response):
        whole = await _beginning(response)
        try:
            body = orjson.loads(whole)
        except orjson.JSONDecodeError:
            body = whole.decode(errors="replace")
    return read_fault(
        response.status_code, response.headers, body, now=now, asked_tokens=max_tokens
    )


async def _beginning(response: httpx.Response) -> bytes:
    whole = bytearray()
    with contextlib.suppress(*TRANSPORT_ERRORS):
        async for piece in response.aiter_raw():
            whole += piece
            if len(whole) > _LARGEST_ERROR:
                break
    return bytes(whole[:_LARGEST_ERROR])
