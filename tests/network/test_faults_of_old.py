"""The faults of an earlier program (API notes, 4.5) that are about data and analysis, 1 to 18."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.network.health import name_of
from app.network.status import location_status
from app.network.traffic import nearest_rank
from app.network.uptime import online_history
from app.network.wan import wan_use
from app.network.wifi import wifi_networks
from app.plume.models import Node, WanRow, WifiNetwork
from app.plume.reading import UnexpectedShape, objects
from tests.network.worlds import NOW, day_of_rows, gateway, location, pod, row, samples

DOWN = {"connectionState": "disconnected"}


@pytest.mark.parametrize(
    "field",
    ["connectionState", "backhaulType", "health", "alerts", "connectedDeviceCount", "leafToRoot"],
)
def test_fault_1_a_null_is_unknown_and_no_crash(field: str) -> None:
    nothing: dict[str, Any] = {field: None}
    nodes = [gateway(), pod(**nothing), pod("PD2", health={"status": None, "score": None})]

    report = location_status(location(speedTest={"status": None, "download": None}), nodes, NOW)

    assert report.state == "online"
    assert [each.name for each in report.pods] == ["Hallway", "Attic", "Attic"]
    assert report.speed_test is None


@pytest.mark.parametrize("body", [[], {"nodes": []}, {"nodes": {"nodes": []}}, {"data": []}])
def test_fault_2_every_known_envelope_is_a_list(body: object) -> None:
    assert objects(body, "nodes") == ()


@pytest.mark.parametrize("body", ["nodes", {"hello": 1}, 7, None, {"nodes": "many"}, ["a", "b"]])
def test_fault_2_an_unknown_shape_is_an_error_and_unread_nodes_are_never_offline(
    body: object,
) -> None:
    with pytest.raises(UnexpectedShape):
        objects(body, "nodes")

    assert location_status(location(), None, NOW).state == "unknown"


def test_fault_3_a_location_without_pods_has_no_equipment() -> None:
    assert location_status(location(), [], NOW).state == "no_equipment"


def test_fault_4_a_missing_service_level_is_no_warning() -> None:
    report = location_status(location(serviceLevel=None), [gateway()], NOW)

    assert (report.state, report.service_level, report.causes) == ("online", "unknown", ())


@pytest.mark.parametrize("level", ["noService", "basicService"])
def test_fault_5_a_suspended_customer_is_named_beside_pods_that_are_down(level: str) -> None:
    nodes = [gateway(), pod(**DOWN, alerts=["poorHealth"])]

    report = location_status(location(serviceLevel={"status": level}), nodes, NOW)

    assert report.service_level in {"none", "basic"}
    assert {cause.code for cause in report.causes} == {
        "pod_disconnected",
        "service_none" if level == "noService" else "service_basic",
    }


def test_fault_6_a_dead_gateway_is_not_a_dead_attic_pod() -> None:
    dead_gateway = location_status(location(), [gateway(**DOWN), pod(**DOWN)], NOW)
    dead_pod = location_status(location(), [gateway(), pod(**DOWN)], NOW)

    assert (dead_gateway.state, dead_gateway.severity) == ("offline", "critical")
    assert (dead_pod.state, dead_pod.severity) == ("degraded", "major")


def test_fault_7_a_pod_has_the_name_that_the_customer_gave() -> None:
    said = {"id": "PD1", "nickname": "Attic", "defaultName": "Bedroom"}

    assert name_of(Node.model_validate(said)) == "Attic"
    assert name_of(Node.model_validate(said | {"nickname": " "})) == "Bedroom"
    assert name_of(Node.model_validate({"serialNumber": "PD1"})) == "PD1"


def test_fault_8_numbers_of_pods_are_numbers_for_the_wording() -> None:
    report = location_status(location(), [gateway(), pod(**DOWN)], NOW)

    assert (report.counts.disconnected, report.causes[0].count) == (1, 1)


@pytest.mark.parametrize(("count", "rank"), [(20, 19), (40, 38), (96, 92), (100, 95)])
def test_fault_9_the_percentile_is_not_one_too_high(count: int, rank: int) -> None:
    assert nearest_rank([float(each) for each in range(1, count + 1)], 0.95) == rank


def test_fault_10_the_average_is_of_volumes_and_not_of_peaks() -> None:
    report = wan_use(location(), day_of_rows(rx=9.0, rx_max=100.0), NOW)

    assert report.down.average_mbps == pytest.approx(0.08)
    assert report.down.average_of_peaks_mbps == 100


def test_fault_11_a_null_takes_no_row_away_and_missing_rows_lower_the_quality() -> None:
    rows = day_of_rows(rx=1.0, tx=1.0, rx_max=1.0, tx_max=1.0)
    rows[0] = row(rows[0].timestamp or NOW, 1.0, None, None, None)

    assert wan_use(location(), rows, NOW).down.total_mbytes == 96
    assert wan_use(location(), rows[48:], NOW).quality_percent == 50


def test_fault_12_busy_hours_are_local_of_one_day_and_of_uploads_too() -> None:
    rows = day_of_rows(tx=1.0)
    busy = datetime(2026, 11, 20, 19, tzinfo=UTC)
    rows = [
        row(each.timestamp, None, 50.0) if each.timestamp and each.timestamp.hour == 19 else each
        for each in rows
    ]
    # The same readings with the times of another offset.
    offset = [
        WanRow.model_validate(
            {"timestamp": (each.timestamp or NOW).isoformat().replace("+00:00", "-0000"),
             "txMbytes": each.tx_mbytes}
        )
        for each in rows
    ]  # fmt: skip

    for told in (rows, offset):
        (hour,) = wan_use(location(), told, NOW).up.busiest
        assert hour.span.start == busy


def test_fault_13_no_data_is_no_number() -> None:
    report = wan_use(location(), [], NOW)

    assert report.state == "no_data"
    assert {
        report.quality_percent,
        report.down.peak_mbps,
        report.down.average_mbps,
        report.down.p95_mbps,
        report.down.total_mbytes,
        report.up.total_gbytes,
    } == {None}


def test_fault_14_no_samples_are_not_critical() -> None:
    report = online_history(location(), [], NOW, "7d")

    assert (report.state, report.uptime_percent, report.label) == ("no_data", None, None)


def test_fault_15_the_order_of_samples_changes_nothing() -> None:
    values = ["offline"] * 10 + ["online"] * 86 + ["offline"]
    listed = samples(values)

    newest_last = online_history(location(), listed, NOW, "24h")
    newest_first = online_history(location(), listed[::-1], NOW, "24h")

    assert newest_first == newest_last
    assert newest_last.trend == "improving"
    assert len(newest_last.incidents) == 2


def test_fault_16_intermittent_is_an_incident_with_times() -> None:
    values = ["online"] * 8 + ["flapping"] * 2 + ["online"] * 3

    report = online_history(location(), samples(values), NOW, "3h")

    (incident,) = report.incidents
    assert (incident.kind, incident.duration_s) == ("intermittent", 1800)
    assert incident.end == incident.start + timedelta(minutes=30)


def test_fault_16_one_bad_sample_of_three_hours_is_no_trend() -> None:
    values = ["online"] * 12 + ["offline"]

    assert online_history(location(), samples(values), NOW, "3h").trend is None


@pytest.mark.parametrize(
    ("said", "state"),
    [({"enable": True}, "on"), ({"enabled": True}, "on"), ({"enabled": False}, "off"),
     ({}, "unknown"), ({"enable": None}, "unknown")],
)  # fmt: skip
def test_fault_17_a_network_is_off_only_when_somebody_says_so(
    said: dict[str, object], state: str
) -> None:
    network = WifiNetwork.model_validate({"ssid": "a"} | said)

    assert wifi_networks(location(), [network], NOW).networks[0].state == state


@pytest.mark.parametrize(
    "said",
    ["2026-11-20T03:02:41.512Z", "2026-11-20T05:02:41.512+02:00", "2026-11-19T20:02:41.512-0700"],
)
def test_fault_18_the_time_of_a_speed_test_keeps_its_offset(said: str) -> None:
    where = location(speedTest={"status": "succeeded", "endedAt": said})

    test = location_status(where, [gateway()], NOW).speed_test

    assert test is not None
    assert test.at == datetime(2026, 11, 20, 3, 2, 41, 512_000, tzinfo=UTC)
