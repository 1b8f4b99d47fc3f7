"""The switchboard, for those who run the simulator as a process of its own."""

from typing import Any

import pytest

from simulator.plume import ALWAYS, FAULTS, PARTNER, SCENARIOS
from tests.simulator.plume_cloud import Cloud, below, clock, cloud, plume, stranger

__all__ = ["clock", "cloud", "plume", "stranger"]


async def told(cloud: Cloud, path: str, /, **query: Any) -> Any:
    return (await cloud.get(f"_sim/plume/{path}", **query)).json()


async def test_credentials_are_what_a_person_pastes(stranger: Cloud) -> None:
    found = await told(stranger, "credentials")

    first = found["partners"][0]
    form = {"grant_type": "client_credentials", "scope": PARTNER.scope}
    headers = {"Authorization": first["header"]}
    reply = await stranger.http.post(found["addresses"]["sso"], data=form, headers=headers)
    assert first["partner_id"] == PARTNER.id
    assert reply.status_code == 200
    assert found["addresses"] == stranger.where.__dict__


async def test_scenarios_come_with_every_id_that_finds_them(cloud: Cloud) -> None:
    found = {row["scenario"]: row for row in await told(cloud, "scenarios")}

    assert found.keys() == SCENARIOS.keys()
    for row in found.values():
        assert (await cloud.read(f"api/Customers/{row['customer_id']}"))["name"] == row["name"]
    home = found["pod_down"]["locations"][0]
    assert await cloud.read(f"api/partners/nodes/{home['nodes'][2]}")
    assert await cloud.read(f"api/partners/locations/{home['service_id']}")


async def test_faults_are_told_queued_and_cleared(cloud: Cloud) -> None:
    path = below(cloud.world.place("all_fine"), "nodes")
    door = f"{cloud.base}/_sim/plume/faults"

    assert await told(cloud, "faults") == FAULTS
    await cloud.http.post(door, json={"path": "*/nodes", "fault": "error:503", "times": ALWAYS})
    assert (await cloud.get(path)).status_code == 503
    await cloud.http.delete(door)
    assert (await cloud.get(path)).status_code == 200
    for bad in ({"path": "*"}, {"fault": "error"}, {"path": "*", "fault": "gremlins"}):
        assert (await cloud.http.post(door, json=bad)).status_code == 404, bad


async def test_switches_and_settings_are_one_list(cloud: Cloud) -> None:
    door = f"{cloud.base}/_sim/plume/switches"

    reply = await cloud.http.post(
        door, json={"envelope": "bare", "nulls": ["health"], "lifetime": 300, "firewall": None}
    )

    assert reply.json() == await told(cloud, "switches")
    assert isinstance(await cloud.of(cloud.world.place("all_fine"), "nodes"), list)
    assert (await cloud.token()).json()["expires_in"] == 300


@pytest.mark.parametrize(
    "bad", [{"colour": 1}, {"envelope": "boxed"}, {"lifetime": "long"}, {"latency": None}]
)
async def test_a_switch_that_is_none_is_refused(cloud: Cloud, bad: Any) -> None:
    reply = await cloud.http.post(f"{cloud.base}/_sim/plume/switches", json=bad)

    assert reply.status_code == 404


async def test_time_can_be_moved_from_outside(cloud: Cloud) -> None:
    path = f"api/partners/{PARTNER.id}/customers/count"

    await cloud.http.post(f"{cloud.base}/_sim/plume/switches", json={"shift": 601})

    assert (await cloud.get(path)).status_code == 401


async def test_calls_are_told_by_path_method_and_number(cloud: Cloud) -> None:
    home = cloud.world.place("all_fine")
    await cloud.of(home, "nodes")
    await cloud.of(home, "devices", daysOffline=3)
    await cloud.send("PUT", below(home, "nodes/x/reboot"))

    everything = await told(cloud, "calls")
    devices = await told(cloud, "calls", path="*/devices")

    assert [call["status"] for call in everything] == [200, 200, 404]
    assert [call["query"] for call in devices] == [{"daysOffline": "3"}]
    assert await told(cloud, "calls", method="PUT") == everything[2:]
    assert await told(cloud, "calls", after=1) == everything[1:]
    await cloud.http.delete(f"{cloud.base}/_sim/plume/calls")
    assert await told(cloud, "calls") == []


async def test_tokens_are_revoked_and_secrets_told(cloud: Cloud) -> None:
    path = f"api/partners/{PARTNER.id}/customers/count"

    secrets = await told(cloud, "secrets")
    await cloud.http.post(f"{cloud.base}/_sim/plume/revoke")

    assert cloud.http.headers["Authorization"].removeprefix("Bearer ") in secrets
    assert (await cloud.get(path)).status_code == 401


async def test_forgetting_leaves_the_settings(cloud: Cloud) -> None:
    cloud.world.lifetime = 300
    cloud.world.fail("*", "error", ALWAYS)

    await cloud.http.post(f"{cloud.base}/_sim/plume/forget")

    assert (await cloud.token()).json()["expires_in"] == 300
    assert not cloud.world.faults.queued
