"""Turns of a made-up queue, each told apart by its message id."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.storage import turns as table
from app.storage.sealed import Sealer
from app.storage.tables import turns
from app.storage.turns import Added, Key, NewTurn, Taken

MINE, THEIRS = "mine", "theirs"
NOW = 1_800_000_000.0


def key(message: str, chat: str = "c", caller: str = "internal") -> Key:
    return Key(caller, "internal", chat, message)


@dataclass(frozen=True, slots=True)
class Queue:
    """The calls on the table of turns, with what does not matter to a test filled in."""

    db: Connection
    sealer: Sealer

    def known(self, message: str, body: str = "body") -> bytes | None:
        return table.known(
            self.db, self.sealer, key(message), self.sealer.fingerprint(body.encode())
        )

    def add(
        self,
        message: str,
        *,
        conversation: int = 1,
        owner: str = MINE,
        now: float = NOW,
        user: str = "u",
        body: str = "body",
    ) -> Added:
        mark = self.sealer.fingerprint(body.encode())
        new = NewTurn(key(message), user, conversation, mark, f"request of {message}".encode())
        return table.add(self.db, self.sealer, new, owner, now)

    def take(self, turn: int, owner: str = MINE, now: float = NOW) -> Taken | None:
        return table.take(self.db, self.sealer, turn, owner, now)

    def finish(self, turn: int, owner: str = MINE, reply: bytes | None = b"reply") -> bool:
        ids = self.db.execute(
            select(*(turns.c[name] for name in Key._fields)).where(turns.c.id == turn)
        ).one()
        return table.finish(self.db, self.sealer, turn, Key(*ids), owner, reply)

    def row(self, turn: int) -> dict[str, object]:
        return dict(self.db.execute(select(turns).where(turns.c.id == turn)).mappings().one())

    def messages(self) -> list[str]:
        return list(self.db.execute(select(turns.c.message_id).order_by(turns.c.id)).scalars())
