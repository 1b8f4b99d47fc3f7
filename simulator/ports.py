"""Ports for programs that are started a moment later."""

import contextlib
import random
import socket
from typing import Final

# Systems take the ports of outgoing connections from 32768 on (Linux) or 49152 on (others): a port
# from there may be somebody's by the time that the program listens.
_RANGE: Final = range(20_000, 32_768)


def free_port(*wanted: int) -> int:
    """Return the first of `wanted` that nobody has, else another; each is on 127.0.0.1.

    Raises:
        OSError: no port is free.
    """
    for port in (*wanted, *random.sample(_RANGE, 100)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no port is free")
