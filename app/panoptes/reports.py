"""From a location to a report: the calls that it needs, all at once, and what they mean."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from app.errors import PlumeError, PlumeSignInRefused
from app.network.report import Report
from app.network.status import StatusReport, location_status
from app.network.uptime import WINDOWS, UptimeReport, Window, online_history
from app.network.wan import WanReport, wan_use
from app.panoptes.access import Access, Sight
from app.plume.models import Read
from app.sessions.places import Chosen

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reports:
    """Each raises PlumeError where what it is about cannot be read, and never guesses.

    What only adds to a report is unknown in it where Plume does not tell.
    """

    access: Access

    async def status(self, sight: Sight, place: Chosen) -> StatusReport:
        where = await self._look(sight, place, "status")
        location, nodes = await asyncio.gather(
            sight.account.location(*where), sight.account.nodes(*where)
        )
        return location_status(location.value, nodes.value, _read_at(location, nodes))

    async def wan(self, sight: Sight, place: Chosen) -> WanReport:
        where = await self._look(sight, place, "wan")
        fullness = _if_told(sight.account.saturation(*where))
        location, rows, saturation = await asyncio.gather(
            sight.account.location(*where), sight.account.wan_stats(*where), fullness
        )
        return wan_use(location.value, rows.value, _read_at(location, rows), saturation=saturation)

    async def stats(self, sight: Sight, place: Chosen, window: Window = "7d") -> UptimeReport:
        where = await self._look(sight, place, "stats")
        hours = round(WINDOWS[window].total_seconds() / 3600)
        location, samples = await asyncio.gather(
            sight.account.location(*where), sight.account.online_stats(*where, hours=hours)
        )
        return online_history(location.value, samples.value, _read_at(location, samples), window)

    async def _look(self, sight: Sight, place: Chosen, what: str) -> tuple[str, str]:
        """Write down who looks, before they see anything."""
        where = (place.customer_id, place.location_id)
        sight.check(*where)
        await self.access.note(sight, what, *where)
        return where


async def _if_told(asked: Coroutine[Any, Any, Read[T]]) -> T | None:
    try:
        return (await asked).value
    except PlumeSignInRefused:
        raise
    except PlumeError:
        return None


def _read_at(*reads: Read[Any]) -> datetime:
    """Return when the oldest of some answers was read."""
    return min(read.at for read in reads)


class Offer(NamedTuple):
    """A report that can be asked for by name."""

    summary: str
    model: type[Report]
    ask: Callable[[Reports, Sight, Chosen], Awaitable[Report]]


REPORTS: Mapping[str, Offer] = {
    "status": Offer("How a location is", StatusReport, Reports.status),
    "wan": Offer("How hard its line worked in the last day", WanReport, Reports.wan),
    "stats": Offer("How reliably it was online in the last week", UptimeReport, Reports.stats),
}
