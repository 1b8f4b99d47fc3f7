"""The bot's log: one event per line, on stderr and in a file, and no secret in it."""

import logging
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import quote

from loguru import logger

if TYPE_CHECKING:
    from loguru import Message

MARKER = "[withheld]"
FILE_BYTES = 10_000_000
KEPT_FILES = 5
# httpx tells of URLs with the token in them; python-telegram-bot quotes answers it cannot read.
QUIET = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "telegram": logging.CRITICAL}


class _PrivateFile(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.fdopen(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging calls it so
        """Go on without the line. It is on stderr, and a full disk ends nobody."""


class Sink:
    """Writes each line, redacted, to the stream and to the file."""

    def __init__(self, secrets: Iterable[str], stream: TextIO, file: Path | None) -> None:
        spellings = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
        self._spellings = sorted(spellings, key=len, reverse=True)
        self._stream = stream
        self._file: RotatingFileHandler | None = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._file = _PrivateFile(
                file, maxBytes=FILE_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True
            )

    def write(self, message: "Message") -> None:
        line = _line(message)
        for spelling in self._spellings:
            line = line.replace(spelling, MARKER)
        with suppress(OSError, ValueError):  # nobody may be listening any more
            self._stream.write(f"{line}\n")
            self._stream.flush()
        if self._file is not None:
            self._file.handle(logging.LogRecord("", 0, "", 0, line, None, None))

    def stop(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what was not written before will not be now
                self._file.close()


def _line(message: "Message") -> str:
    record = message.record
    time = record["time"].isoformat(" ", "milliseconds")
    fields = [f"{name}={_clean(str(value))}" for name, value in record["extra"].items()]
    first = " ".join([time, f"{record['level'].name:<8}", _clean(record["message"]), *fields])
    trace = [f"    {_clean(line.expandtabs())}" for line in str(message).rstrip("\n").split("\n")]
    return "\n".join([first, *trace] if str(message).strip() else [first])


def _clean(text: str) -> str:
    # Nobody may forge a line with a line break.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Intercept(logging.Handler):
    """Hands what libraries log to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        failed = record.exc_info if record.exc_info and record.exc_info[0] else None
        # Without arguments: loguru would read braces in the text as fields.
        entry = logger.bind(logger=record.name).opt(exception=failed)
        entry.log(record.levelname, record.getMessage())


def configure(
    *, level: str, file: Path | None, secrets: Iterable[str], stream: TextIO | None = None
) -> None:
    """Send all that is logged to `stream` (stderr) and to `file`, without `secrets`.

    Raises:
        OSError: the folder of the file cannot be made.
    """
    logger.remove()
    # `diagnose` would print the values of variables.
    logger.add(
        Sink(secrets, stream or sys.stderr, file),
        level=level,
        format=lambda _: "{exception}",
        backtrace=False,
        diagnose=False,
    )
    logging.basicConfig(handlers=[Intercept()], level=logging.WARNING, force=True)
    for name, lowest in QUIET.items():
        logging.getLogger(name).setLevel(lowest)
    logging.captureWarnings(capture=True)
