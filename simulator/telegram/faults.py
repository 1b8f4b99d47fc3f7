"""What can be switched on to go wrong with a call."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.telegram.failure import (
    SAME,
    Refused,
    bad,
    conflict,
    forbidden,
    too_many,
    unauthorized,
)

FAULTS: dict[str, str] = {
    "too_many": "429 with retry_after; too_many:60 says the seconds (3)",
    "entities": "400, can't parse entities",
    "not_modified": "400, message is not modified",
    "edit_gone": "400, message to edit not found",
    "reply_gone": "400, message to be replied not found",
    "chat_gone": "400, chat not found",
    "bad": "400 with the words after the colon",
    "blocked": "403, bot was blocked by the user",
    "kicked": "403, bot was kicked from the group chat",
    "forbidden": "403 with the words after the colon",
    "migrate": "400; the group becomes a supergroup first, and its new id is told",
    "unauthorized": "401, as for a token that was revoked",
    "conflict": "409, as another poller causes",
    "error": "5xx with an HTML page; error:503 says which (502)",
    "reset_before": "the connection is reset; nothing was done",
    "reset_after": "the call is carried out, then the connection is reset",
    "delay": "the call is carried out, but answered after delay:0.5 seconds (1)",
    "silence": "the call is never answered, and not carried out",
}
"""Name and what is seen. What follows a colon in the name of a queued fault is its argument."""

EVERY = "*"
UNPARSED = "can't parse entities: Character '-' is reserved and must be escaped"


@dataclass
class Fault:
    """One queued fault. `method` is in lower case, or `EVERY`; `chat` None for all chats."""

    method: str
    name: str
    argument: str
    times: int
    chat: int | None

    def strikes(self, method: str, chat: int | None) -> bool:
        return self.method in {EVERY, method.lower()} and self.chat in {None, chat}

    @property
    def number(self) -> float:
        default = {"too_many": 3.0, "error": 502.0, "delay": 1.0}
        return float(self.argument or default.get(self.name, 0.0))

    def refusal(self) -> Refused | None:
        """Return the answer of a fault that is one and no more."""
        made: dict[str, Callable[[], Refused]] = {
            "too_many": lambda: too_many(int(self.number)),
            "entities": lambda: bad(UNPARSED),
            "not_modified": lambda: Refused(400, SAME),
            "edit_gone": lambda: bad("message to edit not found"),
            "reply_gone": lambda: bad("message to be replied not found"),
            "chat_gone": lambda: bad("chat not found"),
            "bad": lambda: bad(self.argument or "wrong parameter"),
            "blocked": lambda: forbidden("bot was blocked by the user"),
            "kicked": lambda: forbidden("bot was kicked from the group chat"),
            "forbidden": lambda: forbidden(self.argument or "user is deactivated"),
            "unauthorized": unauthorized,
            "conflict": conflict,
        }
        return made[self.name]() if self.name in made else None


def queued(method: str, fault: str, times: int, chat: int | None) -> Fault:
    """Read a fault such as `too_many:60`.

    Raises:
        KeyError: there is no such fault.
    """
    name, _, argument = fault.partition(":")
    if name not in FAULTS:
        raise KeyError(name)
    return Fault(method.lower(), name, argument, times, chat)
