"""The use of the line by the corrected rules of the API notes, 4.2."""

from datetime import UTC, datetime, timedelta

import pytest

from app.network.report import Span
from app.network.traffic import nearest_rank
from app.network.wan import Quality, wan_use
from app.plume.models import Saturation
from tests.network.worlds import NOW, QUARTER, day_of_rows, location, row

START = NOW - timedelta(days=1)


def test_a_full_day_by_hand() -> None:
    # 95 quiet quarters and one busy one at 20:15 UTC: 90 MB in 900 s are 0.8 Mbit/s.
    rows = day_of_rows(rx=90.0, tx=9.0, rx_max=10.0, tx_max=1.0)
    rows[93] = row(rows[93].timestamp or NOW, 1800.0, 45.0, 96.3, 8.8)

    report = wan_use(location(), rows, NOW)

    down, up = report.down, report.up
    assert (down.peak_mbps, down.peak_at) == (96.3, datetime(2026, 11, 20, 20, 15, tzinfo=UTC))
    assert (up.peak_mbps, up.peak_at) == (8.8, datetime(2026, 11, 20, 20, 15, tzinfo=UTC))
    assert down.total_mbytes == 95 * 90 + 1800
    assert down.total_gbytes == pytest.approx(10.35)
    assert down.average_mbps == pytest.approx(10_350 * 8 / 86_400)
    assert up.average_mbps == pytest.approx((95 * 9 + 45) * 8 / 86_400)
    assert down.average_of_peaks_mbps == pytest.approx((950 + 96.3) / 96)
    assert (down.p95_mbps, up.p95_mbps) == (10.0, 1.0)
    assert (report.rows, report.expected_rows, report.spacing_s) == (96, 96, 900)
    assert (report.quality_percent, report.quality, report.gaps) == (100, "excellent", ())
    assert (report.first_at, report.last_at) == (START, NOW - QUARTER)
    assert report.unknown == ("line_speed",)


def test_the_first_of_equal_peaks_is_named() -> None:
    report = wan_use(location(), day_of_rows(rx_max=5.0)[::-1], NOW)

    assert report.down.peak_at == START


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 1), (2, 2), (19, 19), (20, 19), (21, 20), (40, 38), (96, 92),
                            (100, 95), (200, 190)]
)  # fmt: skip
def test_the_95th_percentile_is_the_nearest_rank(count: int, expected: int) -> None:
    assert nearest_rank([float(each) for each in range(1, count + 1)], 0.95) == expected


def test_each_direction_stands_for_itself() -> None:
    rows = day_of_rows(rx=100.0, rx_max=10.0)

    report = wan_use(location(), rows, NOW)

    assert report.down.volume_readings == 96
    assert (report.up.average_mbps, report.up.total_mbytes, report.up.peak_mbps) == (None,) * 3
    assert report.unknown == ("upload", "line_speed")
    assert (report.quality_percent, report.quality) == (50, "poor")


def test_a_row_with_one_null_keeps_its_other_readings() -> None:
    rows = day_of_rows(rx=100.0, tx=10.0, rx_max=10.0, tx_max=1.0)
    rows[5] = row(rows[5].timestamp or NOW, 100.0, 10.0, None, 1.0)

    report = wan_use(location(), rows, NOW)

    assert report.down.total_mbytes == 9600
    assert (report.down.peak_readings, report.down.volume_readings) == (95, 96)
    assert report.gaps == ()


@pytest.mark.parametrize(
    ("missing", "quality"), [(0, "excellent"), (4, "excellent"), (5, "good"), (19, "good"),
                             (20, "poor")]
)  # fmt: skip
def test_quality_compares_with_the_rows_that_a_day_should_have(
    missing: int, quality: Quality
) -> None:
    rows = day_of_rows(rx=1.0, tx=1.0, rx_max=1.0, tx_max=1.0)
    del rows[30 : 30 + missing]

    report = wan_use(location(), rows, NOW)

    assert report.quality_percent == pytest.approx(100 * (96 - missing) / 96)
    assert report.quality == quality
    expected = [Span(start=START + 30 * QUARTER, end=START + (30 + missing) * QUARTER)]
    assert list(report.gaps) == (expected if missing else [])


def test_rows_of_nulls_are_a_gap() -> None:
    rows = day_of_rows(rx=1.0, tx=1.0, rx_max=1.0, tx_max=1.0)
    rows[10:12] = [row(each.timestamp or NOW) for each in rows[10:12]]

    report = wan_use(location(), rows, NOW)

    assert report.gaps == (Span(start=START + 10 * QUARTER, end=START + 12 * QUARTER),)
    assert report.down.average_mbps == pytest.approx(8 / 900)


def test_the_edges_of_the_day_are_gaps_when_they_are_empty() -> None:
    rows = [each for each in day_of_rows(rx=1.0) if each.timestamp]
    kept = [each for each in rows if START + timedelta(hours=6) <= (each.timestamp or NOW)][:-8]

    report = wan_use(location(), kept, NOW)

    assert report.gaps == (
        Span(start=START, end=START + timedelta(hours=6)),
        Span(start=NOW - 8 * QUARTER, end=NOW),
    )


def test_rows_that_come_twice_count_once() -> None:
    rows = day_of_rows(rx=10.0, rx_max=4.0)
    growing = row(rows[0].timestamp or NOW, 25.0, None, 3.0, None)

    report = wan_use(location(), [*rows, growing, *rows[:3]], NOW)

    assert (report.rows, report.repeated_rows) == (96, 4)
    assert report.down.total_mbytes == 95 * 10 + 25
    assert report.down.peak_mbps == 4.0


@pytest.mark.parametrize("value", [-1.0, 2.0**63, 1e300])
def test_a_reading_that_cannot_be_is_none(value: float) -> None:
    rows = day_of_rows(rx=value, tx=1.0, rx_max=value, tx_max=1.0)

    report = wan_use(location(), rows, NOW)

    assert (report.down.peak_mbps, report.down.total_mbytes) == (None, None)
    assert report.up.total_mbytes == 96


def test_rows_without_a_time_are_counted_and_left_out() -> None:
    undated = row(NOW, 1e6).model_copy(update={"timestamp": None})
    ancient = row(datetime(1, 1, 1, tzinfo=UTC), 1e6)
    forgotten = row(NOW - timedelta(days=33), 1e6)  # Plume keeps 31 days
    coming = row(NOW + timedelta(days=2), 1e6)

    report = wan_use(location(), [undated, ancient, forgotten, coming, *day_of_rows(rx=1.0)], NOW)

    assert (report.undated_rows, report.rows, report.down.total_mbytes) == (4, 96, 96)


def test_one_row_has_no_spacing_and_so_no_average() -> None:
    report = wan_use(location(), [row(NOW - QUARTER, 90.0, 9.0, 5.0, 1.0)], NOW)

    assert (report.spacing_s, report.expected_rows, report.quality) == (None, None, None)
    assert (report.down.average_mbps, report.down.total_mbytes) == (None, 90)
    assert "spacing" in report.unknown


def test_five_minute_rows_expect_288() -> None:
    step = timedelta(minutes=5)
    rows = [row(NOW - step * back, 30.0) for back in range(288, 0, -1)]

    report = wan_use(location(), rows, NOW)

    assert (report.spacing_s, report.expected_rows) == (300, 288)
    assert report.down.average_mbps == pytest.approx(0.8)


def test_busy_hours_are_local_hours_of_one_day_in_both_directions() -> None:
    rows = day_of_rows(rx=10.0, tx=10.0)
    for place in range(92, 96):  # 20:00 to 21:00 UTC
        rows[place] = row(rows[place].timestamp or NOW, 100.0, 10.0)
    for place in range(40, 44):  # 07:00 to 08:00 UTC
        rows[place] = row(rows[place].timestamp or NOW, 10.0, 18.0)

    report = wan_use(location(), rows, NOW)

    (down,) = report.down.busiest
    assert down.span == Span(start=NOW - timedelta(hours=1), end=NOW)
    assert down.mean_mbps == pytest.approx(100 * 8 / 900)
    assert down.factor == pytest.approx(100 / 13.75)
    assert (down.level, down.basis) == ("high", "volumes")
    (up,) = report.up.busiest
    assert (up.span.start, up.level) == (START + timedelta(hours=10), "moderate")


def test_the_same_hour_of_two_days_is_two_hours() -> None:
    # 30 hours of rows: 19:00 UTC comes twice, and only the first time is busy.
    end = NOW
    rows = [row(end - QUARTER * back, 10.0) for back in range(120, 0, -1)]
    start = end - timedelta(hours=26)
    rows = [
        row(each.timestamp, 100.0)
        if each.timestamp and start <= each.timestamp < start + timedelta(hours=1)
        else each
        for each in rows
    ]

    report = wan_use(location(), rows, NOW)

    assert [busy.span.start for busy in report.down.busiest] == [start]


def test_hours_of_a_zone_with_a_half_begin_at_its_half() -> None:
    rows = day_of_rows(rx=10.0)
    for place in range(90, 94):  # 19:30 to 20:30 UTC is 01:00 to 02:00 in Kolkata
        rows[place] = row(rows[place].timestamp or NOW, 100.0)

    report = wan_use(location(geoIp={"timezone": "Asia/Kolkata"}), rows, NOW)

    assert [busy.span.start for busy in report.down.busiest] == [
        datetime(2026, 11, 20, 19, 30, tzinfo=UTC)
    ]


def test_the_double_hour_of_an_autumn_night_is_two_hours() -> None:
    # 2026-10-25 in Amsterdam: 02:00 local is 00:00 UTC, and 01:00 UTC again.
    end = datetime(2026, 10, 25, 12, tzinfo=UTC)
    rows = day_of_rows(rx=10.0, end=end)
    for place, each in enumerate(rows):
        if each.timestamp and each.timestamp.hour == 1 and each.timestamp.day == 25:
            rows[place] = row(each.timestamp, 100.0)

    report = wan_use(location(), rows, end)

    assert [busy.span.start for busy in report.down.busiest] == [
        datetime(2026, 10, 25, 1, tzinfo=UTC)
    ]


def test_an_hour_with_one_reading_is_not_judged() -> None:
    rows = day_of_rows(rx=10.0)
    rows[92] = row(rows[92].timestamp or NOW, 1000.0)
    del rows[93:]

    assert wan_use(location(), rows, NOW).down.busiest == ()


def test_peaks_tell_the_busy_hours_where_there_are_no_volumes() -> None:
    rows = day_of_rows(rx_max=10.0)
    for place in range(92, 96):
        rows[place] = row(rows[place].timestamp or NOW, None, None, 100.0)

    (busy,) = wan_use(location(), rows, NOW).down.busiest

    assert (busy.basis, busy.mean_mbps) == ("peaks", 100)


def test_the_nightly_speed_test_does_not_make_a_line_full() -> None:
    where = location(speedTest={"status": "succeeded", "download": 100, "upload": 20})
    rows = day_of_rows(rx_max=10.0, tx_max=1.0)
    rows[24] = row(rows[24].timestamp or NOW, None, None, 100.0, 20.0)

    report = wan_use(where, rows, NOW, saturation=Saturation(rxMaxPercentage=100))

    assert (report.down.peak_of_line_percent, report.down.saturation_percent) == (100, 100)
    assert (report.down.p95_of_line_percent, report.down.fullness) == (10, "free")
    assert report.unknown == ()


@pytest.mark.parametrize(
    ("rate", "fullness"), [(79.0, "free"), (80.0, "busy"), (94.9, "busy"), (95.0, "full")]
)
def test_a_line_is_full_by_its_95th_percentile(rate: float, fullness: str) -> None:
    where = location(speedTest={"status": "succeeded", "download": 100})

    assert wan_use(where, day_of_rows(rx_max=rate), NOW).down.fullness == fullness


def test_what_plume_says_of_one_interval_alone_never_makes_a_line_full() -> None:
    full = Saturation(rxMaxPercentage=100)

    assert wan_use(location(), day_of_rows(rx_max=1.0), NOW, saturation=full).down.fullness == (
        "busy"
    )


def test_nothing_is_no_data() -> None:
    for rows in ([], day_of_rows()):
        report = wan_use(location(), rows, NOW)

        assert (report.state, report.quality, report.down.peak_mbps) == ("no_data", None, None)
        assert report.down.average_mbps is None
        assert report.gaps == (Span(start=START, end=NOW),)
