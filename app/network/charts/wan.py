"""The use of the line: each direction on a scale of its own, on one time axis."""

from datetime import datetime, timedelta
from itertools import zip_longest

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from app.network import thresholds
from app.network.charts.canvas import Canvas, number, plain_text
from app.network.charts.scale import scale
from app.network.pictures import WanPicture
from app.network.traffic import Direction, Series, clean_rows, downloads, uploads

HEIGHT = 760
MOST_OF_PEAK = 1.6  # a line speed further above the peak would press everything flat
NAN = float("nan")


def wan_chart(picture: WanPicture) -> bytes:
    with plain_text():
        return _draw(picture).png()


def _draw(picture: WanPicture) -> Canvas:
    report, words = picture.report, picture.legends
    canvas = Canvas(report, picture.theme, words, title=words.wan, height=HEIGHT)
    canvas.zone_line(report.window.start, report.window.end)
    if report.state == "no_data":
        canvas.nothing()
        return canvas
    rows = clean_rows(picture.rows, report.read_at)
    colours = canvas.colours
    both = (
        (report.down, downloads(rows), words.download, colours.down, (186, 392)),
        (report.up, uploads(rows), words.upload, colours.up, (464, 606)),
    )
    for place, (way, series, name, colour, (top, bottom)) in enumerate(both):
        axes = canvas.panel(top, bottom)
        canvas.time_axis(axes, report.window, labels=place == 1)
        canvas.gaps(axes, report.gaps, report.window)
        _head(canvas, way, name, colour, top)
        _plot(canvas, axes, way, series, colour, report.spacing_s)
    _legend(canvas, line=_line_shown(report.down) or _line_shown(report.up))
    return canvas


def _head(canvas: Canvas, way: Direction, name: str, colour: str, top: int) -> None:
    """Write the direction in its colour, and its figures to the right of it."""
    y = canvas.from_top(top - 14)
    canvas.say(0.035, y, name, colour=colour, weight="bold", va="bottom")
    words = canvas.legends
    figures = []
    if way.peak_mbps is not None:
        when = f" {canvas.clock(way.peak_at)}" if way.peak_at else ""
        figures.append(f"{words.peak} {number(way.peak_mbps)} {words.unit}{when}")
    if way.p95_mbps is not None:
        figures.append(f"{words.p95} {number(way.p95_mbps)}")
    if way.average_mbps is not None:
        figures.append(f"{words.average} {number(way.average_mbps)}")
    canvas.say(0.97, y, "  ·  ".join(figures) or words.no_readings, ha="right", va="bottom")


def _plot(
    canvas: Canvas, axes: Axes, way: Direction, series: Series, colour: str, spacing_s: float | None
) -> None:
    spacing = timedelta(seconds=spacing_s or 0)
    # One reading alone has no width, so a spacing that nobody knows is drawn as the usual one.
    each = spacing or timedelta(minutes=15)
    rate = 8 / each.total_seconds()
    means = _steps([(at, volume * rate) for at, volume in series.volumes], each)
    peaks = _steps(list(series.peaks), each)
    axes.fill_between(*means, step="post", color=colour, alpha=0.35, linewidth=0)
    axes.plot(*peaks, drawstyle="steps-post", color=colour, linewidth=1.3)
    top = max([value for _, value in series.peaks] + [v for v in means[1] if v == v], default=0)  # noqa: PLR0124
    if way.p95_mbps is not None:
        axes.axhline(way.p95_mbps, color=canvas.colours.ink, linewidth=1.1, linestyle=(0, (4, 3)))
    if _line_shown(way) and way.line_mbps:
        axes.axhline(way.line_mbps, color=colour, linewidth=1.6, linestyle=(0, (1, 1.2)))
        top = max(top, way.line_mbps)
    if way.peak_mbps is not None and way.peak_at is not None:
        at = (way.peak_at + each / 2).timestamp()
        axes.plot([at], [way.peak_mbps], "o", color=colour, markersize=6,
                  markeredgecolor=canvas.colours.paper, clip_on=False, zorder=5)  # fmt: skip
    scale(axes, top, canvas.colours.grid)


def _line_shown(way: Direction) -> bool:
    if way.line_mbps is None or way.peak_mbps is None:
        return False
    return way.line_mbps <= MOST_OF_PEAK * way.peak_mbps


def _steps(
    readings: list[tuple[datetime, float]], each: timedelta
) -> tuple[list[float], list[float]]:
    """Return points of steps that end where a reading is missing."""
    xs: list[float] = []
    ys: list[float] = []
    for (at, value), after in zip_longest(readings, [at for at, _ in readings[1:]]):
        xs.append(at.timestamp())
        ys.append(value)
        if after is None or after - at > each * thresholds.SPACINGS_OF_A_GAP:
            end = (at + each).timestamp()
            xs += [end, end]
            ys += [value, NAN]
    return xs, ys


def _legend(canvas: Canvas, *, line: bool) -> None:
    words, ink = canvas.legends, canvas.colours.faint
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=ink, linewidth=1.6, label=words.peak),
        Patch(color=ink, alpha=0.4, linewidth=0, label=words.average),
        Line2D([], [], color=canvas.colours.ink, linewidth=1.2, linestyle=(0, (4, 3)),
               label=words.percentile),
    ]  # fmt: skip
    if line:
        handles.append(
            Line2D([], [], color=ink, linewidth=1.8, linestyle=(0, (1, 1.2)), label=words.line)
        )
    canvas.legend(handles)
