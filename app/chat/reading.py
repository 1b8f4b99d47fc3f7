"""Reading a message: is there something in it, is it a command, may it be taken."""

import re
from typing import NamedTuple

import orjson

from app import texts
from app.errors import EmptyMessage, InvalidBody, TextTooLong, UrlNotSupported
from wire.message import MAX_METADATA_BYTES, Attachment, Message

MOST_TEXT = 8_000  # characters
# Control characters but for tab and line feed, overrides of the writing direction, and the
# invisible tag characters: they change what people see, or say what nobody sees. The joiners
# stay: Persian and emoji are written with them.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)
BLANK = re.compile("[\\s\u200c\u200d\ufe0e\ufe0f\u3164\u2800\u00ad\u034f\u180e]*")
COMMAND = re.compile(r"([/!])([A-Za-z][A-Za-z0-9_]{0,31})(?:@[A-Za-z0-9_]{1,64})?(?=\s|$)")


class Named(NamedTuple):
    """A command as it was typed: its name in lower case and the words behind it."""

    slash: bool
    name: str
    words: str


def cleaned(text: str) -> str:
    return UNSEEN.sub("", text).strip()


def command(text: str) -> Named | None:
    """Return the command that a cleaned text begins with, known or not."""
    found = COMMAND.match(text)
    if found is None:
        return Named(slash=True, name="", words=text[1:]) if text.startswith("/") else None
    return Named(found[1] == "/", found[2].lower(), text[found.end() :].strip())


def check(message: Message) -> None:
    """Refuse what cannot be taken, before anything is kept or spent.

    Raises:
        TextTooLong, EmptyMessage, UrlNotSupported, InvalidBody: see `app.errors`.
    """
    for text in (message.text, message.reply_to_text or ""):
        if len(text) > MOST_TEXT:
            raise TextTooLong(texts.TEXT_TOO_LONG.format(length=len(text), most=MOST_TEXT))
    if message.metadata and len(orjson.dumps(message.metadata)) > MAX_METADATA_BYTES:
        raise InvalidBody(f"metadata: at most {MAX_METADATA_BYTES} bytes.")
    for attachment in message.attachments:
        if attachment.file_id is not None:
            raise UrlNotSupported
        if is_picture(attachment) and not attachment.data:
            raise InvalidBody("attachments: a picture needs its bytes in `data`, as base64.")
    words = cleaned(message.text)
    if BLANK.fullmatch(words) and not message.attachments and message.type in {"text", "command"}:
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
    if message.type in {"image", "document"} and not message.attachments and not message.text:
        return message.type
    return None
