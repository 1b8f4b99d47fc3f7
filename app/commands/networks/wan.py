from app import words
from app.commands.networks import wording
from app.commands.networks.base import Rows, elsewhere, rows
from app.commands.networks.reading import ReportCommand, View, drawn
from app.network.captions import wan_alt
from app.network.pictures import WanPicture
from app.network.report import Unknown
from app.network.traffic import BusyHour, Direction
from app.network.wan import WanReport
from wire.reply import Image

SAID: tuple[Unknown, ...] = ("spacing", "download", "upload", "line_speed", "gaps")


class Wan(ReportCommand[WanReport]):
    name = "wan"
    summary = "how hard the internet line worked in the last day"

    async def fetch(self, seen: View) -> WanReport:
        return await seen.panoptes.reports.wan(seen.sight, seen.place)

    def following(self, report: WanReport, seen: View) -> Rows:
        return rows(self.refresh(), "stats", "speed", "devices", "status", elsewhere())

    async def picture(self, report: WanReport, seen: View) -> tuple[Image, ...]:
        if report.state == "no_data" or report.outdated:
            return ()
        found = await seen.panoptes.reports.wan_rows(seen.sight, seen.place)
        return await drawn(seen, WanPicture(report=report, rows=found), wan_alt(report))

    def word(self, report: WanReport, seen: View) -> str:
        parts = [wording.head(report, seen.place.customer, words.WAN_TITLE)]
        if report.state == "no_data":
            return "\n\n".join((*parts, words.WAN_NONE, wording.foot(report, SAID)))
        parts += _verdict(report)
        for title, way in ((words.WAN_DOWN, report.down), (words.WAN_UP, report.up)):
            parts.append("\n".join((title, *_direction(way, report.zone))))
        hours = [("down", hour) for hour in report.down.busiest]
        hours += [("up", hour) for hour in report.up.busiest]
        if hours:
            lines = (_busy(way, hour, report.zone) for way, hour in hours)
            parts.append("\n".join((words.WAN_BUSY_HEAD, *lines)))
        parts += [_data(report), wording.foot(report, {"gaps"})]
        return "\n\n".join(parts)


def _verdict(report: WanReport) -> list[str]:
    """Return whether the line is too small or silent, nothing where nobody can tell."""
    last = report.gaps[-1] if report.gaps else None
    if last is not None and last.end >= report.window.end:
        return [words.WAN_SILENT.format(since=wording.since(last.start, report.zone, last.end))]
    ways = {"down": report.down.fullness, "up": report.up.fullness}
    for worst in ("full", "busy"):
        found = [words.WAN_DIRECTIONS[way] for way, fullness in ways.items() if fullness == worst]
        if found:
            return [words.WAN_VERDICTS[worst].format(ways=wording.listed(found))]
    sure = None not in ways.values() and report.quality in {"excellent", "good"}
    return [words.WAN_VERDICTS["free"]] if sure else []


def _direction(way: Direction, zone: str) -> list[str]:
    share = wording.percent(way.peak_of_line_percent, 0)
    lines = [
        words.WAN_PEAK.format(
            peak=wording.mbps(way.peak_mbps), time=wording.time_of(way.peak_at, zone)
        ),
        words.WAN_AVERAGE.format(average=wording.mbps(way.average_mbps)),
        words.WAN_P95.format(p95=wording.mbps(way.p95_mbps)),
        words.WAN_TOTAL.format(total=wording.gigabytes(way.total_mbytes)),
    ]
    if way.line_mbps is not None:
        lines.append(words.WAN_LINE.format(line=wording.mbps(way.line_mbps), share=share))
    return lines


def _busy(way: str, hour: BusyHour, zone: str) -> str:
    return words.WAN_BUSY.format(
        hour=wording.span(hour.span, zone),
        mean=wording.mbps(hour.mean_mbps),
        way=words.WAN_WAYS[way],
        level=words.BUSY_LEVELS[hour.level],
    )


def _data(report: WanReport) -> str:
    verdict = words.QUALITIES[report.quality or "none"]
    if report.expected_rows is None:
        text = words.DATA_SOME.format(read=report.rows, verdict=verdict)
    else:
        text = words.DATA.format(share=wording.percent(report.quality_percent, 0), verdict=verdict)
    lines = [text]
    if report.first_at and report.last_at:
        first, last = (wording.time_of(at, report.zone) for at in (report.first_at, report.last_at))
        lines.append(words.DATA_SPAN.format(first=first, last=last))
    if report.gaps:
        lines.append(wording.gaps(report.gaps, report.zone))
    return "\n".join(lines)
