"""How reliably a location was online: the report of /stats."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal

from app.network import thresholds
from app.network.report import (
    Report,
    Span,
    Unknown,
    Value,
    missing_spans,
    recent,
    site_of,
    unknowns,
    usual_spacing,
    zone_missing,
    zone_name,
)
from app.plume.models import Location, OnlineSample

Window = Literal["3h", "24h", "7d"]
Kind = Literal["online", "offline", "intermittent"]
Label = Literal["excellent", "good", "fair", "poor", "critical"]
Trend = Literal["improving", "declining", "stable"]

WINDOWS: dict[Window, timedelta] = {
    "3h": timedelta(hours=3),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
_KINDS: dict[str, Kind] = {"online": "online", "offline": "offline"}
_BADNESS: tuple[Kind | None, ...] = (None, "online", "intermittent", "offline")
_LABELS: tuple[tuple[float, Label], ...] = (
    (thresholds.UPTIME_EXCELLENT_PERCENT, "excellent"),
    (thresholds.UPTIME_GOOD_PERCENT, "good"),
    (thresholds.UPTIME_FAIR_PERCENT, "fair"),
    (thresholds.UPTIME_POOR_PERCENT, "poor"),
)


class Stretch(Value):
    """A stretch of the window in one state, None where there are no readings."""

    span: Span
    kind: Kind | None


class Incident(Value):
    """Readings in a row that were not online.

    `end` is None while it lasts, and where readings stop with it: `ongoing` is None there if
    none came since. `duration_s` is then what is known to have passed. `start_known` is false
    where no reading is before it: it can have begun earlier. `end_known` is the same for the end.
    """

    kind: Literal["offline", "intermittent", "mixed"]
    start: datetime
    end: datetime | None
    ongoing: bool | None
    duration_s: float
    start_known: bool
    end_known: bool
    readings: int


class UptimeReport(Report):
    """Percentages are of the readings; gaps count for nothing and are told by themselves.

    `stretches` cover the whole window in the order of time. `label` is None without readings,
    `trend` also where they are too few.
    """

    state: Literal["ok", "no_data"]
    window: Window
    span: Span
    first_at: datetime | None
    last_at: datetime | None
    spacing_s: float | None
    readings: int
    online: int
    offline: int
    intermittent: int
    uptime_percent: float | None
    offline_percent: float | None
    intermittent_percent: float | None
    coverage_percent: float | None
    label: Label | None
    trend: Trend | None
    incidents: tuple[Incident, ...]
    gaps: tuple[Span, ...]
    stretches: tuple[Stretch, ...]
    now_online: bool | None


Reading = tuple[datetime, Kind]


def online_history(
    location: Location, samples: Sequence[OnlineSample], now: datetime, window: Window
) -> UptimeReport:
    """Judge the samples of a window, in any order; those before it are left out."""
    spacing, readings = _readings(samples, now, WINDOWS[window])
    start = now - WINDOWS[window]
    end = max(now, readings[-1][0]) if readings else now
    span = Span(start=min(start, readings[0][0]) if readings else start, end=end)
    each = spacing or timedelta()
    gaps = missing_spans([at for at, _ in readings], each, span.start, span.end)
    counts = {kind: sum(found == kind for _, found in readings) for kind in _BADNESS if kind}
    percent = _percent(counts["online"], len(readings))
    incidents = _incidents(readings, each, gaps, span.end)
    return UptimeReport(
        site=site_of(location),
        zone=zone_name(location),
        read_at=now,
        state="ok" if readings else "no_data",
        window=window,
        span=span,
        first_at=readings[0][0] if readings else None,
        last_at=readings[-1][0] if readings else None,
        spacing_s=spacing.total_seconds() if spacing else None,
        readings=len(readings),
        **counts,
        uptime_percent=percent,
        offline_percent=_percent(counts["offline"], len(readings)),
        intermittent_percent=_percent(counts["intermittent"], len(readings)),
        coverage_percent=_coverage(len(readings), spacing, span),
        label=label_of(percent),
        trend=_trend([kind for _, kind in readings]),
        incidents=incidents,
        gaps=gaps,
        stretches=_stretches(readings, gaps, span),
        now_online=_now_online(readings, gaps, span),
        unknown=_unknown(location, window, readings, spacing, gaps),
    )


def _readings(
    samples: Sequence[OnlineSample], now: datetime, window: timedelta
) -> tuple[timedelta | None, list[Reading]]:
    """Return the spacing and the readings of a window, sorted, each time once.

    Where a time comes twice the worse state stays, so that no order is better than another.
    """
    found: dict[datetime, Kind | None] = {}
    for sample in samples:
        if at := recent(sample.timestamp, now):
            kind = _KINDS.get(sample.value, "intermittent") if sample.value else None
            found[at] = max(found[at], kind, key=_BADNESS.index) if at in found else kind
    spacing = usual_spacing(sorted(found))
    # Both ends of a window are sent, and the first lies a little before it.
    first = now - window - (spacing or timedelta())
    return spacing, [(at, kind) for at, kind in sorted(found.items()) if kind and at >= first]


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _coverage(readings: int, spacing: timedelta | None, span: Span) -> float | None:
    if spacing is None:
        return None if readings else 0.0
    return min(100 * readings * spacing.total_seconds() / span.seconds, 100.0)


def label_of(percent: float | None) -> Label | None:
    if percent is None:
        return None
    return next((label for least, label in _LABELS if percent >= least), "critical")


def _trend(kinds: Sequence[Kind]) -> Trend | None:
    if len(kinds) < thresholds.LEAST_TREND_READINGS:
        return None
    half = len(kinds) // 2
    before, after = kinds[:half], kinds[half:]
    change = after.count("online") / len(after) - before.count("online") / len(before)
    if abs(change) <= thresholds.TREND_SHARE:
        return "stable"
    return "improving" if change > 0 else "declining"


def _incidents(
    readings: Sequence[Reading], each: timedelta, gaps: Sequence[Span], until: datetime
) -> tuple[Incident, ...]:
    after_gap = {gap.end for gap in gaps}
    runs: list[list[int]] = []
    for place, (at, kind) in enumerate(readings):
        if kind == "online":
            continue
        if runs and runs[-1][-1] == place - 1 and at not in after_gap:
            runs[-1].append(place)
        else:
            runs.append([place])
    before_gap = {gap.start for gap in gaps}
    found = []
    for run in runs:
        start, covered = readings[run[0]][0], readings[run[-1]][0] + each
        following = readings[run[-1] + 1 : run[-1] + 2]
        cut = covered in before_gap
        end = following[0][0] if following and not cut else None
        ongoing = not following and not cut
        found.append(
            Incident(
                kind=_kind({readings[place][1] for place in run}),
                start=start,
                end=end,
                ongoing=None if cut and not following else ongoing,
                duration_s=((end or (until if ongoing else covered)) - start).total_seconds(),
                start_known=run[0] > 0 and start not in after_gap,
                end_known=end is not None,
                readings=len(run),
            )
        )
    return tuple(found)


def _kind(kinds: set[Kind]) -> Literal["offline", "intermittent", "mixed"]:
    if len(kinds) > 1:
        return "mixed"
    return "offline" if "offline" in kinds else "intermittent"


def _stretches(
    readings: Sequence[Reading], gaps: Sequence[Span], span: Span
) -> tuple[Stretch, ...]:
    """Return the window in pieces: readings of one state in a row, and gaps."""
    marks: list[tuple[datetime, Kind | None]] = [(gap.start, None) for gap in gaps]
    # The edges of a window that are too small for a gap belong to the reading beside them.
    marks += [
        (span.start if not place and not _covers(gaps, span.start) else at, kind)
        for place, (at, kind) in enumerate(readings)
    ]
    marks.sort(key=lambda mark: (mark[0], mark[1] is None))
    runs = [(next(run)[0], kind) for kind, run in groupby(marks, key=lambda mark: mark[1])]
    ends = [start for start, _ in runs[1:]] + [span.end]
    return tuple(
        Stretch(span=Span(start=start, end=end), kind=kind)
        for (start, kind), end in zip(runs, ends, strict=True)
        if start < end
    )


def _covers(gaps: Sequence[Span], at: datetime) -> bool:
    return any(gap.start <= at < gap.end for gap in gaps)


def _now_online(readings: Sequence[Reading], gaps: Sequence[Span], span: Span) -> bool | None:
    """Tell what the newest reading says, None where there is none that is recent."""
    if not readings or any(gap.end == span.end for gap in gaps):
        return None
    return readings[-1][1] == "online"


def _unknown(
    location: Location,
    window: Window,
    readings: Sequence[Reading],
    spacing: timedelta | None,
    gaps: Sequence[Span],
) -> tuple[Unknown, ...]:
    return unknowns(
        history=not readings,
        spacing=bool(readings) and spacing is None,
        gaps=bool(readings) and bool(gaps),
        # Three hours are never enough for a trend; nobody misses it there.
        trend=window != "3h" and len(readings) < thresholds.LEAST_TREND_READINGS,
        time_zone=zone_missing(location),
    )
