"""A word on messages that waited long: Telegram keeps them for a day while nobody fetches them."""

from app import texts
from app.commands.conversation import below
from app.platforms import telegram
from wire.answer import Answer
from wire.message import Message

LATE = 600.0  # seconds
_HOUR = 3600.0


def with_age(answer: Answer, message: Message, now: float) -> Answer:
    """Return an answer that tells how old its question is, where that is worth a word."""
    if message.platform != telegram.PLATFORM or message.timestamp is None:
        return answer
    age = now - message.timestamp.timestamp()
    if age < LATE:
        return answer
    told = f"{age / 60:.0f} min" if age < _HOUR else f"{age / _HOUR:.0f} h"
    note = below(answer.response, texts.LATE.format(age=told))
    return answer.model_copy(update={"response": answer.response + note})
