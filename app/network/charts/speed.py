"""Speed tests over time: each direction on a scale of its own, with its median."""

import math
from datetime import datetime, timedelta

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from app.network import thresholds
from app.network.charts.canvas import Canvas, number, plain_text
from app.network.charts.scale import scale
from app.network.pictures import SpeedPicture
from app.network.report import Span, usual_spacing
from app.network.speed import SpeedReport, SpeedSide

HEIGHT = 760
LEAST_SPAN = timedelta(days=1)


def speed_chart(picture: SpeedPicture) -> bytes:
    with plain_text():
        return _draw(picture).png()


def _draw(picture: SpeedPicture) -> Canvas:
    report, words = picture.report, picture.legends
    canvas = Canvas(report, picture.theme, words, title=words.speed, height=HEIGHT)
    span = _span(report)
    canvas.zone_line(span.start, span.end)
    if not report.tests and not report.failed_at:
        canvas.nothing()
        return canvas
    colours = canvas.colours
    tests = report.tests
    both = (
        (report.down, [(t.at, t.download_mbps) for t in tests], words.download, colours.down),
        (report.up, [(t.at, t.upload_mbps) for t in tests], words.upload, colours.up),
    )
    for place, (side, points, name, colour) in enumerate(both):
        top, bottom = ((186, 392), (464, 606))[place]
        axes = canvas.panel(top, bottom)
        canvas.time_axis(axes, span, labels=place == 1)
        known = [(at, value) for at, value in points if value is not None]
        _head(canvas, side, known, name, colour, top)
        _plot(canvas, axes, side, known, colour)
        _failed(canvas, axes, report.failed_at)
    _legend(canvas, failed=bool(report.failed_at))
    return canvas


def _span(report: SpeedReport) -> Span:
    times = [test.at for test in report.tests] + list(report.failed_at)
    start, end = min(times, default=report.read_at), max(times, default=report.read_at)
    margin = max((end - start) * 0.03, (LEAST_SPAN - (end - start)) / 2)
    return Span(start=start - margin, end=end + margin)


def _head(
    canvas: Canvas,
    side: SpeedSide,
    points: list[tuple[datetime, float]],
    name: str,
    colour: str,
    top: int,
) -> None:
    y = canvas.from_top(top - 14)
    words = canvas.legends
    canvas.say(0.035, y, name, colour=colour, weight="bold", va="bottom")
    figures = words.no_readings
    if points and side.median_mbps is not None:
        figures = (
            f"{words.last} {number(points[-1][1])} {words.unit}"
            f"  ·  {words.median} {number(side.median_mbps)}"
        )
    canvas.say(0.97, y, figures, ha="right", va="bottom")


def _plot(
    canvas: Canvas,
    axes: Axes,
    side: SpeedSide,
    points: list[tuple[datetime, float]],
    colour: str,
) -> None:
    xs, ys = [at.timestamp() for at, _ in points], [value for _, value in points]
    axes.plot(*_joined(points), color=colour, linewidth=1.1, alpha=0.55)
    axes.plot(xs, ys, "o", color=colour, markersize=5, clip_on=False,
              markeredgecolor=canvas.colours.paper, markeredgewidth=0.6, zorder=4)  # fmt: skip
    if side.median_mbps is not None:
        axes.axhline(side.median_mbps, color=canvas.colours.ink, linewidth=1.1,
                     linestyle=(0, (4, 3)))  # fmt: skip
    scale(axes, max(ys, default=0.0), canvas.colours.grid)


def _joined(points: list[tuple[datetime, float]]) -> tuple[list[float], list[float]]:
    """Return the points with a break wherever tests are missing between two of them."""
    usual = usual_spacing([at for at, _ in points]) or timedelta()
    xs: list[float] = []
    ys: list[float] = []
    before: datetime | None = None
    for at, value in points:
        if before is not None and at - before > usual * thresholds.SPACINGS_OF_A_GAP:
            xs.append(at.timestamp())
            ys.append(math.nan)
        xs.append(at.timestamp())
        ys.append(value)
        before = at
    return xs, ys


def _failed(canvas: Canvas, axes: Axes, failed: tuple[datetime, ...]) -> None:
    axes.plot([at.timestamp() for at in failed], [0.0] * len(failed), "X", markersize=8,
              color=canvas.colours.offline, markeredgecolor=canvas.colours.paper, clip_on=False,
              zorder=5)  # fmt: skip


def _legend(canvas: Canvas, *, failed: bool) -> None:
    words, ink = canvas.legends, canvas.colours.faint
    handles = [
        Line2D([], [], color=ink, marker="o", markersize=5, linewidth=1, label=words.test),
        Line2D([], [], color=canvas.colours.ink, linewidth=1.2, linestyle=(0, (4, 3)),
               label=words.median),
    ]  # fmt: skip
    if failed:
        handles.append(Line2D([], [], color=canvas.colours.offline, marker="X", markersize=8,
                              linewidth=0, label=words.failed))  # fmt: skip
    canvas.legend(handles)
