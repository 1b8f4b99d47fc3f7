"""Errors in the words of Plume's API (LoopBack), of its firewall and of its sign-in."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
FIREWALL_PAGE = (
    "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center>"
    "</body></html>"
)


@dataclass
class Reply:
    """An answer that is not simply 200 with JSON. `body` None sends no bytes."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The call is answered with an error, `body` JSON or the text of a page."""

    def __init__(
        self, status: int, body: Json | str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


MESSAGES = {
    400: ("BadRequest", "A required field is missing.", "GEN00400"),
    401: ("Unauthorized", "Authorization Required", "AUTHORIZATION_REQUIRED"),
    403: ("Forbidden", "The resource belongs to another partner.", "GEN00403"),
    404: ("NotFound", "It does not exist.", "GEN00404"),
    409: ("Conflict", "It conflicts with the present state.", "GEN00409"),
    422: ("ValidationError", "The value is not valid.", "GEN00422"),
    423: ("Locked", "The node is claimed.", "GEN00423"),
    429: ("TooManyRequests", "Too many requests.", "GEN00429"),
    500: ("InternalServerError", "Internal Server Error", ""),
    501: ("NotImplemented", "Not implemented for this location.", "GEN00501"),
    503: ("ServiceUnavailable", "Service unavailable", ""),
}


def refused(status: int, message: str = "", code: str = "", **headers: str) -> Refused:
    """Return an error as LoopBack words it. Its `code` may be missing, as in Plume's."""
    name, usual, usual_code = MESSAGES.get(status, ("Error", "Error", ""))
    error: Json = {
        "status": status, "statusCode": status, "name": name, "message": message or usual,
    }  # fmt: skip
    if code or usual_code:
        error["code"] = code or usual_code
    return Refused(status, {"error": error}, headers)


def oauth(error: str, why: str) -> Refused:
    """Return an error of the token and the introspect call."""
    return Refused(401 if error == "invalid_client" else 400, {
        "error": error, "error_description": why,
    })  # fmt: skip


def firewall() -> Refused:
    return Refused(403, FIREWALL_PAGE)
