"""Start the service: `python run_service.py`. With `--check` it only says whether it could."""

import gc

# What is loaded here stays. The collector would look through all of it again and again, which
# takes a third of the start.
gc.disable()

import sys

# httpx would bring its command line along, and with that libraries for drawing on terminals:
# 4 MB. It does without where they cannot be had.
sys.modules["httpx._main"] = None  # type: ignore[assignment]

import argparse
import asyncio
import os
import re
import signal
from collections.abc import Sequence

from loguru import logger
from uvicorn.loops.auto import auto_loop_factory

from app import logs, starting
from app.redaction import Redactor
from app.serving import serve
from app.settings import Settings, SettingsRefused
from app.starting import CannotListen
from app.storage.migrate import NewerDatabase
from app.storage.sealed import KeyRefused
from app.storage.store import StorageRefused

gc.freeze()
gc.enable()

NOT_CONFIGURED = 78  # EX_CONFIG of sysexits.h: a supervisor need not try again
INTERRUPTED = 128 + signal.SIGINT
PRIVATE = 0o077
SETTING = re.compile("[A-Z_, ]+: ")  # a reason that begins with the names of settings


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The chat service.")
    parser.add_argument("--check", action="store_true", help="say what keeps it from starting")
    check = parser.parse_args(arguments).check
    os.umask(PRIVATE)
    try:
        settings = starting.read(to_start=not check)
        if check:
            print("The service can start with these settings.")  # noqa: T201 - asked for
            return 0
        _configure_log(settings)
    except SettingsRefused as error:
        return refused(*error.reasons)
    try:
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(serve(settings))
    except (StorageRefused, NewerDatabase, KeyRefused, CannotListen) as error:
        return refused(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _configure_log(settings: Settings) -> None:
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
        raise SettingsRefused([f"LOG_FILE cannot be written: {error.strerror}"]) from error
    for warning in starting.warnings(settings):
        logger.warning("settings.doubtful", why=warning)


def refused(*reasons: str) -> int:
    """Say why, one line each; return the exit status."""
    if len(reasons) == 1:
        lines = [f"The service cannot start: {reasons[0]}."]
    else:
        lines = ["The service cannot start:", *(f"  - {reason}" for reason in reasons)]
    if len(reasons) > 1 or SETTING.match(reasons[0]):
        lines.append("`make env` writes a .env that works; .env.example explains it.")
    print("\n".join(lines), file=sys.stderr)  # noqa: T201 - there may be no log yet
    return NOT_CONFIGURED


if __name__ == "__main__":
    sys.exit(main())
