from app import texts, words
from app.commands.networks import wording
from app.commands.networks.base import Rows, counted, elsewhere, rows
from app.commands.networks.paging import Page, asked, page_of
from app.commands.networks.reading import ReportCommand, View
from app.network.incidents import Event, IncidentsReport
from app.network.report import Report

PER_PAGE = 25  # events, a line each


class Incidents(ReportCommand[IncidentsReport]):
    name = "incidents"
    summary = "outages and restarts of the last week, and why"

    async def fetch(self, seen: View) -> IncidentsReport:
        return await seen.panoptes.reports.incidents(seen.sight, seen.place)

    def following(self, report: IncidentsReport, seen: View) -> Rows:
        page = self._page(report, seen)
        refresh = self.refresh(f"page {page.number}" if page.last > 1 else "")
        return (*page.turns, *rows(refresh, "stats", "check", "nodes", "status", elsewhere()))

    def word(self, report: IncidentsReport, seen: View) -> str:
        parts = [wording.head(report, seen.place.customer, words.INCIDENTS_TITLE)]
        if report.events:
            page = self._page(report, seen)
            parts.append("\n".join(_counts(report)))
            parts.append("\n".join(_event(event, report) for event in page.items))
            if page.last > 1:
                parts.append(words.LIST_PAGE.format(page=page.number, last=page.last))
        else:
            missing = {"outages", "reboots", "history", "gaps"} & set(report.unknown)
            parts.append(words.INCIDENTS_NONE_KNOWN if missing else words.INCIDENTS_NONE)
        parts.append(wording.foot(report))
        return "\n\n".join(parts)

    def _page(self, report: IncidentsReport, seen: View) -> Page[Event]:
        return page_of(report.events, asked(seen.call.words).page, f"/{self.name}", PER_PAGE)


def _counts(report: IncidentsReport) -> list[str]:
    unsteady = sum(event.kind == "intermittent" for event in report.events)
    reboots = sum(event.kind == "reboot" for event in report.events)
    lines = []
    if report.outages:
        lasting = wording.lasting(report.outage_s)
        count = counted(report.outages, "outage")
        lines.append(words.INCIDENTS_OUTAGES.format(count=count, lasting=lasting))
    if unsteady:
        lines.append(words.INCIDENTS_UNSTEADY.format(count=counted(unsteady, "unsteady time")))
    if reboots:
        lines.append(words.INCIDENTS_REBOOTS.format(count=counted(reboots, "restart")))
    lines += (
        words.INCIDENTS_MANY.format(pod=wording.pod(pod.pod), count=pod.count)
        for pod in report.reboots
        if pod.is_many
    )
    return lines


def _event(event: Event, report: Report) -> str:
    because = reason(event)
    if event.kind == "outage" and event.pod is not None:
        because = words.REASON_OUTAGE + because
    return words.EVENTS[event.kind].format(
        start=wording.time_of(event.start, report.zone),
        lasting=wording.lasting(event.duration_s),
        open=words.STATS_ONGOING if event.ongoing else "",
        pod=wording.pod(event.pod),
        reason=because,
    )


def reason(event: Event) -> str:
    """Return in words why something happened, empty where nobody knows."""
    return because(event.reason, event.reason_word)


def because(kind: str | None, word: str | None) -> str:
    said = words.REASONS.get(kind or "")
    if said is None and kind == "other" and word:
        said = texts.code(word)
    return words.REASON.format(reason=said) if said else ""
