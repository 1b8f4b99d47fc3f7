"""What a caller may change: start a speed test, reboot a node, put off an alert."""

from simulator.plume import nodes
from simulator.plume.asked import CL, Asked, Table
from simulator.plume.devices import devices_at
from simulator.plume.equipment import Node, nodes_at
from simulator.plume.failure import Json, Reply, refused
from simulator.plume.people import Place
from simulator.plume.speedtests import measured

ALERTS = frozenset({"poorHealth"})
ALERT_STATES = frozenset({"snooze", "ignore", "performanceAcceptable", "reset"})
LONGEST_DELAY = 100_000  # seconds


def _test_node(asked: Asked) -> Json:
    node = asked.node()
    return _told(asked, started(asked, node))


def _test_line(asked: Asked) -> Json:
    """Start a test on the gateway. The caller may bring the request's id."""
    node = gateway(asked, asked.place())
    return _told(asked, started(asked, node, str(said(asked).get("requestId", ""))))


def started(asked: Asked, node: Node, wanted: str = "") -> str:
    """Begin a test, or return the one that runs.

    Raises:
        Refused: 422 it is no gateway, is down, or the location has no service.
    """
    world, now = asked.world, asked.now
    if not node.is_gateway or not node.up or node.place.plan.service == "noService":
        raise refused(422, "invalid test type", "SPT00001")
    tests = world.tests.setdefault(node.serial, [])
    if tests and now < tests[-1].ended:
        return tests[-1].id
    made = measured(
        node.place, node.serial, now, world.test_seconds, failed=False,
        number=sum(map(len, world.tests.values())) + 1,
    )  # fmt: skip
    tests.append(made if not wanted else made.named(wanted))
    return tests[-1].id


def _told(asked: Asked, request: str) -> Json:
    return {"requestId": request} if asked.world.switches.request_ids else {}


def _reboot(asked: Asked) -> Reply:
    """Reboot a node that is connected, after `delay` seconds."""
    node = asked.node()
    wanted = said(asked).get("delay", asked.query.get("delay", 0))
    try:
        delay = float(wanted)
    except (TypeError, ValueError):
        delay = -1.0
    if not 0 <= delay <= LONGEST_DELAY:
        raise refused(422, "invalid delay")
    if not node.up:
        raise refused(422, "The node is not connected.", "NOD00002")
    asked.world.reboots.setdefault(node.serial, []).append(asked.now + delay)
    return Reply(204)


def _snooze(asked: Asked) -> Json:
    node, kind = asked.node(), asked.args["type"]
    state = said(asked).get("state")
    if kind not in ALERTS or state not in ALERT_STATES:
        raise refused(422, "invalid alert")
    if state == "reset":
        asked.world.snoozed.pop((node.serial, kind), None)
    else:
        asked.world.snoozed[node.serial, kind] = str(state)
    after = next(it for it in nodes_at(asked.world, node.place) if it.number == node.number)
    return nodes.told(after, asked.world, devices_at(asked.world, node.place))


def gateway(asked: Asked, place: Place) -> Node:
    found = nodes_at(asked.world, place)
    if not found:
        raise refused(404, "There is no gateway.", "NOD00001")
    return found[0]


def said(asked: Asked) -> Json:
    return asked.body if isinstance(asked.body, dict) else {}


WRITES: Table = {
    f"POST api/{CL}/nodes/{{n}}/speedTest": _test_node,
    f"POST api/{CL}/ispSpeedTest": _test_line,
    f"PUT api/{CL}/nodes/{{n}}/reboot": _reboot,
    f"PUT api/{CL}/nodes/{{n}}/alerts/{{type}}": _snooze,
}
