"""What a refusal of Plume's API means."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from app.errors import (
    PlumeBadReply,
    PlumeBusy,
    PlumeError,
    PlumeNotFound,
    PlumeNotOffered,
    PlumeNotYours,
    PlumeUnreachable,
)
from app.plume.exchange import Heard, read_error

UNTOLD_WAIT: Final = 30.0  # seconds to wait where Plume says nothing of how long
_CONFLICT: Final = "Plume says that this is already under way. Wait a minute and try again."
_INVALID: Final = (
    "Plume does not take this request for this location. Choose again with /locations."
)


class Unauthorized(Exception):
    """A 401: the token, or an unknown customer."""


class FirewallRefused(Exception):
    """A 403 that Plume itself did not write."""


def is_plumes_own(body: Mapping[str, Any]) -> bool:
    """Tell whether this is the error object of Plume's API."""
    error = body.get("error")
    known = {"status", "statusCode", "name", "message", "code"}
    return isinstance(error, Mapping) and not known.isdisjoint(error)


def check(heard: Heard, wait: float | None) -> None:
    """Do nothing for a success. `wait` is what Plume asks for, in seconds.

    Raises:
        Unauthorized, FirewallRefused: it depends on what came before.
        PlumeError: what else a person can be told.
    """
    status = heard.status
    if heard.succeeded:
        return
    if status == HTTPStatus.UNAUTHORIZED:
        raise Unauthorized
    if status == HTTPStatus.FORBIDDEN and not is_plumes_own(read_error(heard)):
        raise FirewallRefused
    raise _error(status, wait)


def _error(status: int, wait: float | None) -> PlumeError:
    cause = f"http_{status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return PlumeBusy(retry_after=wait or UNTOLD_WAIT, cause=cause)
    if status == HTTPStatus.NOT_IMPLEMENTED:
        return PlumeNotOffered(cause=cause)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return PlumeUnreachable(cause=cause, retry_after=wait)
    if status < HTTPStatus.BAD_REQUEST:
        return PlumeBadReply(cause=cause)
    kinds: dict[int, PlumeError] = {
        HTTPStatus.FORBIDDEN: PlumeNotYours(cause=cause),
        HTTPStatus.NOT_FOUND: PlumeNotFound(cause=cause),
        HTTPStatus.CONFLICT: PlumeError(_CONFLICT, cause=cause),
        HTTPStatus.BAD_REQUEST: PlumeError(_INVALID, cause=cause),
        HTTPStatus.UNPROCESSABLE_ENTITY: PlumeError(_INVALID, cause=cause),
    }
    return kinds.get(status, PlumeError(cause=cause))
