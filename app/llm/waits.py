"""How long the provider asks to wait, in all the places where it may say so."""

from collections.abc import Mapping
from typing import Any, Final

from app.http import read_number, seconds_asked

_MILLISECONDS: Final = 1e11  # a Unix time above this is in milliseconds


def asked_wait(
    availability: Mapping[str, Any],
    headers: Mapping[str, str],
    metadata: Mapping[str, Any],
    *,
    now: float,
) -> float | None:
    """Return how many seconds the provider asks to wait, None where it says nothing usable.

    The parts of an error's body come first, then the headers, then the copies of headers that
    the body may hold. `now` is the Unix time in seconds.
    """
    headers_too = metadata.get("headers")
    pairs = headers_too.items() if isinstance(headers_too, dict) else ()
    copied = {str(key).lower(): value for key, value in pairs}
    for wait in (
        seconds_asked(availability.get("retry_after"), now),
        seconds_asked(headers.get("retry-after"), now),
        seconds_asked(copied.get("retry-after"), now),
        _until(headers.get("x-ratelimit-reset"), now),
        _until(copied.get("x-ratelimit-reset"), now),
    ):
        if wait is not None:
            return wait
    return None


def _until(value: object, now: float) -> float | None:
    number = read_number(value)
    if number is None:
        return None
    return seconds_asked((number / 1000 if number > _MILLISECONDS else number) - now, now)
