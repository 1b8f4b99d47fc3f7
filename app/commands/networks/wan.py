from app import words
from app.commands.base import Call
from app.commands.networks import wording
from app.commands.networks.base import Rows, rows
from app.commands.networks.reading import ReportCommand
from app.network.report import Span
from app.network.traffic import BusyHour, Direction
from app.network.wan import WanReport
from app.panoptes.access import Sight
from app.panoptes.panoptes import Panoptes
from app.sessions.places import Chosen

MOST_GAPS = 5


class Wan(ReportCommand[WanReport]):
    name = "wan"
    summary = "how hard the internet line worked in the last day"

    async def fetch(self, call: Call, panoptes: Panoptes, sight: Sight, place: Chosen) -> WanReport:
        return await panoptes.reports.wan(sight, place)

    def following(self, report: WanReport) -> Rows:
        return rows("wan", "stats", "status", "speed", "locations")

    def word(self, report: WanReport, customer: str) -> str:
        parts = [wording.head(report, customer, words.WAN_TITLE)]
        if report.state == "no_data":
            return "\n\n".join((*parts, words.WAN_NONE, wording.foot(report)))
        for title, way in ((words.WAN_DOWN, report.down), (words.WAN_UP, report.up)):
            parts.append("\n".join((title, *_direction(way, report.zone))))
        hours = [("down", hour) for hour in report.down.busiest]
        hours += [("up", hour) for hour in report.up.busiest]
        if hours:
            lines = (_busy(way, hour, report.zone) for way, hour in hours)
            parts.append("\n".join((words.WAN_BUSY_HEAD, *lines)))
        parts += [_data(report), wording.foot(report)]
        return "\n\n".join(parts)


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
    full = words.WAN_FULL[way.fullness] if way.fullness else ""
    return [*lines, full] if full else lines


def _busy(way: str, hour: BusyHour, zone: str) -> str:
    return words.WAN_BUSY.format(
        start=wording.time_of(hour.span.start, zone),
        end=wording.clock_of(hour.span.end, zone),
        mean=wording.mbps(hour.mean_mbps),
        way=words.WAN_WAYS[way],
        level=words.BUSY_LEVELS[hour.level],
    )


def _data(report: WanReport) -> str:
    verdict = words.QUALITIES[report.quality or "none"]
    if report.expected_rows is None:
        text = words.DATA_SOME.format(read=report.rows, verdict=verdict)
    else:
        text = words.DATA.format(read=report.rows, expected=report.expected_rows, verdict=verdict)
    lines = [text]
    if report.first_at and report.last_at:
        first, last = (wording.time_of(at, report.zone) for at in (report.first_at, report.last_at))
        lines.append(words.DATA_SPAN.format(first=first, last=last))
    if report.gaps:
        lines.append(gaps(report.gaps, report.zone))
    return "\n".join(lines)


def gaps(spans: tuple[Span, ...], zone: str) -> str:
    """Return when nothing was read."""
    shown = ", ".join(
        f"{wording.time_of(span.start, zone)} to {wording.time_of(span.end, zone)}"
        for span in spans[:MOST_GAPS]
    )
    more = len(spans) - MOST_GAPS
    return words.GAPS.format(gaps=shown + (words.GAPS_MORE.format(count=more) if more > 0 else ""))
