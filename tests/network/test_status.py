"""How a location is: one test per rule of the API notes, 4.1, as corrected by 4.5."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.network.report import PodRef
from app.network.status import ServiceLevel, State, location_glance, location_status
from app.plume.models import Location, Node
from tests.network.worlds import NOW, gateway, location, pod

DOWN = {"connectionState": "disconnected", "connectionStateChangeAt": "2026-11-20T18:00:00Z"}


def codes(nodes: list[Node] | None, **where: Any) -> tuple[State, list[tuple[str, str]]]:
    report = location_status(location(**where), nodes, NOW)
    return report.state, [(cause.code, cause.severity) for cause in report.causes]


def test_all_is_well_with_a_gateway_and_a_pod() -> None:
    report = location_status(location(), [pod(), gateway()], NOW)

    assert (report.state, report.severity, report.causes) == ("online", "none", ())
    assert report.gateway == PodRef(id="GW1", name="Hallway")
    assert [(each.name, each.role, each.backhaul) for each in report.pods] == [
        ("Hallway", "gateway", "ethernet"),
        ("Attic", "pod", "mesh"),
    ]
    assert report.pods[1].parent == PodRef(id="GW1", name="Hallway")
    assert (report.devices, report.devices_complete) == (13, True)
    assert report.zone == "Europe/Amsterdam"
    assert report.unknown == ("speed_test",)


def test_a_pod_that_is_down_degrades_and_is_named_with_its_time() -> None:
    report = location_status(location(), [gateway(), pod(**DOWN, alerts=["poorHealth"])], NOW)

    assert (report.state, report.severity) == ("degraded", "major")
    (cause,) = report.causes
    assert (cause.code, cause.pod, cause.reading) == (
        "pod_disconnected",
        PodRef(id="PD1", name="Attic"),
        "disconnected",
    )
    assert cause.since == datetime(2026, 11, 20, 18, tzinfo=UTC)
    # What it said last is shown, and does not count.
    assert report.pods[1].alerts == ("poorHealth",)
    assert report.pods[1].health is not None
    assert report.pods[1].health.is_last is True
    assert (report.devices, report.devices_complete) == (9, True)


def test_a_dead_gateway_takes_the_location_offline() -> None:
    assert codes([gateway(**DOWN), pod(**DOWN)]) == (
        "offline",
        [("gateway_disconnected", "critical"), ("all_disconnected", "critical")],
    )
    assert codes([gateway(**DOWN)]) == ("offline", [("gateway_disconnected", "critical")])


def test_a_dead_gateway_is_enough_where_nobody_knows_of_the_pods() -> None:
    assert codes([gateway(**DOWN), pod(connectionState=None)])[0] == "offline"


def test_a_pod_that_is_up_contradicts_a_dead_gateway() -> None:
    # It may run on a backup line: something is wrong, but it is not offline.
    assert codes([gateway(**DOWN), pod()]) == (
        "degraded",
        [("gateway_disconnected", "critical")],
    )


@pytest.mark.parametrize(
    ("nodes", "state"),
    [
        (None, "unknown"),
        ([], "no_equipment"),
        ([Node()], "unknown"),
        ([gateway(connectionState="sleeping")], "unknown"),
        ([gateway(connectionState=None), pod(**DOWN)], "unknown"),
        ([gateway(connectionState=""), pod()], "online"),
    ],
)
def test_what_nobody_says_is_unknown_and_never_offline(
    nodes: list[Node] | None, state: State
) -> None:
    report = location_status(location(), nodes, NOW)

    assert report.state == state
    assert not [cause for cause in report.causes if cause.code == "gateway_disconnected"]


def test_an_empty_list_that_the_summary_contradicts_is_unknown() -> None:
    where = location(summary={"nodeClaimedCount": 3})

    assert location_status(where, [], NOW).state == "unknown"


@pytest.mark.parametrize(
    ("said", "level", "state", "causes"),
    [
        ({"status": "fullService"}, "full", "online", []),
        ("fullService", "full", "online", []),
        ({"status": "noService"}, "none", "degraded", [("service_none", "critical")]),
        ({"status": "basicService"}, "basic", "degraded", [("service_basic", "minor")]),
        ({"status": "goldService"}, "other", "degraded", [("service_other", "minor")]),
        ({}, "unknown", "online", []),
        (None, "unknown", "online", []),
    ],
)
def test_the_service_level_is_always_named(
    said: object, level: ServiceLevel, state: State, causes: list[tuple[str, str]]
) -> None:
    report = location_status(location(serviceLevel=said), [gateway()], NOW)

    assert report.service_level == level
    assert codes([gateway()], serviceLevel=said) == (state, causes)
    assert ("service_level" in report.unknown) is (level == "unknown")


@pytest.mark.parametrize(
    ("health", "causes"),
    [
        ({"status": "Poor", "score": 1}, [("health_poor", "major")]),
        ({"status": "fair", "score": 2.6}, [("health_fair", "minor")]),
        ({"status": "good"}, []),
        ({"status": "splendid"}, []),  # shown raw, no warning
        (None, []),
        ({"status": None}, []),
    ],
)
def test_health_warns_when_it_is_fair_or_poor(
    health: object, causes: list[tuple[str, str]]
) -> None:
    state, found = codes([gateway(), pod(health=health)])

    assert found == causes
    assert state == ("degraded" if causes else "online")


def test_warned_pods_are_counted_and_not_their_warnings() -> None:
    sick = pod(health={"status": "poor"}, alerts=[{"type": "poorHealth"}, "interference"])

    report = location_status(location(), [gateway(), sick], NOW)

    assert report.counts.warned == 1
    assert [(cause.code, cause.reading) for cause in report.causes] == [
        ("health_poor", "poor"),
        ("alert", "poorHealth"),
        ("alert", "interference"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"leafToRoot": [], "backhaulType": "ethernet"},
        {"leafToRoot": None, "networkMode": "router", "backhaulType": None},
        {"leafToRoot": None, "networkMode": None, "residentialGateway": True},
        {"leafToRoot": None, "networkMode": None, "speedTest": {"gateway": True}},
        {"leafToRoot": None, "networkMode": None, "backhaulType": None},  # its pods name it
    ],
)
def test_any_sign_tells_the_gateway(fields: dict[str, object]) -> None:
    report = location_status(location(), [pod(), gateway(**fields)], NOW)

    assert report.gateway == PodRef(id="GW1", name="Hallway")


def test_a_pod_that_lost_its_way_is_not_taken_for_the_gateway() -> None:
    bridge = gateway(networkMode="bridge")
    lost = pod(**DOWN, leafToRoot=[], backhaulType="ethernet")

    assert codes([lost, bridge]) == ("degraded", [("pod_disconnected", "major")])


def test_the_end_of_the_way_on_a_cable_outweighs_all_other_signs() -> None:
    bridge = gateway(networkMode="bridge")
    loud = pod(
        leafToRoot=None, networkMode="router", residentialGateway=True, speedTest={"gateway": True}
    )

    report = location_status(location(), [loud, bridge], NOW)

    assert report.gateway == PodRef(id="GW1", name="Hallway")


def test_nobody_is_the_gateway_without_a_sign() -> None:
    bare = gateway(leafToRoot=None, networkMode=None, backhaulType=None)

    report = location_status(location(), [bare], NOW)

    assert (report.gateway, report.pods[0].role) == (None, "unknown")
    assert "gateway" in report.unknown


@pytest.mark.parametrize(
    ("nodes", "summary", "devices", "complete"),
    [
        ([gateway(connectedDeviceCount=0)], {}, 0, True),
        ([gateway(connectedDeviceCount=None), pod()], {}, 4, False),
        ([gateway(connectedDeviceCount=None)], {}, None, False),
        ([gateway(connectedDeviceCount=None)], {"connectedDeviceCount": 7}, 7, True),
        ([gateway(**DOWN)], {}, 0, True),
        ([gateway(), pod(connectionState=None)], {}, 9, False),
    ],
)
def test_devices_are_a_sum_that_says_whether_it_is_all(
    nodes: list[Node], summary: dict[str, int], devices: int | None, *, complete: bool
) -> None:
    report = location_status(location(summary=summary), nodes, NOW)

    assert (report.devices, report.devices_complete) == (devices, complete)
    assert ("device_count" in report.unknown) is not complete


def test_the_last_speed_test_has_its_age_and_state() -> None:
    said = {"status": "succeeded", "download": 412.7, "upload": 98.2, "rtt": 9.4}

    report = location_status(
        location(speedTest=said | {"endedAt": "2026-11-20T03:00:00.512Z"}), [gateway()], NOW
    )

    test = report.speed_test
    assert test is not None
    assert (test.state, test.download_mbps, test.upload_mbps, test.latency_ms) == (
        "succeeded",
        412.7,
        98.2,
        9.4,
    )
    assert test.age_s == pytest.approx(18 * 3600, abs=1)
    assert test.is_old is False


def test_a_speed_test_is_taken_from_the_gateway_where_the_location_has_none_that_succeeded() -> (
    None
):
    nodes = [gateway(speedTest={"status": "succeeded", "download": 300})]

    report = location_status(location(speedTest={"status": "failed"}), nodes, NOW)

    assert report.speed_test is not None
    assert (report.speed_test.source, report.speed_test.download_mbps) == ("gateway", 300)
    alone = location_status(location(speedTest={"status": "failed"}), [gateway()], NOW).speed_test
    assert alone is not None
    assert (alone.state, alone.download_mbps) == ("failed", None)


def test_a_speed_test_of_three_days_ago_is_old() -> None:
    said = {"status": "succeeded", "download": 1, "endedAt": "2026-11-17T20:00:00Z"}

    test = location_status(location(speedTest=said), [gateway()], NOW).speed_test

    assert test is not None
    assert test.is_old is True


@pytest.mark.parametrize(
    ("summary", "state"),
    [
        (None, "unknown"),
        ({}, "unknown"),
        ({"nodeClaimedCount": 0}, "no_equipment"),
        ({"nodeClaimedCount": 3, "nodeConnectedCount": 3}, "online"),
        ({"nodeClaimedCount": 3, "nodeConnectedCount": 2}, "degraded"),
        ({"nodeClaimedCount": 3, "nodeConnectedCount": 0}, "offline"),
        ({"gatewayConnectionState": "connected"}, "online"),
        ({"gatewayConnectionState": "disconnected"}, "offline"),
        ({"gatewayConnectionState": "disconnected", "nodeConnectedCount": 1}, "degraded"),
        ({"gatewayConnectionState": "odd"}, "unknown"),
    ],
)
def test_a_list_shows_each_location_at_a_glance(
    summary: dict[str, object] | None, state: State
) -> None:
    assert location_glance(location(summary=summary)).state == state


def test_a_glance_names_a_suspended_customer() -> None:
    where = location(serviceLevel="noService", summary={"gatewayConnectionState": "connected"})

    assert location_glance(where).state == "degraded"
    assert location_glance(where).service_level == "none"


def test_a_location_of_which_nothing_is_known_is_told_as_that() -> None:
    report = location_status(Location(), None, NOW)

    assert (report.state, report.severity, report.zone) == ("unknown", None, "UTC")
    assert set(report.unknown) == {"pods", "service_level", "speed_test", "time_zone"}
