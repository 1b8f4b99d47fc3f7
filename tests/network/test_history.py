"""The reports that look back: speed tests and incidents."""

from datetime import timedelta

import pytest

from app.network.incidents import Reason, location_incidents, reason_of
from app.network.speed import speed_tests
from app.network.uptime import UptimeReport, online_history
from app.plume.models import Outage, Reboot, SpeedHistory
from tests.network.worlds import NOW, gateway, location, pod, samples


def history(downloads: list[float], uploads: list[float] | None = None) -> SpeedHistory:
    def series(values: list[float], later: float) -> list[dict[str, object]]:
        first = NOW - timedelta(days=len(values))
        return [
            {"timestamp": (first + timedelta(days=day, seconds=later)).isoformat(), "value": value}
            for day, value in enumerate(values)
        ]

    return SpeedHistory.model_validate(
        {"downloadSpeeds": series(downloads, 0), "uploadSpeeds": series(uploads or [], 20)}
    )


def outage(start: str, end: str | None = None) -> Outage:
    return Outage.model_validate(
        {"start": f"2026-11-20T{start}Z", "end": end and f"2026-11-20T{end}Z"}
    )


def reboot(at: str, node: str = "GW1", reason: str | None = "POWER_CYCLE") -> Reboot:
    return Reboot.model_validate(
        {"occurredAt": f"2026-11-20T{at}Z", "nodeId": node, "reason": reason}
    )


def uptime(*bad: int) -> UptimeReport:
    """Return a day of which the samples so many quarters before its end are offline."""
    values: list[str | None] = ["online"] * 97
    for back in bad:
        values[96 - back] = "offline"
    return online_history(location(), samples(values), NOW, "24h")


def test_download_and_upload_of_one_test_are_one() -> None:
    report = speed_tests(location(), [], history([400, 410, 300], [90, 95, 100]), NOW)

    assert [(test.download_mbps, test.upload_mbps) for test in report.tests] == [
        (400, 90),
        (410, 95),
        (300, 100),
    ]
    assert (report.down.median_mbps, report.down.best_mbps, report.down.worst_mbps) == (
        400,
        410,
        300,
    )
    assert report.up.median_mbps == 95
    assert report.down.trend is None
    assert "trend" in report.unknown


def test_a_test_with_one_side_keeps_that_side() -> None:
    (test,) = speed_tests(location(), [], history([400]), NOW).tests

    assert (test.download_mbps, test.upload_mbps) == (400, None)


@pytest.mark.parametrize(
    ("values", "trend"),
    [
        ([400.0, 405, 395, 200, 210, 205], "declining"),
        ([200.0, 210, 205, 400, 405, 395], "improving"),
        ([400.0, 405, 395, 380, 385, 370], "stable"),
        ([400.0, 405, 395, 30, 385, 370], "stable"),  # one bad night is no trend
        ([0.0] * 6, "stable"),
    ],
)
def test_a_trend_compares_the_medians_of_the_halves(values: list[float], trend: str) -> None:
    assert speed_tests(location(), [], history(values), NOW).down.trend == trend


@pytest.mark.parametrize(
    ("last", "count", "slow"), [(230, 6, True), (250, 6, False), (230, 5, None)]
)
def test_a_last_test_far_below_the_median_is_slow(
    last: float, count: int, *, slow: bool | None
) -> None:
    where = location(speedTest={"status": "succeeded", "download": last})

    assert speed_tests(where, [], history([400.0] * count), NOW).is_slow is slow


def test_failed_tests_are_told_and_no_test_is_no_data() -> None:
    failed = SpeedHistory.model_validate(
        {"failedSpeedTests": [{"timestamp": "2026-11-12T03:02:00Z"}, {"timestamp": None}]}
    )

    assert len(speed_tests(location(), [], failed, NOW).failed_at) == 1
    report = speed_tests(location(), None, None, NOW)
    assert (report.state, report.last, report.down.median_mbps) == ("no_data", None, None)
    assert report.unknown == ("speed_test", "speed_tests")


def test_two_sources_that_tell_of_one_outage_make_one_event() -> None:
    report = location_incidents(
        location(),
        NOW,
        outages=[outage("19:07:10", "19:40:00")],
        reboots=[reboot("19:38:00")],
        uptime=uptime(7, 6),  # 19:15 and 19:30
        nodes=[gateway(), pod()],
    )

    assert [event.kind for event in report.events] == ["reboot", "outage"]
    joined = report.events[1]
    assert joined.sources == ("outages", "history")
    assert joined.duration_s == 32 * 60 + 50
    # The gateway's reboot next to it tells why.
    assert (joined.reason, joined.reason_word) == ("power", "POWER_CYCLE")
    assert (report.outages, report.outage_s) == (1, joined.duration_s)


def test_outages_far_apart_stay_two_and_the_newest_is_first() -> None:
    report = location_incidents(
        location(), NOW, outages=[outage("08:00:00", "08:20:00")], reboots=[], uptime=uptime(7)
    )

    assert [(event.kind, event.sources) for event in report.events] == [
        ("outage", ("history",)),
        ("outage", ("outages",)),
    ]


def test_a_pods_reboot_explains_no_outage() -> None:
    report = location_incidents(
        location(),
        NOW,
        outages=[outage("19:00:00", "19:40:00")],
        reboots=[reboot("19:38:00", "PD1")],
        uptime=None,
        nodes=[gateway(), pod()],
    )

    assert report.events[1].reason is None
    assert report.events[0].pod is not None
    assert report.events[0].pod.name == "Attic"
    assert report.unknown == ("history",)


def test_outages_that_overlap_count_once() -> None:
    told = [
        outage("10:00:00", "11:00:00"),
        outage("10:30:00", "10:45:00"),
        outage("10:00:00", "11:00:00"),
    ]

    report = location_incidents(location(), NOW, outages=told, reboots=[], uptime=uptime())

    assert (report.outages, report.outage_s) == (1, 3600)


def test_an_outage_that_lasts_counts_until_now() -> None:
    report = location_incidents(
        location(), NOW, outages=[outage("20:00:00")], reboots=[], uptime=None
    )

    assert (report.events[0].ongoing, report.events[0].duration_s) == (True, 3600)


def test_many_reboots_of_one_pod_are_marked() -> None:
    told = [reboot(f"{hour:02}:00:00", "PD1") for hour in (1, 2, 3)] + [reboot("01:00:00", "PD1")]

    report = location_incidents(
        location(), NOW, outages=None, reboots=[*told, reboot("05:00:00")], uptime=None,
        nodes=[gateway(), pod()],
    )  # fmt: skip

    assert [(each.pod.name, each.count, each.is_many) for each in report.reboots] == [
        ("Attic", 3, True),
        ("Hallway", 1, False),
    ]


def test_what_is_older_than_asked_is_left_out() -> None:
    report = location_incidents(
        location(),
        NOW,
        outages=[outage("01:00:00", "02:00:00")],
        reboots=[reboot("01:00:00")],
        uptime=uptime(80),
        since=NOW - timedelta(hours=3),
    )

    assert (report.state, report.events) == ("none", ())


def test_nothing_read_is_unknown_and_nothing_found_is_none() -> None:
    blind = location_incidents(location(), NOW, outages=None, reboots=None, uptime=None)
    quiet = location_incidents(location(), NOW, outages=[], reboots=[], uptime=uptime())

    assert (blind.state, quiet.state) == ("unknown", "none")
    assert blind.unknown == ("outages", "reboots", "history")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("POWER_CYCLE", "power"),
        ("firmware upgrade", "firmware"),
        ("KERNEL_PANIC", "crash"),
        ("USER", "request"),
        ("moon phase", "other"),
        ("UNKNOWN", "unknown"),
        (None, "unknown"),
    ],
)
def test_reasons_are_told_by_parts_of_words(said: str | None, reason: Reason) -> None:
    assert reason_of(said) == reason
