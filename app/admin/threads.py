"""Waiting for what cannot be cancelled, such as reading a large file."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Return what `work` returns. Whoever stops waiting is not held up by it.

    Not `asyncio.to_thread`, whose threads the end of the program waits for.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            _tell(loop, result, error=error)
        else:
            _tell(loop, result, value=value)

    threading.Thread(target=run, daemon=True).start()
    return await result


def _tell(
    loop: asyncio.AbstractEventLoop,
    result: "asyncio.Future[T]",
    *,
    value: T | None = None,
    error: Exception | None = None,
) -> None:
    def settle() -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]

    with suppress(RuntimeError):  # nobody waits any more, the loop is closed
        loop.call_soon_threadsafe(settle)
