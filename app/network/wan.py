"""How hard the internet line worked: the report of /wan."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from app.network import thresholds
from app.network.report import (
    Report,
    Span,
    Unknown,
    missing_spans,
    recent,
    site_of,
    unknowns,
    usual_spacing,
    zone_missing,
    zone_name,
)
from app.network.speedtest import last_speed_test
from app.network.traffic import (
    READINGS,
    Direction,
    Line,
    clean_rows,
    direction,
    downloads,
    readings_of,
    uploads,
)
from app.network.zones import zone_of
from app.plume.models import Location, Saturation, WanRow

Quality = Literal["excellent", "good", "poor"]


class WanReport(Report):
    """`state` is "no_data" where no row has a reading. `down` is rx, `up` is tx.

    `rows` are those with a time, each once; `expected_rows` is how many the window should have.
    `quality_percent` is the share of the four readings per expected row that came.
    `gaps` are intervals without any reading, the edges of the window too.
    """

    state: Literal["ok", "no_data"]
    window: Span
    first_at: datetime | None
    last_at: datetime | None
    spacing_s: float | None
    rows: int
    repeated_rows: int
    undated_rows: int
    expected_rows: int | None
    quality_percent: float | None
    quality: Quality | None
    gaps: tuple[Span, ...]
    down: Direction
    up: Direction
    line_at: datetime | None


def wan_use(
    location: Location,
    rows: Sequence[WanRow],
    now: datetime,
    *,
    saturation: Saturation | None = None,
    window_s: float = thresholds.DAY_S,
) -> WanReport:
    """Judge the rows of the last `window_s` seconds, in any order, with nulls and repeats."""
    cleaned = clean_rows(rows, now)
    read = [row for row in cleaned if readings_of(row)]
    times = [row.timestamp for row in cleaned if row.timestamp]
    spacing = usual_spacing(times)
    window = _window(times, spacing, now, window_s)
    expected = round(window.seconds / spacing.total_seconds()) if spacing else None
    share = _share(read, expected)
    down, up, line_at = _directions(location, read, spacing, saturation or Saturation(), now)
    read_times = [row.timestamp for row in read if row.timestamp]
    gaps = missing_spans(read_times, spacing or timedelta(), window.start, window.end)
    dated = sum(recent(row.timestamp, now) is not None for row in rows)
    return WanReport(
        site=site_of(location),
        zone=zone_name(location),
        read_at=now,
        state="ok" if read else "no_data",
        window=window,
        first_at=times[0] if times else None,
        last_at=times[-1] if times else None,
        spacing_s=spacing.total_seconds() if spacing else None,
        rows=len(cleaned),
        repeated_rows=dated - len(cleaned),
        undated_rows=len(rows) - dated,
        expected_rows=expected,
        quality_percent=share,
        quality=_quality(share, some=bool(read)),
        gaps=gaps,
        down=down,
        up=up,
        line_at=line_at,
        unknown=_unknown(location, down, up, spacing, gaps),
    )


def _directions(
    location: Location,
    rows: Sequence[WanRow],
    spacing: timedelta | None,
    full: Saturation,
    now: datetime,
) -> tuple[Direction, Direction, datetime | None]:
    """Return download, upload, and when the speed of the line was measured."""
    test = last_speed_test(location, None, frozenset(), now)
    if test is not None and test.state != "succeeded":
        test = None
    zone = zone_of(location.time_zone)
    down = Line(test.download_mbps if test else None, full.rx_max_percentage)
    up = Line(test.upload_mbps if test else None, full.tx_max_percentage)
    return (
        direction(downloads(rows), spacing, zone, down),
        direction(uploads(rows), spacing, zone, up),
        test.at if test else None,
    )


def _window(
    times: list[datetime], spacing: timedelta | None, now: datetime, window_s: float
) -> Span:
    """Return the time looked at: the window before now, and rows that lie beyond it."""
    start, end = now - timedelta(seconds=window_s), now
    if times:
        # A row of a window's first interval may bear a time just before it.
        start = min(start, times[0] + (spacing or timedelta()))
        end = max(end, times[-1])
    return Span(start=start, end=end)


def _share(read: Sequence[WanRow], expected: int | None) -> float | None:
    if not expected:
        return None
    return min(100 * sum(map(readings_of, read)) / (len(READINGS) * expected), 100.0)


def _quality(percent: float | None, *, some: bool) -> Quality | None:
    if not some or percent is None:
        return None
    if percent >= thresholds.QUALITY_EXCELLENT_PERCENT:
        return "excellent"
    return "good" if percent >= thresholds.QUALITY_GOOD_PERCENT else "poor"


def _unknown(
    location: Location,
    down: Direction,
    up: Direction,
    spacing: timedelta | None,
    gaps: Sequence[Span],
) -> tuple[Unknown, ...]:
    return unknowns(
        spacing=spacing is None,
        download=not down.volume_readings and not down.peak_readings,
        upload=not up.volume_readings and not up.peak_readings,
        line_speed=down.line_mbps is None and down.saturation_percent is None,
        gaps=bool(gaps),
        time_zone=zone_missing(location),
    )
