from app import texts, words
from app.commands.networks import wording
from app.commands.networks.base import Rows, counted, elsewhere, rows
from app.commands.networks.paging import Page, asked, page_of
from app.commands.networks.reading import ReportCommand, View
from app.network.wifi import WifiReport, WifiStatus

PER_PAGE = 40  # networks, a line each


class Wifi(ReportCommand[WifiReport]):
    name = "wifi"
    summary = "the WiFi networks and how they are secured"

    async def fetch(self, seen: View) -> WifiReport:
        return await seen.panoptes.reports.wifi(seen.sight, seen.place)

    def following(self, report: WifiReport, seen: View) -> Rows:
        page = self._page(report, seen)
        refresh = self.refresh(f"page {page.number}" if page.last > 1 else "")
        return (*page.turns, *rows(refresh, "devices", "nodes", "check", "status", elsewhere()))

    def word(self, report: WifiReport, seen: View) -> str:
        parts = [wording.head(report, seen.place.customer, words.WIFI_TITLE)]
        if report.service_level == "none":
            parts.append(words.WIFI_OFF)
        if report.state == "none":
            parts.append(words.WIFI_NONE)
        if report.networks:
            page = self._page(report, seen)
            parts.append("\n".join([_counts(report), *map(_network, page.items)]))
            if page.last > 1:
                parts.append(words.LIST_PAGE.format(page=page.number, last=page.last))
        parts.append(wording.foot(report))
        return "\n\n".join(parts)

    def _page(self, report: WifiReport, seen: View) -> Page[WifiStatus]:
        return page_of(report.networks, asked(seen.call.words).page, f"/{self.name}", PER_PAGE)


def _counts(report: WifiReport) -> str:
    on = sum(network.state == "on" for network in report.networks)
    return words.WIFI_COUNTS.format(on=on, networks=counted(len(report.networks), "network"))


def _network(network: WifiStatus) -> str:
    ssid = network.ssid or ""
    return words.WIFI_LINE.format(
        icon=words.WIFI_ICONS[network.state],
        # People copy it from here, and it is never anything but a name.
        name=wording.exact(ssid) if texts.flat(ssid) else words.WIFI_UNNAMED,
        state=words.WIFI_STATES[network.state],
        security=_security(network),
        hidden=words.WIFI_HIDDEN if network.is_hidden else "",
    )


def _security(network: WifiStatus) -> str:
    if network.security == "unknown" and network.security_word:
        return words.SECURITY_WORD.format(word=texts.code(network.security_word))
    return words.SECURITY[network.security]
