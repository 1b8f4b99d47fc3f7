"""What all reports share. None is unknown in them, never zero; times are aware UTC."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.network import thresholds
from app.network.zones import zone_of
from app.plume.models import Location

Severity = Literal["critical", "major", "minor", "none"]
SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor", "none")

# What a report could not be told. The first group is of readings, the second of whole answers.
Unknown = Literal[
    "connection",  # of a pod or more
    "gateway",  # which of the pods it is
    "health",
    "device_count",
    "service_level",
    "speed_test",
    "time_zone",
    "spacing",  # of the readings in time
    "download",
    "upload",
    "line_speed",
    "gaps",  # readings are missing
    "trend",  # too few readings
    "signal",
    "security",
    "pods",
    "wan",
    "history",
    "wifi",
    "devices",
    "speed_tests",
    "outages",
    "reboots",
]


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Site(Value):
    """The location that a report is about."""

    id: str | None
    name: str | None


class Span(Value):
    """A stretch of time; `end` is not in it."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


class PodRef(Value):
    id: str | None
    name: str | None


class Outdated(Value):
    """Why a report is an earlier one, as the code of the error, and its age in seconds."""

    because: str
    age: float


class Report(Value):
    """`zone` is the IANA name in which its times are to be told, `read_at` when Plume was asked.

    `unknown` names what nobody could tell; it is complete. `outdated` is set where Plume could
    not be asked anew: then this is what it said last.
    """

    site: Site
    zone: str
    read_at: datetime
    unknown: tuple[Unknown, ...]
    outdated: Outdated | None = None


def site_of(location: Location) -> Site:
    return Site(id=location.id, name=location.name)


def zone_name(location: Location) -> str:
    return zone_of(location.time_zone).key


def unknowns(**missing: bool) -> tuple[Unknown, ...]:
    """Return the names whose value is true."""
    return tuple(name for name, gone in missing.items() if gone)  # type: ignore[misc]


def zone_missing(location: Location) -> bool:
    name = location.time_zone
    return name is None or zone_of(name).key != name


def worst(severities: Iterable[Severity]) -> Severity:
    return min(severities, key=SEVERITIES.index, default="none")


def plausible(value: float | None) -> float | None:
    """Return a reading, None for one that cannot be: Plume has words like -1 and 2**63."""
    if value is None or not 0 <= value <= thresholds.MOST_PLAUSIBLE:
        return None
    return value


def believable(at: datetime | None, now: datetime) -> datetime | None:
    """Return a time at which something can have happened; Plume has zero times like year 1."""
    if at is None or at.year < thresholds.FIRST_YEAR or at - now > thresholds.AHEAD:
        return None
    return at


def recent(at: datetime | None, now: datetime) -> datetime | None:
    """Return the time of a reading, None where a series asked for now cannot hold it."""
    found = believable(at, now)
    return None if found is None or now - found > thresholds.HISTORY else found


def seconds_since(at: datetime | None, now: datetime) -> float | None:
    """Return the age of `at`; nothing is younger than zero where two clocks differ."""
    return None if at is None else max((now - at).total_seconds(), 0.0)


def missing_spans(
    times: list[datetime], spacing: timedelta, start: datetime, end: datetime
) -> tuple[Span, ...]:
    """Return where readings are missing from `start` to `end`, in the order of time.

    `times` are sorted, and each reading stands for `spacing` from then on. The edges are given
    more time: readings come late, and a window need not begin with one.
    """
    if not times:
        return (Span(start=start, end=end),) if start < end else ()
    edge = spacing * thresholds.SPACINGS_OF_AN_EDGE
    inner = spacing * thresholds.SPACINGS_OF_A_GAP
    found = []
    if times[0] - start > edge:
        found.append(Span(start=start, end=times[0]))
    for before, after in pairwise(times):
        if after - before > inner:
            found.append(Span(start=before + spacing, end=after))
    if end - times[-1] > edge:
        found.append(Span(start=times[-1] + spacing, end=end))
    return tuple(found)


def usual_spacing(times: list[datetime]) -> timedelta | None:
    """Return the median distance of sorted times, None where there are fewer than two.

    Of two middle ones the smaller: a gap is no spacing.
    """
    steps = sorted(after - before for before, after in pairwise(times))
    return steps[(len(steps) - 1) // 2] if steps else None
