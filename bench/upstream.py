"""A model provider that takes no time of its own: OpenAI's chat completions on a bare protocol.

The model's name says what it does, so that whatever stands before it passes the wish on:
`mock-d50-t64-i10` waits 50 ms, then sends 64 tokens, 10 ms apart. What is left out is 0 ms, 64
tokens and 0 ms. A stream ends as OpenRouter's do: finish reason, usage, `[DONE]`.
"""

import argparse
import asyncio
import re
import socket
from dataclasses import dataclass
from functools import cache
from typing import cast

import uvloop

TOKENS = 64
BACKLOG = 4096
MODEL = re.compile(rb'"model"\s*:\s*"([^"]*)"')
STREAM = re.compile(rb'"stream"\s*:\s*true')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHATS = b"/chat/completions"
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
# An empty list of models is no list: what the service then knows of them is its own.
NO_MODELS = b'{"object":"list","data":[]}'


@dataclass(frozen=True, slots=True)
class Plan:
    """What one model answers. Times are seconds; the first piece carries the head."""

    delay: float
    interval: float
    whole: bytes
    pieces: tuple[bytes, ...]


@cache
def plan_of(model: bytes, *, stream: bool) -> Plan:
    wishes = dict(re.findall(rb"-([dti])(\d+)", model))
    tokens = max(1, int(wishes.get(b"t", TOKENS)))
    delay, interval = (int(wishes.get(name, 0)) / 1000 for name in (b"d", b"i"))
    words = [b"tok%03d " % (number % 1000) for number in range(tokens)]
    used = b'"usage":{"prompt_tokens":24,"completion_tokens":%d,"total_tokens":%d}' % (
        tokens,
        tokens + 24,
    )
    if stream:
        pieces = _stream(model, words, used)
        return Plan(delay, interval, b"".join(pieces), tuple(pieces))
    choice = (
        b'{"index":0,"message":{"role":"assistant","content":"%b"},"finish_reason":"stop"}'
        % b"".join(words)
    )
    body = b'{"id":"gen-1","object":"chat.completion","created":1,"model":"%b",' % model
    whole = _json(body + b'"choices":[%b],%b}' % (choice, used))
    return Plan(delay, 0.0, whole, (whole,))


def _stream(model: bytes, words: list[bytes], used: bytes) -> list[bytes]:
    def event(rest: bytes) -> bytes:
        head = b'{"id":"gen-1","object":"chat.completion.chunk","created":1,"model":"%b",' % model
        return _chunk(b"data: " + head + rest + b"}\n\n")

    def delta(content: bytes, finish: bytes = b"null") -> bytes:
        return event(b'"choices":[{"index":0,"delta":%b,"finish_reason":%b}]' % (content, finish))

    told = [delta(b'{"content":"%b"}' % word) for word in words]
    told[0] = STREAM_HEAD + delta(b'{"role":"assistant","content":""}') + told[0]
    last = [delta(b"{}", b'"stop"'), event(b'"choices":[],' + used), _chunk(b"data: [DONE]\n\n")]
    # The end follows the last token at once.
    told[-1] += b"".join(last) + b"0\r\n\r\n"
    return told


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _json(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


class Upstream(asyncio.Protocol):
    """One connection; requests come one after the other and announce their length."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._read = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one without being a subclass.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(b"\r\n\r\n") + 4
        if end < 4:  # noqa: PLR2004 - not found
            return
        length = LENGTH.search(self._read, 0, end)
        size = end + (int(length[1]) if length else 0)
        if len(self._read) < size:
            return
        request, self._read = self._read[:size], self._read[size:]
        self._answer(request[: request.find(b"\r\n")], request[end:])

    def _answer(self, line: bytes, body: bytes) -> None:
        if CHATS not in line:
            self._transport.write(_json(NO_MODELS))
            return
        model = MODEL.search(body)
        plan = plan_of(model[1] if model else b"", stream=STREAM.search(body) is not None)
        if not plan.delay:
            self._send(plan, 0, self._loop.time())
            return
        due = self._loop.time() + plan.delay
        self._timer = self._loop.call_at(due, self._send, plan, 0, due)

    def _send(self, plan: Plan, number: int, due: float) -> None:
        if not plan.interval:
            self._transport.write(plan.whole)
            return
        self._transport.write(plan.pieces[number])
        if number + 1 < len(plan.pieces):
            # By the clock of the plan, not of this call: lateness must not add up.
            due += plan.interval
            self._timer = self._loop.call_at(due, self._send, plan, number + 1, due)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as door:
        server = await loop.create_server(Upstream, sock=door, backlog=BACKLOG)
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.upstream", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
