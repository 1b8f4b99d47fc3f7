"""How fast the line was in its speed tests: the report of /speed."""

import statistics
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from app.network import thresholds
from app.network.health import pods_of
from app.network.report import (
    Report,
    Value,
    believable,
    plausible,
    site_of,
    unknowns,
    zone_missing,
    zone_name,
)
from app.network.speedtest import SpeedReading, last_speed_test
from app.plume.models import Location, Node, Reading, SpeedHistory

Trend = Literal["improving", "declining", "stable"]


class SpeedPoint(Value):
    at: datetime
    download_mbps: float | None
    upload_mbps: float | None


class SpeedSide(Value):
    """One direction over all tests. `trend` compares the medians of the halves, by their count.

    `last_of_median_percent` is the last test against the median; it is None without a last test.
    """

    tests: int
    median_mbps: float | None
    best_mbps: float | None
    worst_mbps: float | None
    last_of_median_percent: float | None
    trend: Trend | None


class SpeedReport(Report):
    """`state` is "no_data" where neither a last test nor a history is known.

    `tests` and `failed_at` are in the order of time. `is_slow` tells that the last download is
    far below the median, None where there are too few tests to say.
    """

    state: Literal["ok", "no_data"]
    last: SpeedReading | None
    tests: tuple[SpeedPoint, ...]
    failed_at: tuple[datetime, ...]
    down: SpeedSide
    up: SpeedSide
    is_slow: bool | None


def speed_tests(
    location: Location,
    nodes: Sequence[Node] | None,
    history: SpeedHistory | None,
    now: datetime,
) -> SpeedReport:
    """Judge the speed tests; `history` is None where it could not be read."""
    gateways = frozenset(pod.id for pod in pods_of(nodes or (), now) if pod.role == "gateway")
    last = last_speed_test(location, nodes, gateways, now)
    tests = _tests(history or SpeedHistory(), now)
    failed = _failed(history or SpeedHistory(), now)
    good = last if last and last.state == "succeeded" else None
    down = _side([test.download_mbps for test in tests], good.download_mbps if good else None)
    up = _side([test.upload_mbps for test in tests], good.upload_mbps if good else None)
    return SpeedReport(
        site=site_of(location),
        zone=zone_name(location),
        read_at=now,
        state="ok" if last or tests or failed else "no_data",
        last=last,
        tests=tests,
        failed_at=failed,
        down=down,
        up=up,
        is_slow=_is_slow(down),
        unknown=unknowns(
            speed_test=last is None or last.state == "unknown",
            speed_tests=history is None,
            trend=bool(tests) and len(tests) < thresholds.LEAST_SPEED_TESTS,
            time_zone=zone_missing(location),
        ),
    )


def _tests(history: SpeedHistory, now: datetime) -> tuple[SpeedPoint, ...]:
    """Join the two series: what lies within a minute is of one test."""
    downs = [(at, value, None) for at, value in _known(history.downloads, now)]
    ups = [(at, None, value) for at, value in _known(history.uploads, now)]
    found: list[SpeedPoint] = []
    # Of two results of one moment the better one goes first, whatever order they came in.
    for at, down, up in sorted([*downs, *ups], key=lambda each: (each[0], -_either(each))):
        same = found[-1] if found else None
        near = same and (at - same.at).total_seconds() <= thresholds.SAME_TEST_S
        if same and near and down is not None and same.download_mbps is None:
            found[-1] = same.model_copy(update={"download_mbps": down})
        elif same and near and up is not None and same.upload_mbps is None:
            found[-1] = same.model_copy(update={"upload_mbps": up})
        else:
            found.append(SpeedPoint(at=at, download_mbps=down, upload_mbps=up))
    return tuple(found)


def _either(test: tuple[datetime, float | None, float | None]) -> float:
    return test[1] if test[1] is not None else test[2] or 0.0


def _known(series: Iterable[Reading], now: datetime) -> list[tuple[datetime, float]]:
    read = {(believable(each.timestamp, now), plausible(each.value)) for each in series}
    return [(at, value) for at, value in read if at is not None and value is not None]


def _failed(history: SpeedHistory, now: datetime) -> tuple[datetime, ...]:
    times = {believable(each.timestamp, now) for each in history.failed}
    return tuple(sorted(at for at in times if at is not None))


def _side(values: Sequence[float | None], last: float | None) -> SpeedSide:
    known = [value for value in values if value is not None]
    median = statistics.median(known) if known else None
    return SpeedSide(
        tests=len(known),
        median_mbps=median,
        best_mbps=max(known, default=None),
        worst_mbps=min(known, default=None),
        last_of_median_percent=100 * last / median if last is not None and median else None,
        trend=_trend(known),
    )


def _trend(values: Sequence[float]) -> Trend | None:
    if len(values) < thresholds.LEAST_SPEED_TESTS:
        return None
    half = len(values) // 2
    before, after = statistics.median(values[:half]), statistics.median(values[half:])
    change = after - before
    if abs(change) <= thresholds.SPEED_TREND_SHARE * max(before, after):
        return "stable"
    return "improving" if change > 0 else "declining"


def _is_slow(down: SpeedSide) -> bool | None:
    if down.last_of_median_percent is None or down.tests < thresholds.LEAST_SPEED_TESTS:
        return None
    return down.last_of_median_percent < 100 * thresholds.SPEED_LOW_SHARE
