"""Starting a speed test: it fills the line, so it is asked for, and not everybody may."""

import asyncio
from typing import Literal

from app.errors import PlumeError
from app.network.status import level_of
from app.panoptes.access import Access, Sight
from app.panoptes.sources import gateway_of, if_told
from app.plume.models import Capability
from app.sessions.places import Chosen

CAPABILITY = "ispSpeedTest"
# Why no test can run. Whoever looks through another's sign-in only looks.
Hindrance = Literal["granted", "service_off", "not_offered", "no_gateway", "gateway_down"]


async def readiness(sight: Sight, place: Chosen) -> tuple[str, Hindrance | None]:
    """Return the gateway that would measure, and what keeps it from it. Nothing is changed.

    Raises:
        PlumeError: the location or its nodes cannot be read.
    """
    if not sight.own:
        return "", "granted"
    where = (place.customer_id, place.location_id)
    sight.check(*where)
    location, nodes, offered = await asyncio.gather(
        sight.account.location(*where), sight.account.nodes(*where), _offered(sight, *where)
    )
    gateway = gateway_of(nodes.value, nodes.at)
    connected = next((node.connected for node in nodes.value if node.key == gateway), None)
    hindrances: tuple[tuple[Hindrance, bool], ...] = (
        ("service_off", level_of(location.value) == "none"),
        ("no_gateway", gateway is None),
        ("gateway_down", connected is False),
        ("not_offered", not offered),
    )
    return gateway or "", next((name for name, found in hindrances if found), None)


async def testable(sight: Sight, place: Chosen) -> bool:
    """Tell whether a test could be started now, as far as can be read."""
    try:
        _, hindrance = await readiness(sight, place)
    except PlumeError:
        return False
    return hindrance is None


async def start(access: Access, sight: Sight, place: Chosen, gateway: str) -> None:
    """Start a test. It is written down first: after an error it may run nevertheless.

    Raises:
        PlumeError: see `Account.start_speed_test`.
    """
    where = (place.customer_id, place.location_id)
    sight.check(*where)
    await access.note(sight, "started a speed test", *where)
    account = sight.account
    await account.start_speed_test(*where, gateway)
    # What was read before says nothing of the test; what is read now stands in its place.
    again = (account.location(*where, fresh=True), account.nodes(*where, fresh=True))
    await asyncio.gather(*map(if_told, again))


async def _offered(sight: Sight, customer: str, location: str) -> bool:
    """Tell whether tests are offered there; where nobody says, Plume itself will refuse."""
    found = await if_told(sight.account.capabilities(customer, location))
    return found is None or found.value.get(CAPABILITY, Capability()).disabled is not True
