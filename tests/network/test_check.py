"""The card that joins all: the likely cause goes first."""

from collections.abc import Iterable
from typing import Any

from app.network.check import CheckReport, check
from app.network.devices import devices_by_pod
from app.network.incidents import location_incidents
from app.network.speed import speed_tests
from app.network.status import location_status
from app.network.uptime import online_history
from app.network.wan import wan_use
from app.network.wifi import wifi_networks
from app.plume.models import Node, SpeedHistory, WifiNetwork
from tests.network.worlds import NOW, day_of_rows, gateway, location, pod, samples

DOWN = {"connectionState": "disconnected", "connectionStateChangeAt": "2026-11-20T18:00:00Z"}
FINE = {"ssid": "a", "enable": True, "wpaMode": "sae"}
ALL = ["status", "wan", "stats", "wifi", "devices", "speed", "incidents"]


def card(
    nodes: list[Node],
    *,
    values: Iterable[str | None] | None = None,
    rate: float = 10.0,
    networks: list[dict[str, object]] | None = None,
    **where: Any,
) -> CheckReport:
    test = {"status": "succeeded", "download": 100, "upload": 20}
    at = location(**({"speedTest": test} | where))
    uptime = online_history(at, samples(values or ["online"] * 97), NOW, "24h")
    wifi = [
        WifiNetwork.model_validate(each)
        for each in networks or [{"ssid": "a", "enable": True, "wpaMode": "sae"}]
    ]
    return check(
        at,
        NOW,
        status=location_status(at, nodes, NOW),
        wan=wan_use(at, day_of_rows(rx=1.0, tx=1.0, rx_max=rate, tx_max=1.0), NOW),
        uptime=uptime,
        wifi=wifi_networks(at, wifi, NOW),
        devices=devices_by_pod(at, [], NOW, nodes=nodes),
        speed=speed_tests(at, nodes, SpeedHistory(), NOW),
        incidents=location_incidents(at, NOW, outages=[], reboots=[], uptime=uptime, nodes=nodes),
    )


def test_nothing_wrong_is_said_area_by_area() -> None:
    report = card([gateway(), pod()])

    assert (report.verdict, report.likely, report.findings) == ("none", None, ())
    assert list(report.fine) == ALL
    assert (report.unread, report.unknown) == ((), ())


def test_a_suspended_service_explains_the_rest() -> None:
    report = card([gateway(**DOWN), pod(**DOWN)], serviceLevel="noService")

    assert report.likely is not None
    assert report.likely.code == "service_none"
    assert [finding.code for finding in report.findings[:3]] == [
        "service_none",
        "gateway_disconnected",
        "all_disconnected",
    ]


def test_a_dead_gateway_goes_before_the_outage_that_it_makes() -> None:
    report = card([gateway(**DOWN)], values=["online"] * 85 + ["offline"] * 12)

    assert [finding.code for finding in report.findings] == [
        "gateway_disconnected",
        "outage_ongoing",
        "uptime_low",
        "uptime_declining",
    ]
    assert report.likely is not None
    assert report.likely.at == report.findings[0].at
    assert (report.findings[1].reading, report.findings[1].unit) == (11 * 900, "seconds")


def test_an_outage_that_the_pods_contradict_is_over() -> None:
    report = card([gateway(), pod()], values=["online"] * 95 + ["offline"] * 2)

    assert "outage_ongoing" not in [finding.code for finding in report.findings]


def test_a_full_line_goes_before_a_fair_link() -> None:
    report = card([gateway(), pod(health={"status": "fair"})], rate=97.0)

    assert [(finding.code, finding.severity, finding.reading) for finding in report.findings] == [
        ("line_full_down", "major", 97.0),
        ("health_fair", "minor", 1.0),
    ]
    assert report.findings[0].source == "wan"


def test_wifi_that_is_off_altogether_is_a_cause() -> None:
    off = card([gateway()], networks=[{"ssid": "a", "enable": False}])
    part = card([gateway()], networks=[{"ssid": "a", "enable": False}, {"ssid": "b"}])

    assert off.likely is not None
    assert off.likely.code == "wifi_off"
    assert part.likely is None


def test_open_wifi_is_a_finding_of_little_weight() -> None:
    report = card([gateway()], networks=[{"ssid": "a", "enable": True, "encryption": "OPEN"}])

    assert [(each.code, each.severity) for each in report.findings] == [("wifi_weak", "minor")]


def test_what_could_not_be_read_is_named_and_never_fine() -> None:
    at = location()
    empty = online_history(at, [], NOW, "24h")
    report = check(
        at, NOW, status=location_status(at, None, NOW), wan=None, uptime=empty, wifi=None,
        devices=None, speed=None, incidents=None,
    )  # fmt: skip

    assert (report.verdict, report.likely) == ("unknown", None)
    assert list(report.unread) == ALL
    assert report.fine == ()
    assert {"pods", "history"} <= set(report.unknown)
