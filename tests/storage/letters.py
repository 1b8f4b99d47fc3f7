"""Deliveries of a made-up outbox."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.storage import deliveries as table
from app.storage.deliveries import START, Due, Mark, State, Target
from app.storage.sealed import Sealer
from app.storage.tables import deliveries
from tests.storage.queue import NOW

TELEGRAM, INTERNAL = "telegram", "internal"
MOST = 100


def to(chat: str = "7", platform: str = TELEGRAM, user: str = "7") -> Target:
    return Target(platform, chat, None, "1", user)


@dataclass(frozen=True, slots=True)
class Letters:
    """The calls on the table of deliveries, with what does not matter to a test filled in."""

    db: Connection
    sealer: Sealer

    def add(
        self,
        reply: str | None = "Hello.",
        target: Target | None = None,
        *,
        turn: int | None = None,
        edits: tuple[str, ...] = (),
        now: float = NOW,
    ) -> int:
        said = None if reply is None else reply.encode()
        return table.add(
            self.db, self.sealer, target or to(), now, turn=turn, reply=said, edits=edits
        )

    def answer(self, turn: int, reply: str) -> None:
        table.answer(self.db, self.sealer, turn, to(), reply.encode())

    def grow(self, turn: int, text: str) -> None:
        table.grow(self.db, self.sealer, turn, to(), text.encode())

    def due(
        self,
        since: Mark = START,
        platform: str = TELEGRAM,
        most: int = MOST,
        again: tuple[int, ...] = (),
        beyond: int = 0,
    ) -> list[Due]:
        return table.due(self.db, self.sealer, platform, since, most, beyond=beyond, again=again)[0]

    def only(self) -> Due:
        (one,) = self.due()
        return one

    def state(self, number: int) -> State | None:
        found = table.find(self.db, number)
        return None if found is None else found.state

    def row(self, number: int) -> dict[str, object]:
        found = select(deliveries).where(deliveries.c.id == number)
        return dict(self.db.execute(found).mappings().one())
