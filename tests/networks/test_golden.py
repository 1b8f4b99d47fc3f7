"""Whole reports, one for each state that a location can be in, compared with stored ones."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from simulator.plume import PlumeWorld
from simulator.plume.faults import ALWAYS
from simulator.plume.scenarios import SCENARIOS
from tests.networks.engineer import Engineer
from tests.stored import GOLDEN, same_as_stored
from wire.reply import Reply


@dataclass(frozen=True)
class Scene:
    """What is asked where; `switches` shape Plume's answers, `failing` calls never succeed."""

    said: str
    at: str = "all_fine"
    switches: dict[str, Any] = field(default_factory=dict)
    failing: tuple[tuple[str, str], ...] = ()


NULLS = frozenset(
    {
        "nodes.connectionState", "nodes.backhaulType", "nodes.health", "nodes.alerts",
        "nodes.connectedDeviceCount", "speedTest.download",
    }
)  # fmt: skip
BARE = frozenset(
    {
        "connectionState", "connectionStateChangeAt", "bootAt", "health", "nickname",
        "defaultName", "model", "firmwareVersion", "backhaulType", "leafToRoot", "networkMode",
        "mac", "ethernetMac", "ip", "wanIp", "publicIp", "2gChannel", "5gChannel", "6gChannel",
        "linkStates", "geoIp", "speedTest", "serviceLevel", "summary", "connectedDeviceCount",
    }
)  # fmt: skip
HOSTILE = {"hostile_ssids": 12, "hostile_names": True}
SCENES = {
    **{f"network/{name}": Scene("/network", name) for name in SCENARIOS if name != "no_locations"},
    "network/nulls": Scene("/network", switches={"nulls": NULLS}),
    "network/bare": Scene("/network", switches={"missing": BARE}),
    "network/unknown_words": Scene("/network", "pod_fair", {"health_words": "unknown"}),
    "network/hostile_names": Scene("/network", switches=HOSTILE),
    "wan/all_fine": Scene("/wan"),
    "wan/no_data": Scene("/wan", switches={"wan_rows": "empty"}),
    "wan/no_key": Scene("/wan", switches={"wan_rows": "keyless"}),
    "wan/nulls": Scene("/wan", switches={"wan_rows": "nulls"}),
    "wan/rows_missing": Scene("/wan", switches={"wan_rows": "eighty"}),
    "wan/shuffled": Scene("/wan", switches={"wan_order": "shuffled"}),
    "wan/busy_line": Scene("/wan", "busy_line"),
    "wan/no_speed_test": Scene("/wan", "no_speed_test"),
    "wan/saturation_unknown": Scene("/wan", failing=(("*/wanSaturation", "error:500"),)),
    "wan/no_pods": Scene("/wan", "no_pods"),
    "wan/gateway_down": Scene("/wan", "gateway_down"),
    "wan/half_hour_zone": Scene("/wan", "dst"),
    "stats/all_fine": Scene("/stats"),
    "stats/3h": Scene("/stats 3h"),
    "stats/24h": Scene("/stats 24h"),
    "stats/flapping": Scene("/stats", "flapping"),
    "stats/flapping_24h": Scene("/stats 24h", "flapping"),
    "stats/newest_first": Scene("/stats", "flapping", {"online_order": "newest"}),
    "stats/upper_words": Scene("/stats", "flapping", {"online_words": "upper"}),
    "stats/booleans": Scene("/stats", "flapping", {"online_words": "booleans"}),
    "stats/numbers": Scene("/stats", "flapping", {"online_words": "numbers"}),
    "stats/no_data": Scene("/stats", switches={"online_rows": "empty"}),
    "stats/nulls": Scene("/stats", switches={"online_rows": "nulls"}),
    "stats/rows_missing": Scene("/stats", switches={"online_rows": "eighty"}),
    "stats/gateway_down": Scene("/stats", "gateway_down"),
    "stats/usage": Scene("/stats 5w"),
    "nodes/all_fine": Scene("/nodes"),
    "nodes/pod_down": Scene("/nodes", "pod_down"),
    "nodes/gateway_down": Scene("/nodes", "gateway_down"),
    "nodes/pod_fair": Scene("/nodes", "pod_fair"),
    "nodes/no_pods": Scene("/nodes", "no_pods"),
    "nodes/bridge": Scene("/nodes", "bridge"),
    "nodes/lte": Scene("/nodes", "lte"),
    "nodes/many": Scene("/nodes", "many_pods"),
    "nodes/many_last": Scene("/nodes page 99", "many_pods"),
    "nodes/bare": Scene("/nodes", switches={"missing": BARE}),
    "nodes/nulls": Scene("/nodes", switches={"nulls": NULLS}),
    "nodes/hostile_markup": Scene("/nodes", "hostile_markup"),
    "wifi/all_fine": Scene("/wifi"),
    "wifi/no_service": Scene("/wifi", "no_service"),
    "wifi/no_network": Scene("/wifi", "no_pods"),
    "wifi/enabled": Scene("/wifi", switches={"enable_key": "enabled"}),
    "wifi/neither": Scene("/wifi", switches={"enable_key": "isEnabled"}),
    "wifi/no_modes": Scene(
        "/wifi",
        switches={"wpa_in_list": False},
        failing=(("*/wifiNetworksWithWpaMode", "error:500"),),
    ),
    "wifi/hostile": Scene("/wifi", switches=HOSTILE),
    "devices/all_fine": Scene("/devices"),
    "devices/away": Scene("/devices away"),
    "devices/pod_down": Scene("/devices", "pod_down"),
    "devices/gateway_down": Scene("/devices", "gateway_down"),
    "devices/none": Scene("/devices", "no_pods"),
    "devices/many": Scene("/devices", "many_devices"),
    "devices/many_last": Scene("/devices page 4", "many_devices"),
    "devices/signal_unknown": Scene("/devices", failing=(("*/qoe", "error:500"),)),
    "devices/pods_unknown": Scene("/devices", failing=(("*/nodes", "error:500"),)),
    "devices/state_unknown": Scene("/devices", switches={"missing": {"connectionState"}}),
    "devices/usage": Scene("/devices here"),
    "speed/all_fine": Scene("/speed"),
    "speed/none": Scene("/speed", "no_speed_test"),
    "speed/failed": Scene("/speed", "failed_speed_test"),
    "speed/no_history": Scene("/speed", failing=(("*/results", "error:500"),)),
    "speed/no_gateway": Scene("/speed", failing=(("*/results", "error:500"), ("*/nodes", "html"))),
    "speed/no_service": Scene("/speed", "no_service"),
    "speed/no_pods": Scene("/speed", "no_pods"),
    "speed/gateway_down": Scene("/speed", "gateway_down"),
    "speed/ask": Scene("/speed test"),
    "speed/refused": Scene("/speed test yes", "no_service"),
    "speed/usage": Scene("/speed up"),
    "incidents/all_fine": Scene("/incidents"),
    "incidents/flapping": Scene("/incidents", "flapping"),
    "incidents/gateway_down": Scene("/incidents", "gateway_down"),
    "incidents/pod_down": Scene("/incidents", "pod_down"),
    "incidents/reboots_unknown": Scene("/incidents", failing=(("*/reboots", "error:500"),)),
    "incidents/history_unknown": Scene(
        "/incidents", "flapping", failing=(("*/onlineStats", "error:500"),)
    ),
    "incidents/no_pods": Scene("/incidents", "no_pods"),
    **{f"check/{name}": Scene("/check", name) for name in SCENARIOS if name != "no_locations"},
    "check/half_unread": Scene(
        "/check", failing=(("/reports/*", "error:500"), ("*/nodes", "error:500"))
    ),
    "check/nulls": Scene("/check", switches={"nulls": NULLS}),
}


@pytest.mark.parametrize("name", SCENES)
async def test_a_report_is_the_stored_one(name: str, engineer: Engineer, plume: PlumeWorld) -> None:
    scene = SCENES[name]
    for switch, value in scene.switches.items():
        plume.switches.set(switch, value)
    await engineer.choose(plume, scene.at)
    for path, fault in scene.failing:
        plume.fail(path, fault, ALWAYS)

    answer = await engineer.say(scene.said)

    same_as_stored(f"networks/{name}", Reply.model_validate(answer))


def test_no_stored_report_is_left_without_its_test() -> None:
    folder = GOLDEN / "networks"
    stored = {
        path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob("*/*.json")
    }

    # Those as JSON have a table of their own, in test_golden_json.
    assert {name for name in stored if not name.startswith("json/")} == set(SCENES)
