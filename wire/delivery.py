"""What is brought to people by somebody else: `GET /deliveries` and what is said of it."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from wire.message import Id, Request
from wire.reply import Reply, Said


class Delivery(Said):
    """An answer on its way.

    `edits` are the messages that were placed for it, in the order of its parts, or the one whose
    button was pressed; an answer is written by editing them, as editing twice does no harm.
    `reply` is None until the answer is `final`; the chat then shows that somebody is at work.
    A `send` of its buttons has at most 64 bytes. `request_id` is of the call that brought what it
    answers: it stands in the service's log, and may stand in yours.
    """

    id: int
    platform: str
    chat_id: str
    thread_id: str | None = None
    source_message_id: str | None = None
    edits: tuple[str, ...] = ()
    final: bool = False
    reply: Reply | None = None
    request_id: str | None = None


class Progress(Said):
    """How far the answer of a delivery has come: the whole text so far, in Markdown."""

    id: int
    chat_id: str
    thread_id: str | None = None
    text: str = ""


class Acknowledgement(Request):
    """What became of a delivery.

    `placed`: `message_ids` are all messages that stand for it now, in order. `sent`: it is drawn,
    whole. `refused`: it never will be, for `reason`; `message_ids` are what could not be taken
    away, and is gone on with where it is driven again. `later`: not before `retry_after` seconds.
    With `new_chat_id`, the chat has moved there.
    """

    outcome: Literal["placed", "sent", "refused", "later"]
    message_ids: tuple[Id, ...] = Field(default=(), max_length=100)
    reason: Annotated[str, StringConstraints(max_length=200)] | None = None
    retry_after: float | None = Field(default=None, ge=0, le=86_400)
    new_chat_id: Id | None = None
