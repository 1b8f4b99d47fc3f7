"""What went wrong and when: the report of /incidents, from three sources."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from app.network import thresholds
from app.network.health import names_of, pods_of
from app.network.report import (
    PodRef,
    Report,
    Value,
    believable,
    recent,
    site_of,
    unknowns,
    zone_missing,
    zone_name,
)
from app.network.uptime import UptimeReport
from app.plume.models import Location, Node, Outage, Reboot

EventKind = Literal["outage", "intermittent", "reboot"]
Source = Literal["outages", "history", "reboots"]
Reason = Literal["power", "firmware", "request", "crash", "other", "unknown"]

# Plume's vocabulary is unknown: these are parts of the words that access points use.
_REASONS: tuple[tuple[str, Reason], ...] = (
    ("power", "power"),
    ("brown", "power"),
    ("firmware", "firmware"),
    ("upgrade", "firmware"),
    ("upd", "firmware"),
    ("crash", "crash"),
    ("panic", "crash"),
    ("watchdog", "crash"),
    ("kernel", "crash"),
    ("oom", "crash"),
    ("memory", "crash"),
    ("user", "request"),
    ("cloud", "request"),
    ("manual", "request"),
    ("request", "request"),
    ("remote", "request"),
)


class Event(Value):
    """One thing that happened. A reboot has a `pod` and no length.

    `end` of an outage is None while it lasts (`ongoing`) or where nobody knows it. `reason` of an
    outage is that of the gateway's reboot next to it; `reason_word` is Plume's own.
    """

    kind: EventKind
    start: datetime
    end: datetime | None
    ongoing: bool | None
    duration_s: float | None
    pod: PodRef | None
    reason: Reason | None
    reason_word: str | None
    sources: tuple[Source, ...]


class PodReboots(Value):
    pod: PodRef
    count: int
    is_many: bool


class IncidentsReport(Report):
    """`events` begin with the newest. `outage_s` is how long all outages lasted, as far as known.

    `state` is "unknown" where none of the three sources could be read.
    """

    state: Literal["ok", "none", "unknown"]
    since: datetime
    events: tuple[Event, ...]
    outages: int
    outage_s: float
    reboots: tuple[PodReboots, ...]


def location_incidents(
    location: Location,
    now: datetime,
    *,
    outages: Sequence[Outage] | None,
    reboots: Sequence[Reboot] | None,
    uptime: UptimeReport | None,
    nodes: Sequence[Node] | None = None,
    since: datetime | None = None,
) -> IncidentsReport:
    """Join the sources, each None where it could not be read, since a time: a week ago."""
    start = since or now - timedelta(days=7)
    pods = names_of(nodes or ())
    gateways = {pod.id for pod in pods_of(nodes or (), now) if pod.role == "gateway"}
    told = _reboots(reboots or (), pods, start, now)
    lasting = [*_outages(outages or (), start, now), *_history(uptime, start)]
    events = [_explained(event, told, gateways) for event in _joined(lasting)] + told
    events.sort(key=lambda event: (event.start, event.model_dump_json()), reverse=True)
    down = [event for event in events if event.kind == "outage"]
    nothing = outages is None and reboots is None and uptime is None
    return IncidentsReport(
        site=site_of(location),
        zone=zone_name(location),
        read_at=now,
        state="unknown" if nothing else "ok" if events else "none",
        since=start,
        events=tuple(events),
        outages=len(down),
        outage_s=sum(event.duration_s or 0.0 for event in down),
        reboots=_per_pod(told),
        unknown=unknowns(
            outages=outages is None,
            reboots=reboots is None,
            history=uptime is None or uptime.state == "no_data",
            gaps=uptime is not None and uptime.state == "ok" and bool(uptime.gaps),
            time_zone=zone_missing(location),
        ),
    )


def _outages(outages: Iterable[Outage], since: datetime, now: datetime) -> Iterator[Event]:
    for start, end in _merged(outages, now):
        if (end or now) < since:
            continue
        yield Event(
            kind="outage",
            start=start,
            end=end,
            ongoing=end is None,
            duration_s=((end or max(now, start)) - start).total_seconds(),
            pod=None,
            reason=None,
            reason_word=None,
            sources=("outages",),
        )


def _merged(outages: Iterable[Outage], now: datetime) -> list[tuple[datetime, datetime | None]]:
    """Return the outages in the order of time; those that overlap are one."""
    spans = [(believable(each.start, now), believable(each.end, now)) for each in outages]
    found: list[tuple[datetime, datetime | None]] = []
    for start, end in sorted(
        ((start, end) for start, end in spans if start and (end is None or start <= end)),
        key=lambda span: span[0],
    ):
        before = found[-1] if found else None
        if before and (before[1] is None or start <= before[1]):
            found[-1] = (before[0], max(before[1], end) if before[1] and end else None)
        else:
            found.append((start, end))
    return found


def _history(uptime: UptimeReport | None, since: datetime) -> Iterator[Event]:
    for incident in uptime.incidents if uptime else ():
        if (incident.end or incident.start) < since:
            continue
        yield Event(
            kind="intermittent" if incident.kind == "intermittent" else "outage",
            start=incident.start,
            end=incident.end,
            ongoing=incident.ongoing,
            duration_s=incident.duration_s,
            pod=None,
            reason=None,
            reason_word=None,
            sources=("history",),
        )


def _joined(events: Iterable[Event]) -> list[Event]:
    """Make one event of what two sources say of one outage.

    The list of outages is exact to the second, the history to a quarter of an hour: where both
    tell of one, the times of the list stand.
    """
    found: list[Event] = []
    near = timedelta(seconds=thresholds.SAME_OUTAGE_S)
    for event in sorted(events, key=lambda each: (each.start, each.model_dump_json())):
        other = found[-1] if found else None
        if other and _differ(event, other) and event.start <= _end_of(other) + near:
            found[-1] = _exact(other, event)
        else:
            found.append(event)
    return [event for event in found if not _told_of(event, found)]


def _told_of(event: Event, others: Iterable[Event]) -> bool:
    """Tell whether a quarter of an hour was unsteady because of an outage that is listed."""
    return event.kind == "intermittent" and any(
        "outages" in other.sources and _overlap(event, other) for other in others
    )


def _overlap(one: Event, other: Event) -> bool:
    return one.start < _end_of(other) and other.start < _end_of(one)


def _differ(one: Event, other: Event) -> bool:
    return one.kind == other.kind == "outage" and not set(one.sources) & set(other.sources)


def _end_of(event: Event) -> datetime:
    return event.end or event.start + timedelta(seconds=event.duration_s or 0.0)


def _exact(one: Event, other: Event) -> Event:
    listed = one if "outages" in one.sources else other
    return listed.model_copy(update={"sources": ("outages", "history")})


def _explained(event: Event, reboots: Sequence[Event], gateways: set[str | None]) -> Event:
    """Give an outage the reason of the gateway's reboot next to it."""
    near = timedelta(seconds=thresholds.REBOOT_EXPLAINS_S)
    for reboot in reboots:
        close = event.start - near <= reboot.start <= _end_of(event) + near
        if event.kind == "outage" and close and reboot.pod and reboot.pod.id in gateways:
            told = {"pod": reboot.pod, "reason": reboot.reason, "reason_word": reboot.reason_word}
            return event.model_copy(update=told)
    return event


def _reboots(
    reboots: Iterable[Reboot], pods: dict[str, str], since: datetime, now: datetime
) -> list[Event]:
    told: dict[tuple[datetime, str], Reboot] = {}
    for reboot in reboots:
        at = recent(reboot.at, now)
        if at is not None and at >= since:
            key = at, reboot.node_id or ""
            # Told twice, with a reason and without: the reason stays.
            told[key] = max(told.get(key, reboot), reboot, key=lambda each: each.reason or "")
    return [_reboot(at, key, told[at, key].reason, pods) for at, key in sorted(told)]


def _reboot(at: datetime, key: str, reason: str | None, pods: dict[str, str]) -> Event:
    return Event(
        kind="reboot",
        start=at,
        end=None,
        ongoing=False,
        duration_s=None,
        pod=PodRef(id=key, name=pods.get(key) or key) if key else None,
        reason=reason_of(reason),
        reason_word=reason,
        sources=("reboots",),
    )


def reason_of(said: str | None) -> Reason:
    if said is None or said.lower() == "unknown":
        return "unknown"
    return next((reason for part, reason in _REASONS if part in said.lower()), "other")


def _per_pod(reboots: Sequence[Event]) -> tuple[PodReboots, ...]:
    counts: dict[str, list[Event]] = {}
    for reboot in reboots:
        if reboot.pod and reboot.pod.id:
            counts.setdefault(reboot.pod.id, []).append(reboot)
    listed = [
        PodReboots(
            pod=found[0].pod or PodRef(id=key, name=None),
            count=len(found),
            is_many=len(found) >= thresholds.MANY_REBOOTS,
        )
        for key, found in counts.items()
    ]
    return tuple(sorted(listed, key=lambda each: (-each.count, each.pod.id or "")))
