"""A simulated Telegram of which one looks at the updates, as the service gets them."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.platforms.telegram import Bot, Incoming, Read, read
from simulator.telegram import TelegramWorld
from simulator.telegram.people import People

MINA, JONAS = 1001, 1002
NAME = "@arash_sim_bot"
EVERYTHING = ["message", "edited_message", "callback_query", "my_chat_member"]
Json = dict[str, Any]
Act = Callable[[People], Any]


def world_of_all() -> TelegramWorld:
    """Return a world whose bot reads everything that is said in groups."""
    world = TelegramWorld(clock=lambda: 1_790_000_000.0, pace=False, reads_all_in_groups=True)
    world.updates.allowed = list(EVERYTHING)
    return world


def changed(update: Json, **fields: Any) -> Json:
    """Return an update whose message, or press, has other fields; None takes one away."""
    made = copy.deepcopy(update)
    part = made.get("message") or made["callback_query"]
    for name, value in fields.items():
        if value is None:
            part.pop(name, None)
        else:
            part[name] = value
    return made


@dataclass
class Ear:
    """Hears what people do, one update after the other."""

    world: TelegramWorld = field(default_factory=world_of_all)

    @property
    def bot(self) -> Bot:
        return Bot(str(self.world.bot_id), self.world.username)

    def all(self, act: Act) -> list[Json]:
        """Return the updates that something causes."""
        self.world.updates.waiting.clear()
        act(self.world.people)
        return [update.json() for update in self.world.updates.waiting]

    def one(self, act: Act) -> Json:
        (update,) = self.all(act)
        return update

    def read(self, act: Act) -> Read:
        return read(self.one(act), self.bot)

    def message(self, act: Act) -> Incoming:
        incoming = self.read(act)
        assert isinstance(incoming, Incoming)
        return incoming

    def topic(self) -> tuple[int, int]:
        """Return a group with topics, and one of them."""
        group = self.world.people.found(MINA, "Forum", [JONAS], forum=True)
        return group.id, self.world.people.open_topic(MINA, group.id, "Routers")

    def answer(self, chat: int, text: str = "Yes?", **more: Any) -> int:
        """Let the bot say something, and return the message's number."""
        kept = self.world.keep(self.world.chats[chat], self.world.bot_id, {"text": text}, **more)
        return kept.id
