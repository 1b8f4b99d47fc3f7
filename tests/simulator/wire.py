"""A client so plain that it sees what was written, and how the connection ended."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from simulator.openrouter.world import KEY

Json = dict[str, Any]
End = Literal["tidy", "cut", "reset", "open"]


@dataclass(frozen=True)
class Seen:
    """What came. `writes` are the chunks of the body, one for each write of the server."""

    head: bytes
    writes: list[bytes]
    end: End

    @property
    def status(self) -> int:
        return int(self.head.split()[1]) if self.head else 0

    @property
    def body(self) -> bytes:
        return b"".join(self.writes)

    def header(self, name: str) -> str | None:
        for line in self.head.decode().split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.casefold() == name.casefold():
                return value.strip()
        return None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Json:
        error: Json = self.json["error"]
        return error

    def data(self) -> Iterator[str]:
        """Yield the data of each event, read as the specification of event streams says."""
        text = self.body.decode().removeprefix("\ufeff")
        for event in text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
            lines = [line for line in event.split("\n") if line.startswith("data:")]
            if lines:
                yield "\n".join(line[5:].removeprefix(" ") for line in lines)

    @property
    def events(self) -> list[Json]:
        return [json.loads(data) for data in self.data() if data.startswith("{")]

    @property
    def text(self) -> str:
        """The words of a stream or of a plain answer."""
        if not self.body.lstrip().startswith(b"{"):
            return "".join(delta.get("content") or "" for delta in self.deltas)
        return self.json["choices"][0]["message"]["content"] or ""

    @property
    def choices(self) -> list[Json]:
        return [choice for event in self.events for choice in event.get("choices", ())]

    @property
    def deltas(self) -> list[Json]:
        return [choice.get("delta") or {} for choice in self.choices]

    @property
    def finishes(self) -> list[str]:
        return [it["finish_reason"] for it in self.choices if it["finish_reason"]]

    @property
    def usages(self) -> list[Json]:
        return [event for event in self.events if event.get("usage")]

    @property
    def calls(self) -> list[Json]:
        return [call for delta in self.deltas for call in delta.get("tool_calls") or ()]

    @property
    def done(self) -> bool:
        return "[DONE]" in self.data()


async def ask(base_url: str, body: Json, *, path: str, patience: float = 10) -> Seen:
    """Send one request and read to the end, or for `patience` seconds."""
    at = urlsplit(base_url)
    sent = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
        "Content-Type: application/json\r\nConnection: close\r\n"
        f"Content-Length: {len(sent)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(head.encode() + sent)
    try:
        return _seen(*await _read(reader, patience))
    finally:
        writer.transport.abort()


async def _read(reader: asyncio.StreamReader, patience: float) -> tuple[bytes, End]:
    raw = bytearray()
    try:
        async with asyncio.timeout(patience):
            while data := await reader.read(1 << 20):
                raw += data
    except TimeoutError:
        return bytes(raw), "open"
    except ConnectionResetError:
        return bytes(raw), "reset"
    return bytes(raw), "cut"


def _seen(raw: bytes, end: End) -> Seen:
    head, _, rest = raw.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return Seen(head, [rest], end)
    writes: list[bytes] = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return Seen(head, writes, "tidy" if end == "cut" else end)
        writes.append(rest[:length])
        rest = rest[length + 2 :]
    return Seen(head, writes, end)
