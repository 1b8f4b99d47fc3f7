from app import texts, words
from app.commands.networks import wording
from app.commands.networks.base import Rows, counted, elsewhere, rows
from app.commands.networks.paging import Page, asked, page_of
from app.commands.networks.reading import ReportCommand, View
from app.commands.networks.status import backhaul, pods_head
from app.network.health import HealthReading
from app.network.nodes import NodesReport, PodDetail, Socket
from app.network.report import Report

PER_PAGE = 8  # pods: some fifty lines
_ADDRESSES = ("ip", "wan_ip", "public_ip", "mac", "id")


class Nodes(ReportCommand[NodesReport]):
    name = "nodes"
    summary = "the gateway and all pods in detail"

    async def fetch(self, seen: View) -> NodesReport:
        return await seen.panoptes.reports.nodes(seen.sight, seen.place)

    def following(self, report: NodesReport, seen: View) -> Rows:
        page = self._page(report, seen)
        refresh = self.refresh(f"page {page.number}" if page.last > 1 else "")
        return (*page.turns, *rows(refresh, "devices", "check", "incidents", "status", elsewhere()))

    def word(self, report: NodesReport, seen: View) -> str:
        parts = [wording.head(report, seen.place.customer, words.NODES_TITLE)]
        if not report.pods:
            parts += [words.NODES_NONE] if report.state == "none" else []
            return "\n\n".join((*parts, wording.foot(report)))
        page = self._page(report, seen)
        parts.append(_counts(report))
        parts += ["\n".join(_pod(pod, report)) for pod in page.items]
        if page.last > 1:
            parts.append(words.LIST_PAGE.format(page=page.number, last=page.last))
        parts.append(wording.foot(report))
        return "\n\n".join(parts)

    def _page(self, report: NodesReport, seen: View) -> Page[PodDetail]:
        return page_of(report.pods, asked(seen.call.words).page, f"/{self.name}", PER_PAGE)


def _counts(report: NodesReport) -> str:
    lines = [pods_head([pod.connected for pod in report.pods])]
    for text, state in ((words.NODES_DOWN, False), (words.NODES_UNSURE, None)):
        names = [wording.pod(pod.ref) for pod in report.pods if pod.connected is state]
        if names and len(names) < len(report.pods):
            lines.append(text.format(pods=wording.listed(names)))
    return "\n".join(lines)


def _pod(pod: PodDetail, report: Report) -> list[str]:
    name, role = wording.pod(pod.ref), words.ROLES[pod.role]
    since = wording.since(pod.since, report.zone, report.read_at)
    if pod.connected is None:
        head = words.POD_UNKNOWN.format(pod=name, role=role)
    elif not pod.connected:
        head = words.POD_DOWN.format(pod=name, role=role, since=since)
    else:
        poor = pod.health is not None and pod.health.grade in {"fair", "poor"}
        head = words.NODE_UP.format(
            icon="🟡" if poor or pod.alerts else "✅",
            pod=name,
            role=role,
            since=since,
            devices="" if pod.devices is None else f", {counted(pod.devices, 'device')}",
        )
    lines = [head, *(f"- {words.POD_ALERT.format(alert=wording.alert(a))}" for a in pod.alerts)]
    lines += filter(None, (_link(pod), _model(pod), _started(pod, report), _addresses(pod)))
    if pod.connected is not False:
        lines += filter(None, (_channels(pod), _ports(pod.ports)))
    return lines


def _link(pod: PodDetail) -> str:
    """Return how a pod hangs on the next one, and the gateway on the line."""
    parts = [backhaul(pod.backhaul, pod.backhaul_word)]
    if pod.role != "gateway":
        parts.insert(0, _health(pod.health))
    if pod.mesh_channel:
        parts.append(words.NODE_CHANNEL.format(channel=texts.plain(pod.mesh_channel)))
    said = ", ".join(filter(None, parts))
    if not said:
        return ""
    to = words.NODE_TO.format(pod=wording.pod(pod.parent)) if pod.parent else ""
    if pod.role == "gateway":
        line = words.NODE_LINE_LAST if pod.connected is False else words.NODE_LINE
        return line.format(link=said)
    text = words.NODE_LINK_LAST if pod.connected is False else words.NODE_LINK
    return text.format(to=to, link=said)


def _health(health: HealthReading | None) -> str:
    if health is None:
        return ""
    return health.grade or (texts.code(health.word) if health.word else "")


def _model(pod: PodDetail) -> str:
    model = wording.name(pod.model) or words.NODE_MODEL_UNKNOWN
    if not pod.firmware:
        return f"- {model}"
    firmware = words.NODE_FIRMWARE.format(version=texts.plain(pod.firmware))
    return f"- {model}, {firmware}"


def _started(pod: PodDetail, report: Report) -> str:
    if pod.booted_at is None or pod.connected is False:
        return ""
    return words.NODE_STARTED.format(
        time=wording.time_of(pod.booted_at, report.zone),
        ago=wording.ago(pod.booted_at, report.read_at),
    )


def _addresses(pod: PodDetail) -> str:
    known = ((words.NODE_ADDRESSES[name], getattr(pod, name)) for name in _ADDRESSES)
    said = ", ".join(f"{name} {texts.code(value)}" for name, value in known if value)
    return f"- {said}" if said else ""


def _channels(pod: PodDetail) -> str:
    channels = {"2.4": pod.channel_2g, "5": pod.channel_5g, "6": pod.channel_6g}
    said = ", ".join(
        f"{words.BANDS[band]} {texts.plain(channel)}"
        for band, channel in channels.items()
        if channel
    )
    return words.NODE_CHANNELS.format(channels=said) if said else ""


def _ports(ports: tuple[Socket, ...]) -> str:
    if not ports or any(port.linked is None for port in ports):
        return ""
    linked = [
        words.NODE_PORT.format(
            name=texts.plain(port.name or ""),
            speed=wording.mbps(port.speed_mbps),
            uplink=words.NODE_UPLINK if port.uplink else "",
        ).strip()
        for port in ports
        if port.linked
    ]
    return words.NODE_PORTS.format(ports=", ".join(linked) or words.NODE_NO_CABLES)
