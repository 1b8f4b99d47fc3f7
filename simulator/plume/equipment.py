"""The nodes of a location, up or down, as they really stand; `nodes.py` writes them down."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from simulator.plume import ids
from simulator.plume.dice import between, chance, number, pick
from simulator.plume.people import Place

if TYPE_CHECKING:
    from simulator.plume.world import PlumeWorld

DAY = 86_400.0
MINUTE = 60.0
HEALTHY = (("excellent", 4.6, 5.0), ("good", 3.5, 4.4))
ILL = (("fair", 2.2, 3.2), ("poor", 0.6, 1.8))
REASONS = ("POWER_CYCLE", "FIRMWARE_UPGRADE", "USER_REQUEST", "WATCHDOG", "KERNEL_PANIC")
REBOOT_RATE = 0.05  # a day and node
BOOT = 40.0  # seconds from the boot of a node until it is connected


@dataclass(frozen=True)
class Node:
    """One node. `above` are those between it and the line, the nearest first.

    `since` is when it came to be up or down, Unix seconds, as `booted`.
    """

    place: Place
    number: int
    serial: str
    up: bool
    since: float
    booted: float
    health: str
    score: float
    above: tuple["Node", ...] = ()
    alerts: tuple[str, ...] = ()

    @property
    def is_gateway(self) -> bool:
        return self.number == 0

    @property
    def key(self) -> tuple[object, ...]:
        return (*self.place.key, self.number)

    @property
    def model(self) -> str:
        return "Gateway XE3" if self.is_gateway else pick(("Pod E6", "SuperPod W6"), *self.key, "m")


@dataclass(frozen=True)
class Reboot:
    at: float
    serial: str
    number: int
    reason: str


def nodes_at(world: "PlumeWorld", place: Place) -> list[Node]:
    """Return the nodes, the gateway first. None where nothing is installed."""
    if not place.plan.installed:
        return []
    found: list[Node] = []
    for turn in range(place.plan.pods + 1):
        parent = _parent(found, place, turn)
        found.append(_node(world, place, turn, (parent, *parent.above) if parent else ()))
    return found


def serial_of(place: Place, turn: int) -> str:
    return ids.serial(place.item(turn))


def cut_since(world: "PlumeWorld", place: Place) -> float | None:
    """Return when the whole location went down by its plan, if it did."""
    if place.plan.gateway_up:
        return None
    return world.began - between(20 * MINUTE, 9 * 60 * MINUTE, *place.key, "cut") // 1


def down_since(world: "PlumeWorld", place: Place, turn: int) -> float | None:
    """Return since when a node is down, None if it is up. Without the gateway no pod is up."""
    if (cut := cut_since(world, place)) is not None:
        return cut + turn
    if turn in place.plan.down:
        return world.began - between(20 * MINUTE, 3 * DAY, *place.key, turn, "down") // 1
    now = world.time()
    for each in {0, turn}:
        for at in world.reboots.get(serial_of(place, each), []):
            if at <= now < at + world.reboot_seconds:
                return at
    return None


def reboots_between(world: "PlumeWorld", place: Place, start: float, end: float) -> list[Reboot]:
    """Return the reboots of a location's nodes, oldest first."""
    found = []
    for turn in range(place.plan.pods + 1 if place.plan.installed else 0):
        own = serial_of(place, turn)
        asked = world.reboots.get(own, [])
        found += [Reboot(at, own, turn, "USER_REQUEST") for at in asked if start <= at < end]
        # What is down does not boot, and what was drawn ends where the world begins.
        ends = min(end, world.began, down_since(world, place, turn) or end)
        drawn = _drawn((*place.key, turn), int(start // DAY), int(ends // DAY))
        found += [Reboot(at, own, turn, why) for at, why in drawn if start <= at < ends - MINUTE]
    return sorted(found, key=lambda reboot: reboot.at)


@lru_cache(maxsize=4096)
def _drawn(key: tuple[object, ...], first: int, last: int) -> list[tuple[float, str]]:
    """Return (when, why) of the reboots that chance gives a node in these days since 1970."""
    return [
        (day * DAY + between(0, DAY, *key, day, "at") // 1, pick(REASONS, *key, day, "reason"))
        for day in range(first, last + 1)
        if chance(*key, day, "reboots") < REBOOT_RATE
    ]


def _node(world: "PlumeWorld", place: Place, turn: int, above: tuple[Node, ...]) -> Node:
    plan, key, own = place.plan, (*place.key, turn), serial_of(place, turn)
    booted, down = _booted(world, place, turn), down_since(world, place, turn)
    words = pick(ILL if turn in plan.ill else HEALTHY, *key, "health")
    if turn in plan.ill and turn == plan.ill[0]:
        words = ILL[0]
    if turn == 0:
        words = HEALTHY[0]
    alerts = ("poorHealth",) if turn in plan.ill else ()
    return Node(
        place, turn, own,
        up=down is None,
        since=booted + BOOT if down is None else down,
        booted=booted,
        health=words[0],
        score=round(between(words[1], words[2], *key, "score"), 1),
        above=above,
        alerts=tuple(each for each in alerts if (own, each) not in world.snoozed),
    )  # fmt: skip


def _booted(world: "PlumeWorld", place: Place, turn: int) -> float:
    own, now = serial_of(place, turn), world.time()
    asked = [at for at in world.reboots.get(own, []) if at + world.reboot_seconds <= now]
    if asked:
        return max(asked) + world.reboot_seconds - BOOT
    since = world.began - 30 * DAY
    drawn = _drawn((*place.key, turn), int(since // DAY), int(world.began // DAY))
    last = (at for at, _ in drawn if since <= at < world.began - MINUTE)
    return max(last, default=world.began - between(31 * DAY, 200 * DAY, *place.key, turn) // 1)


def _parent(nodes: list[Node], place: Place, turn: int) -> Node | None:
    """Return the node that a pod hangs on: mostly the gateway, for some a pod before it."""
    if turn == 0:
        return None
    before = nodes[1 + number(*place.key, turn, "parent") % (turn - 1)] if turn > 2 else nodes[0]  # noqa: PLR2004
    far = chance(*place.key, turn, "far") < 0.4  # noqa: PLR2004
    return before if far and before.up else nodes[0]
