from app import texts, words
from app.commands.networks import wording
from app.commands.networks.base import Rows, counted, elsewhere, rows
from app.commands.networks.incidents import because
from app.commands.networks.reading import ReportCommand, View
from app.commands.networks.status import backhaul
from app.network.check import Area, CheckReport, Finding, FindingCode
from app.network.incidents import reason_of
from app.network.report import Unknown

_NAMES: dict[Area, str] = {"status": "nodes"}  # the command that shows more of an area
UNKNOWN_IN: dict[Area, tuple[Unknown, ...]] = {
    "wan": ("spacing", "download", "upload", "line_speed", "gaps"),
    "stats": ("history", "trend"),
    "speed": ("speed_test", "speed_tests"),
    "wifi": ("wifi", "security"),
    "devices": ("devices", "signal"),
}
# What explains the rest; other findings are what comes of something.
CAUSING: frozenset[FindingCode] = frozenset(
    {
        "gateway_disconnected", "all_disconnected", "pod_disconnected", "service_none",
        "on_backup", "wifi_off", "reboots_many", "line_full_down", "line_full_up", "health_poor",
    }
)  # fmt: skip
USUAL = ("nodes", "incidents", "wan", "devices")


class Check(ReportCommand[CheckReport]):
    name = "check"
    summary = "check everything, the likely cause first"

    async def fetch(self, seen: View) -> CheckReport:
        return await seen.panoptes.reports.check(seen.sight, seen.place)

    def following(self, report: CheckReport, seen: View) -> Rows:
        # Where the findings come from, the likely cause first, then what one looks at mostly.
        found = [_NAMES.get(each.source, each.source) for each in report.findings]
        more = list(dict.fromkeys((*found, *USUAL)))[: len(USUAL)]
        return rows(self.refresh(), *more, "status", elsewhere())

    def word(self, report: CheckReport, seen: View) -> str:
        head = wording.head(report, seen.place.customer, words.CHECK_TITLES[report.verdict])
        parts = [head, *_findings(report)]
        if not report.findings and report.verdict == "none":
            parts.append(words.CHECK_NOTHING_PART if report.unread else words.CHECK_NOTHING)
        areas = []
        for text, names in ((words.CHECK_FINE, report.fine), (words.CHECK_UNREAD, report.unread)):
            if names:
                said = wording.listed(words.AREAS[name] for name in names)
                areas.append(text.format(areas=said))
        parts += ["\n".join(areas), wording.foot(report, _of(report.unread))]
        return "\n\n".join(filter(None, parts))


def _of(areas: tuple[Area, ...]) -> set[Unknown]:
    """Return what is unknown anyway where nothing is known of an area."""
    return {each for area in areas for each in UNKNOWN_IN.get(area, ())}


def _findings(report: CheckReport) -> list[str]:
    if report.likely is None:
        return []
    first, *others = report.findings
    heading = words.CHECK_CAUSE if first.code in CAUSING else words.CHECK_FIRST
    parts = [f"{heading}\n{_line(first, report)}"]
    if others:
        parts.append("\n".join((words.CHECK_ALSO, *(_line(each, report) for each in others))))
    return parts


def _line(finding: Finding, report: CheckReport) -> str:
    return f"{words.SEVERITIES[finding.severity]} {_said(finding, report)}"


def _said(finding: Finding, report: CheckReport) -> str:
    count = round(finding.reading or 0) if finding.unit == "count" else 0
    time = wording.at_or_now(finding.at, report)
    if finding.code in words.CAUSES:
        return _cause(finding, report, count)
    facts = {
        "pod": wording.pod(finding.pod),
        "time": time,
        "now": time,
        "count": count,
        "percent": wording.percent(finding.reading, int(finding.source == "stats")),
        "lasting": wording.lasting(
            finding.reading if finding.unit == "seconds" else finding.detail
        ),
        "count_outages": counted(count, "outage"),
        "way": words.WAN_DIRECTIONS["up" if finding.code.endswith("_up") else "down"],
        "p95": wording.mbps(finding.detail),
        "down": wording.mbps(finding.detail),
        "incidents": counted(round(finding.detail or 0), "incident"),
        "reason": because(reason_of(finding.word), finding.word),
        "worst": ""
        if finding.detail is None
        else words.FINDINGS["devices_worst"].format(dbm=finding.detail),
    }
    return words.FINDINGS[_key(finding, count)].format(**facts)


def _key(finding: Finding, count: int) -> str:
    """Return which sentence says it: some are for one alone, or for what is not known."""
    match finding.code:
        case "line_full_down" | "line_full_up":
            return "line_full"
        case "line_busy_down" | "line_busy_up":
            return "line_busy"
        case "uptime_low":
            return "uptime_low" if finding.detail else "uptime_low_none"
        case "wifi_off" | "devices_weak" | "wifi_weak" if count == 1:
            return f"{finding.code}_one"
    return finding.code


def _cause(finding: Finding, report: CheckReport, count: int) -> str:
    """Return what the report on the status says, and when: since then, or now."""
    since = finding.at if finding.at < report.read_at else None
    said = words.CAUSES[finding.code].format(
        pod=wording.pod(finding.pod),
        count=count,
        reading=texts.code(finding.word or words.UNKNOWN_VALUE),
        alert=wording.alert(finding.word or words.UNKNOWN_VALUE),
        backhaul=backhaul("other", finding.word),
        **wording.down(since, report),
    )
    return said if since else words.CHECK_NOW.format(finding=said.removesuffix("."))
