"""The calls that each report is made of, all at once, and what they mean together.

Calls that are equal at the same time are one (see `app.plume.flights`), so that reports may be
joined without thought of who asked for a location first.
"""

import asyncio
from collections.abc import Awaitable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

from app.errors import PlumeError, PlumeSignInRefused
from app.network import check as joined
from app.network.devices import DevicesReport, devices_by_pod
from app.network.health import pods_of
from app.network.incidents import IncidentsReport, location_incidents
from app.network.nodes import NodesReport, node_details
from app.network.speed import SpeedReport, speed_tests
from app.network.status import StatusReport, location_status
from app.network.uptime import WINDOWS, UptimeReport, Window, online_history
from app.network.wan import WanReport, wan_use
from app.network.wifi import WifiReport, wifi_networks
from app.plume.account import Account
from app.plume.models import Node, OnlineSample, Read, SpeedHistory

T = TypeVar("T")
Where = tuple[str, str]  # customer, location
DAYS_OF_INCIDENTS = 7


async def status(account: Account, where: Where) -> StatusReport:
    location, nodes = await asyncio.gather(account.location(*where), account.nodes(*where))
    return location_status(location.value, nodes.value, _read_at(location, nodes))


async def nodes(account: Account, where: Where) -> NodesReport:
    location, found = await asyncio.gather(account.location(*where), account.nodes(*where))
    return node_details(location.value, found.value, _read_at(location, found))


async def wan(account: Account, where: Where) -> WanReport:
    location, rows, saturation = await asyncio.gather(
        account.location(*where), account.wan_stats(*where), if_told(account.saturation(*where))
    )
    read_at = _read_at(location, rows, saturation)
    return wan_use(location.value, rows.value, read_at, saturation=_value(saturation))


async def stats(account: Account, where: Where, window: Window) -> UptimeReport:
    location, samples = await asyncio.gather(
        account.location(*where), _samples(account, where, window)
    )
    return online_history(location.value, samples.value, _read_at(location, samples), window)


async def wifi(account: Account, where: Where) -> WifiReport:
    location, found = await asyncio.gather(account.location(*where), account.wifi_networks(*where))
    return wifi_networks(location.value, found.value, _read_at(location, found))


async def devices(account: Account, where: Where) -> DevicesReport:
    location, found, pods, quality = await asyncio.gather(
        account.location(*where),
        account.devices(*where),
        if_told(account.nodes(*where)),
        if_told(account.quality(where[1])),
    )
    return devices_by_pod(
        location.value,
        found.value,
        _read_at(location, found, pods, quality),
        nodes=_value(pods),
        quality=_value(quality),
    )


async def speed(account: Account, where: Where) -> SpeedReport:
    location, (pods, history) = await asyncio.gather(
        account.location(*where), _tests(account, where)
    )
    read_at = _read_at(location, pods, history)
    return speed_tests(location.value, _value(pods), _value(history), read_at)


async def incidents(account: Account, where: Where) -> IncidentsReport:
    location, pods, (outages, reboots, samples) = await asyncio.gather(
        account.location(*where),
        if_told(account.nodes(*where)),
        _some(
            account.outages(*where, days=DAYS_OF_INCIDENTS),
            account.reboots(*where, days=DAYS_OF_INCIDENTS),
            _samples(account, where, "7d"),
        ),
    )
    read_at = _read_at(location, pods, outages, reboots, samples)
    return location_incidents(
        location.value,
        read_at,
        outages=_value(outages),
        reboots=_value(reboots),
        uptime=online_history(location.value, samples.value, read_at, "7d") if samples else None,
        nodes=_value(pods),
    )


async def check(account: Account, where: Where) -> joined.CheckReport:
    location, reports = await asyncio.gather(
        account.location(*where),
        _some(
            status(account, where),
            wan(account, where),
            stats(account, where, "7d"),
            wifi(account, where),
            devices(account, where),
            speed(account, where),
            incidents(account, where),
        ),
    )
    names = ("status", "wan", "uptime", "wifi", "devices", "speed", "incidents")
    read_at = min((report.read_at for report in reports if report), default=location.at)
    return joined.check(location.value, read_at, **dict(zip(names, reports, strict=True)))


def gateway_of(nodes: tuple[Node, ...], now: datetime) -> str | None:
    """Return the serial number of the gateway, one that is connected if there are several."""
    found = [pod for pod in pods_of(nodes, now) if pod.role == "gateway" and pod.id]
    return min(found, key=lambda pod: pod.connected is not True).id if found else None


def _samples(
    account: Account, where: Where, window: Window
) -> Coroutine[Any, Any, Read[tuple[OnlineSample, ...]]]:
    hours = round(WINDOWS[window].total_seconds() / 3600)
    return account.online_stats(*where, hours=hours)


async def _tests(
    account: Account, where: Where
) -> tuple[Read[tuple[Node, ...]] | None, Read[SpeedHistory] | None]:
    """Return the nodes, and the speed tests of the one among them that is the gateway."""
    pods = await if_told(account.nodes(*where))
    gateway = gateway_of(pods.value, pods.at) if pods else None
    if gateway is None:
        return pods, None
    return pods, await if_told(account.speed_history(*where, gateway))


async def if_told(asked: Awaitable[T]) -> T | None:
    """Return what only adds to a report, None where Plume does not tell."""
    try:
        return await asked
    except PlumeSignInRefused:
        raise
    except PlumeError:
        return None


async def _some(*asked: Awaitable[Any]) -> list[Any]:
    """Return what of several parts could be read, None for each other.

    Raises:
        PlumeError: none of them could be read, and this is why the first could not.
    """
    found = await asyncio.gather(*asked, return_exceptions=True)
    failed = [each for each in found if isinstance(each, BaseException)]
    for error in failed:
        if isinstance(error, PlumeSignInRefused) or not isinstance(error, PlumeError):
            raise error
    if len(failed) == len(found):
        raise failed[0]
    return [None if isinstance(each, PlumeError) else each for each in found]


def _value(read: Read[T] | None) -> T | None:
    return None if read is None else read.value


def _read_at(*reads: Read[Any] | None) -> datetime:
    """Return when the oldest of some answers was read."""
    return min(read.at for read in reads if read is not None)
