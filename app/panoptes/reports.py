"""What a person may ask of a location: every look is checked and written down, then made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple, TypeVar, cast

from app.errors import PlumeBusy, PlumeTimeout, PlumeUnreachable
from app.network.check import CheckReport
from app.network.devices import DevicesReport
from app.network.incidents import IncidentsReport
from app.network.nodes import NodesReport
from app.network.report import Outdated, Report
from app.network.speed import SpeedReport
from app.network.status import StatusReport
from app.network.uptime import UptimeReport, Window
from app.network.wan import WanReport
from app.network.wifi import WifiReport
from app.panoptes import sources
from app.panoptes.access import Access, Sight
from app.plume.account import Account
from app.plume.models import WanRow
from app.plume.shelf import Shelf
from app.sessions.places import Chosen

R = TypeVar("R", bound=Report)
LAST_SECONDS: Final = 3600.0
MOST_LAST: Final = 128  # reports
AWAY: Final = (PlumeUnreachable, PlumeTimeout, PlumeBusy)


@dataclass(frozen=True, slots=True)
class Reports:
    """Each raises PlumeError where what it is about cannot be read, and never guesses.

    What only adds to a report is unknown in it where Plume does not tell. Where Plume is away, it
    is the last one of the same account, no older than an hour, and says so.
    """

    access: Access
    last: Shelf[Report] = field(default_factory=lambda: Shelf(MOST_LAST))

    async def status(self, sight: Sight, place: Chosen) -> StatusReport:
        return await self._read(sight, place, "status", sources.status)

    async def wan(self, sight: Sight, place: Chosen) -> WanReport:
        return await self._read(sight, place, "wan", sources.wan)

    async def wan_rows(self, sight: Sight, place: Chosen) -> tuple[WanRow, ...]:
        """Return what the report on the line was made of; right after it that is free."""
        where = (place.customer_id, place.location_id)
        sight.check(*where)
        return (await sight.account.wan_stats(*where)).value

    async def stats(self, sight: Sight, place: Chosen, window: Window = "7d") -> UptimeReport:
        source = partial(sources.stats, window=window)
        return await self._read(sight, place, "stats", source, window)

    async def nodes(self, sight: Sight, place: Chosen) -> NodesReport:
        return await self._read(sight, place, "nodes", sources.nodes)

    async def wifi(self, sight: Sight, place: Chosen) -> WifiReport:
        return await self._read(sight, place, "wifi", sources.wifi)

    async def devices(self, sight: Sight, place: Chosen) -> DevicesReport:
        return await self._read(sight, place, "devices", sources.devices)

    async def speed(self, sight: Sight, place: Chosen) -> SpeedReport:
        return await self._read(sight, place, "speed", sources.speed)

    async def incidents(self, sight: Sight, place: Chosen) -> IncidentsReport:
        return await self._read(sight, place, "incidents", sources.incidents)

    async def check(self, sight: Sight, place: Chosen) -> CheckReport:
        return await self._read(sight, place, "check", sources.check)

    async def _read(
        self,
        sight: Sight,
        place: Chosen,
        what: str,
        source: Callable[[Account, sources.Where], Awaitable[R]],
        part: str = "",
    ) -> R:
        """Write down who looks, before they see anything, and let them see."""
        where = (place.customer_id, place.location_id)
        sight.check(*where)
        await self.access.note(sight, what, *where)
        key = (sight.credentials, where, what, part)
        try:
            report = await source(sight.account, where)
        except AWAY as error:
            now = self.access.clock()
            last = self.last.get(key, now)
            if last is None:
                raise
            age = max(0.0, now - last.read_at.timestamp())
            outdated = Outdated(because=error.code, age=age)
            return cast("R", last.model_copy(update={"outdated": outdated}))
        self.last.put(key, report, now=self.access.clock(), seconds=LAST_SECONDS, size=1)
        return report


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
