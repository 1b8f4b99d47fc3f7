"""What holds of every report, whatever Plume sends."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.network.captions import speed_alt, uptime_alt, wan_alt
from app.network.check import check
from app.network.devices import devices_by_pod
from app.network.incidents import location_incidents
from app.network.nodes import node_details
from app.network.report import Report
from app.network.speed import speed_tests
from app.network.status import location_glance, location_status
from app.network.uptime import WINDOWS, Window, online_history
from app.network.wan import wan_use
from app.network.wifi import wifi_networks
from app.plume.models import (
    Device,
    Location,
    Node,
    OnlineSample,
    Outage,
    Quality,
    Reboot,
    Saturation,
    SpeedHistory,
    WanRow,
    WifiNetwork,
)
from tests.network.worlds import NOW, QUARTER, location, row, sample

LEAST_WINDOW: Window = "3h"

# Times: on the grid of a day, beside it, and none that can be.
moments = st.one_of(
    st.integers(0, 96).map(lambda back: (NOW - back * QUARTER).isoformat()),
    st.integers(-90_000, 3_000_000).map(lambda s: (NOW - timedelta(seconds=s)).isoformat()),
    st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "soon", None, 0, 1e12]),
)
numbers = st.one_of(
    st.none(),
    st.floats(0, 2000),
    st.sampled_from([-1, 0, 2**63, 1e308, "12.5", True, [], "many"]),
)
words: st.SearchStrategy[Any] = st.sampled_from(
    ["connected", "disconnected", "online", "offline", "succeeded", "failed", "good", "poor",
     "wifi", "ethernet", "noService", "router", "Other", "", None, 5, {}]
)  # fmt: skip
names = st.one_of(st.none(), st.sampled_from(["GW1", "PD1", "PD2"]), st.text(max_size=8))
flags = st.sampled_from([True, False, None, "true", 3])
tests = st.fixed_dictionaries(
    {}, optional={"status": words, "download": numbers, "upload": numbers, "rtt": numbers,
                  "endedAt": moments, "gateway": flags},
)  # fmt: skip
hops = st.one_of(st.none(), st.lists(st.fixed_dictionaries({"id": names}), max_size=3))
healths = st.one_of(st.none(), st.fixed_dictionaries({"status": words, "score": numbers}))
alerts = st.one_of(st.none(), st.lists(words, max_size=2))
nodes = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": names, "nickname": names, "connectionState": words, "bootAt": moments,
            "connectionStateChangeAt": moments, "health": healths, "backhaulType": words,
            "leafToRoot": hops, "networkMode": words, "residentialGateway": flags,
            "connectedDeviceCount": numbers, "alerts": alerts, "speedTest": tests,
            "linkStates": st.lists(st.fixed_dictionaries({"linkSpeed": numbers}), max_size=2),
        },
    ).map(Node.model_validate),
    max_size=5,
)  # fmt: skip
locations = st.fixed_dictionaries(
    {},
    optional={
        "name": names, "serviceLevel": words, "speedTest": tests,
        "geoIp": st.fixed_dictionaries({"timezone": st.sampled_from(
            ["Europe/Amsterdam", "Asia/Kathmandu", "America/St_Johns", "Mars/X", "", None])}),
        "summary": st.fixed_dictionaries({}, optional={
            "nodeClaimedCount": numbers, "nodeConnectedCount": numbers,
            "gatewayConnectionState": words, "connectedDeviceCount": numbers}),
    },
).map(Location.model_validate)  # fmt: skip
rows = st.lists(
    st.fixed_dictionaries(
        {"timestamp": moments},
        optional={"rxMbytes": numbers, "txMbytes": numbers, "rxMaxMbps": numbers,
                  "txMaxMbps": numbers},
    ).map(WanRow.model_validate),
    max_size=30,
)  # fmt: skip
online = st.lists(
    st.fixed_dictionaries({"timestamp": moments, "value": words}).map(OnlineSample.model_validate),
    max_size=60,
)
series = st.lists(st.fixed_dictionaries({"timestamp": moments, "value": numbers}), max_size=8)
histories = st.fixed_dictionaries(
    {"downloadSpeeds": series, "uploadSpeeds": series, "failedSpeedTests": series}
).map(SpeedHistory.model_validate)
outages = st.lists(
    st.fixed_dictionaries({"start": moments, "end": moments}).map(Outage.model_validate),
    max_size=5,
)
reboots = st.lists(
    st.fixed_dictionaries({"occurredAt": moments, "nodeId": names, "reason": words}).map(
        Reboot.model_validate
    ),
    max_size=5,
)
devices = st.lists(
    st.fixed_dictionaries(
        {"mac": names},
        optional={"connectionState": words, "medium": words, "freqBand": words,
                  "leafToRoot": hops, "health": healths, "connectionStateChangeAt": moments},
    ).map(Device.model_validate),
    max_size=8,
)  # fmt: skip
qualities = st.fixed_dictionaries(
    {"devices": st.lists(st.fixed_dictionaries({"mac": names, "rssiDbm": numbers}), max_size=5)}
).map(Quality.model_validate)
networks = st.lists(
    st.fixed_dictionaries({"ssid": names, "enable": flags, "wpaMode": words}).map(
        WifiNetwork.model_validate
    ),
    max_size=4,
)


def crosses(report: Report) -> None:
    """Check that a report is the same after a trip as JSON."""
    assert type(report).model_validate_json(report.model_dump_json()) == report


def shuffled(listed: Sequence[Any], seed: int) -> list[Any]:
    found = list(listed)
    random.Random(seed).shuffle(found)
    return found


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_every_report_is_made_of_whatever_comes_and_crosses_as_json(data: st.DataObject) -> None:
    where = data.draw(locations)
    listed = data.draw(st.none() | nodes)
    status = location_status(where, listed, NOW)
    wan = wan_use(where, data.draw(rows), NOW, saturation=Saturation(rxMaxPercentage=50))
    uptime = online_history(where, data.draw(online), NOW, data.draw(st.sampled_from([*WINDOWS])))
    wifi = wifi_networks(where, data.draw(st.none() | networks), NOW)
    at = devices_by_pod(
        where, data.draw(st.none() | devices), NOW, nodes=listed, quality=data.draw(qualities)
    )
    speed = speed_tests(where, listed, data.draw(st.none() | histories), NOW)
    incidents = location_incidents(
        where, NOW, outages=data.draw(st.none() | outages), reboots=data.draw(st.none() | reboots),
        uptime=uptime, nodes=listed,
    )  # fmt: skip
    card = check(
        where, NOW, status=status, wan=wan, uptime=uptime, wifi=wifi, devices=at, speed=speed,
        incidents=incidents,
    )  # fmt: skip

    for report in (status, wan, uptime, wifi, at, speed, incidents, card):
        crosses(report)
        assert report.read_at == NOW
    crosses(node_details(where, listed, NOW))
    assert location_glance(where).state
    for alt in (wan_alt(wan), uptime_alt(uptime), speed_alt(speed)):
        assert 0 < len(alt) <= 1024


@settings(deadline=None, max_examples=50)
@given(locations, nodes, rows, online, st.integers())
def test_order_does_not_matter(
    where: Location,
    listed: list[Node],
    read: list[WanRow],
    seen: list[OnlineSample],
    seed: int,
) -> None:
    assert wan_use(where, shuffled(read, seed), NOW) == wan_use(where, read, NOW)
    assert online_history(where, shuffled(seen, seed), NOW, "24h") == online_history(
        where, seen, NOW, "24h"
    )
    assert location_status(where, shuffled(listed, seed), NOW) == location_status(
        where, listed, NOW
    )
    assert node_details(where, shuffled(listed, seed), NOW) == node_details(where, listed, NOW)


@settings(deadline=None, max_examples=50)
@given(devices, nodes, histories, outages, reboots, networks, st.integers())
def test_order_does_not_matter_in_lists(
    listed: list[Device],
    pods: list[Node],
    history: SpeedHistory,
    out: list[Outage],
    boots: list[Reboot],
    wifi: list[WifiNetwork],
    seed: int,
) -> None:
    where = location()
    turned = history.model_copy(
        update={
            "downloads": tuple(shuffled(history.downloads, seed)),
            "uploads": tuple(shuffled(history.uploads, seed)),
            "failed": tuple(shuffled(history.failed, seed)),
        }
    )

    assert devices_by_pod(
        where, shuffled(listed, seed), NOW, nodes=shuffled(pods, seed)
    ) == devices_by_pod(where, listed, NOW, nodes=pods)
    assert wifi_networks(where, shuffled(wifi, seed), NOW) == wifi_networks(where, wifi, NOW)
    assert speed_tests(where, shuffled(pods, seed), turned, NOW) == speed_tests(
        where, pods, history, NOW
    )
    assert location_incidents(
        where, NOW, outages=shuffled(out, seed), reboots=shuffled(boots, seed), uptime=None
    ) == location_incidents(where, NOW, outages=out, reboots=boots, uptime=None)


@settings(deadline=None, max_examples=80)
@given(rows)
def test_figures_of_the_line_keep_their_order_and_sums(read: list[WanRow]) -> None:
    report = wan_use(location(), read, NOW)

    for way in (report.down, report.up):
        if way.p95_mbps is not None:
            assert way.peak_mbps is not None
            assert way.average_of_peaks_mbps is not None
            assert way.p95_mbps <= way.peak_mbps
            assert way.average_of_peaks_mbps <= way.peak_mbps * (1 + 1e-9)
        if way.average_mbps is not None and way.total_mbytes is not None and report.spacing_s:
            seconds = way.volume_readings * report.spacing_s
            assert way.average_mbps * seconds == pytest.approx(way.total_mbytes * 8)
        assert (way.total_mbytes is None) is (way.volume_readings == 0)
        assert (way.peak_mbps is None) is (way.peak_readings == 0)
    assert report.quality_percent is None or 0 <= report.quality_percent <= 100
    assert report.rows + report.repeated_rows + report.undated_rows == len(read)
    inside(report.gaps, report.window.start, report.window.end)


def inside(spans: Sequence[Any], start: datetime, end: datetime) -> None:
    """Check that spans lie in a window one after the other."""
    at = start
    for span in spans:
        assert at <= span.start <= span.end <= end
        at = span.end


@settings(deadline=None, max_examples=80)
@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=96), st.lists(st.floats(0, 1e6)))
def test_totals_are_the_sums_of_the_parts(volumes: list[float], others: list[float]) -> None:
    read = [row(NOW - QUARTER * place, value) for place, value in enumerate(volumes)]
    none = [row(NOW - QUARTER * (len(volumes) + place), None, v) for place, v in enumerate(others)]

    report = wan_use(location(), [*read, *none], NOW)

    assert report.down.total_mbytes == pytest.approx(sum(volumes))
    if others:
        assert report.up.total_mbytes == pytest.approx(sum(others[: 96 * 31]))


@settings(deadline=None, max_examples=80)
@given(st.lists(st.sampled_from(["online", "offline", "odd", None]), min_size=1, max_size=97))
def test_counts_and_stretches_of_uptime_add_up(values: list[str | None]) -> None:
    seen = [sample(NOW - QUARTER * place, value) for place, value in enumerate(values)]

    report = online_history(location(), seen, NOW, "24h")

    assert report.online + report.offline + report.intermittent == report.readings
    assert report.readings == sum(value is not None for value in values)
    assert (report.uptime_percent is None) is (report.readings == 0)
    if report.uptime_percent is not None:
        assert report.uptime_percent == pytest.approx(100 * report.online / report.readings)
    covered = sum(stretch.span.seconds for stretch in report.stretches)
    assert covered == pytest.approx(report.span.seconds)
    assert sum(each.readings for each in report.incidents) == report.offline + report.intermittent
    inside(report.gaps, report.span.start, report.span.end)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.sampled_from(["online", "offline", "odd"]), min_size=4, max_size=97),
    st.sets(st.integers(0, 96)),
)
def test_a_gap_never_raises_the_uptime_above_its_readings(
    values: list[str], gone: set[int]
) -> None:
    seen = [sample(NOW - QUARTER * place, value) for place, value in enumerate(values)]
    nulled = [
        sample(NOW - QUARTER * place, None if place in gone else value)
        for place, value in enumerate(values)
    ]
    kept = [value for place, value in enumerate(values) if place not in gone]

    report = online_history(location(), nulled, NOW, "24h")
    whole = online_history(location(), seen, NOW, "24h")

    # What is missing is neither online nor offline: the share is that of what is left.
    expected = 100 * kept.count("online") / len(kept) if kept else None
    assert report.uptime_percent == (None if expected is None else pytest.approx(expected))
    assert report.online <= whole.online
    assert (report.coverage_percent or 0) <= (whole.coverage_percent or 0)


@settings(deadline=None, max_examples=50)
@given(nodes)
def test_nobody_is_offline_who_is_not_known_to_be(listed: list[Node]) -> None:
    unsure = [node.model_copy(update={"connected": None}) for node in listed]

    report = location_status(location(), unsure, NOW)

    assert report.state == ("unknown" if listed else "no_equipment")
    assert report.counts.unknown == len(listed)
    assert report.devices is None
