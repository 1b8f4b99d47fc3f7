"""What happened before: outages of the line and the states that follow from them."""

import math
from typing import TYPE_CHECKING

from simulator.plume.dice import between
from simulator.plume.equipment import cut_since, serial_of
from simulator.plume.failure import Json
from simulator.plume.people import Place
from simulator.plume.shapes import At

if TYPE_CHECKING:
    from simulator.plume.world import PlumeWorld

DAY = 86_400.0
SLOT = 900.0
MINUTE = 60.0
QUIET = 20 * MINUTE  # before the world began, so that no location is down by chance
SHARE_OFFLINE = 0.6  # of a slot, that makes it offline and not intermittent

Span = tuple[float, float]


def outages(world: "PlumeWorld", place: Place, start: float, end: float) -> list[Span]:
    """Return the outages that touch a window, whole and oldest first. A present one ends now."""
    plan, now = place.plan, world.time()
    if not plan.installed:
        return []
    found = []
    cut = cut_since(world, place)
    last = min(world.began - QUIET, cut if cut is not None else world.began)
    for day in range(int(start // DAY) - 1, int(end // DAY) + 1):
        for turn in range(_many(place, day)):
            key = (*place.key, day, turn)
            begins = day * DAY + between(0, DAY, *key, "begins") // 1
            # Most are short: minutes for one that flaps, up to hours for others.
            longest = 25 * MINUTE if plan.outages > 1 else 180 * MINUTE
            lasts = (2 * MINUTE + between(0, 1, *key, "lasts") ** 2 * longest) // 1
            if begins + lasts < last:
                found.append((begins, begins + lasts))
    if cut is not None:
        found.append((cut, max(now, cut)))
    asked = world.reboots.get(serial_of(place, 0), [])
    found += [(at, min(at + world.reboot_seconds, max(now, at))) for at in asked]
    return [span for span in _joined(found) if span[0] < end and span[1] > start]


def states(world: "PlumeWorld", place: Place, start: float, end: float) -> list[Json]:
    """Return a sample each quarter of an hour, both ends included, oldest first."""
    if not place.plan.installed:
        return []
    first = start // SLOT * SLOT
    now = world.time()
    spans = outages(world, place, first, end + SLOT)
    many = int((end // SLOT * SLOT - first) // SLOT) + 1
    # What is down now goes on: the last sample may be of this very moment.
    spans = [(begins, ends if ends < now else math.inf) for begins, ends in spans]
    rows = []
    for at in (first + turn * SLOT for turn in range(many)):
        length = max(1.0, min(now, at + SLOT) - at)
        share = covered(spans, at, at + length) / length
        state = "offline" if share >= SHARE_OFFLINE else "intermittent" if share else "online"
        rows.append({"timestamp": At(at), "value": state})
    return rows


def covered(spans: list[Span], start: float, end: float) -> float:
    """Return how many seconds of a window lie in outages."""
    return sum(max(0.0, min(end, b) - max(start, a)) for a, b in spans if a < end and b > start)


def _many(place: Place, day: int) -> int:
    whole, rest = divmod(place.plan.outages, 1)
    return int(whole) + (between(0, 1, *place.key, day, "outages") < rest)


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for begins, ends in sorted(spans):
        if joined and begins <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], ends)
        else:
            joined.append((begins, ends))
    return joined
