"""People, chats and messages, and how the Bot API describes them."""

from dataclasses import dataclass, field
from typing import Any

from simulator.telegram.failure import Json

TYPING_LIFE = 5.0  # seconds


@dataclass
class Person:
    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = "en"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def json(self) -> Json:
        more = {"last_name": self.last_name, "username": self.username}
        return {
            "id": self.id,
            "is_bot": False,
            "first_name": self.first_name,
            **{name: value for name, value in more.items() if value},
            "language_code": self.language_code,
        }

    def chat(self) -> Json:
        more = {"last_name": self.last_name, "username": self.username}
        return {
            "id": self.id,
            "type": "private",
            "first_name": self.first_name,
            **{name: value for name, value in more.items() if value},
        }


@dataclass
class Kept:
    """One message. `content` is what differs by kind, as the Bot API has it."""

    id: int
    chat: int
    sender: int
    date: int
    content: Json
    reply_to: int | None = None
    thread: int | None = None
    markup: Json | None = None
    edited: int | None = None
    album: str | None = None

    @property
    def is_text(self) -> bool:
        return "text" in self.content


@dataclass
class Chat:
    """A private chat (its id is the person's) or a group.

    `topics` are names by thread; a message of another thread has no place then. `away` says
    why the bot cannot write here, empty while it can. `read` is the last message seen, by person.
    """

    id: int
    type: str
    title: str = ""
    members: list[int] = field(default_factory=list)
    topics: dict[int, str] = field(default_factory=dict)
    is_forum: bool = False
    bot_is_admin: bool = False
    away: str = ""
    moved_to: int | None = None
    next_id: int = 1
    messages: dict[int, Kept] = field(default_factory=dict)
    read: dict[int, int] = field(default_factory=dict)
    typing: tuple[str, int | None, float] | None = None  # action, thread, until

    @property
    def is_private(self) -> bool:
        return self.type == "private"

    def json(self, people: dict[int, Person]) -> Json:
        if self.is_private:
            return people[self.id].chat()
        forum = {"is_forum": True} if self.is_forum else {}
        return {"id": self.id, "type": self.type, "title": self.title, **forum}

    def full(self, people: dict[int, Person]) -> Json:
        """Return the `ChatFullInfo` of getChat."""
        gifts = (
            "unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription",
            "gifts_from_channels",
        )  # fmt: skip
        more: dict[str, Any] = {}
        if not self.is_private:
            more["permissions"] = {"can_send_messages": True}
        return {
            **self.json(people),
            **more,
            "accent_color_id": abs(self.id) % 7,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }
