"""What the rest of the service knows of a language model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Say = Callable[[str], None]
"""Takes the next piece of the answer, at once. Text that went out is never taken back."""

Finish = Literal["stop", "length", "declined", "cut"]


@dataclass(frozen=True, slots=True)
class Picture:
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation. Pictures follow the text; an assistant sends none."""

    role: Literal["user", "assistant"]
    text: str
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a model.

    `turns` alternate and end with the user's. `user` is already hashed; `conversation` is at
    most 256 characters. `web_search` lets the model search, where the provider can.
    """

    model: str
    system: str
    turns: Sequence[Turn]
    max_tokens: int
    user: str
    conversation: str
    web_search: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a call took, by the provider's own count. None where it does not say."""

    prompt: int | None = None
    completion: int | None = None
    total: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer.

    `model` is the one that served. `finish` is `stop` for a complete text, `length` where the
    token limit ended it, `declined` where the provider refused (`text` may then be empty), and
    `cut` where the connection or the deadline ended a text of 200 characters or more.
    """

    text: str
    model: str
    finish: Finish = "stop"
    tokens: Tokens | None = None


class ChatModel(Protocol):
    async def complete(self, ask: Ask, say: Say | None = None) -> Completion:
        """Answer, and hand over the text through `say` as it comes.

        Cancelling the call ends it at the provider too.

        Raises:
            ModelError: see `app.errors`. With `say`, a failure after the first piece is
                `ModelInterrupted`, or a `Completion` with `finish="cut"`.
        """
        ...
