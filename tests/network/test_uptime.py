"""Uptime by the corrected rules of the API notes, 4.3."""

from datetime import UTC, datetime, timedelta

import pytest

from app.network.report import Span
from app.network.uptime import Label, Trend, Window, label_of, online_history
from tests.network.worlds import NOW, QUARTER, location, sample, samples


def test_a_week_of_samples_gives_percent_label_and_coverage() -> None:
    # 673 samples: 7 x 96 and both ends.
    values = ["online"] * 673
    values[100] = values[101] = "offline"
    values[300] = "intermittent"

    report = online_history(location(), samples(values), NOW, "7d")

    assert (report.online, report.offline, report.intermittent) == (670, 2, 1)
    assert report.uptime_percent == pytest.approx(99.554, abs=0.001)
    assert report.label == "excellent"
    assert report.trend == "stable"
    assert report.coverage_percent == 100
    assert report.gaps == ()
    assert report.spacing_s == 900
    assert report.now_online is True
    assert report.unknown == ()


def test_incidents_tell_start_end_length_and_kind() -> None:
    values = ["online"] * 97
    values[10:14] = ["offline"] * 4
    values[40] = "intermittent"
    values[60:63] = ["intermittent", "offline", "intermittent"]
    start = NOW - timedelta(hours=24)

    report = online_history(location(), samples(values), NOW, "24h")

    assert [(each.kind, each.start, each.end) for each in report.incidents] == [
        ("offline", start + 10 * QUARTER, start + 14 * QUARTER),
        ("intermittent", start + 40 * QUARTER, start + 41 * QUARTER),
        ("mixed", start + 60 * QUARTER, start + 63 * QUARTER),
    ]
    assert [each.duration_s for each in report.incidents] == [3600, 900, 2700]
    assert all(each.ongoing is False and each.end_known for each in report.incidents)


def test_an_incident_that_lasts_has_no_end_and_counts_until_now() -> None:
    report = online_history(
        location(), samples(["online"] * 10 + ["offline"] * 3), NOW + QUARTER / 3, "3h"
    )

    (incident,) = report.incidents
    assert (incident.ongoing, incident.end, incident.end_known) == (True, None, False)
    assert incident.duration_s == 30 * 60 + 300
    assert report.now_online is False


def test_an_incident_at_the_edge_of_the_readings_can_be_older() -> None:
    report = online_history(location(), samples(["offline"] * 2 + ["online"] * 11), NOW, "3h")

    (incident,) = report.incidents
    assert incident.start_known is False
    assert incident.end_known is True


def test_missing_readings_are_a_gap_and_no_outage() -> None:
    taken = samples(["online"] * 97)
    del taken[20:40]

    report = online_history(location(), taken, NOW, "24h")

    start = NOW - timedelta(hours=24)
    assert report.uptime_percent == 100
    assert report.incidents == ()
    assert report.gaps == (Span(start=start + 20 * QUARTER, end=start + 40 * QUARTER),)
    assert report.coverage_percent == pytest.approx(100 * 77 / 96)
    assert [stretch.kind for stretch in report.stretches] == ["online", None, "online"]
    assert "gaps" in report.unknown


def test_readings_that_are_null_are_a_gap_too() -> None:
    values: list[str | None] = ["online"] * 97
    values[20:40] = [None] * 20

    report = online_history(location(), samples(values), NOW, "24h")

    assert (report.readings, report.uptime_percent) == (77, 100)
    assert [gap.seconds for gap in report.gaps] == [20 * 900]


def test_an_outage_cut_by_a_gap_has_no_known_end() -> None:
    values: list[str | None] = ["online"] * 97
    values[20:24] = ["offline"] * 4
    values[24:30] = [None] * 6

    (incident,) = online_history(location(), samples(values), NOW, "24h").incidents

    assert (incident.end, incident.ongoing, incident.end_known) == (None, False, False)
    assert incident.duration_s == 3600


def test_outages_on_both_sides_of_a_gap_are_two() -> None:
    values: list[str | None] = ["online"] * 97
    values[20:30] = ["offline", "offline", *[None] * 6, "offline", "offline"]

    report = online_history(location(), samples(values), NOW, "24h")

    assert [(each.readings, each.start_known, each.end_known) for each in report.incidents] == [
        (2, True, False),
        (2, False, True),
    ]


@pytest.mark.parametrize("values", [("online", "offline"), ("offline", "online")])
def test_of_two_states_at_one_time_the_worse_counts(values: tuple[str, str]) -> None:
    twice = [sample(NOW, value) for value in values]

    report = online_history(
        location(), [*samples(["online"] * 12, end=NOW - QUARTER), *twice], NOW, "3h"
    )

    assert (report.readings, report.offline) == (13, 1)


def test_silence_after_an_outage_leaves_open_whether_it_lasts() -> None:
    taken = samples(["online"] * 8 + ["offline"] * 2, end=NOW - timedelta(hours=1))

    report = online_history(location(), taken, NOW, "3h")

    assert [each.ongoing for each in report.incidents] == [None]
    assert report.now_online is None


@pytest.mark.parametrize(
    ("window", "count"), [("3h", 13), ("24h", 97), ("7d", 673)], ids=["3h", "24h", "7d"]
)
def test_a_window_leaves_older_samples_out(window: Window, count: int) -> None:
    report = online_history(location(), samples(["online"] * 2000), NOW, window)

    # One more is let in: a window's first sample can lie a little before it.
    assert report.readings == count + 1
    assert report.coverage_percent == 100


@pytest.mark.parametrize(
    ("percent", "label"),
    [
        (100, "excellent"),
        (99.5, "excellent"),
        (99.49, "good"),
        (98, "good"),
        (97.9, "fair"),
        (95, "fair"),
        (94.9, "poor"),
        (90, "poor"),
        (89.9, "critical"),
        (0, "critical"),
        (None, None),
    ],
)
def test_labels_change_at_their_thresholds(percent: float | None, label: Label | None) -> None:
    assert label_of(percent) == label


@pytest.mark.parametrize(
    ("values", "trend"),
    [
        (["offline"] * 4 + ["online"] * 44, "improving"),
        (["online"] * 44 + ["offline"] * 4, "declining"),
        (["online"] * 47 + ["offline"], "stable"),
        (["online"] * 40 + ["offline"] * 7, None),  # 47 are too few
    ],
)
def test_a_trend_needs_readings_and_a_change(values: list[str], trend: Trend | None) -> None:
    assert online_history(location(), samples(values), NOW, "24h").trend == trend


def test_samples_every_five_minutes_are_understood() -> None:
    taken = samples(["online"] * 37, spacing=timedelta(minutes=5))

    report = online_history(location(), taken, NOW, "3h")

    assert (report.spacing_s, report.coverage_percent, report.gaps) == (300, 100, ())


def test_stretches_cover_the_window_without_holes() -> None:
    values: list[str | None] = ["online"] * 97
    values[20:24] = ["offline"] * 4
    values[24:30] = [None] * 6

    report = online_history(location(), samples(values), NOW, "24h")

    assert [stretch.kind for stretch in report.stretches] == ["online", "offline", None, "online"]
    assert report.stretches[0].span.start == report.span.start
    assert report.stretches[-1].span.end == report.span.end
    assert all(
        one.span.end == other.span.start
        for one, other in zip(report.stretches, report.stretches[1:], strict=False)
    )


def test_a_single_reading_is_a_moment_in_a_gap() -> None:
    report = online_history(
        location(), samples(["offline"], end=NOW - timedelta(hours=1)), NOW, "3h"
    )

    assert {stretch.kind for stretch in report.stretches} == {None}
    assert report.coverage_percent is None
    assert "spacing" in report.unknown


@pytest.mark.parametrize("year", [1, 1970, 9999])
def test_times_that_cannot_be_are_no_readings(year: int) -> None:
    odd = sample(datetime(year, 1, 1, tzinfo=UTC), "offline")

    report = online_history(location(), [odd, *samples(["online"] * 13)], NOW, "3h")

    assert (report.readings, report.uptime_percent) == (13, 100)
