"""The time zone of a location, and times in it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def zone_of(*names: str | None) -> ZoneInfo:
    """Return the first of `names` that is a time zone, else UTC."""
    for name in names:
        if not name:
            continue
        try:
            return ZoneInfo(name)
        # A name of no zone, one that is a folder of zones, and one that leads out of them.
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    """Return when the local hour of `at` began, as UTC.

    The hour that an autumn night has twice is two hours here.
    """
    local = at.astimezone(zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return at.astimezone(UTC) - into


def offset_word(at: datetime, zone: ZoneInfo) -> str:
    """Return how far local time is from UTC then: "UTC", "UTC+2", "UTC-3:30"."""
    minutes = round((at.astimezone(zone).utcoffset() or timedelta()) / timedelta(minutes=1))
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02}' if rest else ''}"
