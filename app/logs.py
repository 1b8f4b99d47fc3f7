"""The log: one event per line, in the terminal and in a file that is rotated.

Every line passes `redact` as a whole, traceback included, before anybody sees it. Line breaks
and control characters in what others wrote are escaped, so that nobody can forge a line.
"""

import json
import logging
import os
import re
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, TextIO

from loguru import logger

if TYPE_CHECKING:
    from loguru import Message, Record

# At INFO these tell of URLs with tokens in them, of statements with their values, or of each
# request a second time.
QUIET: Final = (
    "PIL",
    "aiohttp.access",
    "alembic",
    "httpcore",
    "httpx",
    "sqlalchemy",
    "uvicorn.access",
)

_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMG]?)B?", re.IGNORECASE)
_BARE = re.compile(r"[\w./:@+,;%#~^!?()\[\]{}<>*&|$-]+", re.ASCII)
_INDENT: Final = "    "


class RotatingFile:
    """A file for its owner alone that begins anew before it exceeds `limit` bytes.

    Older ones are called `….1` to `….<kept>`, the newest first. A file that somebody else moved
    away is made again: instances may share one, and `logrotate` may come by.
    """

    def __init__(self, path: Path, *, limit: int, kept: int) -> None:
        self._path = path
        self._limit = limit
        self._kept = kept
        self._open()

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Appended without a buffer: a line is whole, and kept when the process is killed.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(self._path, flags, 0o600)
        found = os.fstat(self._file)
        if stat.S_ISREG(found.st_mode):  # and not /dev/null
            self._path.chmod(0o600)
        self._place = found.st_dev, found.st_ino

    def write(self, line: bytes) -> None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - Path.stat takes twice as long
        except OSError:
            found = None
        if found is None or (found.st_dev, found.st_ino) != self._place or self._file < 0:
            self.close()
            self._open()
        elif found.st_size and found.st_size + len(line) > self._limit:
            self._rotate()
        os.write(self._file, line)

    def _rotate(self) -> None:
        self.close()
        names = [self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._kept + 1)]
        for older, newer in zip(names[::-1], [*names[-2::-1], self._path], strict=True):
            with suppress(FileNotFoundError):
                newer.replace(older)
        self._open()

    def close(self) -> None:
        if self._file >= 0:
            # The number belongs to the next file or socket that is opened.
            number, self._file = self._file, -1
            os.close(number)


class Sink:
    """Makes a line of a record, once, and writes it to the stream and the file."""

    def __init__(
        self,
        render: "Callable[[Record, str], str]",
        redact: Callable[[str], str],
        stream: TextIO,
        file: RotatingFile | None,
    ) -> None:
        self._render = render
        self._redact = redact
        self._stream = stream
        self._file = file
        self._file_failed = False

    def write(self, message: "Message") -> None:
        try:
            line = self._redact(self._render(message.record, str(message)))
        # loguru would print the record of a line that failed, with all that is in it.
        except Exception as error:  # noqa: BLE001 - see above
            line = f"ERROR log.line_lost cause={type(error).__name__}\n"
        self._show(line)
        if self._file is not None:
            self._keep(self._file, line)

    def _show(self, line: str) -> None:
        # Nobody may be listening any more. A service does not end over that.
        with suppress(OSError, ValueError):
            self._stream.write(line)
            self._stream.flush()

    def _keep(self, file: RotatingFile, line: str) -> None:
        try:
            file.write(line.encode(errors="backslashreplace"))
            self._file_failed = False
        except OSError as error:
            # The disk may be full for hours, with a line for each second of it.
            if not self._file_failed:
                self._show(f"ERROR log.file_failed errno={error.errno}\n")
            self._file_failed = True

    def stop(self) -> None:
        if self._file is not None:
            self._file.close()


def as_text(record: "Record", trace: str) -> str:
    fields = dict(record["extra"])
    request_id = fields.pop("request_id", None)
    time = record["time"].isoformat(" ", "milliseconds")
    parts = [time, f"{record['level'].name:<8}", _clean(record["message"])]
    parts += [f"{_clean(str(name))}={_value(value)}" for name, value in fields.items()]
    if request_id is not None:
        parts.append(f"request_id={_value(request_id)}")
    lines = [" ".join(parts)]
    if trace:
        lines += [_INDENT + _clean(line.expandtabs()) for line in trace.rstrip("\n").split("\n")]
    return "\n".join(lines) + "\n"


def as_json(record: "Record", trace: str) -> str:
    fields = dict(record["extra"])
    line = {
        "time": record["time"].isoformat(timespec="milliseconds"),
        "level": record["level"].name,
        "event": record["message"],
        "request_id": fields.pop("request_id", None),
        "fields": fields,
        "exception": trace or None,
    }
    # ASCII, so that what is no character, or turns the direction of writing, does no harm.
    try:
        return json.dumps(line, allow_nan=False, default=str) + "\n"
    except (TypeError, ValueError):  # NaN, a circle, a key that is no string
        line["fields"] = {str(name): str(value) for name, value in fields.items()}
        return json.dumps(line, default=str) + "\n"


def _value(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    if _BARE.fullmatch(text):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_clean(quoted)}"'


def _clean(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Intercept(logging.Handler):
    """Hands what libraries log to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        try:
            text = record.getMessage()
        # Whatever a library gets wrong in a log call, it must not hear of it from here.
        except Exception:  # noqa: BLE001 - see above
            text = str(record.msg)
        failed = record.exc_info if record.exc_info and record.exc_info[0] else None
        # Without arguments, because with them loguru would read braces in the text as fields.
        logger.bind(logger=record.name).opt(exception=failed).log(level, text)


def configure(
    *,
    level: str,
    file: Path | None,
    redact: Callable[[str], str],
    rotation: str | int = "10 MB",
    retention: int = 10,
    format: Literal["text", "json"] = "text",  # noqa: A002 - the name of the setting
    stream: TextIO | None = None,
) -> Callable[[], None]:
    """Send all that is logged to `stream` (stderr) and to `file`; return what ends that.

    loguru's other sinks are removed. Python's own logging, its warnings and uncaught errors
    come in too. `rotation` is the size at which the file is rotated, in bytes or as `10 MB`;
    `retention` is the number of older files, 1 at least.

    Raises:
        ValueError: there is no such level, size or number.
        OSError: the file cannot be opened.
    """
    lowest = logger.level(level.upper()).no
    if retention < 1:
        raise ValueError("at least one older log file is kept")
    kept = None if file is None else RotatingFile(file, limit=size(rotation), kept=retention)
    sink = Sink(as_json if format == "json" else as_text, redact, stream or sys.stderr, kept)
    logger.remove()
    # The sink makes the line itself, and needs only the traceback from loguru. `diagnose`
    # would print the values of variables.
    number = logger.add(
        sink, level=lowest, format=lambda _: "{exception}", backtrace=False, diagnose=False
    )
    restore = _join_logging(lowest)

    def end() -> None:
        restore()
        with suppress(ValueError):  # another call has removed it
            logger.remove(number)

    return end


def size(rotation: str | int) -> int:
    """Return bytes. `10 MB` are ten million."""
    found = _SIZE.fullmatch(str(rotation).strip())
    if found is None or not (limit := int(float(found[1]) * _UNITS[found[2].upper()])):
        raise ValueError("a size such as `10 MB` is needed")
    return limit


def _join_logging(lowest: int) -> Callable[[], None]:
    root = logging.getLogger()
    before, level_before = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook
    root.handlers[:] = [Intercept()]
    root.setLevel(lowest)
    # uvicorn and others come with handlers of their own.
    for name in list(root.manager.loggerDict):
        one = logging.getLogger(name)
        one.handlers.clear()
        one.propagate = True
    levels = {name: logging.getLogger(name).level for name in QUIET}
    for name in QUIET:
        logging.getLogger(name).setLevel(max(lowest, logging.WARNING))
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def restore() -> None:
        logging.captureWarnings(capture=False)
        sys.excepthook, threading.excepthook = hooks
        root.handlers[:] = before
        root.setLevel(level_before)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)

    return restore


def _uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logger.opt(exception=(kind, error, trace)).critical("process.uncaught")
