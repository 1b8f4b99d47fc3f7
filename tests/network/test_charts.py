"""Charts: what is on the paper. How they look is for eyes; `pictures.py` has the words."""

import math
import struct
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from app.network.charts import canvas, chart, speed, uptime, wan
from app.network.charts.canvas import drawable, ticks
from app.network.charts.scale import round_step
from app.network.pictures import PICTURES, SpeedPicture, Theme, UptimePicture, WanPicture
from app.network.report import Span
from app.network.speed import speed_tests
from app.network.uptime import Window, online_history
from app.network.wan import wan_use
from app.plume.models import Location, SpeedHistory, WanRow
from tests.network.worlds import NOW, QUARTER, day_of_rows, location, samples

HOSTILE = (
    "Home $x_1$ and $\\frac{",
    "<b>bold</b> & `code`",
    "日本語の家",
    "🏠🏠🏠",
    "مرحبا \u202eevil",
    "line\nbreak\x00\x07",
    "x" * 300,
    "",
)


def wan_picture(
    rows: list[WanRow], where: Location | None = None, theme: Theme = "light"
) -> WanPicture:
    return WanPicture(report=wan_use(where or location(), rows, NOW), rows=tuple(rows), theme=theme)


def uptime_picture(window: Window, values: list[str | None], **where: str) -> UptimePicture:
    return UptimePicture(report=online_history(location(**where), samples(values), NOW, window))


def speed_picture(**where: str) -> SpeedPicture:
    at = [(NOW - timedelta(days=day)).isoformat() for day in range(10)]
    history = SpeedHistory.model_validate(
        {
            "downloadSpeeds": [{"timestamp": each, "value": 400} for each in at],
            "uploadSpeeds": [{"timestamp": each, "value": 90} for each in at],
            "failedSpeedTests": [{"timestamp": (NOW - timedelta(hours=5)).isoformat()}],
        }
    )
    return SpeedPicture(report=speed_tests(location(**where), [], history, NOW))


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


@pytest.mark.parametrize(
    ("name", "theme"),
    list(zip(HOSTILE, ("light", "dark", "light", "dark") * 2, strict=True)),
)
def test_every_chart_of_every_name_is_a_picture_for_a_phone(name: str, theme: Theme) -> None:
    rows = day_of_rows(rx=100.0, tx=10.0, rx_max=20.0, tx_max=2.0)
    pictures: list[WanPicture | UptimePicture | SpeedPicture] = [
        wan_picture(rows, location(name=name)),
        uptime_picture("7d", ["online"] * 673, name=name),
        uptime_picture("3h", ["offline"] * 13, name=name),
        speed_picture(name=name),
    ]

    for picture in pictures:
        themed = type(picture).model_validate({**dict(picture), "theme": theme})
        width, height = size(chart(themed))
        assert width == 1080
        assert 560 <= height <= 820


@pytest.mark.parametrize("window", ["3h", "24h", "7d"])
def test_no_readings_are_said_and_not_drawn_as_zero(window: Window) -> None:
    with canvas.plain_text():
        sheets = [uptime._draw(uptime_picture(window, [])), wan._draw(wan_picture([]))]

    for sheet in sheets:
        assert sheet.legends.nothing in texts(sheet.figure)
        assert not sheet.figure.axes
        assert not any("0" in text and "%" in text for text in texts(sheet.figure))


def test_a_name_is_drawn_as_text_and_never_as_a_formula() -> None:
    with canvas.plain_text():
        sheet = wan._draw(wan_picture(day_of_rows(rx_max=5.0), location(name="a $x^2$ b")))

    assert "a $x^2$ b" in texts(sheet.figure)
    assert not any(text.get_parse_math() for text in sheet.figure.texts)


def test_a_gap_is_not_joined() -> None:
    rows = day_of_rows(rx=100.0, tx=10.0, rx_max=20.0, tx_max=2.0)
    del rows[40:44]

    with canvas.plain_text():
        sheet = wan._draw(wan_picture(rows))

    download = sheet.figure.axes[0]
    steps = max((line for line in download.lines), key=lambda line: len(xs(line)))
    places = [x for x, y in zip(xs(steps), ys(steps), strict=True) if math.isnan(y)]
    assert places[0] == rows[40].timestamp.timestamp() - 4 * 900  # type: ignore[union-attr]
    shaded = [patch for patch in download.patches if patch.get_zorder() == 0.5]
    assert len(shaded) == 1


def test_a_night_without_a_speed_test_is_not_joined_either() -> None:
    at = [(NOW - timedelta(days=day)).isoformat() for day in (9, 8, 7, 4, 3, 2)]
    history = SpeedHistory.model_validate(
        {"downloadSpeeds": [{"timestamp": each, "value": 400} for each in at]}
    )
    report = speed_tests(location(), [], history, NOW)

    with canvas.plain_text():
        sheet = speed._draw(SpeedPicture(report=report))

    joined = ys(sheet.figure.axes[0].lines[0])
    assert [math.isnan(y) for y in joined] == [False] * 3 + [True] + [False] * 3


def xs(line: Line2D) -> list[float]:
    return [float(x) for x in list(line.get_xdata())]  # type: ignore[arg-type]


def ys(line: Line2D) -> list[float]:
    return [float(y) for y in list(line.get_ydata())]  # type: ignore[arg-type]


def test_the_figures_of_a_chart_are_those_of_its_report() -> None:
    rows = day_of_rows(rx=900.0, tx=90.0, rx_max=20.0, tx_max=2.0)
    where = location(speedTest={"status": "succeeded", "download": 25, "upload": 500})

    with canvas.plain_text():
        sheet = wan._draw(wan_picture(rows, where))

    words = texts(sheet.figure)
    assert "peak 20.0 Mbps 22:00  ·  p95 20.0  ·  average 8.0" in words
    assert "peak 2.0 Mbps 22:00  ·  p95 2.0  ·  average 0.80" in words
    # The line is drawn where it does not press the readings flat.
    assert [25.0 in map(first, axes.lines) for axes in sheet.figure.axes] == [True, False]
    assert [500.0 in map(first, axes.lines) for axes in sheet.figure.axes] == [False, False]
    assert any("Europe/Amsterdam (UTC+1)" in text for text in words)


def first(line: Line2D) -> float:
    return next(iter(ys(line)), -1.0)


def test_a_short_outage_of_a_week_has_width() -> None:
    values: list[str | None] = ["online"] * 673
    values[300] = "offline"

    with canvas.plain_text():
        sheet = uptime._draw(uptime_picture("7d", values))

    (axes,) = sheet.figure.axes
    red = [
        each for each in axes.collections
        if "c9253b" in matplotlib_hex(each.get_facecolor()[0])
    ]  # fmt: skip
    assert len(red) == 1
    box = red[0].get_paths()[0].get_extents()
    # A quarter of an hour on an axis of a day, 900 pixels wide: nine of them.
    assert box.width == pytest.approx(0.25)


def matplotlib_hex(colour: object) -> str:
    from matplotlib.colors import to_hex  # noqa: PLC0415 - of this helper alone

    return to_hex(colour)  # type: ignore[arg-type]


AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (datetime(2026, 11, 20, tzinfo=UTC), 24),
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 23),  # clocks go forward on the 29th
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 25),  # and back on the 25th
    ],
    ids=["ordinary", "spring", "autumn"],
)
def test_ticks_are_round_local_hours(day: datetime, hours: int) -> None:
    marks = list(ticks(Span(start=day, end=day + timedelta(hours=hours)), AMSTERDAM))

    local = [mark.astimezone(UTC).astimezone(AMSTERDAM) for mark in marks]
    assert all(each.hour % 4 == 0 and not each.minute for each in local)
    assert 6 <= len(marks) <= 8
    assert [mark.timestamp() for mark in marks] == sorted({mark.timestamp() for mark in marks})


def test_an_hour_that_a_spring_night_leaves_out_has_no_tick() -> None:
    start = datetime(2026, 3, 29, tzinfo=UTC)  # 01:00 in Amsterdam; 02:00 there is 03:00

    marks = ticks(Span(start=start, end=start + timedelta(hours=3)), AMSTERDAM)

    assert [f"{mark.astimezone(UTC).astimezone(AMSTERDAM):%H:%M}" for mark in marks] == [
        "01:00", "01:30", "03:00", "03:30", "04:00", "04:30", "05:00",
    ]  # fmt: skip


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"])
@pytest.mark.parametrize("hours", [1, 3, 24, 168, 720, 0.01])
def test_there_are_never_too_many_ticks(zone: str, hours: float) -> None:
    span = Span(start=NOW, end=NOW + timedelta(hours=hours))

    assert len(list(ticks(span, ZoneInfo(zone)))) <= canvas.MOST_TICKS + 1


def test_the_autumn_night_shows_the_worse_of_its_double_hour() -> None:
    # 2026-10-25: 02:00 to 03:00 comes twice in Amsterdam, from 00:00 and from 01:00 UTC.
    end = datetime(2026, 10, 26, tzinfo=UTC)
    values: list[str | None] = ["online"] * 673
    place = 672 - int((end - datetime(2026, 10, 25, 0, 15, tzinfo=UTC)) / QUARTER)
    values[place] = "offline"
    report = online_history(location(), samples(values, end=end), end, "7d")

    with canvas.plain_text():
        sheet = uptime._draw(UptimePicture(report=report))

    painted = sheet.figure.axes[0].collections
    assert matplotlib_hex(painted[-1].get_facecolor()[0]) == "#c9253b"


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("Home", "Home"),
        ("  a \n b\x00\u202e ", "a b"),
        ("日本 Café", "Café"),
        ("🏠", ""),
        ("x" * 60, "x" * 47 + "…"),
    ],
)
def test_names_lose_what_cannot_be_drawn(name: str, drawn: str) -> None:
    assert drawable(name) == drawn


@pytest.mark.parametrize(
    ("rough", "step"), [(0.03, 0.05), (1, 1), (1.2, 2), (2.1, 2.5), (26, 50), (99, 100), (101, 200)]
)
def test_scales_have_round_steps(rough: float, step: float) -> None:
    assert round_step(rough) == pytest.approx(step)


def test_a_picture_crosses_a_pipe_unchanged() -> None:
    picture = wan_picture(day_of_rows(rx=1.0))

    assert PICTURES.validate_json(picture.model_dump_json()) == picture
