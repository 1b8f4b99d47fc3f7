"""What was: the reports of one location."""

from datetime import datetime, timedelta
from typing import Final, Literal

from app.errors import PlumeNotFound, PlumeNotOffered, PlumeNotYours
from app.plume import parse
from app.plume.desk import Desk
from app.plume.ids import checked_id, checked_serial, place_path
from app.plume.models import (
    OnlineSample,
    Outage,
    Quality,
    Read,
    Reboot,
    Saturation,
    SpeedHistory,
    WanRow,
)

Period = Literal["daily", "weekly", "monthly"]
_DAY: Final = 24  # hours
_MONTH: Final = 31  # days
_QUALITY: Final = "gateway_qoe"
_MOST_REBOOTS: Final = 500


class History(Desk):
    """See `Account`. Nothing of what comes back is in a promised order."""

    async def wan_stats(
        self, customer: str, location: str, period: Period = "daily", *, fresh: bool = False
    ) -> Read[tuple[WanRow, ...]]:
        """Return the traffic of the last 24 hours, 7 days or 30 days; none where nobody measured.

        Of a day a row is 15 minutes, else whatever Plume takes. In Plume's order.

        Source: GET reports/Customers/{id}/locations/{id}/wanStats?period=
        """
        path = f"{place_path(customer, location)}/wanStats"
        return await self._report(
            "wan_stats", parse.wan_rows, path, subject=location, fresh=fresh, period=period
        )

    async def online_stats(
        self, customer: str, location: str, hours: int = 168, *, fresh: bool = False
    ) -> Read[tuple[OnlineSample, ...]]:
        """Return whether the location was online, a sample each 15 minutes in Plume's order.

        Source: GET reports/Customers/{id}/locations/{id}/onlineStats?granularity=&limit=
        """
        days = hours > _DAY and hours % _DAY == 0
        return await self._report(
            "online_stats",
            parse.online,
            f"{place_path(customer, location)}/onlineStats",
            subject=location,
            fresh=fresh,
            granularity="days" if days else "hours",
            limit=hours // _DAY if days else hours,
        )

    async def speed_history(
        self, customer: str, location: str, node: str, days: int = 30, *, fresh: bool = False
    ) -> Read[SpeedHistory]:
        """Return the speed tests of a node, which is the gateway.

        Source: GET reports/Customers/{id}/locations/{id}/nodes/{serial}/results
        """
        return await self._report(
            "speed_history",
            parse.speeds,
            f"{place_path(customer, location)}/nodes/{checked_serial(node)}/results",
            subject=location,
            fresh=fresh,
            granularity="days",
            limit=days,
            showFailedSpeedTests=True,
        )

    async def reboots(
        self, customer: str, location: str, days: int = 7, *, fresh: bool = False
    ) -> Read[tuple[Reboot, ...]]:
        """Return when nodes started anew and why.

        Source: GET reports/Customers/{id}/locations/{id}/reboots
        """
        end = self._asker.minute()
        return await self._report(
            "reboots",
            parse.reboots,
            f"{place_path(customer, location)}/reboots",
            subject=location,
            fresh=fresh,
            startAt=_iso(end - timedelta(days=days)),
            endAt=_iso(end),
            limit=_MOST_REBOOTS,
        )

    async def outages(
        self, customer: str, location: str, days: int = 30, *, fresh: bool = False
    ) -> Read[tuple[Outage, ...]]:
        """Return when the line was down.

        Source: GET reports/Customers/{id}/locations/{id}/networkOutages/stats
        """
        end = self._asker.minute()
        return await self._report(
            "outages",
            parse.outages,
            f"{place_path(customer, location)}/networkOutages/stats",
            subject=location,
            fresh=fresh,
            startTimestamp=_milliseconds(end - timedelta(days=days)),
            endTimestamp=_milliseconds(end),
            type="monthly" if days <= _MONTH else "yearly",
        )

    async def saturation(
        self, customer: str, location: str, *, fresh: bool = False
    ) -> Read[Saturation]:
        """Return how full the line was at most in the last 24 hours, percent of its speed.

        Source: GET reports/Customers/{id}/locations/{id}/wanSaturation
        """
        path = f"{place_path(customer, location)}/wanSaturation"
        return await self._report(
            "saturation", parse.saturation, path, subject=location, fresh=fresh
        )

    async def quality(self, location: str, *, fresh: bool = False) -> Read[Quality]:
        """Return the radio links of pods and devices in the last minute.

        `PlumeNotOffered` where this sign-in may not ask for it, which is found out once.

        Source: GET reports/gateway/locations/{id}/qoe
        """
        path = f"gateway/locations/{checked_id(location)}/qoe"
        mine = self._credentials.fingerprint
        offers = self._asker.offers
        if offers.refuses(mine, _QUALITY):
            raise PlumeNotOffered(cause="not_offered")
        try:
            found = await self._report(
                "quality", parse.quality, path, subject=location, fresh=fresh
            )
        except (PlumeNotYours, PlumeNotFound, PlumeNotOffered):
            offers.was_refused(mine, _QUALITY)
        else:
            offers.was_had(mine, _QUALITY)
            return found
        raise PlumeNotOffered(cause="not_offered")


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
