"""From the JSON of an answer to its models."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.plume.models import (
    ActiveAlerts,
    Capability,
    Customer,
    Device,
    Location,
    Node,
    NodeOwner,
    OnlineSample,
    Outage,
    OwnedLocation,
    Quality,
    Reboot,
    Saturation,
    SpeedHistory,
    WanRow,
    WifiNetwork,
)
from app.plume.reading import (
    Part,
    UnexpectedShape,
    count,
    objects,
    rows,
    series,
    text,
    unwrap_one,
)

P = TypeVar("P", bound=Part)
WAN_KEYS = ("fifteenMins", "hours", "days")
WAN_VALUES = ("rxMbytes", "rxMaxMbps")


def listed(model: type[P], *keys: str) -> Callable[[object], tuple[P, ...]]:
    """Return the reader of a list, which has to be there."""
    return lambda body: tuple(model.model_validate(row) for row in objects(body, *keys))


def rows_of(model: type[P], *keys: str) -> Callable[[object], tuple[P, ...]]:
    """Return the reader of a report's rows, of which there may be none."""
    return lambda body: tuple(model.model_validate(row) for row in series(body, *keys))


def held(model: type[P], *members: str, within: str = "") -> Callable[[object], P]:
    """Return the reader of an object that has at least one of `members`, else it is another.

    It may lie `within` a member of that name, or in a usual envelope.
    """

    def read(body: object) -> P:
        found = unwrap_one(body, *filter(None, (within,)))
        if not any(member in found for member in members):
            raise UnexpectedShape(f"none of {', '.join(members)}")
        return model.model_validate(found)

    return read


def held_or_empty(model: type[P], *members: str) -> Callable[[object], P]:
    """Return the same for an object that may have nothing in it."""
    read = held(model, *members)
    return lambda body: model() if body == {} else read(body)


def number_of(body: object) -> int:
    found = count(unwrap_one(body).get("count"))
    if found is None:
        raise UnexpectedShape("no count")
    return found


def wan_rows(body: object) -> tuple[WanRow, ...]:
    """Read wanStats, whose key for the longer periods nobody documents."""
    if isinstance(body, Mapping) and not any(body.get(key) for key in WAN_KEYS):
        for value in body.values():
            found = rows(value) if isinstance(value, list) else ()
            if any(name in row for row in found for name in WAN_VALUES):
                return tuple(map(WanRow.model_validate, found))
    return _wan_rows(body)


def capabilities(body: object) -> Mapping[str, Capability]:
    """Read what a location can; features within features are named `outer.inner`."""
    return dict(_features(unwrap_one(body), ""))


def _features(body: Mapping[str, Any], outer: str) -> list[tuple[str, Capability]]:
    found: list[tuple[str, Capability]] = []
    for name, value in body.items():
        if not isinstance(value, Mapping):
            continue
        if "disabled" in value or outer:
            found.append((outer + name, Capability.model_validate(value)))
        else:
            found += _features(value, f"{name}.")
    return found


def ssid(body: object) -> WifiNetwork:
    """Read the name of the primary network, which comes as an object or bare."""
    name = text(body) or text(unwrap_one(body).get("ssid"))
    return WifiNetwork(ssid=name)


def request_id(body: object) -> str | None:
    """Read by which id a result is asked for; None where Plume gives none."""
    if not isinstance(body, Mapping):
        return None
    return text(body.get("requestId")) or text(body.get("id"))


def outages(body: object) -> tuple[Outage, ...]:
    """Read outages. A count alone tells none from not told."""
    if isinstance(body, Mapping) and body.get("count") == 0:
        return ()
    return _outages(body)


def alerts(body: object) -> ActiveAlerts:
    """Read active alerts. No list is not "no alerts"."""
    found = unwrap_one(body)
    if not any(isinstance(found.get(key), list) for key in ("nodes", "devices")):
        raise UnexpectedShape("no alerts")
    return ActiveAlerts.model_validate(found)


_wan_rows = rows_of(WanRow, *WAN_KEYS)
_outages = rows_of(Outage, "outages")
customer = held(Customer, "id", "accountId", "name", "email", within="customer")
customers = listed(Customer, "customers")
node_owner = held(NodeOwner, "serialNumber", "customerId", "locationId", within="node")
location_owner = held(OwnedLocation, "id", within="location")
location = held_or_empty(Location, "id", "name", "customerId", "serviceLevel", "networkMode")
locations = listed(Location, "locations")
nodes = listed(Node, "nodes")
devices = listed(Device, "devices")
networks = listed(WifiNetwork, "wifiNetworks")
online = rows_of(OnlineSample, "locationState")
reboots = rows_of(Reboot, "reboots")
speeds = held_or_empty(
    SpeedHistory, "downloadSpeeds", "uploadSpeeds", "failedSpeedTests", "statsDateRange"
)
saturation = held_or_empty(Saturation, "rxMaxPercentage", "txMaxPercentage")
quality = held_or_empty(Quality, "nodes", "devices")
