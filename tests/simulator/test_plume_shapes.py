"""The shapes of the API notes, section 3: what must be there, in which units and words."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from simulator.plume import SCENARIOS, PlumeWorld
from simulator.plume.equipment import nodes_at
from tests.simulator.bot_api import Clock
from tests.simulator.plume_cloud import Cloud, below, clock, cloud, plume, stranger

__all__ = ["clock", "cloud", "plume", "stranger"]
SHAPES: dict[str, dict[str, Any]] = {
    "api": {
        "uplink-status": {
            "speedTest": {
                "download", "upload", "rtt", "jitter", "status", "trigger", "isp", "timestamp",
            },
            "uptime": {"connectionState", "connectionStateChangeAt"},
        },
        "serviceLevel": {"status", "createdAt", "updatedAt"},
        "capabilities": {"ispSpeedTest": {"disabled", "reason"}},
        "appFacade/home": {"customer", "wifiNetwork", "nodes", "devices", "summary", "alerts"},
        "appFacade/dashboard": {"speedTest", "devices"},
        "wifiNetworks": [{"networkId", "ssid", "enable", "wpaMode"}],
        "wifiNetworksWithWpaMode": [{"ssid", "wpaMode"}],
        "wifiNetwork": {"wifiNetwork": {"ssid", "enabled", "encryptionKey", "keys", "wpaMode"}},
        "backhaul": {"mode", "wds", "wpaMode"},
        "alerts": {"nodes": [{"id", "nickname", "alerts"}], "devices": []},
        "firmware": [{"nodeId", "currentVersion", "targetVersion", "status"}],
        "nodes": {
            "nodes": [
                {
                    "id", "serialNumber", "nickname", "defaultName", "connectionState", "bootAt",
                    "connectionStateChangeAt", "health", "backhaulType", "leafToRoot", "alerts",
                    "networkMode", "connectedDeviceCount", "model", "firmwareVersion", "mac", "ip",
                    "radioStats", "linkStates", "speedTest", "2gChannel", "5gChannel",
                }
            ]
        },
        "devices": {
            "devices": [{"mac", "name", "hostName", "connectionState", "medium", "networkId"}]
        },
    },
    "reports": {
        "wanStats?period=daily": {
            "fifteenMins": [{"timestamp", "rxMbytes", "txMbytes", "rxMaxMbps", "txMaxMbps"}]
        },
        "wanSaturation": {
            "rxMaxPercentage": None, "txMaxPercentage": None,
            "items": [{"timestamp", "rxMaxPercentage", "txMaxPercentage"}],
        },
        "onlineStats?granularity=days&limit=1": {
            "statsDateRange": {"start", "end"}, "locationState": [{"timestamp", "value"}],
        },
        "reboots": {"items": []},
        "nodes/health?startDate=2026-09-20&endDate=2026-09-20&granularity=3h": {
            "nodes": [{"nodeId", "health"}]
        },
        "qoe": {
            "nodes": [
                {
                    "id", "score", "freqBand", "chWidthMhz", "rssiDbm", "interferencePercent",
                    "snrDb",
                }
            ],
            "devices": [{"mac", "score", "freqBand", "rssiDbm", "snrDb"}],
        },
    },
}  # fmt: skip


def lacks(told: Any, shape: Any, at: str = "it") -> list[str]:
    """Return what an answer lacks: a set means keys, a dict keys and their shapes, a list rows."""
    if shape is None:
        return []
    if isinstance(shape, list):
        if not isinstance(told, list):
            return [f"{at} is no list"]
        if shape and not told:
            return [f"{at} is empty"]
        rows = enumerate(told if shape else ())
        return [it for turn, row in rows for it in lacks(row, shape[0], f"{at}[{turn}]")]
    if not isinstance(told, dict):
        return [f"{at} is no object"]
    missing = [f"{at} lacks {key}" for key in shape if key not in told]
    inner = shape.items() if isinstance(shape, dict) else ()
    return missing + [
        it for key, each in inner if key in told for it in lacks(told[key], each, key)
    ]


@pytest.mark.parametrize(
    ("base", "path"), [(base, path) for base, paths in SHAPES.items() for path in paths]
)
async def test_an_answer_has_its_shape(cloud: Cloud, base: str, path: str) -> None:
    told = await cloud.of(cloud.world.place("pod_fair"), path, base)

    assert lacks(told, SHAPES[base][path]) == []


async def test_the_judge_of_shapes_sees_what_lacks() -> None:
    shape = {"a": [{"b"}], "c": {"d": {"e"}}}

    assert lacks({"a": [{"b": 1}], "c": {"d": {"e": 1}}}, shape) == []
    assert lacks({"a": [{}], "c": {"d": {}}}, shape) == ["a[0] lacks b", "d lacks e"]
    assert lacks({"a": []}, shape) == ["it lacks c", "a is empty"]
    assert lacks([], shape) == ["it is no object"]


async def test_every_location_answers_every_reading(cloud: Cloud) -> None:
    plain = [path for path in SHAPES["api"] if not path.startswith("wifiNetwork")]
    for name in SCENARIOS:
        for home in cloud.world.scenario(name).places[:1]:
            for path in plain:
                assert (await cloud.get(below(home, path))).status_code == 200, (name, path)
            for path in SHAPES["reports"]:
                reply = await cloud.get(below(home, path, "reports"))
                assert reply.status_code == 200, (name, path, reply.text)


async def test_a_location_tells_its_state_and_its_configuration(cloud: Cloud) -> None:
    told = await cloud.of(cloud.world.place("pppoe"))

    assert lacks(
        told,
        {
            "id": None, "name": None, "customerId": None, "serviceId": None, "profile": None,
            "serviceLevel": {"status"}, "networkStatus": {"status", "statusChangedAt"},
            "geoIp": {"timezone", "city"}, "backhaul": {"wpaKey"},
            "wanSettings": {"pppoe": {"name", "password"}},
            "speedTest": {"status", "download", "upload", "rtt", "startedAt", "endedAt", "gateway"},
        },
    ) == []  # fmt: skip


async def test_scenarios_say_what_their_names_promise(cloud: Cloud) -> None:
    world = cloud.world

    async def told(name: str) -> Any:
        return await cloud.of(world.place(name))

    async def nodes(name: str) -> Any:
        return (await cloud.of(world.place(name), "nodes"))["nodes"]

    up = "connected"
    assert {it["connectionState"] for it in await nodes("all_fine")} == {up}
    assert [it["connectionState"] for it in await nodes("pod_down")] == [up, up, "disconnected"]
    assert {it["connectionState"] for it in await nodes("gateway_down")} == {"disconnected"}
    fair = (await nodes("pod_fair"))[1]
    assert (fair["health"]["status"], fair["alerts"][0]["type"]) == ("fair", "poorHealth")
    assert (await told("no_service"))["serviceLevel"] == {"status": "noService"}
    assert (await told("basic_service"))["serviceLevel"] == {"status": "basicService"}
    assert "serviceLevel" not in await told("no_service_level")
    assert await nodes("no_pods") == []
    assert "speedTest" not in await told("no_speed_test")
    assert (await told("failed_speed_test"))["speedTest"]["status"] == "failed"
    assert (await told("all_fine"))["speedTest"]["status"] == "succeeded"
    assert (await told("bridge"))["networkMode"] == "bridge"
    assert (await nodes("lte"))[0]["backhaulType"] == "lte"
    assert len(await nodes("many_pods")) == 41
    assert len((await cloud.of(world.place("many_devices"), "devices"))["devices"]) == 200


async def test_a_gateway_is_known_by_its_empty_way_and_pods_hang_below(cloud: Cloud) -> None:
    rows = (await cloud.of(cloud.world.place("many_pods"), "nodes"))["nodes"]
    by_id = {row["id"]: row for row in rows}

    assert [row["leafToRoot"] for row in rows if row["backhaulType"] == "ethernet"] == [[]]
    for row in rows[1:]:
        assert row["leafToRoot"][-1]["id"] == rows[0]["id"]
        assert by_id[row["leafToRoot"][0]["id"]]["connectionState"] == "connected"
    assert max(len(row["leafToRoot"]) for row in rows) > 1


def test_no_pod_hangs_on_one_that_is_down(clock: Clock) -> None:
    for seed in range(20):
        world = PlumeWorld(seed=seed, now=clock)
        nodes = nodes_at(world, world.place("many_pods"))
        assert all(parent.up for node in nodes for parent in node.above)
        assert max(len(node.above) for node in nodes) > 1


async def test_devices_are_counted_alike_everywhere(cloud: Cloud) -> None:
    home = cloud.world.place("many_devices")
    nodes = (await cloud.of(home, "nodes"))["nodes"]
    devices = (await cloud.of(home, "devices"))["devices"]
    summary = (await cloud.of(home, include="summary"))["summary"]

    online = [it for it in devices if it["connectionState"] == "connected"]
    by_node = {
        node["id"]: sum(it["leafToRoot"][0]["id"] == node["id"] for it in online) for node in nodes
    }
    assert {node["id"]: node["connectedDeviceCount"] for node in nodes} == by_node
    assert sum(by_node.values()) == summary["connectedDeviceCount"] == len(online)
    assert summary["nodeClaimedCount"] == len(nodes)


async def test_nothing_is_connected_where_the_gateway_is_down(cloud: Cloud) -> None:
    home = cloud.world.place("gateway_down")
    summary = (await cloud.of(home, include="summary"))["summary"]

    assert summary["gatewayConnectionState"] == "disconnected"
    assert (summary["nodeConnectedCount"], summary["connectedDeviceCount"]) == (0, 0)
    assert (await cloud.of(home))["networkStatus"]["status"] == "offline"


async def test_a_summary_comes_only_when_asked_for_and_only_where_it_works(cloud: Cloud) -> None:
    path = f"api/Customers/{cloud.world.scenario('all_fine').id}/locations"

    assert "summary" not in (await cloud.read(path))[0]
    assert (await cloud.read(path, include="summary"))[0]["summary"]["nodeClaimedCount"] == 3
    cloud.world.switches.summary = False
    assert "summary" not in (await cloud.read(path, include="summary"))[0]


async def test_devices_that_are_long_away_can_be_left_out(cloud: Cloud, clock: Clock) -> None:
    home = cloud.world.place("many_devices")
    everything = (await cloud.of(home, "devices"))["devices"]

    recent = (await cloud.of(home, "devices", daysOffline=1))["devices"]

    limit = datetime.fromtimestamp(clock.now).astimezone() - timedelta(days=1)
    assert len(recent) < len(everything)
    assert all(
        datetime.fromisoformat(it["offlineSince"]) >= limit for it in recent if "offlineSince" in it
    )


@pytest.mark.parametrize("form", [str, str.upper])
async def test_a_device_is_found_by_its_mac(cloud: Cloud, form: Any) -> None:
    home = cloud.world.place("all_fine")
    mac = (await cloud.of(home, "devices"))["devices"][0]["mac"]

    told = await cloud.of(home, f"devices/{form(mac)}", include="bandwidthData,chartsData")
    history = await cloud.of(
        home, f"devices/{mac}/qoeMetrics", "reports", limit=2, granularity="hours"
    )
    unknown = await cloud.get(below(home, "devices/02:00:00:00:00:ff"))

    assert {"bandwidthData", "chartsData"} <= told.keys()
    assert len(history["data"]) == 9
    assert unknown.status_code == 404


async def test_some_clouds_want_macs_without_colons(cloud: Cloud) -> None:
    home = cloud.world.place("all_fine")
    mac = (await cloud.of(home, "devices"))["devices"][0]["mac"]
    cloud.world.switches.plain_macs = True

    assert (await cloud.get(below(home, f"devices/{mac}"))).status_code == 404
    assert (await cloud.get(below(home, f"devices/{mac.replace(':', '')}"))).status_code == 200


async def test_paths_may_be_in_any_case_and_a_slash_in_an_id_is_none(cloud: Cloud) -> None:
    home = cloud.world.place("all_fine")
    path = below(home, "nodes")

    assert (await cloud.get(path.replace("Customers", "customers"))).status_code == 200
    assert (await cloud.get(f"api/Partners/{home.customer.partner.id}/customers/count")).json()
    assert (await cloud.get(f"api/Customers/{home.customer.id}%2Flocations")).status_code == 401
    assert (await cloud.get("api/no/such/thing")).status_code == 404


async def test_a_network_tells_no_key_where_only_its_name_is_asked_for(cloud: Cloud) -> None:
    home = cloud.world.place("all_fine")

    assert await cloud.of(home, "wifiNetwork/ssid") == {"ssid": "Example-Home"}
    assert (await cloud.get(below(cloud.world.place("no_pods"), "wifiNetwork"))).status_code == 404


async def test_the_lte_service_knows_who_has_a_backup(cloud: Cloud) -> None:
    backed, plain = (cloud.world.place(name) for name in ("lte", "all_fine"))

    assert (await cloud.read(f"lteservice/locations/{backed.id}/currentState"))["lteActive"] is True
    assert (await cloud.get(f"lteservice/locations/{plain.id}/currentState")).status_code == 501
    assert await cloud.read(f"lteservice/locations/{plain.id}/supported") == {"supported": False}


async def test_gateway_twins_tell_the_same(cloud: Cloud) -> None:
    home = cloud.world.place("all_fine")
    twin = f"gateway/locations/{home.id}"

    assert await cloud.read(f"api/{twin}/nodes") == await cloud.of(home, "nodes")
    assert await cloud.read(f"reports/{twin}/qoe") == await cloud.of(home, "qoe", "reports")
    whole = await cloud.of(home, "wanSaturation", "reports")
    highest = await cloud.read(f"reports/{twin}/wan-saturation")
    assert highest == {key: whole[key] for key in highest}
