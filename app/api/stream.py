"""An answer as events, while it is written."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import orjson
from loguru import logger

from app.api.problems import problem_of
from app.chat.processor import Admitted, Processor
from app.errors import AppError
from wire.answer import Answer
from wire.reply import Said

EVENT_STREAM = "text/event-stream"
QUIET_SECONDS = 15.0  # proxies cut a connection on which nothing comes
_leaving: set[asyncio.Task[None]] = set()


async def events(processor: Processor, admitted: Admitted, request_id: str) -> AsyncIterator[bytes]:
    """Yield `progress`, `delta`s, and one `reply` or `error`.

    Closed before its end, it gives the turn up: the model stops, and the same message may be
    sent again. Cut off because the service stops, it leaves the turn open.
    """
    pieces: asyncio.Queue[str | None] = asyncio.Queue()
    work = asyncio.create_task(processor.work(admitted, pieces.put_nowait))
    work.add_done_callback(lambda _: pieces.put_nowait(None))
    quiet = _Heartbeat(pieces)
    try:
        yield event(b"progress", b'{"stage":"accepted"}')
        open_ = True
        while open_:
            taken = [await pieces.get()]
            while not pieces.empty():
                taken.append(pieces.get_nowait())
            open_ = None not in taken
            text = "".join(filter(None, taken))
            if text:
                yield event(b"delta", orjson.dumps({"text": text}))
            elif open_:
                yield b": still here\n\n"
        yield _last(work, request_id)
    finally:
        quiet.stop()
        if not work.done():
            # The server cancels whatever is awaited here, so that leaving is its own task.
            leaving = asyncio.create_task(_leave(processor, admitted, work))
            _leaving.add(leaving)
            leaving.add_done_callback(_leaving.discard)


async def _leave(processor: Processor, admitted: Admitted, work: "asyncio.Task[Answer]") -> None:
    logger.info("turn.left", turn=admitted.turn)
    # Given up first: the next turn of the conversation may go on as soon as this one ends. Where
    # it is the service that leaves, the turn stays open, for whoever takes it up.
    if not processor.lanes.draining:
        await processor.abandon(admitted)
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await work


def _last(work: "asyncio.Task[Answer]", request_id: str) -> bytes:
    failure = work.exception()
    if failure is None:
        return _said(b"reply", work.result())
    if not isinstance(failure, AppError):
        logger.opt(exception=failure).error("request.failed")
        failure = AppError()
    else:
        logger.warning("request.refused", status=int(failure.status), cause=failure.cause)
    return _said(b"error", problem_of(failure, request_id))


def _said(name: bytes, body: Said) -> bytes:
    return event(name, body.model_dump_json().encode())


def event(name: bytes, data: bytes) -> bytes:
    return b"event: " + name + b"\ndata: " + data + b"\n\n"


class _Heartbeat:
    """Puts an empty piece into the queue now and then: one timer, whatever the pieces."""

    def __init__(self, pieces: "asyncio.Queue[str | None]") -> None:
        self._pieces = pieces
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(QUIET_SECONDS, self._beat)

    def _beat(self) -> None:
        self._pieces.put_nowait("")
        self._timer = self._loop.call_later(QUIET_SECONDS, self._beat)

    def stop(self) -> None:
        self._timer.cancel()
