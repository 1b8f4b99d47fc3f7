"""Which answers are being written for delivery, and how each is stopped, wherever that is."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from app.chat.growth import Growth
from app.chat.kept import INBOX
from app.sessions.answering import is_answered
from app.sessions.sessions import Place
from app.storage.store import Store


@dataclass(slots=True)
class Running:
    """A delivered turn that is being answered, and may be stopped."""

    task: "asyncio.Task[Any]"
    growth: Growth
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Stops:
    """`tell` lets other processes "stop" an answer; False where they cannot be reached.

    None where there are no others.
    """

    store: Store
    tell: Callable[[str, str], bool] | None = None
    here: dict[Place, Running] = field(default_factory=dict)

    @contextmanager
    def running(self, place: Place, growth: Growth) -> Iterator[Running]:
        """Let the answer of this task be stopped as long as the block lasts."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        self.here[place] = running = Running(task, growth)
        try:
            yield running
        finally:
            del self.here[place]

    def stop(self, place: Place) -> bool:
        """Stop the answer that is being written there; False where there is none."""
        running = self.here.get(place)
        if running is None:
            return False
        running.stopped = True
        running.task.cancel()
        return True

    async def runs_elsewhere(self, place: Place) -> bool:
        """Tell whether another process is writing an answer there, as far as we may stop it."""
        if self.tell is None or place in self.here:
            return False
        return await self.store.run(partial(is_answered, place=place, caller=INBOX))

    def stop_elsewhere(self, place: Place) -> bool:
        """Ask the process that is writing there to stop; False where it cannot be reached."""
        return self.tell is not None and self.tell("stop", orjson.dumps([*place]).decode())

    def asked(self, told: str) -> None:
        """Stop the answer that another process was asked to stop, if it is ours."""
        self.stop(Place(*orjson.loads(told)))
