"""How long the provider asks to wait, in all the places where it may say so."""

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

LONGEST_WAIT: Final = 86_400.0  # seconds; the daily caps are the longest that are known
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
        _seconds(availability.get("retry_after"), now),
        _seconds(headers.get("retry-after"), now),
        _seconds(copied.get("retry-after"), now),
        _until(headers.get("x-ratelimit-reset"), now),
        _until(copied.get("x-ratelimit-reset"), now),
    ):
        if wait is not None:
            return wait
    return None


def _seconds(value: object, now: float) -> float | None:
    """Read seconds, or an HTTP date. Garbage, zero and less is None."""
    number = read_number(value)
    if number is None and isinstance(value, str):
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        number = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    return None if number is None or number <= 0 else min(number, LONGEST_WAIT)


def _until(value: object, now: float) -> float | None:
    number = read_number(value)
    if number is None:
        return None
    return _seconds((number / 1000 if number > _MILLISECONDS else number) - now, now)


def read_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
