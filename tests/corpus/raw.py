"""Says bytes to a server and reads what comes back, whatever it is."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple


class Heard(NamedTuple):
    """One reply. `status` is 0 where the connection ended without one."""

    status: int
    headers: Mapping[str, str]
    body: bytes


NOTHING = Heard(0, {}, b"")


async def send_raw(host: str, port: int, raw: bytes, *, patience: float = 5.0) -> Heard:
    """Send `raw` over a connection of its own and return the first reply.

    The connection stays open until the reply is there: closing one half early would be
    another request. An interim 100 is skipped.

    Raises:
        TimeoutError: no whole reply came within `patience` seconds.
    """
    async with asyncio.timeout(patience):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            return await exchange(reader, writer, raw)
        finally:
            writer.transport.abort()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes) -> Heard:
    """Do as `send_raw` does on an open connection."""
    writer.write(raw)
    # A server that has heard enough closes while the rest is still on its way.
    sending = asyncio.create_task(_drain(writer))
    try:
        return await hear(reader, head=raw.startswith(b"HEAD "))
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def hear(reader: asyncio.StreamReader, *, head: bool = False) -> Heard:
    """Read one reply."""
    try:
        start = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return NOTHING
    first, *lines = start.decode("latin-1").rstrip().split("\r\n")
    status = int(first.split(" ")[1])
    if status == 100:
        return await hear(reader, head=head)
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    return Heard(status, headers, b"" if head else await _body(reader, headers))


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "event-stream" in headers.get("content-type", ""):
        return b""  # it has no end
    if (length := headers.get("content-length")) is not None:
        return await reader.readexactly(int(length))
    if headers.get("transfer-encoding") != "chunked":
        return await reader.read()
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body


async def _drain(writer: asyncio.StreamWriter) -> None:
    try:
        await writer.drain()
    except ConnectionError:
        return
