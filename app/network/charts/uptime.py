"""Uptime as a band: one for hours, one per local day for a week, so that an outage has width."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from app.network.captions import percent
from app.network.charts.canvas import TEXT, Canvas, plain_text
from app.network.pictures import UptimePicture
from app.network.report import Span
from app.network.uptime import Incident, Kind, Label, Stretch, UptimeReport

HEIGHT_WEEK, HEIGHT_DAY = 806, 600
MOST_LINES = 3  # of incidents under a band
# What is worse is higher, so that a colour is not all that tells.
_HALVES: dict[Kind | None, float] = {
    "online": 0.3, "intermittent": 0.38, "offline": 0.45, None: 0.08,
}  # fmt: skip


def uptime_chart(picture: UptimePicture) -> bytes:
    with plain_text():
        return _draw(picture).png()


def _draw(picture: UptimePicture) -> Canvas:
    report, words = picture.report, picture.legends
    titles = {"3h": words.uptime_3h, "24h": words.uptime_24h, "7d": words.uptime_7d}
    week = report.window == "7d"
    height = HEIGHT_WEEK if week else HEIGHT_DAY
    title = titles[report.window]
    canvas = Canvas(report, picture.theme, words, title=title, height=height)
    canvas.zone_line(report.span.start, report.span.end)
    if report.state == "no_data" or report.uptime_percent is None:
        canvas.nothing()
        return canvas
    colour = _colour(canvas, report.label)
    text = percent(report.uptime_percent)
    canvas.say(0.97, canvas.from_top(22), text, colour=colour, size=23, weight="bold",
               ha="right", va="top")  # fmt: skip
    (_week if week else _hours)(canvas, report)
    _legend(canvas, report)
    return canvas


def _colour(canvas: Canvas, label: Label | None) -> str:
    colours = canvas.colours
    if label in {"excellent", "good"}:
        return colours.online
    return colours.intermittent if label == "fair" else colours.offline


def _hours(canvas: Canvas, report: UptimeReport) -> None:
    axes = canvas.panel(150, 300, left=0.035)
    axes.set_ylim(-0.5, 0.5)
    axes.set_yticks([])
    canvas.time_axis(axes, report.span)
    for stretch in report.stretches:
        span = stretch.span
        _bar(canvas, axes, stretch.kind, span.start.timestamp(), span.end.timestamp(), 0)
    _incidents(canvas, report.incidents)


def _incidents(canvas: Canvas, incidents: Sequence[Incident]) -> None:
    """Write the newest incidents under the band, with their clock times."""
    words = canvas.legends
    y = 392
    for incident in list(incidents)[-MOST_LINES:]:
        kind = "intermittent" if incident.kind == "intermittent" else "offline"
        end = words.ongoing if incident.ongoing else _end(canvas, incident)
        text = f"{canvas.clock(incident.start)} \N{EN DASH} {end}"
        lasting = f"{_lasting(canvas, incident.duration_s)}, {getattr(words, kind)}"
        colour = canvas.colours.offline if kind == "offline" else canvas.colours.intermittent
        canvas.say(0.035, canvas.from_top(y), text, colour=colour, weight="bold", va="baseline")
        canvas.say(0.36, canvas.from_top(y), lasting, va="baseline")
        y += 42
    if len(incidents) > MOST_LINES:
        more = words.more.format(count=len(incidents) - MOST_LINES)
        canvas.say(0.97, canvas.from_top(y - 42), more, colour=canvas.colours.faint,
                   ha="right", va="baseline")  # fmt: skip
    if not incidents:
        canvas.say(0.035, canvas.from_top(y), words.no_incidents, va="baseline")


def _end(canvas: Canvas, incident: Incident) -> str:
    return canvas.clock(incident.end) if incident.end else "?"


def _lasting(canvas: Canvas, seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    parts = [(hours, canvas.legends.hours), (minutes, canvas.legends.minutes)]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"


def _week(canvas: Canvas, report: UptimeReport) -> None:
    axes = canvas.panel(142, 650, left=0.14)
    days = _days(canvas, report.span)
    axes.set_ylim(len(days) - 0.5, -0.5)
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 24, 4), [f"{hour:02}:00" for hour in range(0, 24, 4)])
    axes.grid(visible=True, axis="x", color=canvas.colours.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    names = [f"{canvas.legends.days[day.weekday()]} {day.day}" for day in days]
    axes.set_yticks(range(len(days)), names)
    axes.tick_params(axis="y", labelsize=TEXT, labelcolor=canvas.colours.ink)
    order: tuple[Kind | None, ...] = (None, "online", "intermittent", "offline")
    # What is worse is painted last: the hour that an autumn night has twice shows the worse one.
    for stretch in sorted(report.stretches, key=lambda each: order.index(each.kind)):
        for place, start, end in _pieces(canvas, stretch, days):
            _bar(canvas, axes, stretch.kind, start, end, place)


def _days(canvas: Canvas, span: Span) -> list[datetime]:
    """Return the local midnights of the days in a span, without a zone: as a calendar has them."""
    first = _wall(canvas, span.start).date()
    last = _wall(canvas, span.end - timedelta(microseconds=1)).date()
    count = (last - first).days + 1
    return [datetime.combine(first + timedelta(days=each), time()) for each in range(count)]


def _wall(canvas: Canvas, at: datetime) -> datetime:
    return at.astimezone(canvas.zone).replace(tzinfo=None)


def _pieces(
    canvas: Canvas, stretch: Stretch, days: Sequence[datetime]
) -> list[tuple[int, float, float]]:
    """Return (day, from, to) in hours of the clock on the wall."""
    start, end = _wall(canvas, stretch.span.start), _wall(canvas, stretch.span.end)
    if end <= start:  # the clock was put back meanwhile
        end = start + timedelta(seconds=stretch.span.seconds)
    found = []
    for place, day in enumerate(days):
        low = max((start - day) / timedelta(hours=1), 0.0)
        high = min((end - day) / timedelta(hours=1), 24.0)
        if low < high:
            found.append((place, low, high))
    return found


def _bar(
    canvas: Canvas, axes: Axes, kind: Kind | None, start: float, end: float, place: float
) -> None:
    half = _HALVES[kind]
    axes.broken_barh(
        [(start, end - start)], (place - half, 2 * half),
        facecolor=_paint(canvas, kind), linewidth=0, zorder=2,
    )  # fmt: skip


def _paint(canvas: Canvas, kind: Kind | None) -> str:
    return canvas.colours.missing if kind is None else str(getattr(canvas.colours, kind))


def _legend(canvas: Canvas, report: UptimeReport) -> None:
    """Name the colours that are there."""
    words = canvas.legends
    names: dict[Kind | None, str] = {
        "online": words.online, "intermittent": words.intermittent,
        "offline": words.offline, None: words.no_readings,
    }  # fmt: skip
    there = {stretch.kind for stretch in report.stretches}
    handles = [
        Patch(facecolor=_paint(canvas, kind), label=name, linewidth=0)
        for kind, name in names.items()
        if kind in there
    ]
    canvas.legend(handles)
