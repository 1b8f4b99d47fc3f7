"""Locations as lists show them: a name and how it is, at a glance."""

import asyncio
from dataclasses import dataclass

from app.errors import PlumeNotFound
from app.network.status import State, location_glance
from app.panoptes.access import Sight
from app.plume.models import Location


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    name: str
    state: State


async def sites_of(sight: Sight, customer: str) -> list[Site]:
    """Return the locations of a customer that may be seen, in Plume's order.

    Raises:
        PlumeError: see `app.errors`.
    """
    found = (await sight.account.locations(customer)).value
    return [
        _site(each)
        for each in found
        if each.id is not None and sight.scope.covers(customer, each.id)
    ]


async def site(sight: Sight, customer: str, location: str) -> tuple[Site, str]:
    """Return a location and the name of its customer.

    Raises:
        PlumeNotFound: the customer has no such location, whatever Plume says of its id.
    """
    read, owner = await asyncio.gather(
        sight.account.location(customer, location), sight.account.customer(customer)
    )
    if read.value.id not in {None, location}:
        raise PlumeNotFound
    found = read.value.model_copy(update={"id": location})
    return _site(found), owner.value.name or ""


def _site(location: Location) -> Site:
    return Site(location.id or "", location.name or "", location_glance(location).state)
