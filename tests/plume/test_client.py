"""What the client asks of the cloud, and what it makes of the answers."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.errors import PlumeNotFound, PlumeNotOffered, PlumeNotYours, PlumeUnreachable
from app.plume import caller, parse
from app.plume.account import Account
from app.plume.models import Read
from simulator.plume import ALWAYS, OTHER_PARTNER, PARTNER, PlumeWorld
from simulator.plume.world import Call
from tests.api.service import until
from tests.plume.clouds import Bench, open_bench

# Every call of an account, on one location, with the part of its path that tells it.
CALLS: dict[str, tuple[str, Callable[[Account, str, str, str], Awaitable[Read[Any]]]]] = {
    "customer_count": ("*/customers/count", lambda it, *_: it.customer_count()),
    "customer": ("/api/customers/*c*", lambda it, c, *_: it.customer(c)),
    "search": ("*/search/*", lambda it, *_: it.search("Ben", "name", exact=False)),
    "node_owner": ("*/partners/nodes/*", lambda it, *ids: it.node_owner(ids[2])),
    "location_owner": ("*/partners/locations/*", lambda it, *ids: it.location_owner(ids[1])),
    "locations": ("*/locations", lambda it, c, *_: it.locations(c)),
    "location": ("*/locations/*", lambda it, c, place, _: it.location(c, place)),
    "nodes": ("*/nodes", lambda it, c, place, _: it.nodes(c, place)),
    "devices": ("*/devices", lambda it, c, place, _: it.devices(c, place)),
    "wifi_networks": ("*/wifiNetworks", lambda it, c, place, _: it.wifi_networks(c, place)),
    "capabilities": ("*/capabilities", lambda it, c, place, _: it.capabilities(c, place)),
    "alerts": ("*/alerts", lambda it, c, place, _: it.alerts(c, place)),
    "wan_stats": ("*/wanStats", lambda it, c, place, _: it.wan_stats(c, place)),
    "online_stats": ("*/onlineStats", lambda it, c, place, _: it.online_stats(c, place)),
    "speed_history": ("*/results", lambda it, *ids: it.speed_history(*ids)),
    "reboots": ("*/reboots", lambda it, c, place, _: it.reboots(c, place)),
    "outages": ("*/networkOutages/*", lambda it, c, place, _: it.outages(c, place)),
    "saturation": ("*/wanSaturation", lambda it, c, place, _: it.saturation(c, place)),
    "quality": ("*/qoe", lambda it, *ids: it.quality(ids[1])),
}


@pytest.fixture
def ids(world: PlumeWorld) -> tuple[str, str, str]:
    home = world.place("pod_down")
    return home.customer.id, home.id, "GW100010000"


def reads(world: PlumeWorld) -> list[Call]:
    return [call for call in world.calls if not call.path.startswith("/oauth2")]


def test_every_call_has_its_row() -> None:
    public = {name for name in dir(Account) if not name.startswith("_")}

    assert public - {"start_speed_test"} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_is_one_request_with_what_it_needs(
    name: str, bench: Bench, ids: tuple[str, str, str]
) -> None:
    path, call = CALLS[name]

    found = await call(bench.account(), *ids)

    (asked,) = reads(bench.world)
    assert asked in bench.world.of(path)
    assert asked.status == 200
    assert found.value not in (None, (), {})
    assert found.at.tzinfo is not None
    assert bench.world.writes == []


async def test_readings_are_those_of_the_world(bench: Bench, ids: tuple[str, str, str]) -> None:
    account, (customer, place, gateway) = bench.account(), ids

    nodes = (await account.nodes(customer, place)).value
    location = (await account.location(customer, place)).value
    owner = (await account.node_owner(gateway)).value
    found = (await account.search("CRM-10001", "accountId", exact=True)).value

    assert [node.connected for node in nodes] == [True, True, False]
    assert location.service_level == "fullservice"
    assert location.summary is not None
    assert location.summary.node_connected_count == 2
    assert (owner.customer_id, owner.location_id) == (customer, place)
    assert [each.id for each in found] == [customer]
    assert (await account.customer_count()).value == bench.world.people(PARTNER).count


@pytest.mark.parametrize(
    ("hours", "asked", "samples"),
    [(3, ("hours", "3"), 13), (24, ("hours", "24"), 97), (168, ("days", "7"), 673)],
)
async def test_online_history_is_asked_for_by_its_window(
    bench: Bench, ids: tuple[str, str, str], hours: int, asked: tuple[str, str], samples: int
) -> None:
    found = await bench.account().online_stats(ids[0], ids[1], hours)

    (call,) = bench.world.of("*/onlineStats")
    assert (call.query["granularity"], call.query["limit"]) == asked
    assert len(found.value) == samples


@pytest.mark.parametrize(("period", "rows"), [("daily", 96), ("weekly", 168), ("monthly", 30)])
@pytest.mark.parametrize("key", ["hours", "somethingElse"])
async def test_wan_rows_are_found_under_any_key(
    bench: Bench, ids: tuple[str, str, str], period: Any, rows: int, key: str
) -> None:
    bench.world.switches.weekly_key = bench.world.switches.monthly_key = key

    found = await bench.account().wan_stats(ids[0], ids[1], period)

    assert len(found.value) == rows
    assert found.value[0].rx_mbytes is not None


@pytest.mark.parametrize("envelope", ["named", "nested", "bare", "data", "items", "results"])
async def test_lists_are_found_in_every_envelope(
    bench: Bench, ids: tuple[str, str, str], envelope: str
) -> None:
    bench.world.switches.set("envelope", envelope)
    account = bench.account()

    assert len((await account.nodes(ids[0], ids[1])).value) == 3
    assert len((await account.devices(ids[0], ids[1])).value) > 3


async def test_no_rows_are_no_readings_and_no_error(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    for kept in ("empty", "keyless"):
        bench.world.switches.set("wan_rows", kept)
        bench.world.switches.set("online_rows", kept)

        wan = await bench.account().wan_stats(ids[0], ids[1], fresh=True)
        online = await bench.account().online_stats(ids[0], ids[1], fresh=True)

        assert (wan.value, online.value) == ((), ())


# -- WiFi ---------------------------------------------------------------------------------


async def test_missing_security_is_asked_of_the_twin(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    with_modes = await bench.account().wifi_networks(ids[0], ids[1])
    bench.world.switches.wpa_in_list = False

    found = await bench.account().wifi_networks(ids[0], ids[1], fresh=True)

    assert found.value == with_modes.value
    assert all(network.wpa_mode for network in found.value)


async def test_networks_are_shown_without_their_security_if_the_twin_fails(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    bench.world.switches.wpa_in_list = False
    bench.world.fail("*/wifiNetworksWithWpaMode", "error:501")

    found = await bench.account().wifi_networks(ids[0], ids[1])

    assert [network.wpa_mode for network in found.value] == [None, None]


async def test_without_a_list_the_primary_network_is_named_and_its_key_never_fetched(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    bench.world.fail("*/wifiNetworks", "missing")

    (found,) = (await bench.account().wifi_networks(ids[0], ids[1])).value

    assert found.ssid == "Broken-Home"
    assert (found.enabled, found.wpa_mode) == (None, None)
    assert bench.world.of("*/wifiNetwork") == []


async def test_a_location_without_wifi_has_none(bench: Bench) -> None:
    bare = bench.world.place("no_pods")

    assert (await bench.account().wifi_networks(bare.customer.id, bare.id)).value == ()


# -- asking once --------------------------------------------------------------------------


async def test_equal_calls_at_the_same_time_are_one(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    bench.world.latency = 0.05

    found = await asyncio.gather(
        *(bench.account().nodes(ids[0], ids[1], fresh=True) for _ in range(20))
    )

    assert len(bench.world.of("*/nodes")) == 1
    assert all(each is found[0] for each in found)


async def test_who_goes_away_takes_nobody_along(bench: Bench, ids: tuple[str, str, str]) -> None:
    bench.world.latency = 0.1
    first, second = (asyncio.create_task(bench.account().nodes(ids[0], ids[1])) for _ in range(2))
    await until(lambda: bench.world.of("*/nodes"))

    first.cancel()

    assert len((await second).value) == 3
    assert first.cancelled()
    assert len(bench.world.of("*/nodes")) == 1


async def test_with_the_last_one_the_call_ends(bench: Bench, ids: tuple[str, str, str]) -> None:
    bench.world.fail("*/nodes", "silence")
    task = asyncio.create_task(bench.account().nodes(ids[0], ids[1]))
    await until(lambda: bench.world.of("*/nodes"))

    task.cancel()

    await until(lambda: bench.world.in_flight == 0)
    assert len((await bench.account().nodes(ids[0], ids[1])).value) == 3


async def test_failures_are_shared_and_each_has_an_error_of_its_own(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    bench.world.latency = 0.05
    bench.world.fail("*/nodes", "error:503", ALWAYS)

    found = await asyncio.gather(
        *(bench.account().nodes(ids[0], ids[1]) for _ in range(5)), return_exceptions=True
    )

    assert [type(each) for each in found] == [PlumeUnreachable] * 5
    assert len({id(each) for each in found}) == 5
    assert len(bench.world.of("*/nodes")) == 3


@pytest.mark.parametrize(("call", "seconds"), [("nodes", 20.0), ("wan_stats", 60.0)])
async def test_an_answer_is_given_again_for_some_seconds(
    bench: Bench, ids: tuple[str, str, str], call: str, seconds: float
) -> None:
    ask = CALLS[call][1]
    first = await ask(bench.account(), *ids)
    bench.clock.time += seconds - 1

    assert await ask(bench.account(), *ids) is first
    bench.clock.time += 1
    assert await ask(bench.account(), *ids) is not first
    assert len(reads(bench.world)) == 2


async def test_who_wants_it_fresh_gets_it_fresh_and_renews_it_for_others(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    old = await bench.account().nodes(ids[0], ids[1])

    new = await bench.account().nodes(ids[0], ids[1], fresh=True)

    assert new is not old
    assert await bench.account().nodes(ids[0], ids[1]) is new
    assert len(bench.world.of("*/nodes")) == 2


async def test_failures_are_not_kept(bench: Bench, ids: tuple[str, str, str]) -> None:
    bench.world.fail("*/nodes", "missing")
    with pytest.raises(PlumeNotFound):
        await bench.account().nodes(ids[0], ids[1])

    assert len((await bench.account().nodes(ids[0], ids[1])).value) == 3


async def test_nobody_sees_what_was_kept_for_others(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    await bench.account().nodes(ids[0], ids[1])

    with pytest.raises(PlumeNotYours):
        await bench.account(OTHER_PARTNER).nodes(ids[0], ids[1])


async def test_the_count_that_proves_a_sign_in_is_never_from_memory(bench: Bench) -> None:
    for _ in range(2):
        await bench.account().customer_count()

    assert len(bench.world.of("*/count")) == 2


# -- what may be asked --------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    ["", "..", "../x", "64a0c0ffee010000a000000", "64a0c0ffee010000a0000001?x=1",
     "64a0c0ffee010000a0000001/", "64a0c0ffee010000a000000g", "é" * 24, "%2e%2e",
     "64a0c0ffee010000a0000001\n"],
)  # fmt: skip
async def test_what_is_no_id_is_not_asked_for(
    bench: Bench, ids: tuple[str, str, str], bad: str
) -> None:
    account = bench.account()
    asking = [
        account.customer(bad),
        account.locations(bad),
        account.location(ids[0], bad),
        account.nodes(bad, ids[1]),
        account.quality(bad),
        account.node_owner(f"{bad}/"),
        account.speed_history(ids[0], ids[1], f"{bad}/"),
        account.start_speed_test(ids[0], ids[1], f"{bad}/"),
    ]

    found = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(each) for each in found] == [PlumeNotFound] * len(asking)
    assert not bench.world.calls


@pytest.mark.parametrize("bad", ["", ".", "..", " .. ", "null", "NULL", "a\x00b", "x" * 129])
async def test_what_cannot_be_searched_for_is_not_asked_for(bench: Bench, bad: str) -> None:
    with pytest.raises(PlumeNotFound):
        await bench.account().search(bad, "name", exact=False)
    with pytest.raises(PlumeNotFound):
        await bench.account().location_owner(bad)

    assert not bench.world.calls


@pytest.mark.parametrize(
    "word", ["a/b", "../../count", "a?field=email#", "a%2Fb", "ü é", "+1 x@y.z", "a\\b", ";=&", "%"]
)
async def test_whatever_is_searched_for_stays_one_piece_of_the_path(
    bench: Bench, word: str
) -> None:
    found = await bench.account().search(word, "name", exact=False, limit=5, skip=10)

    (call,) = reads(bench.world)
    assert found.value == ()
    assert call.path == f"/api/partners/customers/search/{word}"
    assert call.query == {
        "field": "name", "exactMatch": "false", "startsWith": "false", "limit": "5", "skip": "10",
    }  # fmt: skip


async def test_the_client_id_goes_with_reports_where_the_cloud_wants_it(
    world: PlumeWorld, ids: tuple[str, str, str]
) -> None:
    world.switches.needs_client_id = True

    async with open_bench(world) as bench:
        with pytest.raises(PlumeNotYours):
            await bench.account().wan_stats(ids[0], ids[1])
    async with open_bench(world, client_id=True) as bench:
        assert len((await bench.account().wan_stats(ids[0], ids[1])).value) == 96
        await bench.account().nodes(ids[0], ids[1])

    assert "client_id" not in world.of("*/nodes")[0].query


# -- what is not offered, what writes -----------------------------------------------------


@pytest.mark.parametrize("fault", ["unauthorized", "forbidden", "missing", "error:501"])
async def test_what_a_cloud_does_not_offer_is_found_out_once(
    bench: Bench, ids: tuple[str, str, str], fault: str
) -> None:
    bench.world.fail("*/qoe", fault, ALWAYS)
    other = bench.world.place("gateway_down")

    for place in (ids[1], ids[1], other.id):
        with pytest.raises(PlumeNotOffered):
            await bench.account().quality(place)

    assert len(bench.world.of("*/qoe")) == (2 if fault == "unauthorized" else 1)
    assert bench.world.sign_ins == (2 if fault == "unauthorized" else 1)


async def test_a_cloud_that_learned_it_is_asked_again_later(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    bench.world.fail("*/qoe", "error:501")
    with pytest.raises(PlumeNotOffered):
        await bench.account().quality(ids[1])

    bench.clock.time += 6 * 3_600

    assert (await bench.account().quality(ids[1])).value.devices


async def test_an_unknown_location_does_not_take_it_from_the_others(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    await bench.account().quality(ids[1])
    with pytest.raises(PlumeNotOffered):
        await bench.account().quality("64a0c0ffee01ffffa0000001")

    assert (await bench.account().quality(ids[1], fresh=True)).value.devices


async def test_a_speed_test_is_started_and_told_by_its_id(
    bench: Bench, ids: tuple[str, str, str]
) -> None:
    assert await bench.account().start_speed_test(*ids) == "st-0001"
    bench.world.switches.request_ids = False
    assert await bench.account().start_speed_test(*ids) is None

    assert [(it.method, it.body) for it in bench.world.writes] == [("POST", {})] * 2


@pytest.mark.parametrize(
    "fault", ["reset", "reset_after", "error:500", "error:503", "cut", "silence"]
)
async def test_a_speed_test_is_never_started_twice(
    world: PlumeWorld, ids: tuple[str, str, str], fault: str
) -> None:
    world.fail("*/speedTest", fault, ALWAYS)

    async with open_bench(world, api=0.5) as bench:
        with pytest.raises(Exception, match=r"."):
            await bench.account().start_speed_test(*ids)

    assert len(world.writes) == 1


@pytest.mark.parametrize("fault", ["nothing", "blank", "html", "half", "words", "null", "scalar"])
async def test_a_speed_test_runs_whatever_the_answer_looks_like(
    bench: Bench, ids: tuple[str, str, str], fault: str
) -> None:
    bench.world.fail("*/speedTest", fault)

    assert await bench.account().start_speed_test(*ids) is None


# -- large answers ------------------------------------------------------------------------


async def test_a_large_answer_is_read_while_others_go_on(
    bench: Bench, ids: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop_thread, readers = threading.get_ident(), list[int]()

    def read(body: object) -> tuple[Any, ...]:
        readers.append(threading.get_ident())
        return nodes(body)

    nodes = parse.nodes
    monkeypatch.setattr(parse, "nodes", read)
    await bench.account().nodes(ids[0], ids[1])
    monkeypatch.setattr(caller, "_LARGE", 100)
    found = await bench.account().nodes(ids[0], ids[1], fresh=True)

    assert len(found.value) == 3
    assert readers[0] == loop_thread
    assert readers[1] != loop_thread
