"""A provider that says exactly the bytes it is told to."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, Literal

Step = bytes | float | Literal["reset", "close", "hang"]

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(text: str = "", **members: Any) -> bytes:
    """Return a chunk of an answer, framed for the wire."""
    finish = members.pop("finish", None)
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return sent({"model": "m", "choices": [choice], **members})


def sent(body: object) -> bytes:
    return chunked(b"data: " + json.dumps(body).encode() + b"\n\n")


def stream(*events: bytes) -> tuple[Step, ...]:
    """Return a whole and tidy event stream."""
    return (EVENTS + b"".join(events) + chunked(b"data: [DONE]\n\n") + END,)


def reply(status: int, body: object, *headers: str) -> tuple[Step, ...]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", *headers]
    return ("\r\n".join(head).encode() + b"\r\n\r\n" + data,)


@dataclass
class Upstream:
    """Plays one script for each request; the last one is played again and again."""

    scripts: list[Sequence[Step]]
    url: str = ""
    heads: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    many: int = 0  # so many connections at once set `crowd`
    crowd: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.connections == self.many:
            self.crowd.set()
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        lines = [line.partition(": ") for line in head.split("\r\n")]
        length = next((int(at[2]) for at in lines if at[0].lower() == "content-length"), 0)
        if length:
            self.bodies.append(json.loads(await reader.readexactly(length)))
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        for step in script:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, float):
                await asyncio.sleep(step)
            elif step == "hang":
                await reader.readexactly(1)
            else:
                linger = struct.pack("ii", 1, 0)
                if step == "reset":
                    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, linger)
                return False
        return True


@asynccontextmanager
async def upstream(*scripts: Sequence[Step]) -> AsyncIterator[Upstream]:
    told = Upstream(list(scripts))
    server = await asyncio.start_server(told.handle, "127.0.0.1", 0)
    told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1"
    try:
        yield told
    finally:
        server.close()
