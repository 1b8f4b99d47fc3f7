"""A load generator: so many connections, each with one request under way at any time.

Reads a `Spec` as JSON from its input. Prints one line when the measured time begins, and one
with the `Figures` when it is over.
"""

import asyncio
import json
import secrets
import sys
import time
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import uvloop

MARK = b"tok0"  # the beginning of what the upstream says
PERCENT = 100
SPREAD = 0.5  # of the warm-up, in which the connections begin


@dataclass(frozen=True, slots=True)
class Spec:
    """What to send. `{who}` and `{what}` in the body become a conversation and a message id.

    `{place}` in the path becomes 24 hex digits that were in no request before. The connections
    take `port` and `more_ports` in turn.
    """

    port: int
    path: str
    headers: dict[str, str]
    body: str
    connections: int
    warm: float  # seconds
    seconds: float
    method: str = "POST"
    more_ports: Sequence[int] = ()
    turns: int = 20  # of a conversation, then a new one begins


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of it, in the measured time. Times are milliseconds, exact percentiles.

    `first` is until the first piece of the model's text; `chunks` counts those of HTTP. What was
    refused or broke is in none of the others.
    """

    rps: float
    count: int
    p50: float
    p99: float
    first_p50: float
    first_p99: float
    chunks: int
    refused: int  # answers that were not 200
    broken: int  # connections that ended under a request


class Tally:
    """Everything is kept, as averages hide what people wait for."""

    def __init__(self) -> None:
        self.began = float("inf")
        self.ends = float("inf")
        self.whole = array("d")
        self.first = array("d")
        self.chunks = 0
        self.refused = 0
        self.broken = 0
        self.said = b""  # the beginning of a refusal, for whoever reads the error

    def figures(self, seconds: float) -> Figures:
        whole, first = sorted(self.whole), sorted(self.first)
        return Figures(
            rps=len(whole) / seconds,
            count=len(whole),
            p50=_percentile(whole, 50),
            p99=_percentile(whole, 99),
            first_p50=_percentile(first, 50),
            first_p99=_percentile(first, 99),
            chunks=self.chunks,
            refused=self.refused,
            broken=self.broken,
        )


def _percentile(values: list[float], percent: int) -> float:
    return values[min(len(values) - 1, len(values) * percent // PERCENT)] if values else 0.0


class Client(asyncio.Protocol):
    """One connection that is kept, and made again if it is lost."""

    def __init__(self, spec: Spec, tally: Tally, run: str, number: int) -> None:
        self._run = run
        self._spec = spec
        self._tally = tally
        self._number = number
        self._sent = 0
        self._head = _head(spec)
        self._began = 0.0
        self._first = 0.0
        self._heard: list[bytes] = []
        self._left = -1  # bytes of the body; -1: not known, or chunked
        self._chunks = 0
        self._transport: asyncio.Transport | None = None
        self.stopped = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one without being a subclass.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.stopped:
            self._tally.broken += 1
            asyncio.get_running_loop().create_task(self.connect())

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        ports = (self._spec.port, *self._spec.more_ports)
        port = ports[self._number % len(ports)]
        await loop.create_connection(lambda: self, "127.0.0.1", port)

    def stop(self) -> None:
        self.stopped = True
        if self._transport is not None:
            self._transport.abort()

    def _send(self) -> None:
        assert self._transport is not None  # noqa: S101 - for the type checker
        who = f"{self._run}-{self._number}-{self._sent // self._spec.turns}"
        what = f"{self._run}-{self._number}-{self._sent}"
        place = f"{self._run}{self._number:08x}{self._sent:08x}".encode()
        self._sent += 1
        body = self._spec.body.replace("{who}", who).replace("{what}", what).encode()
        self._heard.clear()
        self._left = -1
        self._first = 0.0
        self._chunks = 0
        self._began = time.perf_counter()
        head = self._head.replace(b"{place}", place) % len(body)
        self._transport.write(head + body)

    def data_received(self, data: bytes) -> None:
        if not self._first and MARK in data:
            self._first = time.perf_counter()
        self._chunks += 1
        self._heard.append(data)
        if self._left < 0:
            if len(self._heard) == 1:
                self._left = _announced(data)
            if self._left < 0:
                # Only one answer is under way, so that nothing follows its end.
                if data.endswith(b"0\r\n\r\n"):
                    self._done()
                return
        else:
            self._left -= len(data)
        if self._left == 0:
            self._done()

    def _done(self) -> None:
        now, tally = time.perf_counter(), self._tally
        if not self._heard[0].startswith(b"HTTP/1.1 200"):
            tally.refused += 1
            tally.said = tally.said or b"".join(self._heard)[-300:]
        elif tally.began <= now < tally.ends:
            tally.whole.append((now - self._began) * 1000)
            tally.first.append(((self._first or now) - self._began) * 1000)
            tally.chunks += self._chunks
        self._send()


def _head(spec: Spec) -> bytes:
    named = {"Host": "127.0.0.1", "Content-Type": "application/json", **spec.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"{spec.method} {spec.path} HTTP/1.1\r\n{lines}Content-Length: %d\r\n\r\n".encode()


def _announced(data: bytes) -> int:
    """Return how many bytes are still to come, -1 where the head does not say."""
    head, _, body = data.partition(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r")[0]) - len(body) if found else -1


async def run(spec: Spec) -> tuple[Figures, bytes]:
    tally = Tally()
    name = secrets.token_hex(4)  # an id of another run would be answered from the store
    clients = [Client(spec, tally, name, number) for number in range(spec.connections)]
    for client in clients:
        await client.connect()
        # Not all at once: they would stay in step, and wait for each other ever after.
        await asyncio.sleep(SPREAD * spec.warm / spec.connections)
    await asyncio.sleep((1 - SPREAD) * spec.warm)
    began = time.perf_counter()
    tally.began, tally.ends = began, began + spec.seconds
    print("{}", flush=True)
    await asyncio.sleep(spec.seconds)
    for client in clients:
        client.stop()
    return tally.figures(spec.seconds), tally.said


def main() -> None:
    given: dict[str, Any] = json.load(sys.stdin)
    figures, said = uvloop.run(run(Spec(**given)))
    if said:
        print(said.decode(errors="replace"), file=sys.stderr)
    print(json.dumps(asdict(figures)), flush=True)


if __name__ == "__main__":
    main()
