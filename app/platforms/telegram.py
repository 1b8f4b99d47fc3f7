"""Telegram's updates, read. No other file knows their shape.

Source: Bot API, object Update.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wire.message import Attachment, Kind, Message

PLATFORM = "telegram"
LARGEST_FILE = 20_000_000  # bytes; getFile gives no larger ones
KEY_MARK = "k:"  # before the short key of a button whose text is too long for Telegram
_COMMAND = re.compile(r"/[A-Za-z0-9_]{1,32}@([A-Za-z0-9_]{1,64})")


class Unreadable(Exception):
    """This is no update that anybody knows."""


@dataclass(frozen=True, slots=True)
class Bot:
    """Who we are. The name is empty until Telegram told it."""

    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to fetch. `size` in bytes, None where Telegram does not say."""

    file_id: str
    media_type: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Incoming:
    """Something that a person said. Files of an `album` come one by one and belong together."""

    message: Message
    sent_at: float
    pictures: tuple[Picture, ...] = ()
    album: str = ""
    edited: bool = False
    pressed: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A group became a supergroup."""

    chat_id: str
    new_chat_id: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing for us; `reason` is a word for the log."""

    reason: str


Read = Incoming | Moved | Ignored


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _User(_Part):
    id: int
    is_bot: bool = False
    first_name: str = ""
    language_code: str | None = None


class _Chat(_Part):
    id: int
    type: str
    title: str | None = None


class _Photo(_Part):
    file_id: str
    width: int
    height: int
    file_size: int | None = None


class _Document(_Part):
    file_id: str
    mime_type: str | None = None
    file_size: int | None = None


class _Quoted(_Part):
    message_id: int
    from_: _User | None = Field(default=None, alias="from")
    text: str | None = None
    caption: str | None = None


class _Message(_Quoted):
    chat: _Chat
    date: int
    message_thread_id: int | None = None
    is_topic_message: bool = False
    sender_chat: _Chat | None = None
    via_bot: _User | None = None
    media_group_id: str | None = None
    reply_to_message: _Quoted | None = None
    photo: tuple[_Photo, ...] = ()
    document: _Document | None = None
    voice: Any = None
    audio: Any = None
    video: Any = None
    video_note: Any = None
    animation: Any = None
    sticker: Any = None
    location: Any = None
    migrate_to_chat_id: int | None = None


class _Press(_Part):
    id: str
    from_: _User = Field(alias="from")
    message: _Message | None = None
    data: str | None = None


class _Update(_Part):
    update_id: int = Field(ge=0, lt=2**63)
    message: _Message | None = None
    edited_message: _Message | None = None
    callback_query: _Press | None = None


def update_id_of(raw: object) -> int | None:
    """Return the id of an update, also of one that cannot be read otherwise."""
    number = raw.get("update_id") if isinstance(raw, dict) else None
    return number if isinstance(number, int) and 0 <= number < 2**63 else None


def read(raw: object, bot: Bot) -> Read:
    """Say what an update is.

    In a group a message is for us when it is a command, mentions the bot, or answers it.

    Raises:
        Unreadable: it has not the shape of an update.
    """
    try:
        update = _Update.model_validate(raw)
        if update.callback_query is not None:
            return _press(update.callback_query)
        said = update.message or update.edited_message
        if said is None:
            return Ignored("unknown_kind")
        return _said(said, bot, edited=update.message is None)
    except ValidationError as error:
        raise Unreadable from error


def _press(press: _Press) -> Read:
    shown = press.message
    if shown is None or not press.data:
        return Ignored("press_without_message")
    message = Message(
        **_where(shown, press.from_),
        message_id=f"press-{press.id}",
        text=press.data,
        pressed_message_id=str(shown.message_id),
    )
    return Incoming(message, sent_at=0.0, pressed=True)


def _said(said: _Message, bot: Bot, *, edited: bool) -> Read:
    if said.migrate_to_chat_id is not None:
        return Moved(str(said.chat.id), str(said.migrate_to_chat_id))
    if said.from_ is None or said.sender_chat is not None or said.from_.is_bot:
        return Ignored("no_person")
    if said.chat.type not in {"private", "group", "supergroup"}:
        return Ignored("no_chat")
    text = said.text if said.text is not None else said.caption or ""
    addressed, text = _addressed(said, text, bot)
    if not addressed:
        return Ignored("not_for_us")
    kind, attachments, pictures = _content(said)
    if kind is None:
        return Ignored("service_message")
    quoted = said.reply_to_message
    message = Message(
        **_where(said, said.from_),
        message_id=f"album-{said.media_group_id}" if said.media_group_id else str(said.message_id),
        text=text,
        type=kind,
        attachments=attachments,
        reply_to_message_id=None if quoted is None else str(quoted.message_id),
        reply_to_text=None if quoted is None else (quoted.text or quoted.caption),
    )
    return Incoming(
        message, float(said.date), pictures, album=said.media_group_id or "", edited=edited
    )


def _where(said: _Message, person: _User) -> dict[str, Any]:
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
    return code if code and re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", code) else None


def _addressed(said: _Message, text: str, bot: Bot) -> tuple[bool, str]:
    """Tell whether a message is for us, and return its text without our name."""
    to = _COMMAND.match(text)
    if to is not None and bot.name and to[1].lower() != bot.name.lower():
        return False, text
    if said.chat.type == "private" or text.startswith("/"):
        return True, text
    if bot.name and (found := re.search(rf"(?i)@{re.escape(bot.name)}\b", text)):
        return True, (text[: found.start()] + text[found.end() :]).strip()
    quoted = said.reply_to_message
    answered = quoted is not None and quoted.from_ is not None
    return bool(answered and quoted and quoted.from_ and str(quoted.from_.id) == bot.id), text


def _content(
    said: _Message,
) -> tuple[Kind | None, tuple[Attachment, ...], tuple[Picture, ...]]:
    if said.photo:
        largest = max(said.photo, key=lambda photo: photo.width * photo.height)
        return _picture("image", Picture(largest.file_id, "image/jpeg", largest.file_size))
    document = said.document
    if document is not None and (document.mime_type or "").startswith("image/"):
        if said.animation is not None:
            return "video", (), ()
        kind = document.mime_type or ""
        return _picture("image", Picture(document.file_id, kind, document.file_size))
    for kind, found in _others(said):
        if found is not None:
            return kind, (), ()
    return ("text", (), ()) if said.text is not None else (None, (), ())


def _others(said: _Message) -> tuple[tuple[Kind, Any], ...]:
    return (
        ("document", said.document),
        ("voice", said.voice or said.audio),
        ("video", said.video or said.video_note or said.animation),
        ("sticker", said.sticker),
        ("location", said.location),
    )


def _picture(
    kind: Literal["image"], picture: Picture
) -> tuple[Kind, tuple[Attachment, ...], tuple[Picture, ...]]:
    part = Attachment(type="image", mime_type=picture.media_type, file_id=picture.file_id)
    return kind, (part,), (picture,)
