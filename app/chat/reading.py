"""Reading a message: is there something in it, is it a command, may it be taken."""

import re
from typing import NamedTuple

import orjson

from app import texts
from app.errors import EmptyMessage, InvalidBody, TextTooLong, UrlNotSupported
from wire.message import MAX_METADATA_BYTES, Attachment, Message

MOST_TEXT = 8_000  # characters
# Every way to end a line that is not a line feed.
BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# What is left in a text although there is nothing to see.
BLANK = re.compile("[\\s\u034f\u115f\u1160\u17b4\u17b5\u200c\u200d\u2800\u3164\ufe0e\ufe0f\uffa0]*")
COMMAND = re.compile(r"([/!])([A-Za-z][A-Za-z0-9_]{0,31})(?:@[A-Za-z0-9_]{1,64})?(?=\s|$)")
# Messages of these types are made of their text, or of pictures that come with them.
_WORDS = frozenset({"text", "command", "image"})


class Named(NamedTuple):
    """A command as it was typed: its name in lower case and the words behind it."""

    slash: bool
    name: str
    words: str


def cleaned(text: str) -> str:
    return texts.UNSEEN.sub("", BREAKS.sub("\n", text)).strip()


def command(text: str) -> Named | None:
    """Return the command that a cleaned text begins with, known or not."""
    found = COMMAND.match(text)
    if found is None:
        return _mistyped(text[1:]) if text.startswith("/") else None
    return Named(found[1] == "/", found[2].lower(), text[found.end() :].strip())


def check(message: Message, *, fetched: bool = False) -> None:
    """Refuse what cannot be taken, before anything is kept or spent.

    Files are `fetched` by their id where the platform keeps them, and come as data elsewhere.

    Raises:
        TextTooLong, EmptyMessage, UrlNotSupported, InvalidBody: see `app.errors`.
    """
    for text in (message.text, message.reply_to_text or ""):
        if len(text) > MOST_TEXT:
            raise TextTooLong(texts.TEXT_TOO_LONG.format(length=len(text), most=MOST_TEXT))
    if message.metadata and len(orjson.dumps(message.metadata)) > MAX_METADATA_BYTES:
        raise InvalidBody(f"metadata: at most {MAX_METADATA_BYTES} bytes.")
    for attachment in () if fetched else message.attachments:
        if attachment.file_id is not None:
            raise UrlNotSupported
        if is_picture(attachment) and not attachment.data:
            raise InvalidBody("attachments: a picture needs its bytes in `data`, as base64.")
    words = cleaned(message.text)
    if BLANK.fullmatch(words) and not message.attachments and message.type in _WORDS:
        raise EmptyMessage


def is_picture(attachment: Attachment) -> bool:
    """Tell pictures, and documents that are pictures, from everything else."""
    if attachment.type == "document":
        return (attachment.mime_type or "").lower().startswith("image/")
    return attachment.type == "image"


def unreadable_kind(message: Message) -> str | None:
    """Return the kind of thing that nobody here can read, if the message is one."""
    for attachment in message.attachments:
        if not is_picture(attachment):
            return attachment.type
    if message.type in {"voice", "video", "sticker", "location"}:
        return message.type
    if message.type == "document" and not message.attachments and not message.text:
        return message.type
    return None


def _mistyped(text: str) -> Named:
    name = "" if text[:1].isspace() else text.partition("\n")[0].split(" ", 1)[0]
    return Named(slash=True, name=name.lower(), words=text[len(name) :].strip())
