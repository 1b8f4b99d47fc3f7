"""What people do: write, send pictures, press buttons, block, move groups."""

import secrets
from typing import TYPE_CHECKING, Any

from simulator.telegram.bodies import Upload
from simulator.telegram.chats import Chat, Kept, Person
from simulator.telegram.failure import Json
from simulator.telegram.texts import LONGEST_CAPTION, LONGEST_TEXT, formatted
from simulator.telegram.updates import PRESS_LIFE

if TYPE_CHECKING:
    from simulator.telegram.world import Press, TelegramWorld

ALBUM = 10  # pictures at most
BLOCKED = "bot was blocked by the user"


class Impossible(Exception):
    """A person cannot do that in Telegram; the text says why."""


class People:
    """Acts on the world as a person with a Telegram client would.

    `chat` is a chat id; without one it is the person's private chat with the bot. Whatever the
    person cannot do raises `Impossible`, what Telegram refuses raises `Refused`.
    """

    def __init__(self, world: "TelegramWorld") -> None:
        self._world = world

    # -- who and where ----------------------------------------------------------------------

    def person(self, number: int) -> Person:
        person = self._world.persons.get(number)
        if person is None:
            raise Impossible("There is no such person.")
        return person

    def chat(self, person: int, chat: int | None = None) -> Chat:
        """Return a chat that the person is in."""
        self.person(person)
        found = self._world.chats.get(person if chat is None else chat)
        if found is None or person not in {found.id, *found.members}:
            raise Impossible("This person is in no such chat.")
        return found

    def message(self, person: int, chat: int | None, number: int) -> Kept:
        message = self.chat(person, chat).messages.get(number)
        if message is None:
            raise Impossible("There is no such message in this chat.")
        return message

    def chats(self, person: int) -> list[Chat]:
        """Return the chats of a person: the private one first, none that moved away."""
        everywhere = self._world.chats.values()
        own = [it for it in everywhere if person in {it.id, *it.members} and it.moved_to is None]
        return sorted(own, key=lambda it: not it.is_private)

    def join(self, first_name: str, number: int | None = None, **more: str) -> Person:
        """Add a person, who has not started the bot yet."""
        world = self._world
        number = number or max([1000, *world.persons]) + 1
        world.persons[number] = Person(number, first_name, **more)
        world.chats[number] = world.new_chat(number, "private")
        world.events.tell(None, "people", {})
        return world.persons[number]

    # -- messages ---------------------------------------------------------------------------

    def say(
        self,
        person: int,
        text: str,
        chat: int | None = None,
        *,
        entities: list[Json] | None = None,
        reply_to: int | None = None,
        thread: int | None = None,
    ) -> Kept:
        """Send a text."""
        content = formatted(text, entities, longest=LONGEST_TEXT)
        return self._send(person, chat, content, reply_to, thread)

    def photos(
        self,
        person: int,
        pictures: list[Upload],
        chat: int | None = None,
        *,
        caption: str = "",
        reply_to: int | None = None,
        thread: int | None = None,
    ) -> list[Kept]:
        """Send a picture, or an album of up to ten; the caption stands at the first."""
        if not 1 <= len(pictures) <= ALBUM:
            raise Impossible(f"One to {ALBUM} pictures can be sent at once.")
        sizes = [self._world.files.photo(picture) for picture in pictures]
        album = str(secrets.randbits(60)) if len(pictures) > 1 else None
        return [
            self._send(
                person,
                chat,
                {"photo": sizes_of_one, **(_caption(caption) if number == 0 else {})},
                reply_to,
                thread,
                album=album,
            )
            for number, sizes_of_one in enumerate(sizes)
        ]

    def document(
        self,
        person: int,
        file: Upload,
        chat: int | None = None,
        *,
        caption: str = "",
        reply_to: int | None = None,
        thread: int | None = None,
    ) -> Kept:
        content = {"document": self._world.files.document(file), **_caption(caption)}
        return self._send(person, chat, content, reply_to, thread)

    def voice(
        self, person: int, file: Upload, chat: int | None = None, *, seconds: int = 3
    ) -> Kept:
        return self._send(person, chat, {"voice": self._world.files.voice(file, seconds)})

    def sticker(self, person: int, emoji: str = "👍", chat: int | None = None) -> Kept:
        return self._send(person, chat, {"sticker": self._world.files.sticker(emoji)})

    def edit(self, person: int, message: int, text: str, chat: int | None = None) -> Kept:
        """Change a text or a caption of one's own."""
        kept = self.message(person, chat, message)
        if kept.sender != person:
            raise Impossible("Only your own messages can be changed.")
        kept.content = (
            formatted(text, None, longest=LONGEST_TEXT)
            if kept.is_text
            else {**_without_caption(kept.content), **_caption(text)}
        )
        kept.edited = self._world.now()
        self._world.show(kept)
        if self._bot_hears(self._world.chats[kept.chat], kept):
            self._world.tell_message(kept, "edited_message")
        return kept

    def _send(
        self,
        person: int,
        where: int | None,
        content: Json,
        reply_to: int | None = None,
        thread: int | None = None,
        *,
        album: str | None = None,
    ) -> Kept:
        chat = self.chat(person, where)
        if chat.moved_to is not None:
            raise Impossible("This group has moved.")
        if reply_to is not None and reply_to not in chat.messages:
            raise Impossible("The message to reply to is gone.")
        if thread is not None and thread not in chat.topics:
            raise Impossible("There is no such topic.")
        if chat.is_private and chat.away:
            self.unblock(person)
        message = self._world.keep(
            chat, person, content, reply_to=reply_to, thread=thread, album=album
        )
        if self._bot_hears(chat, message):
            self._world.tell_message(message)
        return message

    def _bot_hears(self, chat: Chat, message: Kept) -> bool:
        """Tell whether the bot's privacy mode lets a message through."""
        if chat.is_private:
            return not chat.away
        if chat.away:
            return False
        answered = chat.messages.get(message.reply_to or 0)
        text = str(message.content.get("text") or message.content.get("caption") or "")
        name = f"@{self._world.username}".lower()
        return (
            self._world.reads_all_in_groups
            or chat.bot_is_admin
            or (answered is not None and answered.sender == self._world.bot_id)
            or name in text.lower()
            or (text.startswith("/") and "@" not in text.split(maxsplit=1)[0])
            or bool(message.album and self._album_is_heard(chat, message))
        )

    def _album_is_heard(self, chat: Chat, message: Kept) -> bool:
        first = next(it for it in chat.messages.values() if it.album == message.album)
        return first is not message and self._bot_hears(chat, first)

    # -- buttons ----------------------------------------------------------------------------

    def press(
        self,
        person: int,
        message: int,
        button: str | tuple[int, int] = (0, 0),
        chat: int | None = None,
        *,
        forged: bool = False,
    ) -> "Press":
        """Press a button, found by its label, its data or its (row, column).

        With `forged` the button is the data, whether or not the message has such a button.
        """
        from simulator.telegram.world import Press  # noqa: PLC0415  (it imports this module)

        kept = self.message(person, chat, message)
        data = button if forged else _data(kept, button)
        world = self._world
        press = Press(world.new_id(), person, kept.chat, kept.id, world.clock())
        world.presses[press.id] = press
        query = {
            "id": press.id,
            "from": self.person(person).json(),
            "message": world.json(kept),
            "chat_instance": str(abs(kept.chat) * 7919),
            "data": data,
        }
        world.tell("callback_query", query, f"presses {person}", PRESS_LIFE)
        return press

    # -- coming and going -------------------------------------------------------------------

    def block(self, person: int) -> None:
        self._membership(person, self.chat(person), BLOCKED, ("member", "kicked"))

    def unblock(self, person: int) -> None:
        self._membership(person, self.chat(person), "", ("kicked", "member"))

    def throw_out(self, person: int, chat: int) -> None:
        """Take the bot out of a group."""
        group = self.chat(person, chat)
        kind = "supergroup" if group.type == "supergroup" else "group"
        why = f"bot was kicked from the {kind} chat"
        self._membership(person, group, why, ("member", "kicked"))

    def invite(self, person: int, chat: int) -> None:
        """Bring the bot (back) into a group."""
        group = self.chat(person, chat)
        self._membership(person, group, "", ("left", "member"))
        added = self._world.keep(group, person, {"new_chat_members": [self._world.bot()]})
        self._world.tell_message(added)

    def _membership(self, person: int, chat: Chat, why: str, change: tuple[str, str]) -> None:
        if chat.away == why:
            return
        chat.away = why
        world = self._world
        old, new = (_member(status, world.bot()) for status in change)
        content = {
            "chat": chat.json(world.persons),
            "from": self.person(person).json(),
            "date": world.now(),
            "old_chat_member": old,
            "new_chat_member": new,
        }
        world.tell("my_chat_member", content, f"chat {chat.id}")
        world.events.tell(chat.id, "chat", {"chat_id": chat.id})

    # -- groups -----------------------------------------------------------------------------

    def found(self, person: int, title: str, members: list[int], *, forum: bool = False) -> Chat:
        """Make a group with the bot in it."""
        world = self._world
        number = min([-4000, *(it for it in world.chats if it > -(10**9))]) - 1
        group = world.new_chat(world.new_group_id() if forum else number, "group", title)
        if forum:
            group.type, group.is_forum = "supergroup", True
        group.members = list(dict.fromkeys([person, *members]))
        group.away = "bot is not a member of the group chat"
        world.chats[group.id] = group
        self.invite(person, group.id)
        world.events.tell(None, "people", {})
        return group

    def open_topic(self, person: int, chat: int, name: str) -> int:
        """Open a topic in a supergroup and return its thread."""
        group = self.chat(person, chat)
        if group.type == "group":
            raise Impossible("Only supergroups have topics. Migrate the group first.")
        group.is_forum = True
        opened = self._world.keep(
            group, person, {"forum_topic_created": {"name": name, "icon_color": 7322096}}
        )
        # The thread bears the number of the message that opened it.
        opened.thread = opened.id
        group.topics[opened.id] = name
        self._world.tell_message(opened)
        self._world.events.tell(chat, "chat", {"chat_id": chat})
        return opened.id

    def migrate(self, chat: int) -> Chat:
        """Turn a group into a supergroup: another id, and message ids from the beginning."""
        world = self._world
        old = world.chats.get(chat)
        if old is None or old.type != "group" or old.moved_to is not None:
            raise Impossible("Only a group can become a supergroup, and only once.")
        new = world.new_chat(world.new_group_id(), "supergroup", old.title)
        new.members, new.bot_is_admin = list(old.members), old.bot_is_admin
        world.chats[new.id] = new
        author = old.members[0]
        left = world.keep(old, author, {"migrate_to_chat_id": new.id})
        came = world.keep(new, author, {"migrate_from_chat_id": old.id})
        old.moved_to = new.id
        for service in (left, came):
            world.tell_message(service)
        world.events.tell(None, "people", {})
        return new


def _caption(text: str) -> Json:
    if not text:
        return {}
    made = formatted(text, None, longest=LONGEST_CAPTION, empty_is_right=True)
    names = {"text": "caption", "entities": "caption_entities"}
    return {names[name]: value for name, value in made.items()}


def _without_caption(content: Json) -> Json:
    return {key: it for key, it in content.items() if key not in {"caption", "caption_entities"}}


def _data(message: Kept, button: Any) -> str:
    rows = (message.markup or {}).get("inline_keyboard", [])
    for y, row in enumerate(rows):
        for x, it in enumerate(row):
            if button in ((y, x), it["text"], it.get("callback_data")):
                if "callback_data" not in it:
                    raise Impossible("This button is a link: it tells the bot nothing.")
                return str(it["callback_data"])
    raise Impossible("The message has no such button.")


def _member(status: str, user: Json) -> Json:
    told = {"status": status, "user": user}
    # Zero is Telegram's "for ever".
    return told | {"until_date": 0} if status == "kicked" else told
