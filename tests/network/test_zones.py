"""Time zones by name, and local hours around the change of the clocks."""

from datetime import UTC, datetime

import pytest

from app.network.zones import hour_of, offset_word, zone_of


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (("Europe/Amsterdam",), "Europe/Amsterdam"),
        ((None, "", "Asia/Kathmandu"), "Asia/Kathmandu"),
        (("Mars/Olympus", "America/New_York"), "America/New_York"),
        (("../../etc/passwd",), "UTC"),
        (("/etc/passwd",), "UTC"),
        (("Europe",), "UTC"),
        (("a\x00b",), "UTC"),
        (("x" * 512,), "UTC"),
        ((), "UTC"),
    ],
)
def test_the_first_name_of_a_zone_counts_and_utc_otherwise(
    names: tuple[str | None, ...], key: str
) -> None:
    assert zone_of(*names).key == key


@pytest.mark.parametrize(
    ("zone", "at", "hour"),
    [
        ("Europe/Amsterdam", "2026-11-20T20:40:59+00:00", "2026-11-20T20:00:00+00:00"),
        ("Asia/Kathmandu", "2026-11-20T20:40:00+00:00", "2026-11-20T20:15:00+00:00"),
        # Both of the hours from 02:00 to 03:00 of an autumn night.
        ("Europe/Amsterdam", "2026-10-25T00:30:00+00:00", "2026-10-25T00:00:00+00:00"),
        ("Europe/Amsterdam", "2026-10-25T01:30:00+00:00", "2026-10-25T01:00:00+00:00"),
        # The hour after the one that a spring night leaves out.
        ("Europe/Amsterdam", "2026-03-29T01:30:00+00:00", "2026-03-29T01:00:00+00:00"),
    ],
)
def test_hours_are_those_of_the_local_clock(zone: str, at: str, hour: str) -> None:
    assert hour_of(datetime.fromisoformat(at), zone_of(zone)) == datetime.fromisoformat(hour)


@pytest.mark.parametrize(
    ("zone", "month", "word"),
    [
        ("UTC", 1, "UTC"),
        ("Europe/London", 1, "UTC"),
        ("Europe/London", 7, "UTC+1"),
        ("Europe/Amsterdam", 7, "UTC+2"),
        ("America/St_Johns", 1, "UTC-3:30"),
        ("Asia/Kathmandu", 1, "UTC+5:45"),
    ],
)
def test_offsets_are_told_in_words(zone: str, month: int, word: str) -> None:
    assert offset_word(datetime(2026, month, 15, tzinfo=UTC), zone_of(zone)) == word
