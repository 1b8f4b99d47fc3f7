"""What HTTP servers do not let an app do: reset a connection, or write past the protocol."""

import asyncio
import socket
import struct
from typing import cast

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "simulator.transport"


class OpenProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with the connection handed to the app in `scope["extensions"]`."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"transport": self.transport}}


def transport_of(scope: Scope) -> asyncio.Transport:
    """Return the connection of a request.

    Raises:
        RuntimeError: the server does not run `OpenProtocol`.
    """
    extension = scope.get("extensions", {}).get(EXTENSION)
    if extension is None:
        raise RuntimeError("Serve the simulator with OpenProtocol.")
    return cast("asyncio.Transport", extension["transport"])


def reset(scope: Scope) -> None:
    """Drop the connection with a TCP reset: what was written and not yet sent is lost too."""
    transport = transport_of(scope)
    peer: socket.socket = transport.get_extra_info("socket")
    # Zero seconds of lingering is what makes the kernel send RST instead of FIN.
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def hang_up(scope: Scope) -> None:
    """Close the connection after what was written, whatever HTTP still promised."""
    transport_of(scope).close()


async def gone(receive: Receive) -> None:
    """Return when the other side, or we, have closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
