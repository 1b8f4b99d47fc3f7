"""Refusals as the Bot API words them."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

LOOK_HERE = "make sure that only one bot instance is running"
SAME = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)


class Refused(Exception):
    """A call is answered by this HTTP status, this description and these parameters."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.parameters = parameters

    def body(self) -> Json:
        told: Json = {"ok": False, "error_code": self.status, "description": str(self)}
        if self.parameters:
            told["parameters"] = self.parameters
        return told

    def headers(self) -> Mapping[str, str]:
        after = self.parameters.get("retry_after")
        return {} if after is None else {"Retry-After": str(after)}


def bad(why: str) -> Refused:
    """Return the usual 400. Telegram begins its reasons with a small letter, if it is a word."""
    if len(why) > 1 and not why[1].isupper():
        why = why[0].lower() + why[1:]
    return Refused(400, f"Bad Request: {why}")


def too_many(seconds: int) -> Refused:
    return Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def migrated(new: int) -> Refused:
    why = "Bad Request: group chat was upgraded to a supergroup chat"
    return Refused(400, why, migrate_to_chat_id=new)


def unauthorized() -> Refused:
    return Refused(401, "Unauthorized")


def forbidden(why: str) -> Refused:
    return Refused(403, f"Forbidden: {why}")


def conflict(by: str = "getUpdates") -> Refused:
    tail = f"; {LOOK_HERE}" if by == "getUpdates" else ""
    kind = "other getUpdates" if by == "getUpdates" else by
    return Refused(409, f"Conflict: terminated by {kind} request{tail}")


def webhook_set() -> Refused:
    return Refused(
        409,
        "Conflict: can't use getUpdates method while webhook is active; "
        "use deleteWebhook to delete the webhook first",
    )
