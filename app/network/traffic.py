"""What went over the line in one direction, from the rows of Plume."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from app.network import thresholds
from app.network.report import Span, Value, plausible, recent
from app.network.zones import hour_of
from app.plume.models import WanRow

Fullness = Literal["full", "busy", "free"]
Basis = Literal["volumes", "peaks"]

READINGS = ("rx_mbytes", "tx_mbytes", "rx_max_mbps", "tx_max_mbps")


class BusyHour(Value):
    """One local hour of one day. `factor` is its mean against that of all readings."""

    span: Span
    mean_mbps: float
    factor: float
    level: Literal["high", "moderate"]
    basis: Basis


class Direction(Value):
    """One direction of the line, by the readings that it has.

    `average_mbps` is the true one: what was moved, over the time it took. The peaks are the
    highest rates of each interval, and so is `p95_mbps` of them, by nearest rank.
    Percentages of the line compare with the last speed test; `saturation_percent` is Plume's, of
    the fullest interval. `fullness` judges the 95th percentile: a speed test fills the line too,
    and one that runs every night would make every line full. 1 GB is 1,000 MB.
    """

    peak_mbps: float | None
    peak_at: datetime | None
    average_mbps: float | None
    average_of_peaks_mbps: float | None
    p95_mbps: float | None
    total_mbytes: float | None
    total_gbytes: float | None
    volume_readings: int
    peak_readings: int
    busiest: tuple[BusyHour, ...]
    line_mbps: float | None
    peak_of_line_percent: float | None
    p95_of_line_percent: float | None
    saturation_percent: float | None
    fullness: Fullness | None


@dataclass(frozen=True, slots=True)
class Series:
    """One direction: (time, reading) in the order of time, without what is None."""

    volumes: tuple[tuple[datetime, float], ...]  # Mbyte
    peaks: tuple[tuple[datetime, float], ...]  # Mbit/s


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of the line in one direction: its speed, and how full it was."""

    mbps: float | None
    saturation_percent: float | None


def clean_rows(rows: Sequence[WanRow], now: datetime) -> tuple[WanRow, ...]:
    """Return the rows that have a time, sorted, each time once, readings that cannot be None.

    Where a time comes twice the larger reading stays: an interval is sent while it still grows.
    """
    found: dict[datetime, WanRow] = {}
    for row in rows:
        if (at := recent(row.timestamp, now)) is None:
            continue
        known = found.get(at) or WanRow()
        # A copy, because reading from a model again would take its time for unreadable.
        found[at] = row.model_copy(
            update={name: _larger(getattr(known, name), getattr(row, name)) for name in READINGS}
        )
    return tuple(found[at] for at in sorted(found))


def _larger(one: float | None, other: float | None) -> float | None:
    values = (plausible(one), plausible(other))
    return max((value for value in values if value is not None), default=None)


def readings_of(row: WanRow) -> int:
    """Return how many of its four readings a row has."""
    return sum(getattr(row, name) is not None for name in READINGS)


def downloads(rows: Sequence[WanRow]) -> Series:
    return Series(
        _known((row.timestamp, row.rx_mbytes) for row in rows),
        _known((row.timestamp, row.rx_max_mbps) for row in rows),
    )


def uploads(rows: Sequence[WanRow]) -> Series:
    return Series(
        _known((row.timestamp, row.tx_mbytes) for row in rows),
        _known((row.timestamp, row.tx_max_mbps) for row in rows),
    )


def _known(
    readings: Iterable[tuple[datetime | None, float | None]],
) -> tuple[tuple[datetime, float], ...]:
    return tuple((at, value) for at, value in readings if at and value is not None)


def direction(series: Series, spacing: timedelta | None, zone: ZoneInfo, line: Line) -> Direction:
    peaks = [value for _, value in series.peaks]
    volumes = [value for _, value in series.volumes]
    peak = max(peaks, default=None)
    line_mbps = plausible(line.mbps) or None  # a test of 0 measured nothing
    saturation = plausible(line.saturation_percent)
    p95 = nearest_rank(peaks, thresholds.PERCENTILE)
    p95_of_line = _percent(p95, line_mbps)
    total = math.fsum(volumes) if volumes else None
    return Direction(
        peak_mbps=peak,
        peak_at=next((at for at, value in series.peaks if value == peak), None),
        average_mbps=_average(volumes, spacing),
        average_of_peaks_mbps=math.fsum(peaks) / len(peaks) if peaks else None,
        p95_mbps=p95,
        total_mbytes=total,
        total_gbytes=None if total is None else total / 1000,
        volume_readings=len(volumes),
        peak_readings=len(peaks),
        busiest=_busiest(series, spacing, zone),
        line_mbps=line_mbps,
        peak_of_line_percent=_percent(peak, line_mbps),
        p95_of_line_percent=p95_of_line,
        saturation_percent=saturation,
        fullness=_fullness(p95_of_line, saturation),
    )


def _average(volumes: Sequence[float], spacing: timedelta | None) -> float | None:
    if not volumes or not spacing:
        return None
    return math.fsum(volumes) * 8 / (len(volumes) * spacing.total_seconds())


def nearest_rank(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that `share` of all do not exceed."""
    if not values:
        return None
    # The product can end a hair above a whole number, which would be one rank too many.
    rank = math.ceil(round(share * len(values), 9))
    return sorted(values)[max(rank, 1) - 1]


def _percent(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else 100 * part / whole


def _fullness(p95_of_line: float | None, saturation: float | None) -> Fullness | None:
    percent = p95_of_line if p95_of_line is not None else saturation
    if percent is None:
        return None
    # Of one interval alone nobody can say that the line is too small.
    if p95_of_line is not None and percent >= thresholds.LINE_FULL_PERCENT:
        return "full"
    return "busy" if percent >= thresholds.LINE_BUSY_PERCENT else "free"


def _busiest(series: Series, spacing: timedelta | None, zone: ZoneInfo) -> tuple[BusyHour, ...]:
    """Return the local hours that stand out, by volumes where there are any, else by peaks."""
    basis: Basis = "volumes" if series.volumes else "peaks"
    rates = _rates(series, spacing)
    if not rates or not spacing:
        return ()
    overall = math.fsum(rate for _, rate in rates) / len(rates)
    means = _hourly(rates, spacing, zone)
    busy = [
        BusyHour(
            span=Span(start=start, end=start + timedelta(hours=1)),
            mean_mbps=mean,
            factor=mean / overall,
            level="high" if mean > thresholds.VERY_BUSY_FACTOR * overall else "moderate",
            basis=basis,
        )
        for start, mean in means.items()
        if mean > thresholds.BUSY_FACTOR * overall
    ]
    busy.sort(key=lambda hour: (-hour.mean_mbps, hour.span.start))
    return tuple(busy[: thresholds.BUSIEST_HOURS])


def _rates(series: Series, spacing: timedelta | None) -> list[tuple[datetime, float]]:
    if not series.volumes or not spacing:
        return list(series.peaks)
    scale = 8 / spacing.total_seconds()
    return [(at, volume * scale) for at, volume in series.volumes]


def _hourly(
    rates: Sequence[tuple[datetime, float]], spacing: timedelta, zone: ZoneInfo
) -> dict[datetime, float]:
    """Return the mean of each local hour of each day that has enough readings."""
    hours: dict[datetime, list[float]] = {}
    for at, rate in rates:
        hours.setdefault(hour_of(at, zone), []).append(rate)
    least = thresholds.LEAST_OF_AN_HOUR * timedelta(hours=1) / spacing
    return {
        start: math.fsum(found) / len(found)
        for start, found in hours.items()
        if len(found) >= least
    }
