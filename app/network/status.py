"""How a location is now: the report of /status, and the short form of it for lists."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from app.network.health import Pod, pods_of
from app.network.report import (
    SEVERITIES,
    PodRef,
    Report,
    Severity,
    Site,
    Unknown,
    Value,
    site_of,
    unknowns,
    worst,
    zone_missing,
    zone_name,
)
from app.network.speedtest import SpeedReading, last_speed_test
from app.plume.models import Location, Node, Summary

State = Literal["online", "degraded", "offline", "no_equipment", "unknown"]
ServiceLevel = Literal["full", "basic", "none", "other", "unknown"]
CauseCode = Literal[
    "gateway_disconnected",
    "all_disconnected",
    "pod_disconnected",
    "service_none",  # WiFi is switched off, for an unpaid bill perhaps: it explains "no WiFi"
    "service_basic",  # adaptive and security features are off
    "service_other",
    "health_poor",
    "health_fair",
    "alert",
    "on_backup",  # the gateway has no line but its backup; `reading` says which
]

_LEVELS: dict[str, ServiceLevel] = {
    "fullservice": "full",
    "basicservice": "basic",
    "noservice": "none",
}
_OF_LEVELS: dict[ServiceLevel, tuple[CauseCode, Severity]] = {
    "none": ("service_none", "critical"),
    "basic": ("service_basic", "minor"),
    "other": ("service_other", "minor"),
}
_BACKUPS = frozenset({"lte"})  # what the notes guess that a gateway's backhaul is called then
_OF_GRADES: dict[str, tuple[CauseCode, Severity]] = {
    "poor": ("health_poor", "major"),
    "fair": ("health_fair", "minor"),
}


class Cause(Value):
    """Why a location is not fine. `count` is of pods; `reading` is what Plume said, raw."""

    code: CauseCode
    severity: Severity
    pod: PodRef | None
    count: int
    reading: str | None
    since: datetime | None


class PodCounts(Value):
    total: int
    connected: int
    disconnected: int
    unknown: int
    warned: int  # connected ones whose health or alerts want attention


class StatusReport(Report):
    """`causes` begin with the worst; those of one weight with the gateway, then by name.

    `severity` is the worst of them, None where nobody can tell. `devices` is the sum over
    connected pods; `devices_complete` tells whether all of them said a number.
    """

    state: State
    severity: Severity | None
    causes: tuple[Cause, ...]
    service_level: ServiceLevel
    service_level_word: str | None
    network_status_word: str | None
    gateway: PodRef | None
    gateway_connected: bool | None
    pods: tuple[Pod, ...]
    counts: PodCounts
    devices: int | None
    devices_complete: bool
    speed_test: SpeedReading | None


def location_status(
    location: Location, nodes: Sequence[Node] | None, now: datetime
) -> StatusReport:
    """Judge a location by its nodes, None where they could not be read."""
    pods = pods_of(nodes or (), now)
    gateways = [pod for pod in pods if pod.role == "gateway"]
    state = _state(location, pods, gateways, read=nodes is not None)
    level = level_of(location)
    causes = _causes(pods, state, level, location.service_level)
    if state == "online" and causes:
        state = "degraded"
    devices, complete = _devices(location, pods)
    speed = last_speed_test(location, nodes, frozenset(pod.id for pod in gateways), now)
    return StatusReport(
        site=site_of(location),
        zone=zone_name(location),
        read_at=now,
        state=state,
        severity=None if state == "unknown" and not causes else worst(c.severity for c in causes),
        causes=causes,
        service_level=level,
        service_level_word=location.service_level,
        network_status_word=location.network_status.status if location.network_status else None,
        gateway=gateways[0].ref if gateways else None,
        gateway_connected=_gateway_connected(location, gateways),
        pods=pods,
        counts=_counts(pods),
        devices=devices,
        devices_complete=complete,
        speed_test=speed,
        unknown=_unknown(location, nodes, pods, speed, complete=complete),
    )


def level_of(location: Location) -> ServiceLevel:
    return _LEVELS.get(location.service_level, "other") if location.service_level else "unknown"


def _state(
    location: Location, pods: Sequence[Pod], gateways: Sequence[Pod], *, read: bool
) -> State:
    if not read:
        return "unknown"
    if not pods:
        # A summary that counts pods contradicts the empty list.
        claimed = location.summary.node_claimed_count if location.summary else None
        return "unknown" if claimed else "no_equipment"
    if any(pod.connected for pod in pods):
        return "online"
    # Where the gateway is down and nobody is known to be up, the others need not be asked.
    down = any(pod.connected is False for pod in gateways)
    return "offline" if down or all(pod.connected is False for pod in pods) else "unknown"


def _causes(
    pods: Sequence[Pod], state: State, level: ServiceLevel, word: str | None
) -> tuple[Cause, ...]:
    found = [*_of_connections(pods, state)]
    if level in _OF_LEVELS:
        code, severity = _OF_LEVELS[level]
        found.append(
            Cause(code=code, severity=severity, pod=None, count=0, reading=word, since=None)
        )
    found += (cause for pod in pods if pod.connected for cause in _of_quality(pod))
    return tuple(sorted(found, key=lambda cause: SEVERITIES.index(cause.severity)))


def _of_connections(pods: Sequence[Pod], state: State) -> Iterator[Cause]:
    down = [pod for pod in pods if pod.connected is False]
    for pod in down:
        if pod.role == "gateway":
            yield _cause("gateway_disconnected", "critical", pod, pod.connection_word, pod.since)
    for pod in pods:
        if pod.role == "gateway" and pod.connected and pod.backhaul_word in _BACKUPS:
            yield _cause("on_backup", "major", pod, pod.backhaul_word, None)
    if state == "offline" and len(down) == len(pods) > 1:
        since = [pod.since for pod in pods if pod.since]
        yield Cause(
            code="all_disconnected",
            severity="critical",
            pod=None,
            count=len(pods),
            reading=None,
            since=max(since, default=None),
        )
        return
    for pod in down:
        if pod.role != "gateway":
            severity: Severity = "critical" if state == "offline" else "major"
            yield _cause("pod_disconnected", severity, pod, pod.connection_word, pod.since)


def _of_quality(pod: Pod) -> Iterator[Cause]:
    grade = pod.health.grade if pod.health else None
    if grade in _OF_GRADES:
        code, severity = _OF_GRADES[grade]
        yield _cause(code, severity, pod, grade, None)
    for alert in pod.alerts:
        yield _cause("alert", "minor", pod, alert, None)


def _cause(
    code: CauseCode, severity: Severity, pod: Pod, reading: str | None, since: datetime | None
) -> Cause:
    return Cause(code=code, severity=severity, pod=pod.ref, count=1, reading=reading, since=since)


def _gateway_connected(location: Location, gateways: Sequence[Pod]) -> bool | None:
    if gateways:
        known = {pod.connected for pod in gateways}
        return known.pop() if len(known) == 1 else None
    return location.summary.gateway_connected if location.summary else None


def _counts(pods: Sequence[Pod]) -> PodCounts:
    states = [pod.connected for pod in pods]
    return PodCounts(
        total=len(pods),
        connected=states.count(True),
        disconnected=states.count(False),
        unknown=states.count(None),
        warned=sum(bool(pod.connected and any(_of_quality(pod))) for pod in pods),
    )


def _devices(location: Location, pods: Sequence[Pod]) -> tuple[int | None, bool]:
    counts = [pod.devices for pod in pods if pod.connected]
    known = [count for count in counts if count is not None]
    sure = all(pod.connected is not None for pod in pods)
    if known:
        return sum(known), sure and len(known) == len(counts)
    if pods and sure and not counts:
        return 0, True  # everything is down, so nobody is connected
    told = location.summary.connected_device_count if location.summary else None
    return told, told is not None


def _unknown(
    location: Location,
    nodes: Sequence[Node] | None,
    pods: Sequence[Pod],
    speed: SpeedReading | None,
    *,
    complete: bool,
) -> tuple[Unknown, ...]:
    return unknowns(
        pods=nodes is None,
        connection=any(pod.connected is None for pod in pods),
        gateway=bool(pods) and not any(pod.role == "gateway" for pod in pods),
        health=any(pod.connected and (not pod.health or not pod.health.grade) for pod in pods),
        device_count=bool(pods) and not complete,
        service_level=location.service_level is None,
        speed_test=speed is None or speed.state == "unknown",
        time_zone=zone_missing(location),
    )


class Glance(Value):
    """A location in a list, from the summary that the list of locations brings along."""

    site: Site
    state: State
    service_level: ServiceLevel
    pods_connected: int | None
    pods_claimed: int | None
    devices: int | None


def location_glance(location: Location) -> Glance:
    """Judge a location without asking for its nodes; "unknown" where there is no summary."""
    summary = location.summary or Summary()
    level = level_of(location)
    return Glance(
        site=site_of(location),
        state=_glance(summary, level),
        service_level=level,
        pods_connected=summary.node_connected_count,
        pods_claimed=summary.node_claimed_count,
        devices=summary.connected_device_count,
    )


def _glance(summary: Summary, level: ServiceLevel) -> State:
    gateway = summary.gateway_connected
    up, owned = summary.node_connected_count, summary.node_claimed_count
    if not up:
        if owned == 0:
            return "no_equipment"
        if gateway is False or (up == 0 and owned):
            return "offline"
        if gateway is None:
            return "unknown"
    missing = owned is not None and up is not None and up < owned
    return "degraded" if gateway is False or missing or level in _OF_LEVELS else "online"
