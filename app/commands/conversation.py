"""From what is remembered to what a model sees, and from what it said to a reply."""

from collections.abc import Iterable

from app import texts
from app.commands.base import Outcome, Spoken
from app.llm.base import Picture, Turn
from app.sessions.history import Exchange
from wire.reply import Button, Reply


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
