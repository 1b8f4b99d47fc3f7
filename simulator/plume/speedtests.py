"""Speed tests: one each night on the gateway, and those that somebody asked for."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from simulator.plume.dice import between, chance
from simulator.plume.equipment import cut_since
from simulator.plume.failure import Json
from simulator.plume.people import Place
from simulator.plume.shapes import At

if TYPE_CHECKING:
    from simulator.plume.world import PlumeWorld

DAY = 86_400.0
HOUR_OF_TEST = timedelta(hours=3, minutes=2)
SHARE_THAT_FAILS = 0.03


@dataclass(frozen=True)
class SpeedTest:
    """One test of the line. Speeds are Mbit/s, times Unix seconds."""

    id: str
    serial: str
    started: float
    ended: float
    failed: bool
    download: float
    upload: float
    rtt: float
    jitter: float
    trigger: str = "scheduled"

    def named(self, request: str) -> Self:
        return replace(self, id=request)

    def told(self, now: float) -> Json:
        """Return `speedTest` as locations and nodes carry it; without speeds until its end."""
        shown: Json = {"startedAt": At(self.started), "trigger": self.trigger, "gateway": True}
        server = {
            "serverId": 4242, "serverHost": "speed.example.net", "serverName": "Example Fibre",
            "serverIp": "198.51.100.7", "isp": "Example Fibre", "testType": "ookla",
        }  # fmt: skip
        if now < self.ended:
            return {"status": "running", **shown}
        if self.failed:
            return {"status": "failed", **shown, "endedAt": At(self.ended)}
        speeds = {"download": self.download, "upload": self.upload}
        speeds |= {"rtt": self.rtt, "jitter": self.jitter}
        return {"status": "succeeded", **speeds, **shown, "endedAt": At(self.ended), **server}


def tests_between(world: "PlumeWorld", place: Place, serial: str, since: float) -> list[SpeedTest]:
    """Return the tests of a gateway from `since` on, oldest first; the last may still run."""
    own = [test for test in world.tests.get(serial, []) if test.started >= since]
    return [*_scheduled(world, place, serial, since), *own]


def last_test(world: "PlumeWorld", place: Place, serial: str) -> SpeedTest | None:
    return next(reversed(tests_between(world, place, serial, world.time() - 3 * DAY)), None)


def measured(
    place: Place, serial: str, started: float, seconds: float, *, failed: bool, number: int = 0
) -> SpeedTest:
    """Return what a test at that moment finds; `number` counts those that were asked for."""
    down, up = place.plan.line
    key = (*place.key, serial, round(started))
    return SpeedTest(
        f"st-{number:04}" if number else f"st-{round(started):x}",
        serial,
        started,
        started + seconds,
        failed=failed,
        download=round(down * between(0.78, 1.02, *key, "down"), 1),
        upload=round(up * between(0.85, 1.02, *key, "up"), 1),
        rtt=round(between(6, 28, *key, "rtt"), 1),
        jitter=round(between(0.3, 4, *key, "jitter"), 1),
        trigger="manual" if number else "scheduled",
    )


def _scheduled(world: "PlumeWorld", place: Place, serial: str, since: float) -> list[SpeedTest]:
    plan, now = place.plan, world.time()
    if plan.speed_test is None:
        return []
    until = cut if (cut := cut_since(world, place)) is not None else now
    day = place.city.local(since).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while (at := (day + HOUR_OF_TEST).timestamp() + between(0, 60, *place.key, str(day))) < until:
        if at >= since:
            failed = chance(*place.key, "fails", round(at)) < SHARE_THAT_FAILS
            if at > world.began - DAY:
                # What the plan promises holds for the newest; older ones fail by chance.
                failed = plan.speed_test == "failed"
            found.append(measured(place, serial, at, 30.5, failed=failed))
        day += timedelta(days=1)
    return found
