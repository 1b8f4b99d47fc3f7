"""A processor on a real database, with a clock that is told the time and a scripted model."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from app.chat.lanes import Lanes
from app.chat.limits import LocalLimits
from app.chat.memory import Memory
from app.chat.outbox import Outbox
from app.chat.pictures import Pictures
from app.chat.processor import Processor
from app.chat.stops import Stops
from app.images import Images
from app.llm.base import Ask, Completion, Say
from app.storage.sealed import Sealer
from app.storage.store import Store
from tests.fakes import NOW, PLATFORMS, ScriptedModel, catalogue, conversation
from wire.answer import Answer
from wire.message import Message

LIFETIME = 1800.0
_NUMBERS = itertools.count(1)


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


class HeldModel(ScriptedModel):
    """Answers when it is let go."""

    def __init__(self, *lines: Any) -> None:
        super().__init__(*lines)
        self.asking = asyncio.Event()
        self.go = asyncio.Event()

    async def complete(self, ask: Ask, say: Say | None = None) -> Completion:
        self.asking.set()
        await self.go.wait()
        return await super().complete(ask, say)


def message(text: str = "Hi", **fields: Any) -> Message:
    ids = {"platform": "internal", "user_id": "u1", "chat_id": "c1"}
    given = {**ids, "message_id": f"m{next(_NUMBERS)}", "text": text, **fields}
    return Message.model_validate(given)


@dataclass
class Bench:
    """One process: what it holds ends with it, the database does not."""

    store: Store
    sealer: Sealer
    model: ScriptedModel
    images: Images
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        known = catalogue()
        self.memory = Memory(self.store, self.sealer, known, LIFETIME)
        self.lanes = Lanes(self.store, self.sealer, self.clock)
        self.processor = Processor(
            platforms=PLATFORMS,
            memory=self.memory,
            lanes=self.lanes,
            limits=LocalLimits(),
            pictures=Pictures(self.images, 1_000_000),
            stops=Stops(self.store),
            conversation=conversation(self.model, known),
            outbox=Outbox(self.store, self.sealer, self.clock),
            clock=self.clock,
        )

    async def hear(self, said: Message, say: Say | None = None) -> Answer:
        return await self.processor.work(await self.processor.admit(said, said.platform), say)

    async def rows(self, columns: str = "state") -> list[Any]:
        statement = f"SELECT {columns} FROM turns ORDER BY id"
        found = await self.store.run(lambda db: db.exec_driver_sql(statement).all())
        return [row[0] if len(row) == 1 else tuple(row) for row in found]


@contextmanager
def bench(store: Store, sealer: Sealer, model: ScriptedModel) -> Iterator[Bench]:
    with Images() as images:
        yield Bench(store, sealer, model, images)


@asynccontextmanager
async def kept(one: Bench) -> AsyncIterator["asyncio.Task[None]"]:
    """Let the process care for its leases and for orphans."""
    task = asyncio.create_task(one.lanes.keep(one.processor.resume))
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
