"""Every pod with all that is known of it: the report of /nodes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from app.network.health import Pod, Role, names_of, place_of, pod_of, roles_of
from app.network.report import (
    Report,
    Value,
    believable,
    plausible,
    seconds_since,
    site_of,
    unknowns,
    zone_missing,
    zone_name,
)
from app.plume.models import Location, Node, Port


class Socket(Value):
    """An Ethernet port. `linked` is None where Plume does not say; without a link no speed."""

    name: str | None
    linked: bool | None
    speed_mbps: float | None
    duplex: str | None
    uplink: bool | None


class PodDetail(Pod):
    """`uptime_s` counts from the last boot, and is None for a pod that is not known to be up."""

    model: str | None
    firmware: str | None
    mac: str | None
    ip: str | None
    wan_ip: str | None
    public_ip: str | None
    booted_at: datetime | None
    uptime_s: float | None
    mesh_channel: str | None
    channel_2g: str | None
    channel_5g: str | None
    channel_6g: str | None
    ports: tuple[Socket, ...]


class NodesReport(Report):
    """`state` is "unknown" where the nodes could not be read. The gateway goes first."""

    state: Literal["ok", "none", "unknown"]
    pods: tuple[PodDetail, ...]


def node_details(location: Location, nodes: Sequence[Node] | None, now: datetime) -> NodesReport:
    """List all nodes, None where they could not be read."""
    listed = nodes or ()
    names = names_of(listed)
    pods = [
        _detail(node, role, names, now) for node, role in zip(listed, roles_of(listed), strict=True)
    ]
    return NodesReport(
        site=site_of(location),
        zone=zone_name(location),
        read_at=now,
        state="unknown" if nodes is None else "ok" if nodes else "none",
        pods=tuple(sorted(pods, key=place_of)),
        unknown=unknowns(
            pods=nodes is None,
            connection=any(pod.connected is None for pod in pods),
            gateway=bool(pods) and not any(pod.role == "gateway" for pod in pods),
            time_zone=zone_missing(location),
        ),
    )


def _detail(node: Node, role: Role, names: dict[str, str], now: datetime) -> PodDetail:
    booted = believable(node.boot_at, now)
    return PodDetail(
        **dict(pod_of(node, role, names, now)),
        model=node.model,
        firmware=node.firmware_version,
        mac=node.mac,
        ip=node.ip,
        wan_ip=node.wan_ip,
        public_ip=node.public_ip,
        booted_at=booted,
        uptime_s=seconds_since(booted, now) if node.connected else None,
        mesh_channel=node.backhaul_channel if node.backhaul_type == "wifi" else None,
        channel_2g=node.channel_2g,
        channel_5g=node.channel_5g,
        channel_6g=node.channel_6g,
        ports=tuple(_socket(port) for port in node.link_states),
    )


def _socket(port: Port) -> Socket:
    return Socket(
        name=port.if_name,
        linked=port.linked,
        speed_mbps=plausible(port.link_speed) if port.linked else None,
        duplex=port.duplex if port.linked else None,
        uplink=port.is_uplink,
    )
