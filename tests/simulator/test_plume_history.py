"""What was: traffic, outages, reboots and speed tests, which two calls tell alike."""

from datetime import UTC, datetime
from itertools import pairwise
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from simulator.plume import PlumeWorld
from simulator.plume.history import outages
from tests.simulator.bot_api import Clock
from tests.simulator.plume_cloud import Cloud, below, calling, clock, cloud, plume, stranger

__all__ = ["clock", "cloud", "plume", "stranger"]
SLOT, HOUR, DAY = 900, 3600, 86_400


def seconds(said: str) -> float:
    return datetime.fromisoformat(said).timestamp()


async def wan(cloud: Cloud, name: str, period: str = "daily") -> Any:
    return await cloud.of(cloud.world.place(name), "wanStats", "reports", period=period)


async def online(cloud: Cloud, name: str, granularity: str, limit: int, **more: Any) -> Any:
    query = {"granularity": granularity, "limit": limit, **more}
    return await cloud.of(cloud.world.place(name), "onlineStats", "reports", **query)


async def test_a_day_of_traffic_has_96_rows_newest_first(cloud: Cloud, clock: Clock) -> None:
    rows = (await wan(cloud, "all_fine"))["fifteenMins"]

    times = [seconds(row["timestamp"]) for row in rows]
    assert len(rows) == 96
    assert times[0] == (clock.now // SLOT - 1) * SLOT
    assert {before - after for before, after in pairwise(times)} == {SLOT}
    for row in rows:
        assert row["rxMaxMbps"] >= row["rxMbytes"] * 8 / SLOT - 0.1
        assert 0 < row["rxMaxMbps"] <= 500


@pytest.mark.parametrize(
    ("period", "key", "many", "step"),
    [("weekly", "hours", 168, HOUR), ("monthly", "days", 30, DAY)],
)
async def test_longer_periods_have_longer_rows_under_their_own_key(
    cloud: Cloud, period: str, key: str, many: int, step: int
) -> None:
    rows = (await wan(cloud, "all_fine", period))[key]

    assert len(rows) == many
    assert seconds(rows[0]["timestamp"]) - seconds(rows[1]["timestamp"]) == step


async def test_a_week_adds_up_to_its_days(cloud: Cloud) -> None:
    day = (await wan(cloud, "all_fine"))["fifteenMins"]
    hours = (await wan(cloud, "all_fine", "weekly"))["hours"][:24]

    volume = sum(row["rxMbytes"] for row in day)
    assert sum(row["rxMbytes"] for row in hours) == pytest.approx(volume, abs=2)
    assert max(row["rxMaxMbps"] for row in hours) == max(row["rxMaxMbps"] for row in day)


@pytest.mark.parametrize("period", [None, "hourly", "DAILY", ""])
async def test_an_unknown_period_is_refused(cloud: Cloud, period: str | None) -> None:
    query = {} if period is None else {"period": period}
    reply = await cloud.get(below(cloud.world.place("all_fine"), "wanStats", "reports"), **query)

    assert (reply.status_code, reply.json()["error"]["message"]) == (422, "invalid period")


@pytest.mark.parametrize("name", ["all_fine", "dst", "two_locations"])
async def test_evenings_are_busier_than_nights_in_local_time(cloud: Cloud, name: str) -> None:
    home = cloud.world.place(name)
    zone = ZoneInfo((await cloud.of(home))["geoIp"]["timezone"])
    rows = (await wan(cloud, name))["fifteenMins"]

    def mean(hours: range) -> float:
        return fmean(
            row["rxMbytes"]
            for row in rows
            if datetime.fromisoformat(row["timestamp"]).astimezone(zone).hour in hours
        )

    assert mean(range(19, 23)) > 4 * mean(range(2, 6))


async def test_two_worlds_of_one_seed_tell_the_same_past(clock: Clock) -> None:
    async def told() -> list[Any]:
        async with calling(PlumeWorld(now=clock)) as cloud:
            await cloud.sign_in()
            return [await wan(cloud, "flapping"), await online(cloud, "flapping", "days", 7)]

    assert await told() == await told()


async def test_what_was_told_stays_told_as_time_goes_on(cloud: Cloud, clock: Clock) -> None:
    cloud.world.lifetime = DAY
    await cloud.sign_in()
    before = {row["timestamp"]: row for row in (await wan(cloud, "flapping"))["fifteenMins"]}
    states = (await online(cloud, "flapping", "days", 1))["locationState"][:-1]
    tests = (await _results(cloud, "all_fine"))["downloadSpeeds"]

    clock.now += 11 * HOUR  # into the next night
    after = {row["timestamp"]: row for row in (await wan(cloud, "flapping"))["fifteenMins"]}
    later = (await online(cloud, "flapping", "days", 2))["locationState"]

    common = before.keys() & after.keys()
    assert len(common) == 96 - 44
    assert all(before[at] == after[at] for at in common)
    assert all(row in later for row in states)
    again = (await _results(cloud, "all_fine"))["downloadSpeeds"]
    assert [row for row in again if row in tests] == tests[-len(again) + 1 :]
    assert len(again) > len([row for row in again if row in tests]) >= 20


async def _results(cloud: Cloud, name: str, **more: Any) -> Any:
    home = cloud.world.place(name)
    query = {"granularity": "days", "limit": 30, "showFailedSpeedTests": "true", **more}
    return await cloud.of(home, f"nodes/{cloud.gateway(home)}/results", "reports", **query)


@pytest.mark.parametrize(
    ("granularity", "limit", "many"),
    [("hours", 3, 13), ("hours", 24, 97), ("days", 1, 97), ("days", 7, 673), ("minutes", 30, 3)],
)
async def test_states_are_fifteen_minutes_apart_with_both_ends(
    cloud: Cloud, granularity: str, limit: int, many: int
) -> None:
    told = await online(cloud, "all_fine", granularity, limit)

    assert [row["value"] for row in told["locationState"]] == ["online"] * many
    assert told["statsDateRange"].keys() == {"start", "end"}


async def test_states_may_begin_at_a_given_time(cloud: Cloud, clock: Clock) -> None:
    start = clock.now - 10 * DAY

    told = await online(cloud, "all_fine", "days", 1, start=int(start * 1000))

    rows = told["locationState"]
    assert seconds(rows[0]["timestamp"]) == start // SLOT * SLOT
    assert len(rows) == 97


@pytest.mark.parametrize(
    "query",
    [
        {}, {"granularity": "days"}, {"granularity": "weeks", "limit": 1},
        {"granularity": "days", "limit": "x"}, {"granularity": "days", "limit": 0},
        {"granularity": "days", "limit": "nan"}, {"granularity": "days", "limit": 1e12},
        {"granularity": "days", "limit": 1, "start": "nan"},
        {"granularity": "days", "limit": 1, "start": "1e300"},
    ],
)  # fmt: skip
async def test_a_window_that_makes_no_sense_is_refused(cloud: Cloud, query: dict[str, Any]) -> None:
    path = below(cloud.world.place("all_fine"), "onlineStats", "reports")

    assert (await cloud.get(path, **query)).status_code == 422


async def test_outages_states_and_traffic_agree(cloud: Cloud, clock: Clock) -> None:
    home = cloud.world.place("flapping")
    query = {"type": "monthly", "startTimestamp": int((clock.now - DAY) * 1000)}
    query["endTimestamp"] = int(clock.now * 1000)
    told = await cloud.of(home, "networkOutages/stats", "reports", **query)
    states = {
        seconds(row["timestamp"]): row["value"]
        for row in (await online(cloud, "flapping", "days", 1))["locationState"]
    }

    assert told["count"] == len(told["outages"]) >= 4
    assert {"offline", "intermittent", "online"} == set(states.values())
    for span in told["outages"]:
        middle = (seconds(span["start"]) + seconds(span["end"])) / 2 // SLOT * SLOT
        assert states.get(middle, "offline") != "online"
    count = await cloud.of(home, "networkOutages/stats", "reports", countOnly="true", **query)
    assert count == {"count": told["count"]}


async def test_a_line_that_is_down_has_been_so_since_its_nodes_are(
    cloud: Cloud, clock: Clock
) -> None:
    home = cloud.world.place("gateway_down")
    since = seconds((await cloud.of(home, "nodes"))["nodes"][0]["connectionStateChangeAt"])
    states = (await online(cloud, "gateway_down", "days", 1))["locationState"]
    rows = (await wan(cloud, "gateway_down"))["fifteenMins"]

    down = [row for row in states if seconds(row["timestamp"]) >= since]
    assert down
    assert {row["value"] for row in down} == {"offline"}
    silent = [row for row in rows if seconds(row["timestamp"]) >= since]
    assert silent
    assert all(row["rxMbytes"] is None for row in silent)
    assert outages(cloud.world, home, clock.now - 60, clock.now)[-1][1] == clock.now


async def test_what_is_down_now_is_down_at_this_moment_and_has_no_end(
    cloud: Cloud, clock: Clock
) -> None:
    clock.now = clock.now // SLOT * SLOT  # a sample of this very moment
    home = cloud.world.place("gateway_down")
    query = {"type": "monthly", "startTimestamp": int((clock.now - DAY) * 1000)}
    query["endTimestamp"] = int(clock.now * 1000)

    told = await cloud.of(home, "networkOutages/stats", "reports", **query)
    states = (await online(cloud, "gateway_down", "days", 1))["locationState"]

    assert told["outages"][-1]["end"] is None
    assert states[-1]["value"] == "offline"


@pytest.mark.parametrize("name", ["flapping", "all_fine", "two_locations"])
def test_no_location_is_down_by_chance_when_the_world_begins(clock: Clock, name: str) -> None:
    for seed in range(40):
        world = PlumeWorld(seed=seed, now=clock)
        assert outages(world, world.place(name), world.began - 20 * 60, clock.now) == []


async def test_the_newest_sample_is_of_the_time_so_far(cloud: Cloud, clock: Clock) -> None:
    clock.now = clock.now // SLOT * SLOT
    home = cloud.world.place("all_fine")

    await cloud.send("PUT", below(home, f"nodes/{cloud.gateway(home)}/reboot"))
    clock.now += 100
    soon = (await online(cloud, "all_fine", "hours", 3))["locationState"][-1]["value"]
    clock.now += 500
    later = (await online(cloud, "all_fine", "hours", 3))["locationState"][-1]["value"]

    assert (soon, later) == ("offline", "intermittent")


async def test_nothing_is_told_of_a_location_that_is_not_installed(cloud: Cloud) -> None:
    assert (await wan(cloud, "no_pods"))["fifteenMins"] == []
    assert (await online(cloud, "no_pods", "days", 7))["locationState"] == []
    home = cloud.world.place("no_pods")
    assert outages(cloud.world, home, cloud.world.time() - 30 * DAY, cloud.world.time()) == []


async def test_a_full_line_shows(cloud: Cloud) -> None:
    busy = await cloud.of(cloud.world.place("busy_line"), "wanSaturation", "reports")
    calm = await cloud.of(cloud.world.place("all_fine"), "wanSaturation", "reports")

    assert busy["rxMaxPercentage"] > 95
    assert calm["rxMaxPercentage"] < 80
    assert max(row["rxMaxPercentage"] for row in busy["items"]) == busy["rxMaxPercentage"]


async def test_reboots_have_reasons_and_the_last_is_the_boot(cloud: Cloud, clock: Clock) -> None:
    home = cloud.world.place("many_pods")
    start = datetime.fromtimestamp(clock.now - 30 * DAY, UTC).isoformat()
    rows = (await cloud.of(home, "reboots", "reports", startAt=start, limit=500))["items"]
    nodes = (await cloud.of(home, "nodes"))["nodes"]
    booted = {node["id"]: node["bootAt"] for node in nodes}
    up = {node["id"] for node in nodes if node["connectionState"] == "connected"}

    times = [row["occurredAt"] for row in rows]
    last = {row["nodeId"]: row["occurredAt"] for row in reversed(rows) if row["nodeId"] in up}
    assert times == sorted(times, reverse=True)
    assert len({row["reason"] for row in rows}) > 2
    assert len(last) > 20
    assert last == {own: booted[own] for own in last}


async def test_reboots_are_of_one_node_in_one_order_and_so_many(cloud: Cloud, clock: Clock) -> None:
    home = cloud.world.place("many_pods")
    start = datetime.fromtimestamp(clock.now - 60 * DAY, UTC).isoformat()
    rows = (await cloud.of(home, "reboots", "reports", startAt=start, limit=500))["items"]
    one = rows[0]["nodeId"]

    own = (await cloud.of(home, "reboots", "reports", startAt=start, nodeId=one))["items"]
    three = await cloud.of(home, "reboots", "reports", startAt=start, limit=3, order="asc")

    assert own == [row for row in rows if row["nodeId"] == one]
    assert three["items"] == rows[::-1][:3]


async def test_a_speed_test_runs_each_night(cloud: Cloud) -> None:
    told = await _results(cloud, "all_fine")
    last = (await cloud.of(cloud.world.place("all_fine")))["speedTest"]

    down, up = told["downloadSpeeds"], told["uploadSpeeds"]
    assert [row["timestamp"] for row in down] == [row["timestamp"] for row in up]
    assert len(down) + len(told["failedSpeedTests"]) in {29, 30}
    assert (down[-1]["value"], down[-1]["timestamp"]) == (last["download"], last["endedAt"])
    zone = ZoneInfo("Europe/Amsterdam")
    assert {datetime.fromisoformat(it["timestamp"]).astimezone(zone).hour for it in down} == {3}


async def test_failed_tests_are_told_when_asked_for(cloud: Cloud) -> None:
    with_failed = await _results(cloud, "failed_speed_test")
    without = await _results(cloud, "failed_speed_test", showFailedSpeedTests="false")

    assert with_failed["failedSpeedTests"][-1]["status"] == "failed"
    assert "failedSpeedTests" not in without
    assert (await _results(cloud, "no_speed_test"))["downloadSpeeds"] == []


async def test_health_is_a_series_and_silent_while_a_node_is_down(cloud: Cloud) -> None:
    home = cloud.world.place("gateway_down")
    node = (await cloud.of(home, "nodes"))["nodes"][1]
    day = node["connectionStateChangeAt"][:10]
    query = {"startDate": day, "endDate": day, "granularity": "15m"}

    told = (await cloud.of(home, "nodes/health", "reports", **query))["nodes"][1]

    since = seconds(node["connectionStateChangeAt"])
    assert told["nodeId"] == node["id"]
    for row in told["health"]:
        assert (row["status"] is None) == (seconds(row["timestamp"]) >= since)
    for bad in ({"granularity": "1d"}, {"startDate": "x"}, {"startDate": "2020-01-01"}):
        path = below(home, "nodes/health", "reports")
        assert (await cloud.get(path, **{**query, **bad})).status_code == 422, bad
