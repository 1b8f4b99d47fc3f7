"""What a person may ask of a location: every look is checked and written down, then made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from app.network.check import CheckReport
from app.network.devices import DevicesReport
from app.network.incidents import IncidentsReport
from app.network.nodes import NodesReport
from app.network.report import Report
from app.network.speed import SpeedReport
from app.network.status import StatusReport
from app.network.uptime import UptimeReport, Window
from app.network.wan import WanReport
from app.network.wifi import WifiReport
from app.panoptes import sources
from app.panoptes.access import Access, Sight
from app.plume.models import WanRow
from app.sessions.places import Chosen


@dataclass(frozen=True, slots=True)
class Reports:
    """Each raises PlumeError where what it is about cannot be read, and never guesses.

    What only adds to a report is unknown in it where Plume does not tell.
    """

    access: Access

    async def status(self, sight: Sight, place: Chosen) -> StatusReport:
        return await sources.status(sight.account, await self._look(sight, place, "status"))

    async def wan(self, sight: Sight, place: Chosen) -> WanReport:
        return await sources.wan(sight.account, await self._look(sight, place, "wan"))

    async def wan_rows(self, sight: Sight, place: Chosen) -> tuple[WanRow, ...]:
        """Return what the report on the line was made of; right after it that is free."""
        where = (place.customer_id, place.location_id)
        sight.check(*where)
        return (await sight.account.wan_stats(*where)).value

    async def stats(self, sight: Sight, place: Chosen, window: Window = "7d") -> UptimeReport:
        where = await self._look(sight, place, "stats")
        return await sources.stats(sight.account, where, window)

    async def nodes(self, sight: Sight, place: Chosen) -> NodesReport:
        return await sources.nodes(sight.account, await self._look(sight, place, "nodes"))

    async def wifi(self, sight: Sight, place: Chosen) -> WifiReport:
        return await sources.wifi(sight.account, await self._look(sight, place, "wifi"))

    async def devices(self, sight: Sight, place: Chosen) -> DevicesReport:
        return await sources.devices(sight.account, await self._look(sight, place, "devices"))

    async def speed(self, sight: Sight, place: Chosen) -> SpeedReport:
        return await sources.speed(sight.account, await self._look(sight, place, "speed"))

    async def incidents(self, sight: Sight, place: Chosen) -> IncidentsReport:
        return await sources.incidents(sight.account, await self._look(sight, place, "incidents"))

    async def check(self, sight: Sight, place: Chosen) -> CheckReport:
        return await sources.check(sight.account, await self._look(sight, place, "check"))

    async def _look(self, sight: Sight, place: Chosen, what: str) -> sources.Where:
        """Write down who looks, before they see anything."""
        where = (place.customer_id, place.location_id)
        sight.check(*where)
        await self.access.note(sight, what, *where)
        return where


class Offer(NamedTuple):
    """A report that can be asked for by name."""

    summary: str
    model: type[Report]
    ask: Callable[[Reports, Sight, Chosen], Awaitable[Report]]


REPORTS: Mapping[str, Offer] = {
    "status": Offer("How a location is", StatusReport, Reports.status),
    "wan": Offer("How hard its line worked in the last day", WanReport, Reports.wan),
    "stats": Offer("How reliably it was online in the last week", UptimeReport, Reports.stats),
    "nodes": Offer("Its gateway and its pods", NodesReport, Reports.nodes),
    "wifi": Offer("Its WiFi networks", WifiReport, Reports.wifi),
    "devices": Offer("Who is on which pod, and how well", DevicesReport, Reports.devices),
    "speed": Offer("The speed tests of its line", SpeedReport, Reports.speed),
    "incidents": Offer("What went wrong in the last week", IncidentsReport, Reports.incidents),
    "check": Offer("All of it, the likely cause first", CheckReport, Reports.check),
}
