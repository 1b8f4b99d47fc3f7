"""The last speed test of a location, wherever Plume keeps it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from app.network import thresholds
from app.network.report import Value, believable, plausible, seconds_since
from app.plume.models import Location, Node, SpeedTest

SpeedState = Literal["succeeded", "failed", "running", "other", "unknown"]

_STATES: dict[str, SpeedState] = {
    "succeeded": "succeeded",
    "success": "succeeded",
    "failed": "failed",
    "error": "failed",
    "running": "running",
    "in_progress": "running",
    "started": "running",
}


class SpeedReading(Value):
    """A speed test. `state` is "other" where `status` is a word that we do not know.

    `age_s` counts from its end, or its start; `is_old` is None where there is neither.
    """

    state: SpeedState
    status: str | None
    download_mbps: float | None
    upload_mbps: float | None
    latency_ms: float | None
    jitter_ms: float | None
    at: datetime | None
    age_s: float | None
    is_old: bool | None
    trigger: str | None
    isp: str | None
    source: Literal["location", "gateway"]


def last_speed_test(
    location: Location, nodes: Sequence[Node] | None, gateways: frozenset[str | None], now: datetime
) -> SpeedReading | None:
    """Return the location's own test, else its gateway's; one that succeeded goes first."""
    found = [("location", location.speed_test)]
    found += [("gateway", node.speed_test) for node in nodes or () if node.key in gateways]
    tests = [reading_of(test, source, now) for source, test in found if test and _says(test)]
    # Of two gateways the newer test, whichever is listed first.
    return min(tests, key=_preference, default=None)


def _preference(test: SpeedReading) -> tuple[bool, bool, float, str]:
    newest = -test.at.timestamp() if test.at else 0.0
    return test.state != "succeeded", test.source != "location", newest, test.model_dump_json()


def _says(test: SpeedTest) -> bool:
    return any(
        value is not None
        for value in (test.status, test.download, test.upload, test.rtt, test.ended_at)
    )


def reading_of(test: SpeedTest, source: str, now: datetime) -> SpeedReading:
    at = believable(test.ended_at, now) or believable(test.started_at, now)
    age = seconds_since(at, now)
    return SpeedReading(
        state=_STATES.get(test.status, "other") if test.status else "unknown",
        status=test.status,
        download_mbps=plausible(test.download),
        upload_mbps=plausible(test.upload),
        latency_ms=plausible(test.rtt),
        jitter_ms=plausible(test.jitter),
        at=at,
        age_s=age,
        is_old=None if age is None else age > thresholds.SPEED_TEST_OLD_S,
        trigger=test.trigger,
        isp=test.isp,
        source="location" if source == "location" else "gateway",
    )
