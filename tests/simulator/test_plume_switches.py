"""Each open question of the API notes, section 5, as a switch that shows on the wire."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from simulator.plume import Switches
from simulator.plume.switches import Timestamps
from tests.simulator.bot_api import Clock
from tests.simulator.plume_cloud import Cloud, clock, cloud, plume, stranger

__all__ = ["clock", "cloud", "plume", "stranger"]
WEEK = {"granularity": "days", "limit": 1}


async def wan(cloud: Cloud, name: str = "all_fine", period: str = "daily") -> Any:
    return await cloud.of(cloud.world.place(name), "wanStats", "reports", period=period)


async def online(cloud: Cloud, name: str = "all_fine") -> Any:
    return await cloud.of(cloud.world.place(name), "onlineStats", "reports", **WEEK)


@pytest.mark.parametrize("kind", ["nodes", "devices"])
async def test_lists_come_in_six_envelopes(cloud: Cloud, kind: str) -> None:
    home, switches = cloud.world.place("all_fine"), cloud.world.switches
    rows = (await cloud.of(home, kind))[kind]

    seen = {}
    for envelope in ("named", "nested", "bare", "data", "items", "results"):
        switches.set("envelope", envelope)
        seen[envelope] = await cloud.of(home, kind)

    assert seen == {
        "named": {kind: rows}, "nested": {kind: {kind: rows}}, "bare": rows, "data": {"data": rows},
        "items": {"items": rows}, "results": {"results": rows},
    }  # fmt: skip


async def test_keys_can_be_null_or_left_out_everywhere_or_in_one_parent(cloud: Cloud) -> None:
    cloud.world.switches.nulls = frozenset({"connectionState", "health.status", "alerts"})
    cloud.world.switches.missing = frozenset({"nodes.nickname", "backhaulType"})
    home = cloud.world.place("pod_fair")

    node = (await cloud.of(home, "nodes"))["nodes"][1]
    device = (await cloud.of(home, "devices"))["devices"][1]
    speed_test = (await cloud.of(home))["speedTest"]

    assert node["connectionState"] is node["health"]["status"] is node["alerts"] is None
    assert device["connectionState"] is None
    assert speed_test["status"] == "succeeded"
    assert not {"nickname", "backhaulType"} & node.keys()
    assert "nickname" in device


async def test_holes_fall_by_chance_and_alike_each_time(cloud: Cloud) -> None:
    home = cloud.world.place("many_pods")
    whole = await cloud.of(home, "nodes")
    cloud.world.switches.holes = 0.3

    once, again = await cloud.of(home, "nodes"), await cloud.of(home, "nodes")

    assert once == again
    nulls = sum(row[key] is None for row in once["nodes"] for key in row)
    lost = sum(len(row) for row in whole["nodes"]) - sum(len(row) for row in once["nodes"])
    assert min(nulls, lost) > 50
    assert [row["id"] for row in once["nodes"]] == [row["id"] for row in whole["nodes"]]


@pytest.mark.parametrize(
    ("rows", "many"), [("whole", 96), ("eighty", 80), ("nulls", 96), ("empty", 0)]
)
async def test_rows_of_traffic_can_be_fewer_or_hollow(cloud: Cloud, rows: str, many: int) -> None:
    cloud.world.switches.set("wan_rows", rows)

    found = (await wan(cloud))["fifteenMins"]

    hollow = [row for row in found if row["rxMbytes"] is None]
    assert len(found) == many
    assert bool(hollow) == (rows == "nulls")
    assert all(row["timestamp"] for row in found)


async def test_rows_can_lose_their_key(cloud: Cloud) -> None:
    cloud.world.switches.wan_rows = cloud.world.switches.online_rows = "keyless"

    assert await wan(cloud) == {}
    assert "locationState" not in await online(cloud)


@pytest.mark.parametrize("kind", ["wan", "online"])
async def test_rows_come_in_each_order(cloud: Cloud, kind: str) -> None:
    seen = {}
    for order in ("newest", "oldest", "shuffled"):
        cloud.world.switches.set(f"{kind}_order", order)
        told = (
            (await wan(cloud))["fifteenMins"]
            if kind == "wan"
            else (await online(cloud))["locationState"]
        )
        seen[order] = [row["timestamp"] for row in told]

    assert seen["oldest"] == sorted(seen["shuffled"]) == seen["newest"][::-1]
    assert seen["shuffled"] not in (seen["oldest"], seen["newest"])


async def test_longer_periods_can_use_other_keys(cloud: Cloud) -> None:
    cloud.world.switches.weekly_key = "oneHours"
    cloud.world.switches.monthly_key = "oneDays"

    assert (await wan(cloud, period="weekly")).keys() == {"oneHours"}
    assert (await wan(cloud, period="monthly")).keys() == {"oneDays"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("words", {"online", "offline", "intermittent"}),
        ("upper", {"ONLINE", "OFFLINE", "FLAPPING"}),
        ("booleans", {True, False, None}),
        ("numbers", {1, 0, None}),
    ],
)
async def test_states_are_said_in_other_words(cloud: Cloud, words: str, said: set[Any]) -> None:
    cloud.world.switches.set("online_words", words)

    told = await online(cloud, "flapping")

    values = [row["value"] for row in told["locationState"]]
    assert {(type(it), it) for it in values} == {(type(it), it) for it in said}


async def test_states_can_be_null(cloud: Cloud) -> None:
    cloud.world.switches.online_rows = "nulls"

    values = [row["value"] for row in (await online(cloud))["locationState"]]

    assert set(values) == {"online", None}
    assert len(values) == 97


@pytest.mark.parametrize("form", get_args(Timestamps))
async def test_a_moment_is_written_in_each_form(cloud: Cloud, clock: Clock, form: str) -> None:
    cloud.world.switches.set("timestamps", form)
    at = clock.now // 900 * 900 - 900
    then = datetime.fromtimestamp(at, UTC)

    said = (await wan(cloud))["fifteenMins"][0]["timestamp"]

    assert (
        said
        == {
            "iso": f"{then:%Y-%m-%dT%H:%M:%S}.000Z",
            "whole": f"{then:%Y-%m-%dT%H:%M:%S}Z",
            "offset": f"{datetime.fromtimestamp(at - 7 * 3600, UTC):%Y-%m-%dT%H:%M:%S}.000-0700",
            "offset_colon": f"{datetime.fromtimestamp(at - 7 * 3600, UTC):%Y-%m-%dT%H:%M:%S}-07:00",
            "seconds": int(at),
            "milliseconds": int(at * 1000),
            "milliseconds_text": str(int(at * 1000)),
        }[form]
    )


async def test_quality_is_in_milliseconds_unless_iso_is_asked_for(cloud: Cloud) -> None:
    home = cloud.world.place("all_fine")
    path = f"nodes/{cloud.gateway(home)}/qoeMetrics"

    plain = await cloud.of(home, path, "reports", **WEEK)
    iso = await cloud.of(home, path, "reports", timestampISOFormat="true", **WEEK)

    assert isinstance(plain["data"][0]["timestamp"], int)
    assert iso["data"][0]["timestamp"].endswith("Z")


async def test_the_range_of_dates_has_three_forms(cloud: Cloud) -> None:
    seen = []
    for form in ("object", "lists", "start_at"):
        cloud.world.switches.set("range_form", form)
        seen.append((await online(cloud))["statsDateRange"])

    plain, lists, start_at = seen
    assert lists == [{"start": [plain["start"]], "end": [plain["end"]]}]
    assert start_at == {"startAt": plain["start"], "endAt": plain["end"]}


async def test_smaller_questions_are_switches_too(cloud: Cloud) -> None:
    home = cloud.world.place("pod_fair")
    switches = cloud.world.switches
    switches.enable_key = "enabled"
    switches.wpa_in_list = False
    switches.alerts = "strings"
    switches.service_level = "string"
    switches.channels = "strings"
    switches.health_words = "upper"

    networks = await cloud.of(home, "wifiNetworks")
    node = (await cloud.of(home, "nodes"))["nodes"][1]

    assert networks[0].keys() == {"networkId", "ssid", "enabled"}
    assert "wpaMode" in (await cloud.of(home, "wifiNetworksWithWpaMode"))[0]
    assert node["alerts"] == ["poorHealth"]
    assert (await cloud.of(home))["serviceLevel"] == "fullService"
    assert node["5gChannel"].isdecimal()
    assert node["backhaulChannel"] == "44"
    assert node["health"]["status"] == "FAIR"

    switches.alerts, switches.service_level, switches.health_words = "names", "empty", "unknown"
    node = (await cloud.of(home, "nodes"))["nodes"][1]
    assert node["alerts"][0]["name"] == "poorHealth"
    assert (await cloud.of(home))["serviceLevel"] == {}
    assert node["health"]["status"] == "splendid"


async def test_names_of_all_things_can_be_made_hostile(cloud: Cloud) -> None:
    home = cloud.world.place("many_pods")
    cloud.world.switches.hostile_names = True

    nodes = (await cloud.of(home, "nodes"))["nodes"]
    devices = (await cloud.of(home, "devices"))["devices"]

    assert len({node["nickname"] for node in nodes}) == 41
    assert any("<b>" in device["name"] for device in devices)


def test_a_switch_takes_what_it_can_show_and_nothing_else() -> None:
    switches = Switches()

    for name, value in (
        ("envelope", "boxed"), ("summary", 1), ("holes", "many"), ("hostile_ssids", True),
        ("nulls", "health"), ("weekly_key", 7),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            switches.set(name, value)
    with pytest.raises(KeyError):
        switches.set("colour", "red")
    switches.set("nulls", ["health"])
    switches.set("holes", 1)

    assert switches.nulls == {"health"}
    assert json.loads(json.dumps(switches.told()))["nulls"] == ["health"]
    assert switches.told().keys() == vars(Switches()).keys()


async def test_answers_can_be_slow_each_service_by_itself(cloud: Cloud) -> None:
    cloud.world.latency, cloud.world.sso_latency = 0.08, 0.04
    time = asyncio.get_running_loop().time

    began = time()
    await asyncio.gather(*(wan(cloud) for _ in range(3)))
    api = time() - began
    began = time()
    await cloud.token()

    assert api >= 0.08
    assert time() - began >= 0.04
    assert cloud.world.most_at_once == 3
    assert cloud.world.in_flight == 0
