"""What a chart shows, as words, for those who do not see it. The main process makes them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from app.network.report import Report, Span
from app.network.speed import SpeedReport, SpeedSide
from app.network.traffic import Direction
from app.network.uptime import Incident, UptimeReport
from app.network.wan import WanReport
from app.network.zones import offset_word, zone_of

LONGEST_NAME = 80  # characters; a caption in Telegram has 1,024
MOST_NAMED = 5  # incidents; the report has them all
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WINDOWS = {"3h": "3 hours", "24h": "24 hours", "7d": "7 days"}


def wan_alt(report: WanReport) -> str:
    head = f"Use of the internet line{_of(report)}, {_days(report, report.window)}."
    if report.state == "no_data":
        return f"{head} No readings."
    parts = [head, _direction(report, report.down, "Download"),
             _direction(report, report.up, "Upload")]  # fmt: skip
    if report.gaps:
        parts.append(f"Without readings: {_gaps(report, report.gaps)}.")
    return " ".join(parts)


def _direction(report: Report, way: Direction, name: str) -> str:
    figures = []
    if way.peak_mbps is not None:
        when = f" at {_clock(report, way.peak_at)}" if way.peak_at else ""
        figures.append(f"peak {_number(way.peak_mbps)} Mbps{when}")
    if way.average_mbps is not None:
        figures.append(f"average {_number(way.average_mbps)} Mbps")
    if way.p95_mbps is not None:
        figures.append(f"95th percentile of the peaks {_number(way.p95_mbps)} Mbps")
    if way.line_mbps is not None:
        figures.append(f"speed test {_number(way.line_mbps)} Mbps")
    return f"{name}: {', '.join(figures)}." if figures else f"{name}: no readings."


def uptime_alt(report: UptimeReport) -> str:
    head = f"Online in the last {_WINDOWS[report.window]}{_of(report)}"
    if report.uptime_percent is None:
        return f"{head}: no readings."
    parts = [f"{head}: {percent(report.uptime_percent)} of the readings."]
    parts.append(_incidents(report))
    if report.gaps:
        parts.append(f"Without readings: {_gaps(report, report.gaps)}.")
    parts.append(f"Times: {_zone(report, report.span.end)}.")
    return " ".join(parts)


def _incidents(report: UptimeReport) -> str:
    if not report.incidents:
        return "No outage."
    newest = report.incidents[-MOST_NAMED:]
    named = "; ".join(_incident(report, incident) for incident in newest)
    older = len(report.incidents) - len(newest)
    return f"Outages: {named}{f'; and {older} before' if older else ''}."


def _incident(report: Report, incident: Incident) -> str:
    kind: Literal["offline", "intermittent"] = (
        "intermittent" if incident.kind == "intermittent" else "offline"
    )
    start = _time(report, incident.start)
    if incident.ongoing:
        return f"{kind} since {start}"
    end = _clock(report, incident.end) if incident.end else "an unknown time"
    return f"{kind} {start} to {end}"


def speed_alt(report: SpeedReport) -> str:
    count = len(report.tests)
    head = f"Speed tests{_of(report)}: {count} that succeeded, {len(report.failed_at)} that failed."
    if not count:
        return head
    first, last = report.tests[0].at, report.tests[-1].at
    sides = [_side(report.down, "Download"), _side(report.up, "Upload")]
    return " ".join([head, *sides, f"{_days(report, Span(start=first, end=last))}."])


def _side(side: SpeedSide, name: str) -> str:
    if side.median_mbps is None or side.worst_mbps is None or side.best_mbps is None:
        return f"{name}: no readings."
    return (
        f"{name}: median {_number(side.median_mbps)} Mbps, "
        f"from {_number(side.worst_mbps)} to {_number(side.best_mbps)} Mbps."
    )


def percent(value: float) -> str:
    """Return a percentage; what is short of all is not rounded up to it, nor down to nothing."""
    rounded = f"{value:.1f}"
    if rounded == "100.0" and value < 100:  # noqa: PLR2004 - percent
        rounded = "99.9"
    if rounded == "0.0" and value > 0:
        rounded = "0.1"
    return f"{rounded} %"


def _number(value: float) -> str:
    if value >= 100:  # noqa: PLR2004 - digits that nobody needs
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _of(report: Report) -> str:
    return f" of {report.site.name[:LONGEST_NAME]}" if report.site.name else ""


def _gaps(report: Report, gaps: Sequence[Span]) -> str:
    named = "; ".join(
        f"{_time(report, gap.start)} to {_time(report, gap.end)}" for gap in gaps[:MOST_NAMED]
    )
    return named + (f"; and {len(gaps) - MOST_NAMED} more" if len(gaps) > MOST_NAMED else "")


def _days(report: Report, span: Span) -> str:
    times = f"{_time(report, span.start)} to {_time(report, span.end)}"
    return f"{times}, {_zone(report, span.end)}"


def _zone(report: Report, at: datetime) -> str:
    zone = zone_of(report.zone)
    return zone.key if zone.key == "UTC" else f"{zone.key} ({offset_word(at, zone)})"


def _time(report: Report, at: datetime) -> str:
    local = at.astimezone(zone_of(report.zone))
    return f"{local.day} {_MONTHS[local.month - 1]} {local:%H:%M}"


def _clock(report: Report, at: datetime) -> str:
    return f"{at.astimezone(zone_of(report.zone)):%H:%M}"
