"""The LTE service: whether a location has a backup line, and whether it lives on it now."""

from simulator.plume.asked import Asked, Table
from simulator.plume.failure import Json, Reply, refused
from simulator.plume.writes import gateway, said, started


def _supported(asked: Asked) -> Json:
    return {"supported": asked.place().plan.lte}


def _lte_state(asked: Asked) -> Json:
    """Tell whether the location lives on its backup now; 501 where it has none."""
    place = asked.place()
    if not place.plan.lte:
        raise refused(501)
    return {
        "currentState": "active",
        "lteActive": True,
        "signalStrength": -87,
        "carrier": "Example",
    }


def _test_lte(asked: Asked) -> Reply:
    node = gateway(asked, asked.place())
    if said(asked).get("nodeId", node.serial) != node.serial:
        raise refused(422, "invalid nodeId")
    started(asked, node)
    return Reply(202)


LTE: Table = {
    "PUT lteservice/locations/{l}/speedTest": _test_lte,
    "GET lteservice/locations/{l}/supported": _supported,
    "GET lteservice/locations/{l}/currentState": _lte_state,
    "GET lteservice/health": lambda _: {"status": "ok", "connections": [], "version": "1.110.0"},
}
