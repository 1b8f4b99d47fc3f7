"""What stands under a chart says the same as the chart."""

from datetime import timedelta

from app.network.captions import percent, speed_alt, uptime_alt, wan_alt
from app.network.speed import speed_tests
from app.network.uptime import online_history
from app.network.wan import wan_use
from app.plume.models import SpeedHistory
from tests.network.worlds import NOW, day_of_rows, location, samples


def test_the_use_of_the_line_in_words() -> None:
    rows = day_of_rows(rx=900.0, rx_max=20.0)
    del rows[40:44]

    assert wan_alt(wan_use(location(), rows, NOW)) == (
        "Use of the internet line of Home, 19 Nov 22:00 to 20 Nov 22:00, Europe/Amsterdam (UTC+1). "
        "Download: peak 20.0 Mbps at 22:00, average 8.0 Mbps, 95th percentile of the peaks "
        "20.0 Mbps. Upload: no readings. Without readings: 20 Nov 08:00 to 20 Nov 09:00."
    )
    assert wan_alt(wan_use(location(), [], NOW)).endswith("No readings.")


def test_the_uptime_in_words() -> None:
    values: list[str | None] = ["online"] * 97
    values[20:24] = ["offline"] * 4
    values[96] = "odd"

    assert uptime_alt(online_history(location(), samples(values), NOW, "24h")) == (
        "Online in the last 24 hours of Home: 94.8 % of the readings. Outages: offline "
        "20 Nov 03:00 to 04:00; intermittent since 20 Nov 22:00. "
        "Times: Europe/Amsterdam (UTC+1)."
    )
    assert uptime_alt(online_history(location(), [], NOW, "3h")) == (
        "Online in the last 3 hours of Home: no readings."
    )


def test_the_speed_tests_in_words() -> None:
    at = [(NOW - timedelta(days=day)).isoformat() for day in (2, 1)]
    history = SpeedHistory.model_validate(
        {"downloadSpeeds": [{"timestamp": each, "value": 400} for each in at]}
    )

    assert speed_alt(speed_tests(location(), [], history, NOW)) == (
        "Speed tests of Home: 2 that succeeded, 0 that failed. Download: median 400 Mbps, "
        "from 400 to 400 Mbps. Upload: no readings. 18 Nov 22:00 to 19 Nov 22:00, "
        "Europe/Amsterdam (UTC+1)."
    )


def test_a_little_is_not_rounded_to_nothing_nor_almost_all_to_all() -> None:
    assert [percent(each) for each in (0.0, 0.01, 50.04, 99.99, 100.0)] == [
        "0.0 %",
        "0.1 %",
        "50.0 %",
        "99.9 %",
        "100.0 %",
    ]
