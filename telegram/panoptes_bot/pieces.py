"""From a reply to the messages that stand for it."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loguru import logger
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from panoptes_bot.render import MOST_PARTS, WAITING, drawn, grown
from panoptes_bot.split import MOST_UNITS, Text, parts
from wire.reply import Button, Image, Reply

MOST_SEND = 64  # bytes of a button's data
MOST_IN_ROW = 8
MOST_BUTTONS = 100
LONGEST_CAPTION = 1024  # units
LARGEST_PHOTO = 10_000_000  # bytes; more goes as a file
FILE_NAME = "answer.md"
FILE_CAPTION = "The whole answer."

Keyboard = InlineKeyboardMarkup | None
STOP = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="/stop")]])


@dataclass(frozen=True, slots=True)
class Words:
    text: Text


@dataclass(frozen=True, slots=True)
class Photo:
    data: bytes
    caption: str
    name: str


@dataclass(frozen=True, slots=True)
class File:
    data: bytes
    name: str
    caption: str = ""


Piece = Words | Photo | File


def growing(markdown: str) -> list[Words]:
    """Return the messages of an answer that is still being written, at least one."""
    try:
        return [Words(text) for text in grown(markdown)]
    except Exception:  # noqa: BLE001 - no text may silence an answer; this one is drawn plainly
        logger.exception("render.failed")
        return [Words(text) for text in _plain(markdown)[:MOST_PARTS]]


def finished(reply: Reply, placed: int) -> list[Piece]:
    """Return the messages of a whole reply, at least one, when `placed` stand there already.

    The same for every number that drawing it may lead to, so that half a drawing can be gone on
    with.
    """
    keep = 1 if placed < MOST_PARTS else MOST_PARTS
    pieces: list[Piece] = []
    try:
        drawing = drawn(reply.response, keep)
        texts, document = drawing.parts, drawing.document
    except Exception:  # noqa: BLE001 - as above
        logger.exception("render.failed")
        texts, document = _plain(reply.response), None
    if not (reply.images and texts == [Text(WAITING)]):
        pieces += [Words(text) for text in texts]
    if document is not None:
        pieces.append(File(document, FILE_NAME, FILE_CAPTION))
    return [*pieces, *_pictures(reply.images)]


def simpler(piece: Piece, keyboard: Keyboard, kind: str) -> tuple[Piece, Keyboard] | None:
    """Return what may be taken where Telegram refused these two; None where nothing is left."""
    if kind == "buttons" and keyboard is not None:
        return piece, None
    match piece:
        case Photo(data, caption, name):
            return File(data, name, caption), keyboard
        case File(_, name, caption):
            # A picture has words that stand for it. An answer that is a file has none.
            return None if name == FILE_NAME else (_instead(caption or name), keyboard)
        case Words(text) if kind == "long":
            return File(text.text.encode(), FILE_NAME, FILE_CAPTION), keyboard
        case Words(text) if kind != "never" and text.entities:
            return Words(Text(text.text)), keyboard
    return None


def keyboard_of(rows: Sequence[Sequence[Button]]) -> Keyboard:
    """Return the buttons under a message. Rows that are too long are broken."""
    made: list[list[InlineKeyboardButton]] = []
    left = MOST_BUTTONS
    for row in rows:
        buttons = [one for one in map(_button, row) if one is not None][:left]
        left -= len(buttons)
        made += [
            buttons[start : start + MOST_IN_ROW] for start in range(0, len(buttons), MOST_IN_ROW)
        ]
    return InlineKeyboardMarkup(made) if made else None


def _button(button: Button) -> InlineKeyboardButton | None:
    label, style = button.label or "…", button.style
    if button.url is not None:
        return InlineKeyboardButton(label, url=button.url, style=style)
    if button.send and len(button.send.encode()) <= MOST_SEND:
        return InlineKeyboardButton(label, callback_data=button.send, style=style)
    logger.warning("button.left_out", bytes=len((button.send or "").encode()))
    return None


def _pictures(images: Sequence[Image]) -> Iterator[Piece]:
    for number, image in enumerate(images, 1):
        caption = parts(Text(image.alt), LONGEST_CAPTION)
        text = caption[0].text if caption else ""
        kind = image.media_type.rpartition("/")[2].partition("+")[0]
        name = f"picture{number}.{kind}"
        try:
            data = base64.b64decode(image.data, validate=True)
        except binascii.Error:
            logger.error("picture.unreadable", number=number)
            data = b""
        if not data:
            yield _instead(text or name)
        elif len(data) > LARGEST_PHOTO:
            yield File(data, name, text)
        else:
            yield Photo(data, text, name)


def _instead(of: str) -> Words:
    return Words(Text(f"[{of}]"))


def _plain(text: str) -> list[Text]:
    return parts(Text(text), MOST_UNITS) or [Text(WAITING)]
