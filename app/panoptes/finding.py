"""Finding a customer by what somebody on the phone can say."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass

from app.errors import PlumeNotFound, PlumeNotYours
from app.panoptes.access import Sight
from app.plume.finding import Field
from app.plume.models import Customer

HEX_ID = re.compile(r"[0-9a-fA-F]{24}")
SERIAL = re.compile(r"[A-Za-z0-9]{6,32}")
MOST_HITS = 100
LONGEST_WORDS = 128


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer, or one of their locations where the words named that."""

    customer_id: str
    customer: str = ""
    account: str = ""
    contact: str = ""
    location_id: str | None = None
    location: str = ""


async def find(sight: Sight, words: str) -> list[Hit]:
    """Return who or what `words` name, of what the person may see; the surest way first.

    An id, an e-mail address, the serial number of a pod, an account number, a service number,
    and at last the beginning of a name. The first way that finds something ends the search.

    Raises:
        PlumeError: but for "there is none", which is an answer.
    """
    words = " ".join(words.split())[:LONGEST_WORDS]
    async for hits in _ways(sight, words):
        if seen := await _seen(sight, hits):
            return list(dict.fromkeys(seen))[:MOST_HITS]
    return []


async def _ways(sight: Sight, words: str) -> AsyncIterator[Sequence[Hit]]:
    if not words:
        return
    if HEX_ID.fullmatch(words):
        yield await _none_if_unknown(_customer(sight, words.lower()))
        yield await _none_if_unknown(_location(sight, words.lower()))
        return
    if "@" in words:
        yield await _search(sight, words, "email")
        return
    # They exclude each other nearly always, so asking all at once costs no more than the name.
    ways = [_search(sight, words, "accountId", exact=True), _location(sight, words)]
    if SERIAL.fullmatch(words) and any(char.isdigit() for char in words):
        ways.insert(0, _node(sight, words))
    for hits in await asyncio.gather(*map(_none_if_unknown, ways)):
        yield hits
    yield await _search(sight, words, "name")


async def _customer(sight: Sight, number: str) -> Sequence[Hit]:
    return [hit] if (hit := _hit((await sight.account.customer(number)).value)) else []


async def _location(sight: Sight, number: str) -> Sequence[Hit]:
    found = (await sight.account.location_owner(number)).value
    if found.id is None or found.customer is None or (owner := _hit(found.customer)) is None:
        return []
    return [_at(owner, found.id, found.name)]


async def _node(sight: Sight, serial: str) -> Sequence[Hit]:
    found = (await sight.account.node_owner(serial.upper())).value
    if found.customer_id is None or found.location_id is None:
        return []
    owner = _hit((await sight.account.customer(found.customer_id)).value)
    return [_at(owner or Hit(found.customer_id), found.location_id, None)]


async def _search(sight: Sight, words: str, field: Field, *, exact: bool = False) -> Sequence[Hit]:
    found = (await sight.account.search(words, field, exact=exact, limit=MOST_HITS)).value
    return [hit for customer in found if (hit := _hit(customer)) is not None]


async def _none_if_unknown(way: Awaitable[Sequence[Hit]]) -> Sequence[Hit]:
    try:
        return await way
    except (PlumeNotFound, PlumeNotYours):
        return []


async def _seen(sight: Sight, hits: Sequence[Hit]) -> list[Hit]:
    """Leave out what may not be seen. Of a customer, one location is enough."""
    scope = sight.scope
    customers = {hit.customer_id for hit in hits if hit.location_id is None}
    owners = set[str]()
    if not all(map(scope.covers, customers)):
        owners = await _owners(sight)
    return [
        hit
        for hit in hits
        if scope.covers(hit.customer_id, hit.location_id)
        or (hit.location_id is None and hit.customer_id in owners)
    ]


async def _owners(sight: Sight) -> set[str]:
    """Return whose the granted locations are: they are fewer than what a search finds."""
    granted = sorted(sight.scope.locations or ())
    found = await asyncio.gather(
        *(_none_if_unknown(_location(sight, number)) for number in granted)
    )
    return {hit.customer_id for hits in found for hit in hits}


def _hit(customer: Customer) -> Hit | None:
    if customer.id is None:
        return None
    account, contact = customer.account_id or "", customer.contact or ""
    return Hit(customer.id, customer.name or "", account, contact)


def _at(owner: Hit, location: str, name: str | None) -> Hit:
    return Hit(
        owner.customer_id, owner.customer, owner.account, owner.contact, location, name or ""
    )
