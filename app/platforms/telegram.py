"""Telegram's updates, read. Nothing beyond this file and `updates` knows them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from app.platforms.updates import (
    LARGEST_ID,
    Chat,
    Document,
    Membership,
    Photo,
    Press,
    Quoted,
    Said,
    Update,
    User,
)
from wire.message import Attachment, Kind, Message

PLATFORM = "telegram"
KEY_MARK = "k:"  # before the short key of a button whose text is too long for Telegram
BLOCKED = "blocked by the person"
REMOVED = "removed from the group"

_COMMAND = re.compile(r"/[A-Za-z0-9_]{1,32}(?:@([A-Za-z0-9_]{1,64}))?(?=\s|$)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
# What a person can send beside text, photos and files. The last ones are empty texts to us.
_KINDS: dict[str, Kind] = {
    "animation": "video",
    "voice": "voice",
    "audio": "voice",
    "video": "video",
    "video_note": "video",
    "sticker": "sticker",
    "location": "location",
    **dict.fromkeys(
        ("contact", "dice", "game", "poll", "story", "paid_media", "checklist", "rich_message"),
        "text",
    ),
}


class Unreadable(Exception):
    """This is no update that anybody knows."""


class NameAwaited(Exception):
    """Whether this is for us will be known when Telegram has said who we are."""


@dataclass(frozen=True, slots=True)
class Bot:
    """Who we are. The name is empty until Telegram told it; it is `asked` in a process's start."""

    id: str = ""
    name: str = ""
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """Something that a person said. `sent_at` is 0 where Telegram does not say.

    The files of an `album` come one by one and belong together. In a group only the one with the
    words is `addressed` to us. `request_id` is of the call that brought it.
    """

    message: Message
    sent_at: float
    album: str = ""
    edited: bool = False
    pressed: bool = False
    addressed: bool = True
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """A group became a supergroup."""

    chat_id: str
    new_chat_id: str


@dataclass(frozen=True, slots=True)
class Gone:
    """We may write to a chat no longer; `reason` is for the operator."""

    chat_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing for us; `reason` is a word for the log."""

    reason: str


Read = Incoming | Moved | Gone | Ignored


def update_id_of(raw: object) -> int | None:
    """Return the id of an update, also of one that cannot be read otherwise."""
    number = raw.get("update_id") if isinstance(raw, dict) else None
    return number if type(number) is int and 0 <= number <= LARGEST_ID else None


def press_id_of(raw: object) -> str | None:
    """Return the id of the button press that an update tells of."""
    press = raw.get("callback_query") if isinstance(raw, dict) else None
    number = press.get("id") if isinstance(press, dict) else None
    return number if isinstance(number, str) else None


def read(raw: object, bot: Bot) -> Read:
    """Say what an update is.

    In a group a message is for us when it is a command, mentions the bot, or answers it.

    Raises:
        Unreadable: it has not the shape of an update.
        NameAwaited: somebody is named in it, and we may be that.
    """
    try:
        update = Update.model_validate(raw)
        if update.callback_query is not None:
            return _press(update.callback_query)
        if update.my_chat_member is not None:
            return _membership(update.my_chat_member)
        said = update.message or update.edited_message
        if said is None:
            return Ignored("unknown_kind")
        return _moved(said) or _said(said, bot, edited=update.message is None)
    except ValidationError as error:
        raise Unreadable from error


def _press(press: Press) -> Read:
    shown = press.message
    if shown is None or not press.data:
        return Ignored("press_without_message")
    if not _is_chat(shown.chat) or press.from_.is_bot:
        return Ignored("no_chat")
    message = Message(
        **_where(shown, press.from_),
        message_id=f"press-{press.id}",
        text=press.data,
        pressed_message_id=str(shown.message_id),
    )
    return Incoming(message, sent_at=0.0, pressed=True)


def _membership(change: Membership) -> Read:
    member = change.new_chat_member
    if not _is_chat(change.chat):
        return Ignored("no_chat")
    if member.status in {"left", "kicked"} or not member.is_member:
        return Gone(str(change.chat.id), BLOCKED if change.chat.type == "private" else REMOVED)
    return Ignored("member")


def _moved(said: Said) -> Moved | None:
    if said.migrate_to_chat_id is not None:
        return Moved(str(said.chat.id), str(said.migrate_to_chat_id))
    if said.migrate_from_chat_id is not None:
        return Moved(str(said.migrate_from_chat_id), str(said.chat.id))
    return None


def _said(said: Said, bot: Bot, *, edited: bool) -> Incoming | Ignored:
    if said.from_ is None or said.sender_chat is not None or said.from_.is_bot:
        return Ignored("no_person")
    if not _is_chat(said.chat):
        return Ignored("no_chat")
    kind, attachments = _content(said)
    if kind is None:
        return Ignored("service_message")
    album = said.media_group_id or ""
    text = said.text if said.text is not None else said.caption or ""
    if bot.asked and "@" in text and said.chat.type != "private":
        raise NameAwaited
    addressed, text = _addressed(said, text, bot)
    if not addressed and not album:
        return Ignored("not_for_us")
    quoted = _quoted(said)
    message = Message(
        **_where(said, said.from_),
        message_id=f"album-{album}" if album else str(said.message_id),
        text=text,
        type=kind,
        attachments=attachments,
        reply_to_message_id=None if quoted is None else str(quoted.message_id),
        reply_to_text=_quoted_text(said, quoted),
        timestamp=datetime.fromtimestamp(said.date, UTC),
    )
    return Incoming(message, float(said.date), album, edited=edited, addressed=addressed)


def _is_chat(chat: Chat) -> bool:
    return chat.type in {"private", "group", "supergroup"}


def _where(said: Said, person: User) -> dict[str, Any]:
    thread = said.message_thread_id if said.is_topic_message else None
    return {
        "platform": PLATFORM,
        "user_id": str(person.id),
        "chat_id": str(said.chat.id),
        "thread_id": None if thread is None else str(thread),
        "chat_type": "private" if said.chat.type == "private" else "group",
        "language": _language(person.language_code),
        "user_name": person.first_name[:256] or None,
    }


def _language(code: str | None) -> str | None:
    return code if code and _LANGUAGE.fullmatch(code) else None


def _quoted(said: Said) -> Quoted | None:
    quoted = said.reply_to_message
    # In a topic, what answers nothing answers the message that opened it.
    opened = said.is_topic_message and quoted and quoted.message_id == said.message_thread_id
    return None if opened else quoted


def _quoted_text(said: Said, quoted: Quoted | None) -> str | None:
    if said.quote is not None:
        return said.quote.text
    return None if quoted is None else (quoted.text or quoted.caption)


def _addressed(said: Said, text: str, bot: Bot) -> tuple[bool, str]:
    """Tell whether a message is for us, and return its text without our name."""
    if said.chat.type == "private":
        return True, text
    if command := _COMMAND.match(text):
        to = command[1]
        return not (to and bot.name and to.lower() != bot.name.lower()), text
    if bot.name and (found := re.search(rf"(?i)(?<![\w@])@{re.escape(bot.name)}\b", text)):
        return True, (text[: found.start()] + text[found.end() :]).strip()
    if any(str(person.id) == bot.id for person in _mentioned(said)):
        return True, text
    quoted = _quoted(said)
    author = quoted.from_ if quoted is not None else None
    return author is not None and str(author.id) == bot.id, text


def _mentioned(said: Said) -> list[User]:
    """Return who is mentioned by a link in place of a name."""
    entities = [*said.entities, *said.caption_entities]
    return [each.user for each in entities if each.type == "text_mention" and each.user]


def _content(said: Said) -> tuple[Kind | None, tuple[Attachment, ...]]:
    """Return what a message consists of; no kind where no person made it."""
    more = said.model_extra or {}
    if said.photo:
        largest = max(said.photo, key=lambda photo: photo.width * photo.height)
        return "image", (_file("image", largest),)
    for name, kind in _KINDS.items():
        if more.get(name) is not None:
            return kind, ()
    if said.document is not None:
        kind = "image" if (said.document.mime_type or "").startswith("image/") else "document"
        return kind, (_file(kind, said.document),)
    return (None if said.text is None else "text"), ()


def _file(kind: str, file: Photo | Document) -> Attachment:
    # Not its type: that is what the sender's program guessed from the name.
    found = {"type": kind, "file_id": file.file_id, "file_size": file.file_size}
    return Attachment.model_validate(found)
