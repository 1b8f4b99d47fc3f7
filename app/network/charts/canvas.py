"""What the charts share: paper, colours, a time axis in local time, and text drawn as it is."""

import io
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from app.network.pictures import Legends, Theme
from app.network.report import Report, Span
from app.network.zones import offset_word, zone_of

WIDTH, DPI = 1080, 180  # pixels; points are 2.5 pixels then, and 11 of them are read on a phone
TITLE, TEXT, SMALL = 15.0, 11.0, 10.0  # points
LEFT, RIGHT = 0.105, 0.97  # of the width
LONGEST_NAME = 48  # characters
MOST_TICKS = 7
EDGE = 0.03  # of the axis
_STEPS = (0.25, 0.5, 1, 2, 3, 4, 6, 12, 24, 48, 96, 168)  # hours


@dataclass(frozen=True, slots=True)
class Colours:
    paper: str
    ink: str
    faint: str
    grid: str
    gap: str
    missing: str
    down: str
    up: str
    online: str
    intermittent: str
    offline: str


COLOURS: dict[Theme, Colours] = {
    "light": Colours(
        paper="#ffffff", ink="#17202a", faint="#5b6673", grid="#e3e7ec", gap="#eceff3",
        missing="#c0c8d1",
        down="#1f63d6", up="#b8560b", online="#3aa76d", intermittent="#bd8200", offline="#c9253b",
    ),
    "dark": Colours(
        paper="#17212b", ink="#f2f5f8", faint="#a3b1bf", grid="#2b3947", gap="#22303d",
        missing="#4a5b6c",
        down="#6cb0ff", up="#ffb066", online="#4cc38a", intermittent="#ffd24d", offline="#ff6b7a",
    ),
}  # fmt: skip


class Canvas:
    """A sheet of paper with a title, the location under it, and the zone of its times below."""

    def __init__(
        self, report: Report, theme: Theme, legends: Legends, *, title: str, height: int
    ) -> None:
        self.colours = COLOURS[theme]
        self.legends = legends
        self.zone = zone_of(report.zone)
        self.height = height
        self.figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI)
        self.figure.set_facecolor(self.colours.paper)
        self.say(0.035, self.from_top(26), title, size=TITLE, weight="bold", va="top")
        name = drawable(report.site.name or "")
        self.say(0.035, self.from_top(80), name, colour=self.colours.faint, va="top")

    def from_top(self, pixels: float) -> float:
        """Return the height of a line that far below the upper edge, as matplotlib counts it."""
        return 1 - pixels / self.height

    def say(
        self, x: float, y: float, text: str, *, colour: str | None = None, size: float = TEXT,
        **style: Any,
    ) -> None:  # fmt: skip
        self.figure.text(x, y, text, color=colour or self.colours.ink, fontsize=size, **style)

    def panel(self, top: float, bottom: float, *, left: float = LEFT) -> Axes:
        """Return axes between two distances from the upper edge, in pixels."""
        low, high = self.from_top(bottom), self.from_top(top)
        axes = self.figure.add_axes((left, low, RIGHT - left, high - low))
        axes.set_facecolor("none")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(self.colours.grid)
        axes.tick_params(colors=self.colours.faint, labelsize=SMALL, length=0, pad=5)
        return axes

    def zone_line(self, start: datetime, end: datetime) -> None:
        """Say at the foot which days these are, and whose clock it is."""
        days = " \N{EN DASH} ".join(dict.fromkeys((self.day(start), self.day(end))))
        zone = f"{self.zone.key} ({offset_word(end, self.zone)})"
        if self.zone.key == "UTC":
            zone = "UTC"
        text = f"{days}   ·   {zone}"
        self.say(0.035, 18 / self.height, text, colour=self.colours.faint, size=SMALL)

    def day(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{local.day} {self.legends.months[local.month - 1]} {local.year}"

    def clock(self, at: datetime) -> str:
        return at.astimezone(self.zone).strftime("%H:%M")

    def time_axis(self, axes: Axes, span: Span, *, labels: bool = True) -> None:
        axes.set_xlim(span.start.timestamp(), span.end.timestamp())
        marks = list(ticks(span, self.zone))
        axes.set_xticks([at.timestamp() for at in marks])
        axes.set_xticklabels([self.tick(at, span) for at in marks] if labels else [])
        axes.grid(visible=True, axis="x", color=self.colours.grid, linewidth=0.8)
        axes.set_axisbelow(True)
        by_hours = len(marks) > 1 and marks[1] - marks[0] < timedelta(days=1)
        for text, at in zip(axes.get_xticklabels(), marks, strict=False):
            if by_hours and self.is_midnight(at):
                text.set_color(self.colours.ink)
            # A label at an edge would leave the paper.
            if at - span.start < (span.end - span.start) * EDGE and axes.get_position().x0 < LEFT:
                text.set_horizontalalignment("left")
            elif span.end - at < (span.end - span.start) * EDGE:
                text.set_horizontalalignment("right")

    def is_midnight(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        return not local.hour and not local.minute

    def tick(self, at: datetime, span: Span) -> str:
        local = at.astimezone(self.zone)
        if span.seconds > timedelta(days=9).total_seconds():
            return f"{local.day} {self.legends.months[local.month - 1]}"
        if self.is_midnight(at):
            return f"{self.legends.days[local.weekday()]} {local.day}"
        return local.strftime("%H:%M")

    def gaps(self, axes: Axes, gaps: Sequence[Span], shown: Span) -> None:
        """Shade where there are no readings, and say so where there is room."""
        for gap in gaps:
            start, end = gap.start.timestamp(), gap.end.timestamp()
            axes.axvspan(start, end, color=self.colours.gap, linewidth=0, zorder=0.5)
            if gap.seconds > shown.seconds / 4:
                axes.text(
                    (start + end) / 2, 0.5, self.legends.no_readings,
                    transform=axes.get_xaxis_transform(), ha="center", va="center",
                    color=self.colours.faint, fontsize=SMALL,
                )  # fmt: skip

    def legend(self, handles: Sequence[Artist]) -> None:
        self.figure.legend(
            handles=list(handles), loc="lower left", bbox_to_anchor=(0.022, 44 / self.height),
            ncols=len(handles), frameon=False, fontsize=SMALL, labelcolor=self.colours.faint,
            handlelength=1.5, columnspacing=1.3, handletextpad=0.5, borderpad=0.2,
        )  # fmt: skip

    def nothing(self) -> None:
        self.say(
            0.5, 0.45, self.legends.nothing, colour=self.colours.faint, ha="center", va="center"
        )

    def png(self) -> bytes:
        out = io.BytesIO()
        self.figure.savefig(out, format="png")
        return out.getvalue()


@contextmanager
def plain_text() -> Iterator[None]:
    """Draw text as it is: a `$` in a name begins no formula."""
    with mpl.rc_context({"text.parse_math": False, "text.usetex": False}):
        yield


def ticks(span: Span, zone: ZoneInfo) -> Iterator[datetime]:
    """Return round local times within a span, at most MOST_TICKS of them."""
    hours = span.seconds / 3600
    step = timedelta(hours=next((s for s in _STEPS if hours / s <= MOST_TICKS), hours))
    first = span.start.astimezone(zone).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    wall = first
    while wall <= span.end.astimezone(zone).replace(tzinfo=None):
        at = wall.replace(tzinfo=zone)
        # An hour that a spring night leaves out is no time of that day.
        exists = datetime.fromtimestamp(at.timestamp(), zone).replace(tzinfo=None) == wall
        if exists and span.start.timestamp() <= at.timestamp() <= span.end.timestamp():
            yield at
        wall += step


def number(value: float) -> str:
    if value >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def drawable(name: str) -> str:
    """Return a name without what the font cannot draw and what draws nothing, not too long."""
    known = _glyphs()
    seen = "".join(
        sign
        for sign in unicodedata.normalize("NFC", " ".join(name.split()))
        if ord(sign) in known and unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co"}
    ).strip()
    return seen if len(seen) <= LONGEST_NAME else seen[: LONGEST_NAME - 1].rstrip() + "…"


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
