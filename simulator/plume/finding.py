"""Customers and how they are found: by id, name, account, e-mail, serial, service."""

from collections.abc import Iterable, Iterator
from itertools import islice

from simulator.plume import ids
from simulator.plume.asked import Asked, Table
from simulator.plume.devices import devices_at
from simulator.plume.equipment import nodes_at
from simulator.plume.failure import Json, refused
from simulator.plume.locations import customer
from simulator.plume.nodes import told
from simulator.plume.people import Customer, Place

FOUND_AT_ONCE = 10  # when no limit is given
PAGE = 500
RECENT = 100
FIELDS = {"accountId": 1, "name": 2, "email": 3}  # where `People.index` has them
ENTITIES = frozenset(
    {"accountId", "name", "email", "locationId", "serialNumber", "mac", "serviceId"}
)


def _count(asked: Asked) -> Json:
    _own(asked)
    return {"count": asked.world.people(asked.partner).count}


def _recent(asked: Asked) -> list[Json]:
    _own(asked)
    people = asked.world.people(asked.partner)
    newest = (people.customer(people.count - 1 - turn) for turn in range(RECENT))
    return [customer(it) for it in newest if it]


def _page(asked: Asked) -> list[Json]:
    """Answer a page of the customers, by `filter`: where, offset or skip, limit, order."""
    if "p" in asked.args:
        _own(asked)
    said = asked.filter()
    rows: Iterable[Customer] = asked.world.people(asked.partner)
    if isinstance(where := said.get("where"), dict):
        rows = (it for it in rows if where.items() <= customer(it).items())
    if str(said.get("order", "")).endswith("DESC"):
        rows = list(rows)[::-1]
    skip, limit = said.get("offset", said.get("skip", 0)), said.get("limit", PAGE)
    if not isinstance(skip, int) or not isinstance(limit, int) or min(skip, limit) < 0:
        raise refused(400, "invalid filter")
    found = islice(rows, skip, skip + limit)
    return [customer(it) for it in found]


def _search(asked: Asked) -> list[Json]:
    """Answer the search in one field: exact, by its beginning, or anywhere."""
    if "p" in asked.args:
        _own(asked)
    field, word = asked.query.get("field", ""), asked.args["keyword"]
    if field not in {*FIELDS, "locationId"} or word == "null":
        raise refused(422, f"invalid field: {field}")
    skip = int(asked.number("skip", 0))
    limit = int(asked.number("limit", FOUND_AT_ONCE))
    exact = asked.flag("exactMatch", usual=True)
    begins = asked.flag("startsWith", usual=True)
    found = _matching(asked, field, word, exact=exact, begins=begins)
    return [_row(it) for it, _ in islice(found, skip, skip + limit)]


def _search_v2(asked: Asked) -> list[Json]:
    word, entities = asked.query.get("searchString"), asked.query.get("searchEntities", "")
    wanted = {each.strip() for each in entities.split(",")} & ENTITIES
    if not word or not wanted:
        raise refused(400)
    if asked.query.get("partnerId", asked.partner.id) != asked.partner.id:
        raise refused(403)
    exact = asked.flag("exactMatch")
    hits: dict[int, tuple[Customer, str]] = {}
    for field in sorted(wanted):
        for it, value in islice(_matching(asked, field, word, exact=exact, begins=False), 50):
            hits.setdefault(it.index, (it, value))
    return [
        {
            "customerId": it.id,
            "customerName": it.name,
            "customerEmail": it.email,
            "matchedValue": value,
            "locationIdToSelect": it.place(0).id if it.plans else None,
            "locations": [{"locationId": place.id} for place in it.places],
        }
        for it, value in hits.values()
    ]


def _matching(
    asked: Asked, field: str, word: str, *, exact: bool, begins: bool
) -> Iterator[tuple[Customer, str]]:
    """Yield those who match, with the value that did."""
    people = asked.world.people(asked.partner)
    if field not in FIELDS:
        place = _place_of(asked, field, word)
        if place and place.customer.partner == asked.partner:
            yield place.customer, word
        return
    sought, column = word.lower(), FIELDS[field]
    for row in people.index:
        value = str(row[column])
        hit = value == sought if exact else value.startswith(sought) if begins else sought in value
        it = people.customer(row[0]) if hit else None
        if it is not None:
            yield it, value


def _place_of(asked: Asked, field: str, word: str) -> Place | None:
    world = asked.world
    if field == "serialNumber":
        return world.place_at(ids.serial_spot(word))
    if field == "serviceId":
        return _by_service(asked, word)
    if field == "mac":
        place = world.place_at(ids.mac_spot(word))
        known = devices_at(world, place) if place else []
        return place if any(ids.mac_spot(it.mac) == ids.mac_spot(word) for it in known) else None
    return world.place_at(ids.location_spot(word))


def _by_service(asked: Asked, word: str) -> Place | None:
    digits = word.upper().removeprefix("SVC-")
    if not digits.isdecimal() or len(digits) != 10:  # noqa: PLR2004
        return None
    spot = ids.Spot(int(digits[0]), int(digits[1:7]), int(digits[7:]))
    return asked.world.place_at(spot)


def _owner(asked: Asked) -> Json:
    """Answer whose a node is. One that is made but not claimed has no customer."""
    spot = ids.serial_spot(asked.args["serial"])
    place = asked.world.place_at(spot)
    if spot is None or place is None:
        raise refused(404, "The node does not exist.", "NOD00001")
    if place.customer.partner != asked.partner:
        raise refused(403)
    found = [it for it in nodes_at(asked.world, place) if it.number == spot.item]
    if not found:
        if asked.flag("excludeUnclaimed"):
            raise refused(404)
        serial = asked.args["serial"].upper()
        return {"serialNumber": serial, "partnerId": asked.partner.id, "unclaimable": False}
    whole = told(found[0], asked.world, [])
    kept = (
        "serialNumber", "model", "firmwareVersion", "residentialGateway", "radioMac24",
        "radioMac50", "ethernetMac", "boxSerialNumber", "partNumber", "packId", "shipDate",
        "vendor",
    )  # fmt: skip
    return {
        "customerId": place.customer.id,
        "locationId": place.id,
        "partnerId": asked.partner.id,
        "accountId": place.customer.account,
        "unclaimable": True,
        **{key: whole[key] for key in kept},
    }


def _location(asked: Asked) -> Json:
    word = asked.args["keyword"]
    place = _by_service(asked, word) or asked.world.place_at(ids.location_spot(word))
    if place is None:
        raise refused(404)
    if place.customer.partner != asked.partner:
        raise refused(403)
    owner = place.customer
    return {
        "id": place.id,
        "name": place.plan.label,
        "serviceId": place.service_id,
        "customer": {"id": owner.id, "name": owner.name, "accountId": owner.account},
    }


def _row(it: Customer) -> Json:
    locations = [{"id": place.id} for place in it.places]
    return {
        "id": it.id, "accountId": it.account, "name": it.name, "email": it.email,
        "locations": locations,
    }  # fmt: skip


def _own(asked: Asked) -> None:
    """Let a partner's path pass for that partner alone."""
    said = asked.args["p"]
    if said == asked.partner.id:
        return
    raise refused(403 if said in {it.id for it in asked.world.partners} else 404)


FINDING: Table = {
    "GET api/partners/{p}/customers/count": _count,
    "GET api/partners/{p}/customers/recent": _recent,
    "GET api/partners/customers/search/{keyword}": _search,
    "GET api/partners/{p}/customers/search/{keyword}": _search,
    "GET api/Customers/v2/search": _search_v2,
    "GET api/partners/nodes/{serial}": _owner,
    "GET api/partners/locations/{keyword}": _location,
    "GET api/Groups/{p}/customers": _page,
    "GET api/Customers": _page,
    "GET api/Customers/{c}": lambda asked: customer(asked.customer()),
}
