"""What may be changed, what comes of it, and that all of it is recorded."""

from typing import Any

import pytest

from simulator.plume import Place
from tests.simulator.bot_api import Clock
from tests.simulator.plume_cloud import Cloud, below, clock, cloud, plume, stranger

__all__ = ["clock", "cloud", "plume", "stranger"]


async def results(cloud: Cloud, home: Place) -> Any:
    path = f"nodes/{cloud.gateway(home)}/results"
    return await cloud.of(home, path, "reports", granularity="days", limit=1)


async def start(cloud: Cloud, home: Place) -> Any:
    return await cloud.send("POST", below(home, f"nodes/{cloud.gateway(home)}/speedTest"))


async def test_a_speed_test_runs_for_a_while_and_then_has_a_result(
    cloud: Cloud, clock: Clock
) -> None:
    home = cloud.world.place("all_fine")
    before = await results(cloud, home)

    reply = await start(cloud, home)
    result = f"nodes/{cloud.gateway(home)}/results/{reply.json()['requestId']}"
    clock.now += 39
    running = (await cloud.of(home))["speedTest"]
    unknown = await cloud.get(below(home, result, "reports"))
    clock.now += 1
    done = (await cloud.of(home))["speedTest"]
    node = (await cloud.of(home, "nodes"))["nodes"][0]
    after = await results(cloud, home)

    assert (running["status"], "download" in running) == ("running", False)
    assert unknown.status_code == 404
    assert (done["status"], done["trigger"]) == ("succeeded", "manual")
    assert done["startedAt"] == running["startedAt"]
    assert node["speedTest"] == done
    assert len(after["downloadSpeeds"]) == len(before["downloadSpeeds"]) + 1
    assert after["downloadSpeeds"][-1]["value"] == done["download"]
    assert (await cloud.of(home, result, "reports"))["download"] == done["download"]


async def test_a_line_can_be_tested_without_naming_its_gateway(cloud: Cloud, clock: Clock) -> None:
    home = cloud.world.place("no_speed_test")

    reply = await cloud.send("POST", below(home, "ispSpeedTest"), requestId="mine-1")
    clock.now += 41

    assert reply.json() == {"requestId": "mine-1"}
    result = f"nodes/{cloud.gateway(home)}/results/mine-1"
    assert (await cloud.of(home, result, "reports"))["status"] == "succeeded"
    assert (await cloud.of(home, "uplink-status"))["speedTest"]["trigger"] == "manual"


async def test_a_second_trigger_joins_the_test_that_runs(cloud: Cloud, clock: Clock) -> None:
    home = cloud.world.place("all_fine")

    first = (await start(cloud, home)).json()
    joined = (await start(cloud, home)).json()
    clock.now += 60
    second = (await start(cloud, home)).json()

    assert first == joined
    assert second != first


async def test_some_clouds_tell_no_request_id(cloud: Cloud) -> None:
    cloud.world.switches.request_ids = False

    assert (await start(cloud, cloud.world.place("all_fine"))).json() == {}


@pytest.mark.parametrize("name", ["gateway_down", "no_service"])
async def test_a_test_needs_a_gateway_that_is_up_and_a_service(cloud: Cloud, name: str) -> None:
    reply = await start(cloud, cloud.world.place(name))

    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "SPT00001")


async def test_only_gateways_are_tested(cloud: Cloud) -> None:
    home = cloud.world.place("all_fine")
    pod = (await cloud.of(home, "nodes"))["nodes"][1]["id"]

    assert (await cloud.send("POST", below(home, f"nodes/{pod}/speedTest"))).status_code == 422
    empty = below(cloud.world.place("no_pods"), "ispSpeedTest")
    assert (await cloud.send("POST", empty)).status_code == 404


async def test_the_lte_service_tests_in_the_background(cloud: Cloud, clock: Clock) -> None:
    home = cloud.world.place("lte")

    path = f"lteservice/locations/{home.id}/speedTest"
    reply = await cloud.send("PUT", path, nodeId=cloud.gateway(home), serverId=0)
    clock.now += 41

    assert (reply.status_code, reply.content) == (202, b"")
    assert (await cloud.of(home))["speedTest"]["trigger"] == "manual"
    assert (await cloud.send("PUT", path, nodeId="elsewhere")).status_code == 422


async def test_a_rebooting_pod_is_gone_and_returns_with_a_new_boot(
    cloud: Cloud, clock: Clock
) -> None:
    home = cloud.world.place("all_fine")
    before = (await cloud.of(home, "nodes"))["nodes"]
    path = below(home, f"nodes/{before[1]['id']}/reboot")

    reply = await cloud.send("PUT", path, delay=5)
    unchanged = (await cloud.of(home, "nodes"))["nodes"]
    clock.now += 5
    during = (await cloud.of(home, "nodes"))["nodes"]
    again = await cloud.send("PUT", path)
    clock.now += 90
    after = (await cloud.of(home, "nodes"))["nodes"]

    assert (reply.status_code, reply.content) == (204, b"")
    assert unchanged == before
    states = [node["connectionState"] for node in during]
    assert states == ["connected", "disconnected", "connected"]
    assert (during[1]["connectedDeviceCount"], again.status_code) == (0, 422)
    assert after[1]["connectionState"] == "connected"
    assert after[1]["bootAt"] > before[1]["bootAt"]
    assert after[1]["connectionStateChangeAt"] > after[1]["bootAt"]
    rows = (await cloud.of(home, "reboots", "reports"))["items"]
    assert (rows[0]["nodeId"], rows[0]["reason"]) == (before[1]["id"], "USER_REQUEST")


async def test_a_rebooting_gateway_takes_the_location_with_it(cloud: Cloud, clock: Clock) -> None:
    home = cloud.world.place("all_fine")
    window = {"granularity": "minutes", "limit": 15}

    await cloud.send("PUT", below(home, f"nodes/{cloud.gateway(home)}/reboot"))
    clock.now += 30
    nodes = (await cloud.of(home, "nodes"))["nodes"]
    state = await cloud.of(home)
    clock.now += 90
    later = await cloud.of(home)

    assert {node["connectionState"] for node in nodes} == {"disconnected"}
    assert state["networkStatus"]["status"] == "offline"
    assert later["networkStatus"]["status"] == "online"
    rows = (await cloud.of(home, "onlineStats", "reports", **window))["locationState"]
    assert "intermittent" in {row["value"] for row in rows}


@pytest.mark.parametrize("delay", [-1, 100_001, "soon", None])
async def test_a_delay_has_its_limits(cloud: Cloud, delay: Any) -> None:
    home = cloud.world.place("all_fine")

    reply = await cloud.send("PUT", below(home, f"nodes/{cloud.gateway(home)}/reboot"), delay=delay)

    assert reply.status_code == 422


async def test_an_alert_is_put_off_until_it_is_reset(cloud: Cloud) -> None:
    home = cloud.world.place("pod_fair")
    pod = (await cloud.of(home, "nodes"))["nodes"][1]["id"]
    path = below(home, f"nodes/{pod}/alerts/poorHealth")

    put_off = await cloud.send("PUT", path, state="snooze")
    alerts = await cloud.of(home, "alerts")
    reset = await cloud.send("PUT", path, state="reset")

    assert (put_off.json()["id"], put_off.json()["alerts"]) == (pod, [])
    assert alerts["nodes"] == []
    assert reset.json()["alerts"][0]["type"] == "poorHealth"
    assert (await cloud.send("PUT", path, state="shout")).status_code == 422
    wrong = below(home, f"nodes/{pod}/alerts/tooLoud")
    assert (await cloud.send("PUT", wrong, state="snooze")).status_code == 422


async def test_writes_are_recorded_with_what_was_asked(cloud: Cloud, clock: Clock) -> None:
    home = cloud.world.place("all_fine")
    path = below(home, f"nodes/{cloud.gateway(home)}/reboot")

    await cloud.of(home, "nodes")
    await cloud.send("PUT", path, delay=5)
    await cloud.http.put(f"{cloud.base}/{path}", data={"delay": "7"})
    await cloud.send("DELETE", below(home))

    found = [(it.method, it.path, it.body, it.status, it.at) for it in cloud.world.writes]
    assert found == [
        ("PUT", f"/{path}", {"delay": 5}, 204, clock.now),
        ("PUT", f"/{path}", {"delay": "7"}, 204, clock.now),
        ("DELETE", f"/{below(home)}", {}, 404, clock.now),
    ]
    assert len(cloud.world.of("/api/*/nodes", "GET")) == 1


async def test_forgetting_undoes_what_was_done(cloud: Cloud) -> None:
    home = cloud.world.place("pod_fair")
    before = (await cloud.of(home, "nodes"))["nodes"]
    await cloud.send("PUT", below(home, f"nodes/{before[1]['id']}/reboot"))
    await cloud.send(
        "PUT", below(home, f"nodes/{before[1]['id']}/alerts/poorHealth"), state="ignore"
    )
    await start(cloud, home)

    cloud.world.forget()

    assert not cloud.world.calls
    await cloud.sign_in()
    assert (await cloud.of(home, "nodes"))["nodes"] == before
