"""Customers and how they are found."""

from typing import Final, Literal

from app.errors import PlumeNotFound
from app.plume import parse
from app.plume.desk import Desk
from app.plume.ids import checked_id, checked_serial, segment
from app.plume.models import Customer, NodeOwner, OwnedLocation, Read

Field = Literal["accountId", "name", "email", "locationId"]
_UNKNOWN: Final = "Plume knows nothing by this name. Look for the customer with /find."


class Finding(Desk):
    """All calls raise `PlumeError`, see `app.errors`; an id of the wrong form `PlumeNotFound`."""

    async def customer_count(self) -> Read[int]:
        """Return how many customers the partner has, which proves sign-in and partner id.

        Never from memory.

        Source: GET partners/{partnerId}/customers/count
        """
        path = f"partners/{self._partner}/customers/count"
        return await self._state(
            "customer_count", parse.number_of, path, subject=self._partner, fresh=True
        )

    async def customer(self, customer: str, *, fresh: bool = False) -> Read[Customer]:
        """Return one customer, without locations.

        Source: GET Customers/{id}
        """
        known = checked_id(customer)
        return await self._state(
            "customer", parse.customer, f"Customers/{known}", subject=known, fresh=fresh
        )

    async def search(
        self, keyword: str, field: Field, *, exact: bool, limit: int = 20, skip: int = 0
    ) -> Read[tuple[Customer, ...]]:
        """Return the customers whose `field` is the keyword, or holds it where not `exact`.

        In Plume's order, at most `limit`; a shorter answer is the last page. Case does not
        matter. `PlumeNotFound` where Plume cannot be asked for this keyword.

        Source: GET partners/customers/search/{keyword}
        """
        word = segment(keyword)
        if word is None:
            raise PlumeNotFound(_UNKNOWN, cause="bad_keyword")
        return await self._state(
            "search",
            parse.customers,
            f"partners/customers/search/{word}",
            subject=self._partner,
            field=field,
            exactMatch=exact,
            startsWith=exact,
            limit=limit,
            skip=skip,
        )

    async def node_owner(self, serial: str) -> Read[NodeOwner]:
        """Return whose a node is. Its ids are None where nobody has claimed it.

        Source: GET partners/nodes/{serial}
        """
        known = checked_serial(serial)
        return await self._state(
            "node_owner", parse.node_owner, f"partners/nodes/{known}", subject=known
        )

    async def location_owner(self, service_or_location_id: str) -> Read[OwnedLocation]:
        """Return a location and its customer, by its id or by the partner's number for it.

        Source: GET partners/locations/{keyword}
        """
        word = segment(service_or_location_id)
        if word is None:
            raise PlumeNotFound(_UNKNOWN, cause="bad_keyword")
        return await self._state(
            "location_owner", parse.location_owner, f"partners/locations/{word}", subject=word
        )

    @property
    def _partner(self) -> str:
        return self._credentials.partner_id
