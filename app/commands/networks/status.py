"""`/network`, and what `/status` says where a location is chosen."""

from collections.abc import Sequence

from app import texts, words
from app.commands.networks import wording
from app.commands.networks.base import Rows, counted, elsewhere, rows
from app.commands.networks.reading import ReportCommand, View
from app.network.health import Pod
from app.network.speedtest import SpeedReading
from app.network.status import Cause, StatusReport

MOST_PODS = 12  # a card for a phone; `/nodes` has them all
NEXT = ("wan", "stats", "nodes", "wifi", "check")


class Network(ReportCommand[StatusReport]):
    name = "network"
    summary = "how the chosen location is"

    async def fetch(self, seen: View) -> StatusReport:
        return await seen.panoptes.reports.status(seen.sight, seen.place)

    def word(self, report: StatusReport, seen: View) -> str:
        return card(report, seen.place.customer)

    def following(self, report: StatusReport, seen: View) -> Rows:
        return rows(*NEXT, elsewhere())


def card(report: StatusReport, customer: str) -> str:
    """Return the report as Markdown: the verdict first, then why, then the readings."""
    parts = [wording.head(report, customer, _title(report))]
    if report.causes:
        parts.append("\n".join(f"- {_cause(cause, report)}" for cause in report.causes))
    if report.state == "no_equipment":
        parts.append(words.NO_EQUIPMENT)
    parts.append(_lines(report))
    parts.append(wording.foot(report))
    return "\n\n".join(parts)


def _title(report: StatusReport) -> str:
    if report.state != "degraded":
        return words.STATUS_TITLES[report.state]
    if report.service_level == "none":
        return words.STATUS_NO_SERVICE
    if report.counts.disconnected:
        return words.STATUS_PART_DOWN
    return words.STATUS_MAJOR if report.severity == "major" else words.STATUS_TITLES["degraded"]


def _lines(report: StatusReport) -> str:
    lines = [words.SERVICE_LINE.format(level=_level(report))]
    if report.pods:
        lines.append(pods_head([pod.connected for pod in report.pods]))
        shown, left = _shown(report.pods)
        for pod in shown:
            lines += _pod(pod, report)
        if left:
            text = words.MORE_PODS_ILL if any(map(_ails, left)) else words.MORE_PODS
            lines.append(text.format(count=len(left)))
    lines.append(_speed(report.speed_test, report))
    if report.devices is not None:
        line = words.DEVICES_LINE if report.devices_complete else words.DEVICES_PART
        lines.append(line.format(count=report.devices))
    return "\n".join(lines)


def _shown(pods: Sequence[Pod]) -> tuple[Sequence[Pod], Sequence[Pod]]:
    """Return the pods of a card and those that are left; of many, the ailing ones are shown."""
    if len(pods) <= MOST_PODS:
        return pods, ()
    first, *others = pods
    others.sort(key=_ails, reverse=True)
    return (first, *others[: MOST_PODS - 1]), others[MOST_PODS - 1 :]


def _ails(pod: Pod) -> bool:
    poor = pod.health is not None and pod.health.grade in {"fair", "poor"}
    return not pod.connected or poor or bool(pod.alerts)


def pods_head(states: Sequence[bool | None]) -> str:
    """Return how many pods are connected; of whom nobody knows it is not said that they are not."""
    total, unsure = len(states), states.count(None)
    if unsure == total:
        return words.PODS_UNKNOWN.format(total=total)
    return words.PODS_HEAD.format(
        connected=states.count(True),
        total=total,
        unsure=words.PODS_UNSURE.format(count=unsure) if unsure else "",
    )


def _level(report: StatusReport) -> str:
    known = words.SERVICE.get(report.service_level)
    return known or texts.code(report.service_level_word or words.UNKNOWN_VALUE)


def _cause(cause: Cause, report: StatusReport) -> str:
    return words.CAUSES[cause.code].format(
        pod=wording.pod(cause.pod),
        count=cause.count,
        reading=texts.code(cause.reading or words.UNKNOWN_VALUE),
        alert=wording.alert(cause.reading or words.UNKNOWN_VALUE),
        backhaul=backhaul("other", cause.reading),
        **wording.down(cause.since, report),
    )


def _pod(pod: Pod, report: StatusReport) -> list[str]:
    name, role = wording.pod(pod.ref), words.ROLES[pod.role]
    alerts = [f"  {words.POD_ALERT.format(alert=wording.alert(alert))}" for alert in pod.alerts]
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
        backhaul=f" ({link})" if (link := backhaul(pod.backhaul, pod.backhaul_word)) else "",
        devices="" if pod.devices is None else f", {counted(pod.devices, 'device')}",
    )
    return [line, *alerts]


def _health(pod: Pod) -> str:
    if pod.health is None or pod.role == "gateway":
        return ""
    if pod.health.grade is not None:
        return words.HEALTH.format(grade=pod.health.grade)
    return words.HEALTH_WORD.format(word=texts.code(pod.health.word)) if pod.health.word else ""


def backhaul(kind: str | None, word: str | None) -> str:
    """Return what a pod hangs on, empty where nobody says."""
    known = words.BACKHAULS.get(kind or "") or words.BACKHAULS.get(word or "")
    return known or texts.plain(word or "")


def _speed(test: SpeedReading | None, report: StatusReport) -> str:
    if test is None or test.state in {"unknown", "other"}:
        return words.SPEED_NONE
    if test.state == "running":
        return words.SPEED_RUNNING
    age = wording.ago(test.at, report.read_at)
    if test.state == "failed":
        return words.SPEED_FAILED.format(age=age)
    return words.SPEED_LINE.format(
        down=wording.mbps(test.download_mbps),
        up=wording.mbps(test.upload_mbps),
        latency=words.UNKNOWN_VALUE if test.latency_ms is None else f"{test.latency_ms:.0f}",
        age=age,
    )
