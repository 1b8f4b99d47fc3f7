"""The reports that list: pods, WiFi networks, devices."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.network.devices import devices_by_pod, signal_grade
from app.network.health import Grade
from app.network.nodes import node_details
from app.network.wifi import Security, wifi_networks
from app.plume.models import Device, Node, Quality, WifiNetwork
from tests.network.worlds import NOW, gateway, location, pod


def device(mac: str, **fields: Any) -> Device:
    known = {
        "mac": mac,
        "name": mac,
        "connectionState": "connected",
        "medium": "wifi",
        "freqBand": "5GL",
        "leafToRoot": [{"id": "PD1"}, {"id": "GW1"}],
    }
    return Device.model_validate(known | fields)


def network(**fields: Any) -> WifiNetwork:
    return WifiNetwork.model_validate({"ssid": "Example", "enable": True} | fields)


def test_a_pod_is_told_with_all_that_is_known() -> None:
    node = gateway(
        model="Gateway XE3",
        firmwareVersion="6.4.1-77",
        mac="AA:00:00:00:00:01",
        ip="192.168.40.1",
        wanIp="100.64.3.9",
        bootAt="2026-11-20T09:00:00Z",
        linkStates=[
            {"ifName": "eth0", "linkSpeed": 1000, "duplex": "full", "isUplink": True},
            {"ifName": "eth1", "linkSpeed": 65535, "duplex": "half"},
            {"ifName": "eth2"},
        ],
        **{"2gChannel": 6, "5gChannel": "44"},
    )

    (detail,) = node_details(location(), [node], NOW).pods

    assert (detail.model, detail.firmware, detail.ip) == ("Gateway XE3", "6.4.1-77", "192.168.40.1")
    assert detail.uptime_s == 12 * 3600
    assert (detail.channel_2g, detail.channel_5g, detail.channel_6g) == ("6", "44", None)
    assert [(port.name, port.linked, port.speed_mbps, port.duplex) for port in detail.ports] == [
        ("eth0", True, 1000, "full"),
        ("eth1", False, None, None),  # 65535 is Plume's word for "no cable"
        ("eth2", None, None, None),
    ]


@pytest.mark.parametrize("state", ["disconnected", None])
def test_a_pod_that_is_not_known_to_be_up_has_no_uptime(state: str | None) -> None:
    node = pod(connectionState=state, bootAt="2026-11-20T09:00:00Z")

    (detail,) = node_details(location(), [node], NOW).pods

    assert detail.uptime_s is None
    assert detail.booted_at == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_forty_pods_are_all_listed_the_gateway_first() -> None:
    nodes = [pod(f"PD{place:02}", nickname=f"Room {place:02}") for place in range(39, 0, -1)]

    report = node_details(location(), [*nodes, gateway()], NOW)

    assert [each.name for each in report.pods] == [
        "Hallway",
        *(f"Room {place:02}" for place in range(1, 40)),
    ]


def test_nodes_that_could_not_be_read_are_not_none_at_all() -> None:
    assert node_details(location(), None, NOW).state == "unknown"
    assert node_details(location(), [], NOW).state == "none"


def test_a_year_that_cannot_be_is_no_time() -> None:
    node = gateway(bootAt="0001-01-01T00:00:00Z", connectionStateChangeAt="1970-01-01T00:00:00Z")

    (detail,) = node_details(location(), [node], NOW).pods

    assert (detail.booted_at, detail.uptime_s, detail.since) == (None, None, None)


@pytest.mark.parametrize(
    ("fields", "security", "weak"),
    [
        ({"wpaMode": "psk2"}, "wpa2", False),
        ({"wpaMode": "PSK-mixed"}, "wpa_wpa2", True),
        ({"wpaMode": "sae-mixed"}, "wpa2_wpa3", False),
        ({"wpaMode": "sae"}, "wpa3", False),
        ({"encryption": "OPEN"}, "open", True),
        ({"wpaMode": "quantum"}, "unknown", None),
        ({"wpaMode": None}, "unknown", None),
    ],
)
def test_security_is_told_by_what_plumes_words_mean(
    fields: dict[str, object], security: Security, *, weak: bool | None
) -> None:
    (told,) = wifi_networks(location(), [network(**fields)], NOW).networks

    assert (told.security, told.is_weak) == (security, weak)


def test_networks_of_one_name_are_all_listed_those_that_are_on_first() -> None:
    listed = [network(ssid="b", enable=False), network(ssid="c"), network(ssid="a"), network()]

    report = wifi_networks(location(), [*listed, network(ssid=None, enable=None)], NOW)

    assert [(each.ssid, each.state) for each in report.networks] == [
        ("a", "on"),
        ("c", "on"),
        ("Example", "on"),
        (None, "unknown"),
        ("b", "off"),
    ]
    assert wifi_networks(location(), None, NOW).state == "unknown"
    assert wifi_networks(location(), [], NOW).state == "none"


@pytest.mark.parametrize(
    ("dbm", "grade"),
    [
        (-30, "excellent"),
        (-67, "excellent"),
        (-67.1, "good"),
        (-75, "good"),
        (-76, "fair"),
        (-80, "fair"),
        (-81, "poor"),
        (None, None),
    ],
)
def test_signals_are_graded_at_their_thresholds(dbm: float | None, grade: Grade | None) -> None:
    assert signal_grade(dbm) == grade


def test_devices_are_grouped_by_pod_with_the_weakest_first() -> None:
    quality = Quality.model_validate(
        {
            "devices": [
                {"mac": "AA0000000001", "rssiDbm": -58},
                {"mac": "aa:00:00:00:00:02", "rssiDbm": -85},
                {"mac": "aa:00:00:00:00:03", "rssiDbm": -95},  # no sample
                {"mac": "aa:00:00:00:00:05", "rssiDbm": 12},  # no signal has that
            ]
        }
    )
    devices = [
        device("aa:00:00:00:00:01"),
        device("aa:00:00:00:00:02"),
        device("aa:00:00:00:00:03"),
        device("aa:00:00:00:00:04", leafToRoot=[{"id": "GW1"}], medium="ethernet"),
        device("aa:00:00:00:00:05", leafToRoot=[]),
        device("aa:00:00:00:00:06", leafToRoot=[{"id": "GONE", "nickname": "Shed"}]),
    ]

    report = devices_by_pod(location(), devices, NOW, nodes=[pod(), gateway()], quality=quality)

    assert [
        (group.pod.name if group.pod else None, [(d.mac, d.signal) for d in group.devices])
        for group in report.pods
    ] == [
        ("Hallway", [("aa:00:00:00:00:04", None)]),
        (
            "Attic",
            [
                ("aa:00:00:00:00:02", "poor"),
                ("aa:00:00:00:00:01", "excellent"),
                ("aa:00:00:00:00:03", None),
            ],
        ),
        ("Shed", [("aa:00:00:00:00:06", None)]),
        (None, [("aa:00:00:00:00:05", None)]),
    ]
    assert (report.connected, report.weak) == (6, 1)
    assert report.unknown == ("pods", "signal")
    assert report.pods[1].devices[0].band == "5"
    assert report.pods[0].devices[0].band is None


def test_devices_that_are_away_are_listed_by_when_they_left() -> None:
    devices = [
        device("1", connectionState="disconnected", connectionStateChangeAt="2026-11-20T10:00:00Z"),
        device("2", connectionState="disconnected", connectionStateChangeAt="2026-11-20T12:00:00Z"),
        device("3", connectionState="disconnected"),
        device("4", connectionState="dozing"),
    ]

    report = devices_by_pod(location(), devices, NOW)

    assert [each.mac for each in report.offline] == ["2", "1", "3"]
    assert [each.mac for each in report.unsure] == ["4"]
    assert (report.connected, report.pods) == (0, ())


def test_two_hundred_devices_are_all_there() -> None:
    nodes: list[Node] = [pod(f"PD{place}") for place in range(20)]
    devices = [device(f"m{each}", leafToRoot=[{"id": f"PD{each % 20}"}]) for each in range(200)]

    report = devices_by_pod(location(), devices, NOW, nodes=nodes)

    assert sorted(each.mac or "" for group in report.pods for each in group.devices) == sorted(
        f"m{each}" for each in range(200)
    )
    assert len(report.pods) == 20


def test_devices_that_could_not_be_read_are_unknown() -> None:
    assert devices_by_pod(location(), None, NOW).state == "unknown"
    assert devices_by_pod(location(), [], NOW).state == "none"
