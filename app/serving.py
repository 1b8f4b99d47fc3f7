"""Serving until a signal, and an end at which nothing is lost.

SIGTERM begins the drain: `/health/ready` says 503, nothing new is taken, and what is being
answered has `DRAIN_SECONDS`. Then streams and connections are closed, and turns that are still
open are left for whoever takes them up. A second signal goes there at once. Whatever hangs, a
thread ends the process in time: what was accepted is on the disk.
"""

import asyncio
import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from loguru import logger

from app.api.parts import Parts
from app.api.protocol import Limits, protocol
from app.errors import AppError
from app.main import create_app
from app.settings import Settings
from app.starting import bound, listen
from app.storage.store import Store, ask
from wire.supervisor import Supervisor

CLOSING_SECONDS = 1  # for replies that are on their way when all is answered
CUT_SECONDS = 0.5  # for requests that are cut off to say so
LAST_SECONDS = 4.5  # for all that follows the drain
HURRIED_SECONDS = 1.5  # after a second signal
PATIENCE = 0.9  # of the time between two looks, for the storage to answer
TAKEN_AT_ONCE = 32  # connections
COLLECT_AFTER = (5_000, 20, 20)  # a message makes some hundred objects


async def serve(settings: Settings) -> None:
    """Serve until a signal.

    Raises:
        StorageRefused, NewerDatabase, KeyRefused, CannotListen: the text says why.
    """
    supervisor = Supervisor()
    app = create_app(settings)
    service = settings.service
    # Taken before anything is opened: the port is what is most often in the way.
    with bound(service.api_host, service.api_port) as door:
        async with app.router.lifespan_context(app):
            server = Server(app, service.drain_seconds, supervisor)
            listen(door)
            # From here to the end of the process. A signal before this ends it as it is.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: server.stop())
            _settle()
            watching = asyncio.create_task(_watch(supervisor, app.state.parts.memory.store))
            try:
                await server.serve(doors_of(door))
            finally:
                watching.cancel()


def doors_of(door: socket.socket) -> list[socket.socket]:
    """Return a listening socket with copies of it; whoever serves them closes them.

    uvloop takes one connection from each socket on its way around. While the service is busy
    that takes long, and newcomers would wait for seconds, those who ask for its health too.
    """
    return [door, *(door.dup() for _ in range(TAKEN_AT_ONCE - 1))]


class Server(uvicorn.Server):
    """uvicorn's, with a drain of its own: that one stops to listen before it waits."""

    def __init__(self, app: FastAPI, drain_seconds: float, supervisor: Supervisor) -> None:
        config = uvicorn.Config(
            app,
            http=protocol(Limits()),
            ws="none",
            lifespan="off",  # entered by `serve`, so that a refusal is one line and no traceback
            log_config=None,
            access_log=False,
            proxy_headers=False,  # app.api.auth decides whom to believe
            server_header=False,
            timeout_graceful_shutdown=CLOSING_SECONDS,
        )
        super().__init__(config)
        self._parts: Parts = app.state.parts
        self._drain_seconds = drain_seconds
        self._drained_at: float | None = None
        self._supervisor = supervisor

    def stop(self) -> None:
        """Begin the drain; called again, end it. Safe within a signal handler: it only marks."""
        if self._drained_at is None:
            self._drained_at = time.monotonic() + self._drain_seconds
            self._parts.drain()
            _end_within(self._drain_seconds + LAST_SECONDS)
        else:
            self.force_exit = True
            _end_within(HURRIED_SECONDS)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # `serve` has taken them, for longer than uvicorn would

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._supervisor.tell("Takes messages.", READY=1)

    async def main_loop(self) -> None:
        await super().main_loop()
        logger.info("service.drained", in_time=not self._busy())

    async def on_tick(self, counter: int) -> bool:
        await super().on_tick(counter)
        if self._drained_at is None:
            return False
        if not self.should_exit:
            self.should_exit = True  # said once
            self._supervisor.tell("Finishes what is being answered.", STOPPING=1)
            logger.info("service.draining", seconds=self._drain_seconds)
        return self.force_exit or time.monotonic() >= self._drained_at or not self._busy()

    def _busy(self) -> bool:
        connections = self.server_state.connections
        return self._parts.processor.lanes.busy or any(
            getattr(connection, "at_work", False) for connection in connections
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._parts.outbox.close()
        await super().shutdown(sockets)
        if running := set(self.server_state.tasks):
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=CUT_SECONDS)


def _end_within(seconds: float) -> None:
    """End the process then, if it is still there; what hangs in it may not even see signals."""

    def end() -> None:
        os.write(2, b"The service did not end by itself and is ended now.\n")
        os._exit(0)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


async def _watch(supervisor: Supervisor, store: Store) -> None:
    """Say that all is well as long as the event loop and the storage answer."""
    if (interval := supervisor.interval) is None:
        return
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        if await answers(store, interval * PATIENCE):
            supervisor.tell(WATCHDOG=1)
        else:
            logger.critical("watchdog.storage_silent", seconds=interval * PATIENCE)
        await asyncio.sleep(began + interval - loop.time())


async def answers(store: Store, seconds: float) -> bool:
    """Tell whether the storage says something in time.

    That it is away is an answer too: a restart would not bring it back.
    """
    try:
        await ask(store, seconds)
    except TimeoutError:
        return False
    except AppError:
        return True
    return True


def _settle() -> None:
    """Take what the start made out of the collector's sight: it would look at it for ever."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
