"""Start the service: `python run_service.py`."""

import asyncio
import gc
import os
import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI
from uvicorn.loops.auto import auto_loop_factory

from app import logs
from app.api.protocol import Limits, protocol
from app.main import create_app
from app.redaction import Redactor
from app.settings import Settings, SettingsRefused, read_settings
from app.storage.migrate import NewerDatabase
from app.storage.sealed import KeyRefused
from app.storage.sqlite import StorageRefused

NOT_CONFIGURED = 78  # EX_CONFIG of sysexits.h: a supervisor need not try again
INTERRUPTED = 128 + signal.SIGINT
PRIVATE = 0o077
COLLECT_AFTER = (5_000, 20, 20)  # a message makes some hundred objects
BACKLOG = 2048  # connections that wait to be accepted


class Server(uvicorn.Server):
    """Tells everybody that it is about to stop, before it does."""

    app: FastAPI

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.app.state.parts.health.draining = True
        self.app.state.parts.outbox.close()
        super().handle_exit(sig, frame)


class CannotListen(Exception):
    """Nobody could reach the service. The text says where it was to listen, and why not."""


async def serve(settings: Settings) -> None:
    """Serve until a signal.

    Raises:
        StorageRefused, NewerDatabase, KeyRefused, CannotListen: the text says why.
    """
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=protocol(Limits()),
        ws="none",
        lifespan="off",  # entered here, so that a refusal is one line and no traceback
        log_config=None,
        access_log=False,
        proxy_headers=False,  # app.api.auth decides whom to believe
        server_header=False,
        timeout_graceful_shutdown=settings.service.drain_seconds,
    )
    server = Server(config)
    server.app = app
    async with app.router.lifespan_context(app):
        with listener(settings.service.api_host, settings.service.api_port) as door:
            # uvicorn raises the signal again when it has stopped: by then only closing is left
            # to do. Not ignored earlier, or a signal during the start would be lost.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: None)
            _settle()
            await server.serve([door])


def _settle() -> None:
    """Take what the start made out of the collector's sight: it would look at it for ever."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        CannotListen: the port is taken or not allowed, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else "unknown host"
        raise CannotListen(f"{host}:{port} cannot be listened on: {reason}") from error


def main() -> int:
    os.umask(PRIVATE)
    try:
        settings = read_settings()
    except SettingsRefused as error:
        print("The service cannot start:", file=sys.stderr)  # noqa: T201 - no log yet
        for reason in error.reasons:
            print(f"  - {reason}", file=sys.stderr)  # noqa: T201
        print("`make env` writes a .env that works; .env.example explains it.", file=sys.stderr)  # noqa: T201
        return NOT_CONFIGURED
    log = settings.log
    try:
        logs.configure(
            level=log.log_level,
            file=log.log_file,
            rotation=log.log_rotation,
            format=log.log_format,
            redact=Redactor(settings.secrets()),
        )
    except OSError as error:
        return refused(f"LOG_FILE cannot be written: {error.strerror}")
    try:
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(serve(settings))
    except (StorageRefused, NewerDatabase, KeyRefused, CannotListen) as error:
        return refused(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def refused(reason: str) -> int:
    print(f"The service cannot start: {reason}.", file=sys.stderr)  # noqa: T201
    return NOT_CONFIGURED


if __name__ == "__main__":
    sys.exit(main())
