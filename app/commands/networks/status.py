"""`/network`, and what `/status` says where a location is chosen."""

from datetime import datetime

from app import texts, words
from app.commands.base import Call
from app.commands.networks import wording
from app.commands.networks.base import Rows, rows
from app.commands.networks.reading import ReportCommand
from app.network.health import Pod
from app.network.speedtest import SpeedReading
from app.network.status import Cause, StatusReport
from app.panoptes.access import Sight
from app.panoptes.panoptes import Panoptes
from app.sessions.places import Chosen

MOST_PODS = 12  # a card for a phone; `/nodes` has them all
NEXT = ("wan", "stats", "nodes", "wifi", "check", "locations")


class Network(ReportCommand[StatusReport]):
    name = "network"
    summary = "how the chosen location is"

    async def fetch(
        self, call: Call, panoptes: Panoptes, sight: Sight, place: Chosen
    ) -> StatusReport:
        return await panoptes.reports.status(sight, place)

    def word(self, report: StatusReport, customer: str) -> str:
        return card(report, customer)

    def following(self, report: StatusReport) -> Rows:
        return rows(*NEXT)


def card(report: StatusReport, customer: str) -> str:
    """Return the report as Markdown: the verdict first, then why, then the readings."""
    title = words.STATUS_TITLES[report.state]
    if report.state == "degraded" and report.severity in {"major", "critical"}:
        title = words.STATUS_MAJOR
    parts = [wording.head(report, customer, title)]
    if report.causes:
        parts.append("\n".join(f"- {_cause(cause, report)}" for cause in report.causes))
    if report.state == "no_equipment":
        parts.append(words.NO_EQUIPMENT)
    parts.append(_lines(report))
    parts.append(wording.foot(report))
    return "\n\n".join(parts)


def _lines(report: StatusReport) -> str:
    lines = [words.SERVICE_LINE.format(level=_level(report))]
    if report.pods:
        counts = report.counts
        lines.append(words.PODS_HEAD.format(connected=counts.connected, total=counts.total))
        for pod in report.pods[:MOST_PODS]:
            lines += _pod(pod, report)
        if (more := len(report.pods) - MOST_PODS) > 0:
            lines.append(words.MORE_PODS.format(count=more))
    lines.append(_speed(report.speed_test, report))
    if report.devices is not None:
        line = words.DEVICES_LINE if report.devices_complete else words.DEVICES_PART
        lines.append(line.format(count=report.devices))
    return "\n".join(lines)


def _level(report: StatusReport) -> str:
    known = words.SERVICE.get(report.service_level)
    return known or texts.code(report.service_level_word or words.UNKNOWN_VALUE)


def _cause(cause: Cause, report: StatusReport) -> str:
    return words.CAUSES[cause.code].format(
        pod=wording.pod(cause.pod),
        count=cause.count,
        reading=texts.code(cause.reading or words.UNKNOWN_VALUE),
        since=wording.since(cause.since, report.zone, report.read_at),
    )


def _pod(pod: Pod, report: StatusReport) -> list[str]:
    name, role = wording.pod(pod.ref), words.ROLES[pod.role]
    alerts = [f"  {words.POD_ALERT.format(alert=texts.code(alert))}" for alert in pod.alerts]
    if pod.connected is None:
        return [words.POD_UNKNOWN.format(pod=name, role=role), *alerts]
    if not pod.connected:
        away = wording.since(pod.since, report.zone, report.read_at)
        return [words.POD_DOWN.format(pod=name, role=role, since=away), *alerts]
    poor = pod.health is not None and pod.health.grade in {"fair", "poor"}
    line = words.POD_UP.format(
        icon="🟡" if poor else "✅",
        pod=name,
        role=role,
        health=_health(pod),
        backhaul=_backhaul(pod),
        devices="" if pod.devices is None else f", {devices(pod.devices)}",
    )
    return [line, *alerts]


def devices(count: int) -> str:
    return f"{count} device{'' if count == 1 else 's'}"


def _health(pod: Pod) -> str:
    if pod.health is None or pod.role == "gateway":
        return ""
    if pod.health.grade is not None:
        return words.HEALTH.format(grade=pod.health.grade)
    return words.HEALTH_WORD.format(word=texts.code(pod.health.word)) if pod.health.word else ""


def _backhaul(pod: Pod) -> str:
    if pod.backhaul is None:
        return ""
    known = words.BACKHAULS.get(pod.backhaul) or texts.plain((pod.backhaul_word or "").capitalize())
    return f" ({known})" if known else ""


def _speed(test: SpeedReading | None, report: StatusReport) -> str:
    if test is None or test.state in {"unknown", "other"}:
        return words.SPEED_NONE
    if test.state == "running":
        return words.SPEED_RUNNING
    age = _age(test.at, report.read_at)
    if test.state == "failed":
        return words.SPEED_FAILED.format(age=age)
    return words.SPEED_LINE.format(
        down=wording.mbps(test.download_mbps),
        up=wording.mbps(test.upload_mbps),
        latency=words.UNKNOWN_VALUE if test.latency_ms is None else f"{test.latency_ms:.0f}",
        age=age,
    )


def _age(at: datetime | None, now: datetime) -> str:
    return wording.ago(at, now)
