from app import words
from app.commands.base import Call, Outcome
from app.commands.networks import wording
from app.commands.networks.base import Rows, button, counted, elsewhere, refusal, rows
from app.commands.networks.reading import ReportCommand, View, drawn
from app.network.captions import uptime_alt
from app.network.pictures import UptimePicture
from app.network.report import Unknown
from app.network.uptime import WINDOWS, Incident, UptimeReport, Window
from app.panoptes.panoptes import Panoptes
from wire.reply import Image

MOST_INCIDENTS = 10
USUAL: Window = "7d"
SAID: tuple[Unknown, ...] = ("history", "trend")
_WINDOWS: dict[str, Window] = {name: name for name in WINDOWS}


class Stats(ReportCommand[UptimeReport]):
    """In chat this is the location's history; `GET /stats` is about the service."""

    name = "stats"
    usage = "[3h|24h|7d]"
    summary = "how reliably the location was online"

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        if (call.words.lower() or USUAL) not in _WINDOWS:
            return refusal(words.STATS_USE, "command_usage", _windows(""))
        return await super().look(call, panoptes)

    async def fetch(self, seen: View) -> UptimeReport:
        window = _WINDOWS[seen.call.words.lower() or USUAL]
        return await seen.panoptes.reports.stats(seen.sight, seen.place, window)

    def following(self, report: UptimeReport, seen: View) -> Rows:
        return (*_windows(report.window), *rows("incidents", "status", "wan", elsewhere()))

    async def picture(self, report: UptimeReport, seen: View) -> tuple[Image, ...]:
        if report.state == "no_data":
            return ()
        return await drawn(seen, UptimePicture(report=report), uptime_alt(report))

    def word(self, report: UptimeReport, seen: View) -> str:
        parts = [wording.head(report, seen.place.customer, words.STATS_TITLES[report.window])]
        if report.state == "no_data":
            return "\n\n".join((*parts, words.STATS_NONE, wording.foot(report, SAID)))
        parts += [
            "\n".join(_figures(report)),
            _incidents(report),
            wording.foot(report, {"gaps"}),
        ]
        return "\n\n".join(parts)


def _windows(shown: str) -> Rows:
    """Return a button per window, a mark on the one that is shown."""
    return (
        tuple(
            button("stats", f"/stats {name}", f"• {label}" if name == shown else label)
            for name, label in words.STATS_BUTTONS.items()
        ),
    )


def _figures(report: UptimeReport) -> list[str]:
    lines = []
    if report.now_online is False:
        lines.append(words.NOW_ONLINE[False])
    if report.label:
        lines.append(
            words.STATS_UPTIME.format(
                icon=words.STATS_ICONS[report.label],
                uptime=wording.percent(report.uptime_percent, 2),
                label=words.STATS_LABELS[report.label],
            )
        )
    lines.append(
        words.STATS_SPLIT.format(
            online=wording.percent(report.uptime_percent),
            intermittent=wording.percent(report.intermittent_percent),
            offline=wording.percent(report.offline_percent),
        )
    )
    if report.now_online:
        lines.append(words.NOW_ONLINE[True])
    if report.trend:
        lines.append(words.STATS_TRENDS[report.trend])
    lines.append(
        words.DATA_SOME.format(
            read=report.readings,
            verdict=f"{wording.percent(report.coverage_percent, 0)} of what there should be",
        )
    )
    if report.gaps:
        lines.append(wording.gaps(report.gaps, report.zone))
    return lines


def _incidents(report: UptimeReport) -> str:
    if not report.incidents:
        return words.STATS_NO_INCIDENTS
    latest = report.incidents[::-1][:MOST_INCIDENTS]
    lines = [words.STATS_INCIDENTS.format(count=counted(len(report.incidents), "incident"))]
    lines += [_incident(each, report.zone) for each in latest]
    if (more := len(report.incidents) - MOST_INCIDENTS) > 0:
        lines.append(words.MORE_INCIDENTS.format(count=more))
    return "\n".join(lines)


def _incident(incident: Incident, zone: str) -> str:
    still = words.STATS_ONGOING if incident.ongoing else ""
    cut = "" if still or (incident.start_known and incident.end_known) else words.STATS_CUT
    return words.STATS_INCIDENT.format(
        kind=words.STATS_KINDS[incident.kind],
        start=wording.time_of(incident.start, zone),
        lasting=wording.lasting(incident.duration_s),
        open=still + cut,
    )
