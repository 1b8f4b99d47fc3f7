"""From what is remembered to what a model sees, and from what it said to a reply."""

import re
from collections.abc import Iterable

from app import texts
from app.commands.base import Outcome, Spoken
from app.llm.base import Picture, Turn
from app.sessions.history import Exchange
from wire.reply import Button, Reply

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)


def turns_of(history: Iterable[Exchange]) -> list[Turn]:
    """Return the remembered messages, alternating, the oldest first."""
    turns = []
    for exchange in history:
        pictures = tuple(Picture(image.media_type, image.content) for image in exchange.images)
        lost = f"\n{texts.PICTURE_WORD}" * (exchange.pictures - len(pictures))
        turns.append(Turn("user", exchange.question + lost, pictures))
        turns.append(Turn("assistant", exchange.answer))
    return turns


def spoken(said: Spoken, exchange: Exchange | None = None) -> Outcome:
    """Return what the model said, our notes below it."""
    text = f"{said.text}{said.notes}"
    buttons: tuple[tuple[Button, ...], ...] = ()
    if said.truncated and exchange is not None:
        buttons = ((Button(label=texts.CONTINUE_BUTTON, send=texts.CONTINUE),),)
    return Outcome(Reply(response=text, buttons=buttons), spoken=said, exchange=exchange)


def below(text: str, note: str) -> str:
    """Return what to add to `text` so that `note` stands in a paragraph of its own.

    A block of code that is still open, as in an answer that was cut short, is closed first.
    """
    if not text:
        return note
    fence = _open_fence(text)
    return f"\n{fence}\n\n{note}" if fence else f"\n\n{note}"


def _open_fence(text: str) -> str:
    fence = ""
    for mark, rest in _FENCE.findall(text):
        if not fence:
            # Backticks behind backticks are code within a line.
            fence = "" if mark[0] == "`" and "`" in rest else mark
        elif mark.startswith(fence) and not rest.strip():
            fence = ""
    return fence
