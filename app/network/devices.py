"""Who is on which pod, and how well it is heard: the report of /devices."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from app.network import thresholds
from app.network.health import Grade, name_of, roles_of
from app.network.report import (
    PodRef,
    Report,
    Value,
    believable,
    site_of,
    unknowns,
    zone_missing,
    zone_name,
)
from app.plume.models import Device, Location, Node, Quality, WifiQuality

Band = Literal["2.4", "5", "6"]  # GHz
Medium = Literal["wifi", "ethernet", "moca", "other"]

_BANDS: dict[str, Band] = {
    "2.4g": "2.4",
    "2g": "2.4",
    "24": "2.4",
    "5g": "5",
    "5gl": "5",
    "5gu": "5",
    "6g": "6",
}
_MEDIA: dict[str, Medium] = {"wifi": "wifi", "ethernet": "ethernet", "moca": "moca"}
_GRADES: dict[str | None, Grade] = {
    "excellent": "excellent",
    "good": "good",
    "fair": "fair",
    "poor": "poor",
}


class DeviceStatus(Value):
    """`signal` judges `signal_dbm`; `health` is Plume's own word, of a grade that we know."""

    mac: str | None
    name: str | None
    kind: str | None
    connected: bool | None
    since: datetime | None
    medium: Medium | None
    band: Band | None
    channel: str | None
    ip: str | None
    pod: PodRef | None
    signal_dbm: float | None
    signal: Grade | None
    health: Grade | None
    alerts: tuple[str, ...]


class PodDevices(Value):
    """The devices on a pod, those with the worst signal first. `pod` is None: nobody says which."""

    pod: PodRef | None
    devices: tuple[DeviceStatus, ...]


class DevicesReport(Report):
    """`state` is "unknown" where the devices could not be read.

    `pods` hold the connected ones: the gateway's first, then by name. `offline` begins with the
    one that left last. `unsure` are those of which Plume does not say whether they are connected.
    """

    state: Literal["ok", "none", "unknown"]
    connected: int
    weak: int
    pods: tuple[PodDevices, ...]
    offline: tuple[DeviceStatus, ...]
    unsure: tuple[DeviceStatus, ...]


def devices_by_pod(
    location: Location,
    devices: Sequence[Device] | None,
    now: datetime,
    *,
    nodes: Sequence[Node] | None = None,
    quality: Quality | None = None,
) -> DevicesReport:
    """Group devices by the pod that serves them; `quality` brings their signals."""
    links = {_plain(link.id): link for link in quality.devices if link.id} if quality else {}
    pods = _pods(nodes or ())
    listed = [_status(device, pods, links, now) for device in devices or ()]
    online = [device for device in listed if device.connected]
    by_wifi = [device for device in online if device.medium in {"wifi", None}]
    return DevicesReport(
        site=site_of(location),
        zone=zone_name(location),
        read_at=now,
        state="unknown" if devices is None else "ok" if devices else "none",
        connected=len(online),
        weak=sum(device.signal == "poor" for device in online),
        pods=_grouped(online, pods),
        offline=tuple(sorted((d for d in listed if d.connected is False), key=_left_last)),
        unsure=tuple(sorted((d for d in listed if d.connected is None), key=_by_name)),
        unknown=unknowns(
            devices=devices is None,
            connection=any(device.connected is None for device in listed),
            pods=any(device.pod is None for device in online),
            signal=any(device.signal_dbm is None for device in by_wifi),
            time_zone=zone_missing(location),
        ),
    )


def signal_grade(dbm: float | None) -> Grade | None:
    if dbm is None:
        return None
    if dbm >= thresholds.SIGNAL_EXCELLENT_DBM:
        return "excellent"
    if dbm >= thresholds.SIGNAL_GOOD_DBM:
        return "good"
    return "fair" if dbm >= thresholds.SIGNAL_FAIR_DBM else "poor"


def _pods(nodes: Sequence[Node]) -> dict[str, PodRef]:
    """Return the pods by their id, in the order in which they are listed."""
    known = [
        (role != "gateway", (name_of(node) or "").casefold(), node.key, name_of(node))
        for node, role in zip(nodes, roles_of(nodes), strict=True)
        if node.key
    ]
    return {key: PodRef(id=key, name=name) for _, _, key, name in sorted(known) if key}


def _status(
    device: Device, pods: dict[str, PodRef], links: dict[str, WifiQuality], now: datetime
) -> DeviceStatus:
    link = links.get(_plain(device.mac)) if device.mac else None
    hop = device.leaf_to_root[0] if device.leaf_to_root else None
    medium = _MEDIA.get(device.medium, "other") if device.medium else None
    pod = pods.get(device.pod or "")
    if pod is None and hop and (hop.id or hop.nickname):
        pod = PodRef(id=hop.id, name=hop.nickname or hop.id)
    dbm = _possible(link.rssi_dbm) if link and medium in {"wifi", None} else None
    band = device.freq_band or (link.freq_band if link else None)
    return DeviceStatus(
        mac=device.mac,
        name=device.label,
        kind=device.kind,
        connected=device.connected,
        since=believable(device.connection_state_change_at, now),
        medium=medium,
        band=_BANDS.get((band or "").lower()) if medium in {"wifi", None} else None,
        channel=device.channel,
        ip=device.ip,
        pod=pod,
        signal_dbm=dbm,
        signal=signal_grade(dbm),
        health=_GRADES.get(device.health.status) if device.health else None,
        alerts=device.alerts,
    )


def _possible(dbm: float | None) -> float | None:
    """Return a signal strength; the radio hears nothing above or below these."""
    lowest, highest = thresholds.SIGNALS_DBM
    return dbm if dbm is not None and lowest <= dbm <= highest else None


def _plain(mac: str | None) -> str:
    return "".join(sign for sign in (mac or "").lower() if sign.isalnum())


def _grouped(online: Iterable[DeviceStatus], pods: dict[str, PodRef]) -> tuple[PodDevices, ...]:
    groups: dict[str, list[DeviceStatus]] = {key: [] for key in pods}
    strays: dict[str, PodRef | None] = {}
    for device in sorted(online, key=_by_signal):
        key = (device.pod.id or device.pod.name or "") if device.pod else ""
        if key not in groups:
            strays[key] = device.pod
        groups.setdefault(key, []).append(device)
    return tuple(
        PodDevices(pod=pods.get(key) or strays.get(key), devices=tuple(found))
        for key, found in sorted(groups.items(), key=lambda item: _place(item[0], pods))
        if found
    )


def _place(key: str, pods: dict[str, PodRef]) -> tuple[int, str]:
    listed = list(pods)
    # Pods that the list of nodes does not have come after it, devices without a pod last.
    return (listed.index(key) if key in pods else len(listed) + (not key), key)


def _by_signal(device: DeviceStatus) -> tuple[float, str, str]:
    dbm = device.signal_dbm
    return (0.0 if dbm is None else dbm, *_by_name(device))


def _by_name(device: DeviceStatus) -> tuple[str, str]:
    return (device.name or "\U0010ffff").casefold(), device.model_dump_json()


def _left_last(device: DeviceStatus) -> tuple[float, str, str]:
    return (-device.since.timestamp() if device.since else 0.0, *_by_name(device))
