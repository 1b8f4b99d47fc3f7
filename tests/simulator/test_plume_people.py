import json
import tracemalloc

import pytest

from simulator.plume import OTHER_PARTNER, PARTNER, SCENARIOS, PlumeWorld, ids
from simulator.plume.equipment import nodes_at
from tests.simulator.bot_api import Clock
from tests.simulator.plume_cloud import Cloud, below, clock, cloud, plume, stranger

__all__ = ["clock", "cloud", "plume", "stranger"]


async def test_the_count_is_of_the_partner_alone(cloud: Cloud) -> None:
    first = await cloud.read(f"api/partners/{PARTNER.id}/customers/count")
    foreign = await cloud.get(f"api/partners/{OTHER_PARTNER.id}/customers/count")
    unknown = await cloud.get(f"api/partners/{'0' * 24}/customers/count")

    assert first == {"count": len(SCENARIOS) + 5_000}
    assert (foreign.status_code, unknown.status_code) == (403, 404)


async def test_pages_hold_every_customer_once(cloud: Cloud) -> None:
    seen: list[str] = []
    while True:
        said = json.dumps({"offset": len(seen), "limit": 500})
        page = await cloud.read(f"api/Groups/{PARTNER.id}/customers", filter=said)
        seen += [row["id"] for row in page]
        if len(page) < 500:
            break

    assert len(seen) == len(set(seen)) == len(SCENARIOS) + 5_000


async def test_a_page_without_a_filter_has_500_and_a_bad_filter_is_refused(cloud: Cloud) -> None:
    path = f"api/Groups/{PARTNER.id}/customers"

    assert len(await cloud.read(path, limit=7)) == 500
    for bad in ("[", "[]", '{"limit": "many"}', '{"offset": -1}'):
        assert (await cloud.get(path, filter=bad)).status_code == 400, bad


async def test_a_filter_orders_and_chooses(cloud: Cloud) -> None:
    newest = await cloud.read("api/Customers", filter='{"limit": 2, "order": "createdAt DESC"}')
    one = await cloud.read("api/Customers", filter='{"where": {"accountId": "CRM-10003"}}')
    recent = await cloud.read(f"api/partners/{PARTNER.id}/customers/recent")

    assert recent[:2] == newest
    assert [row["name"] for row in one] == [SCENARIOS["pod_fair"].customer]


@pytest.mark.parametrize("field", ["accountId", "name", "email", "locationId"])
async def test_a_customer_is_found_by_each_field(cloud: Cloud, field: str) -> None:
    wanted = cloud.world.scenario("two_locations")
    words = {
        "accountId": wanted.account, "name": wanted.name.upper(), "email": wanted.email,
        "locationId": wanted.place(1).id,
    }  # fmt: skip

    found = await cloud.read(f"api/partners/customers/search/{words[field]}", field=field)

    assert found == [
        {
            "id": wanted.id, "accountId": wanted.account, "name": wanted.name,
            "email": wanted.email, "locations": [{"id": it.id} for it in wanted.places],
        }
    ]  # fmt: skip


async def test_a_search_is_exact_or_begins_or_contains(cloud: Cloud) -> None:
    path = "api/partners/customers/search/twoHome"

    exact = await cloud.read(path, field="name")
    begins = await cloud.read(path, field="name", exactMatch="false")
    contains = await cloud.read(path, field="name", exactMatch="false", startsWith="false")

    assert (exact, begins) == ([], [])
    assert [row["name"] for row in contains] == ["Max Twohomes"]


async def test_a_search_has_ten_rows_unless_more_are_asked_for(cloud: Cloud) -> None:
    path = "api/partners/customers/search/a"
    every = {"field": "name", "exactMatch": "false"}

    ten = await cloud.read(path, **every)
    more = await cloud.read(path, limit=25, **every)
    rest = await cloud.read(path, limit=25, skip=10, **every)

    assert (len(ten), len(more)) == (10, 25)
    assert more[:10] == ten
    assert rest[:15] == more[10:]


@pytest.mark.parametrize(
    ("word", "query"),
    [
        ("ada", {}),
        ("ada", {"field": "shoe"}),
        ("null", {"field": "name"}),
        ("a", {"field": "name", "limit": "x"}),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(
    cloud: Cloud, word: str, query: dict[str, str]
) -> None:
    reply = await cloud.get(f"api/partners/customers/search/{word}", **query)

    assert reply.status_code == 422


@pytest.mark.parametrize("entity", ["accountId", "name", "email", "serialNumber", "mac"])
async def test_the_second_search_finds_more_kinds(cloud: Cloud, entity: str) -> None:
    home = cloud.world.place("pod_down")
    device = (await cloud.of(home, "devices"))["devices"][0]
    words = {
        "accountId": home.customer.account, "name": home.customer.name,
        "email": home.customer.email, "serialNumber": nodes_at(cloud.world, home)[1].serial,
        "mac": device["mac"],
    }  # fmt: skip

    found = await cloud.read(
        "api/Customers/v2/search", searchString=words[entity], searchEntities=entity
    )

    assert [row["customerId"] for row in found] == [home.customer.id]
    assert found[0]["locationIdToSelect"] == home.id
    assert found[0]["matchedValue"].lower() == words[entity].lower()


@pytest.mark.parametrize("entity", ["serialNumber", "serviceId", "locationId"])
async def test_a_search_does_not_see_other_partners(cloud: Cloud, entity: str) -> None:
    foreign = cloud.world.people(OTHER_PARTNER).customer(3)
    assert foreign is not None
    home = foreign.place(0)
    words = {
        "serialNumber": ids.serial(home.item(0)),
        "serviceId": home.service_id,
        "locationId": home.id,
    }

    query = {"searchString": words[entity], "searchEntities": entity}

    assert await cloud.read("api/Customers/v2/search", **query) == []


async def test_the_second_search_wants_a_word_and_known_entities(cloud: Cloud) -> None:
    path = "api/Customers/v2/search"

    for query in ({}, {"searchString": "a"}, {"searchString": "a", "searchEntities": "shoe"}):
        assert (await cloud.get(path, **query)).status_code == 400, query
    foreign = {"searchString": "a", "searchEntities": "name", "partnerId": OTHER_PARTNER.id}
    assert (await cloud.get(path, **foreign)).status_code == 403


async def test_a_serial_number_tells_whose_the_node_is(cloud: Cloud) -> None:
    home = cloud.world.place("many_pods")
    serial = nodes_at(cloud.world, home)[40].serial

    owner = await cloud.read(f"api/partners/nodes/{serial.lower()}")
    not_installed = ids.serial(cloud.world.place("no_pods").item(0))
    spare = await cloud.read(f"api/partners/nodes/{not_installed}")
    wrong_kind = serial.replace("PD", "GW")
    for unknown in ("NOSUCH", wrong_kind, ids.serial(home.spot._replace(place=1))):
        assert (await cloud.get(f"api/partners/nodes/{unknown}")).status_code == 404, unknown

    assert (owner["customerId"], owner["locationId"]) == (home.customer.id, home.id)
    assert owner["serialNumber"] == serial
    assert "customerId" not in spare


async def test_a_location_is_found_by_its_service_and_by_its_id(cloud: Cloud) -> None:
    cabin = cloud.world.place("two_locations", 1)
    owner = cabin.customer

    for word in (cabin.service_id, cabin.id):
        assert await cloud.read(f"api/partners/locations/{word}") == {
            "id": cabin.id, "name": "Cabin", "serviceId": cabin.service_id,
            "customer": {"id": owner.id, "name": owner.name, "accountId": owner.account},
        }  # fmt: skip


async def test_an_unknown_customer_is_401_and_a_foreign_one_403(cloud: Cloud) -> None:
    foreign = cloud.world.people(OTHER_PARTNER).customer(3)
    assert foreign is not None

    for unknown in ("64a0c0ffee010000c0fffff0", "nonsense", "%2e%2e%2fx", "0" * 24):
        reply = await cloud.get(f"api/Customers/{unknown}")
        assert (reply.status_code, reply.json()["error"]["status"]) == (401, 401), unknown
    reply = await cloud.get(f"api/Customers/{foreign.id}/locations")
    assert (reply.status_code, reply.json()["error"]["name"]) == (403, "Forbidden")


async def test_a_location_that_a_customer_does_not_have_is_unknown(cloud: Cloud) -> None:
    home = cloud.world.place("all_fine")
    second = ids.location_id(home.spot._replace(place=1))

    path = f"api/Customers/{home.customer.id}/locations/{second}"

    assert (await cloud.get(path)).status_code == 404


async def test_everything_of_another_partner_is_refused(cloud: Cloud) -> None:
    foreign = cloud.world.people(OTHER_PARTNER).customer(3)
    assert foreign is not None
    home = foreign.place(0)
    serial = nodes_at(cloud.world, home)[0].serial

    for path in (
        below(home), below(home, "nodes"), below(home, "wanStats?period=daily", "reports"),
        f"reports/gateway/locations/{home.id}/qoe", f"lteservice/locations/{home.id}/supported",
        f"api/partners/nodes/{serial}", f"api/partners/locations/{home.service_id}",
    ):  # fmt: skip
        assert (await cloud.get(path)).status_code == 403, path


async def test_a_location_of_another_customer_is_unknown(cloud: Cloud) -> None:
    mine, other = cloud.world.place("all_fine"), cloud.world.place("pod_down")

    path = f"api/Customers/{mine.customer.id}/locations/{other.id}"

    assert (await cloud.get(path)).status_code == 404
    assert (await cloud.http.head(f"{cloud.base}/{path}")).status_code == 404
    assert (await cloud.http.head(f"{cloud.base}/{below(mine)}")).status_code == 200


@pytest.mark.parametrize(
    ("name", "many"),
    [("no_locations", 0), ("all_fine", 1), ("two_locations", 2), ("many_locations", 120)],
)
async def test_customers_have_their_locations(cloud: Cloud, name: str, many: int) -> None:
    rows = await cloud.read(f"api/Customers/{cloud.world.scenario(name).id}/locations")

    assert len({row["id"] for row in rows}) == len(rows) == many


def test_there_are_thousands_of_locations_and_all_kinds_of_people(plume: PlumeWorld) -> None:
    people = list(plume.people(PARTNER))

    assert sum(len(customer.plans) for customer in people) >= 5_000
    assert any(customer.email.startswith("null+") for customer in people)
    assert any(customer.account.count("-") == 4 for customer in people)
    assert len({customer.account for customer in people}) == len(people)
    assert {city.zone for city in (it.city for each in people for it in each.places)} >= {
        "Europe/Amsterdam", "America/Phoenix", "Asia/Kathmandu", "Australia/Lord_Howe",
    }  # fmt: skip


def test_customers_cost_nothing_until_somebody_asks_for_them() -> None:
    tracemalloc.start()
    world = PlumeWorld(customers=1_000_000)
    last = world.people(PARTNER).customer(1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert last is not None
    assert world.customer(last.id) == last
    assert peak < 1_000_000


def test_one_seed_makes_one_world(clock: Clock) -> None:
    def told(seed: int) -> list[str]:
        people = PlumeWorld(seed=seed, now=clock).people(PARTNER)
        return [f"{it.id} {it.name} {it.plans}" for it in list(people)[len(SCENARIOS) :][:50]]

    assert told(1) == told(1)
    assert told(1) != told(2)


async def test_names_may_be_hostile_and_come_through_whole(cloud: Cloud) -> None:
    for name in (it for it in SCENARIOS if it.startswith("hostile_")):
        home = cloud.world.place(name)
        said = home.plan.name

        assert (await cloud.read(f"api/Customers/{home.customer.id}"))["name"] == said
        assert (await cloud.of(home))["name"] == said
        assert {row["nickname"] for row in (await cloud.of(home, "nodes"))["nodes"]} == {said}
        assert {row["name"] for row in (await cloud.of(home, "devices"))["devices"]} == {said}
        assert (await cloud.of(home, "wifiNetwork/ssid")) == {"ssid": said}


async def test_hundreds_of_hostile_networks_can_be_added(cloud: Cloud) -> None:
    cloud.world.switches.hostile_ssids = 500

    found = [row["ssid"] for row in await cloud.of(cloud.world.place("all_fine"), "wifiNetworks")]

    assert len(set(found)) == 502
