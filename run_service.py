"""Start the service: `python run_service.py`."""

import asyncio
import os
import signal
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
PRIVATE = 0o077


class Server(uvicorn.Server):
    """Tells everybody that it is about to stop, before it does."""

    app: FastAPI

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.app.state.parts.health.draining = True
        super().handle_exit(sig, frame)


async def serve(settings: Settings) -> None:
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.service.api_host,
        port=settings.service.api_port,
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
        await server.serve()


def main() -> int:
    os.umask(PRIVATE)
    try:
        settings = read_settings()
    except SettingsRefused as refused:
        print("The service cannot start:", file=sys.stderr)  # noqa: T201 - no log yet
        for reason in refused.reasons:
            print(f"  - {reason}", file=sys.stderr)  # noqa: T201
        print("`make env` writes a .env that works; .env.example explains it.", file=sys.stderr)  # noqa: T201
        return NOT_CONFIGURED
    log = settings.log
    logs.configure(
        level=log.log_level,
        file=log.log_file,
        rotation=log.log_rotation,
        format=log.log_format,
        redact=Redactor(settings.secrets()),
    )
    # uvicorn raises the signal again when it has stopped; by then only closing is left to do.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(serve(settings))
    except (StorageRefused, NewerDatabase, KeyRefused) as refused:
        print(f"The service cannot start: {refused}.", file=sys.stderr)  # noqa: T201
        return NOT_CONFIGURED
    return 0


if __name__ == "__main__":
    sys.exit(main())
