from collections.abc import Sequence
from itertools import groupby

from app import words
from app.commands.base import Call, Outcome
from app.commands.networks import wording
from app.commands.networks.base import Rows, button, counted, elsewhere, refusal, rows
from app.commands.networks.paging import Page, asked, page_of
from app.commands.networks.reading import ReportCommand, View
from app.network.devices import DevicesReport, DeviceStatus, PodDevices
from app.panoptes.panoptes import Panoptes

PER_PAGE = 40  # devices, a line each
AWAY = "away"
Placed = tuple[PodDevices | None, DeviceStatus]


class Devices(ReportCommand[DevicesReport]):
    """`/devices` lists who is connected, pod by pod; `/devices away` everybody else."""

    name = "devices"
    usage = "[away]"
    summary = "who is on which pod, and how good the signal is"

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        if asked(call.words).words.lower() not in {"", AWAY}:
            return refusal(words.DEVICES_USE, "command_usage", rows("devices"))
        return await super().look(call, panoptes)

    async def fetch(self, seen: View) -> DevicesReport:
        return await seen.panoptes.reports.devices(seen.sight, seen.place)

    def following(self, report: DevicesReport, seen: View) -> Rows:
        page, away = self._page(report, seen), _away(seen)
        here = f"page {page.number}" if page.last > 1 else ""
        other = (
            button("devices") if away else button("devices", "/devices away", words.DEVICES_AWAY)
        )
        first = (self.refresh(f"{AWAY} {here}".strip() if away else here), other)
        return (*page.turns, *rows(*first, "nodes", "wifi", "status", elsewhere()))

    def word(self, report: DevicesReport, seen: View) -> str:
        away = _away(seen)
        title = words.DEVICES_AWAY_TITLE if away else words.DEVICES_TITLE
        page = self._page(report, seen)
        parts = [wording.head(report, seen.place.customer, title)]
        if report.state == "none":
            parts.append(words.DEVICES_NONE)
        elif away:
            lines = [_away_line(device, report) for _, device in page.items]
            parts.append("\n".join(lines) or words.DEVICES_AWAY_NONE)
        elif report.state == "ok":
            parts += ["\n".join(_counts(report)), *_groups(page.items)]
        if page.last > 1:
            parts.append(words.LIST_PAGE.format(page=page.number, last=page.last))
        if page.items and not away:
            parts.append(words.SIGNAL_KEY)
        parts.append(wording.foot(report))
        return "\n\n".join(parts)

    def _page(self, report: DevicesReport, seen: View) -> Page[Placed]:
        number = asked(seen.call.words).page
        if _away(seen):
            gone: list[Placed] = [(None, each) for each in (*report.unsure, *report.offline)]
            return page_of(gone, number, f"/{self.name} {AWAY}", PER_PAGE)
        here: list[Placed] = [(pod, each) for pod in report.pods for each in pod.devices]
        return page_of(here, number, f"/{self.name}", PER_PAGE)


def _away(seen: View) -> bool:
    return asked(seen.call.words).words.lower() == AWAY


def _counts(report: DevicesReport) -> list[str]:
    weak = words.DEVICES_WEAK.format(count=report.weak) if report.weak else ""
    connected = counted(report.connected, "device")
    lines = []
    if report.connected or not report.unsure:
        lines.append(words.DEVICES_CONNECTED.format(count=connected, weak=weak))
    if report.unsure:
        count = counted(len(report.unsure), "device")
        lines.append(words.DEVICES_UNSURE_COUNT.format(count=count))
    if report.offline:
        lines.append(words.DEVICES_AWAY_COUNT.format(count=len(report.offline)))
    return lines


def _groups(placed: Sequence[Placed]) -> list[str]:
    """Return a block for each pod of a page, its name above its devices."""
    blocks = []
    for pod, found in groupby(placed, key=lambda each: each[0]):
        lines = [_device(device) for _, device in found]
        if pod is not None and pod.pod is not None:
            count = counted(len(pod.devices), "device")
            lines.insert(0, words.DEVICES_ON.format(pod=wording.pod(pod.pod), count=count))
        else:
            lines.insert(0, words.DEVICES_NOWHERE)
        blocks.append("\n".join(lines))
    return blocks


def _device(device: DeviceStatus) -> str:
    details = [_signal(device)]
    if device.medium in words.DEVICE_MEDIA:
        details.append(words.DEVICE_MEDIA[device.medium])
    if device.band:
        details.append(words.BANDS[device.band])
    said = ", ".join(filter(None, details))
    return words.DEVICE_LINE.format(
        icon=_icon(device), name=_name(device), details=f": {said}" if said else ""
    )


def _name(device: DeviceStatus) -> str:
    return wording.name(device.name) or wording.name(device.mac) or words.DEVICE_UNNAMED


def _icon(device: DeviceStatus) -> str:
    grade = device.signal or device.health
    if device.medium in words.DEVICE_MEDIA:
        return words.DEVICE_CABLE
    return words.DEVICE_ICONS[grade] if grade else words.DEVICE_ICON


def _signal(device: DeviceStatus) -> str:
    """Return how a device is heard, in words; what is on a cable is not heard."""
    if device.medium in words.DEVICE_MEDIA:
        return ""
    if device.signal is not None and device.signal_dbm is not None:
        return words.DEVICE_SIGNAL.format(grade=device.signal, dbm=device.signal_dbm)
    return words.DEVICE_LINK.format(grade=device.health) if device.health else ""


def _away_line(device: DeviceStatus, report: DevicesReport) -> str:
    if device.connected is None:
        return words.DEVICE_UNSURE.format(name=_name(device))
    since = wording.since(device.since, report.zone, report.read_at)
    return words.DEVICE_AWAY.format(name=_name(device), since=since)
