"""One call, with what its path and query mean."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.plume import ids
from simulator.plume.devices import Device, devices_at
from simulator.plume.equipment import Node, nodes_at
from simulator.plume.failure import Json, refused
from simulator.plume.partners import Partner
from simulator.plume.people import Customer, Place
from simulator.plume.world import PlumeWorld

CL = "Customers/{c}/locations/{l}"
GL = "gateway/locations/{l}"
UNITS = {"days": 86_400.0, "hours": 3600.0, "minutes": 60.0}
LONGEST = 400 * 86_400.0  # seconds; more than any window that makes sense


@dataclass(frozen=True)
class Asked:
    """One call. `args` are the parts of its path, `partner` is the token's."""

    world: PlumeWorld
    partner: Partner
    args: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None

    @property
    def now(self) -> float:
        return self.world.time()

    def customer(self) -> Customer:
        """Return the customer in the path.

        Raises:
            Refused: 401 unknown, as Plume says it; 403 another partner's.
        """
        found = self.world.customer(self.args["c"])
        if found is None:
            raise refused(401)
        if found.partner != self.partner:
            raise refused(403)
        return found

    def place(self) -> Place:
        """Return the location in the path.

        Raises:
            Refused: 401 or 403 as of `customer`; 404 unknown, or another customer's.
        """
        found = self.world.place_at(ids.location_spot(self.args["l"]))
        if "c" not in self.args:
            if found is None:
                raise refused(404)
            if found.customer.partner != self.partner:
                raise refused(403)
            return found
        if found is None or found.customer != self.customer():
            self.customer()
            raise refused(404, "The location does not exist.", "LOC00001")
        return found

    def node(self) -> Node:
        said = self.args["n"].upper()
        for node in nodes_at(self.world, self.place()):
            if node.serial == said:
                return node
        raise refused(404, "The node does not exist.", "NOD00001")

    def device(self) -> Device:
        said = self.args["mac"]
        plain = ":" not in said
        spot = ids.mac_spot(said)
        for device in devices_at(self.world, self.place()):
            if spot == ids.mac_spot(device.mac) and plain == self.world.switches.plain_macs:
                return device
        raise refused(404, "The device does not exist.", "DEV00001")

    def flag(self, name: str, *, usual: bool = False) -> bool:
        return self.query.get(name, str(usual)).lower() in {"true", "1"}

    def number(self, name: str, usual: float | None = None) -> float:
        """Return a number of the query.

        Raises:
            Refused: 422 it is missing and has no usual value, or is no number.
        """
        said = self.query.get(name)
        try:
            found = usual if said is None else float(said)
        except ValueError:
            found = None
        if found is None or not abs(found) < 1e15:  # noqa: PLR2004  (NaN and beyond milliseconds)
            raise refused(422, f"invalid {name}")
        return found

    def window(self, granularity: str = "", limit: float | None = None) -> tuple[float, float]:
        """Return (start, end) in seconds, from `granularity`, `limit` and `start` in ms.

        Raises:
            Refused: 422 one is missing or not valid.
        """
        unit = UNITS.get(self.query.get("granularity", granularity))
        if unit is None:
            raise refused(422, "invalid granularity")
        length = self.number("limit", limit) * unit
        if not 0 < length <= LONGEST:
            raise refused(422, "invalid limit")
        if "start" in self.query:
            start = self.number("start") / 1000
            return start, min(start + length, self.now)
        return self.now - length, self.now

    def filter(self) -> Json:
        """Return the JSON of `filter`.

        Raises:
            Refused: 400 it is no JSON object.
        """
        try:
            found = json.loads(self.query.get("filter", "{}"))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise refused(400, "filter is not an object")
        return found


Handler = Callable[[Asked], Any]
Table = dict[str, Handler]
"""`GET api/path/{part}` and what answers it; it returns JSON values or a `Reply`."""
