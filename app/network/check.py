"""One card that joins all reports, the likely cause first: the report of /check."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from app.network.devices import DevicesReport
from app.network.incidents import IncidentsReport
from app.network.report import (
    SEVERITIES,
    PodRef,
    Report,
    Severity,
    Unknown,
    Value,
    site_of,
    worst,
    zone_name,
)
from app.network.speed import SpeedReport
from app.network.status import CauseCode, StatusReport
from app.network.traffic import Direction
from app.network.uptime import Label, UptimeReport
from app.network.wan import WanReport
from app.network.wifi import WifiReport
from app.plume.models import Location

Area = Literal["status", "wan", "stats", "wifi", "devices", "speed", "incidents"]
Unit = Literal["percent", "mbps", "dbm", "count", "seconds"]
FindingCode = (
    CauseCode
    | Literal[
        "outage_ongoing",  # how long, seconds
        "outages",  # those that are over; `detail` is how long all of them were, seconds
        "no_equipment",
        "wifi_off",  # networks that are off, all of them
        "reboots_many",  # of one pod
        "line_full_down",  # percent of the line
        "line_full_up",
        "line_busy_down",
        "line_busy_up",
        "speed_slow",  # the last test, percent of the median
        "speed_test_failed",
        "uptime_low",  # percent
        "uptime_declining",
        "devices_weak",  # how many; the worst signal is in `detail`
        "wifi_weak",  # networks that are on with weak security
    ]
)

# Of one severity, what explains the others goes first.
_ORDER: tuple[FindingCode, ...] = (
    "service_none",
    "gateway_disconnected",
    "outage_ongoing",
    "all_disconnected",
    "on_backup",
    "wifi_off",
    "pod_disconnected",
    "reboots_many",
    "line_full_down",
    "line_full_up",
    "speed_slow",
    "health_poor",
    "uptime_low",
    "no_equipment",
    "service_basic",
    "service_other",
    "line_busy_down",
    "line_busy_up",
    "health_fair",
    "alert",
    "outages",
    "devices_weak",
    "uptime_declining",
    "speed_test_failed",
    "wifi_weak",
)
_LOW: dict[Label, Severity] = {"critical": "major", "poor": "major", "fair": "minor"}


class Finding(Value):
    """One statement: its reading with unit, Plume's own word if any, its time, its source."""

    code: FindingCode
    severity: Severity
    pod: PodRef | None
    reading: float | None
    unit: Unit | None
    detail: float | None
    word: str | None
    at: datetime
    source: Area


class CheckReport(Report):
    """`verdict` is the worst finding; "unknown" where nothing was found and too little read.

    `likely` is the first of `findings`: what to look at first. `fine` are the areas that were
    read and show nothing, `unread` those that could not be.
    """

    verdict: Severity | Literal["unknown"]
    likely: Finding | None
    findings: tuple[Finding, ...]
    fine: tuple[Area, ...]
    unread: tuple[Area, ...]


def check(
    location: Location,
    now: datetime,
    *,
    status: StatusReport | None,
    wan: WanReport | None,
    uptime: UptimeReport | None,
    wifi: WifiReport | None,
    devices: DevicesReport | None,
    speed: SpeedReport | None,
    incidents: IncidentsReport | None,
) -> CheckReport:
    """Join the reports, each None where what it needs could not be read."""
    reports: dict[Area, Report | None] = {
        "status": None if status and status.state == "unknown" else status,
        "wan": None if wan and wan.state == "no_data" else wan,
        "stats": None if uptime and uptime.state == "no_data" else uptime,
        "wifi": None if wifi and wifi.state == "unknown" else wifi,
        "devices": None if devices and devices.state == "unknown" else devices,
        "speed": None if speed and speed.state == "no_data" else speed,
        "incidents": None if incidents and incidents.state == "unknown" else incidents,
    }
    found = [
        *(_of_status(status) if status else ()),
        *(_of_incidents(incidents, status) if incidents else ()),
        *(_of_wan(wan) if wan else ()),
        *(_of_speed(speed) if speed else ()),
        *(_of_uptime(uptime) if uptime else ()),
        *(_of_wifi(wifi) if wifi else ()),
        *(_of_devices(devices) if devices else ()),
    ]
    found.sort(key=lambda each: (SEVERITIES.index(each.severity), _ORDER.index(each.code)))
    sources = {each.source for each in found}
    unsure = not found and reports["status"] is None
    asked = (status, wan, uptime, wifi, devices, speed, incidents)
    return CheckReport(
        site=site_of(location),
        zone=zone_name(location),
        read_at=now,
        verdict="unknown" if unsure else worst(each.severity for each in found),
        likely=found[0] if found else None,
        findings=tuple(found),
        fine=tuple(area for area, read in reports.items() if read and area not in sources),
        unread=tuple(area for area, read in reports.items() if read is None),
        unknown=_unknown(report for report in asked if report),
    )


def _unknown(reports: Iterable[Report]) -> tuple[Unknown, ...]:
    return tuple(dict.fromkeys(name for report in reports for name in report.unknown))


def _finding(
    code: FindingCode,
    severity: Severity,
    source: Area,
    at: datetime,
    reading: float | None = None,
    unit: Unit | None = None,
    *,
    pod: PodRef | None = None,
    detail: float | None = None,
    word: str | None = None,
) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        pod=pod,
        reading=reading,
        unit=unit,
        detail=detail,
        word=word,
        at=at,
        source=source,
    )


def _of_status(report: StatusReport) -> Iterator[Finding]:
    if report.state == "no_equipment":
        yield _finding("no_equipment", "minor", "status", report.read_at)
    for cause in report.causes:
        yield _finding(
            cause.code,
            cause.severity,
            "status",
            cause.since or report.read_at,
            cause.count or None,
            "count" if cause.count else None,
            pod=cause.pod,
            word=cause.reading,
        )


def _of_incidents(report: IncidentsReport, status: StatusReport | None) -> Iterator[Finding]:
    # The history is up to a quarter of an hour behind what the pods say now.
    over = status is not None and status.state in {"online", "degraded"}
    for event in report.events:
        if event.kind == "outage" and event.ongoing and not over:
            yield _finding(
                "outage_ongoing", "critical", "incidents", event.start,
                event.duration_s, "seconds", pod=event.pod, word=event.reason_word,
            )  # fmt: skip
    past = [event for event in report.events if event.kind == "outage" and not event.ongoing]
    if past:
        yield _finding(
            "outages", "minor", "incidents", past[0].start, len(past), "count",
            detail=sum(event.duration_s or 0.0 for event in past),
        )  # fmt: skip
    for pod in report.reboots:
        if pod.is_many:
            last = next(e for e in report.events if e.kind == "reboot" and e.pod == pod.pod)
            yield _finding(
                "reboots_many", "major", "incidents", last.start,
                pod.count, "count", pod=pod.pod, word=last.reason_word,
            )  # fmt: skip


def _of_wan(report: WanReport) -> Iterator[Finding]:
    yield from _of_line(report, report.down, "line_full_down", "line_busy_down")
    yield from _of_line(report, report.up, "line_full_up", "line_busy_up")


def _of_line(
    report: WanReport, way: Direction, full: FindingCode, busy: FindingCode
) -> Iterator[Finding]:
    percent = way.p95_of_line_percent
    if percent is None:
        percent = way.saturation_percent
    if way.fullness in {"full", "busy"} and report.state == "ok":
        yield _finding(
            full if way.fullness == "full" else busy,
            "major" if way.fullness == "full" else "minor",
            "wan",
            way.peak_at or report.read_at,
            percent,
            "percent",
            detail=way.p95_mbps,
        )


def _of_speed(report: SpeedReport) -> Iterator[Finding]:
    if report.last is None:
        return
    at = report.last.at or report.read_at
    if report.last.state == "failed":
        yield _finding("speed_test_failed", "minor", "speed", at, word=report.last.status)
    elif report.is_slow:
        yield _finding(
            "speed_slow", "major", "speed", at,
            report.down.last_of_median_percent, "percent", detail=report.last.download_mbps,
        )  # fmt: skip


def _of_uptime(report: UptimeReport) -> Iterator[Finding]:
    at = report.incidents[-1].start if report.incidents else report.last_at or report.read_at
    if report.label in _LOW:
        yield _finding(
            "uptime_low", _LOW[report.label], "stats", at,
            report.uptime_percent, "percent", detail=len(report.incidents),
        )  # fmt: skip
    if report.trend == "declining":
        yield _finding("uptime_declining", "minor", "stats", at, report.uptime_percent, "percent")


def _of_wifi(report: WifiReport) -> Iterator[Finding]:
    states = [network.state for network in report.networks]
    if states and set(states) == {"off"}:
        yield _finding("wifi_off", "critical", "wifi", report.read_at, len(states), "count")
    weak = sum(each.is_weak is True and each.state == "on" for each in report.networks)
    if weak:
        yield _finding("wifi_weak", "minor", "wifi", report.read_at, weak, "count")


def _of_devices(report: DevicesReport) -> Iterator[Finding]:
    heard = [
        device.signal_dbm
        for pod in report.pods
        for device in pod.devices
        if device.signal_dbm is not None
    ]
    if report.weak:
        yield _finding(
            "devices_weak", "minor", "devices", report.read_at,
            report.weak, "count", detail=min(heard, default=None),
        )  # fmt: skip
