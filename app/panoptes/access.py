"""Who may see which network. It is decided here, for the chat and for REST alike."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from sqlalchemy import Connection

from app.bell import SILENT, Bell
from app.errors import CredentialsLost, NotConnected, NothingSelected, PlumeNotYours
from app.plume.account import Account
from app.plume.client import Plume
from app.plume.credentials import Credentials
from app.sessions import audits, connections, places
from app.sessions.audits import Audit
from app.sessions.connections import EVERYTHING, Granted, Person, Scope
from app.sessions.places import Chosen
from app.storage.sealed import CannotOpen, Sealer
from app.storage.store import Store

Step = Literal["setup", "locations", "status"]
TOKEN_BYTES = 18
INVITED_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may look at, and through whose connection.

    `credentials` tells equal ones, and says nothing of what they are.
    """

    person: Person
    connection: int
    account: Account
    credentials: str
    scope: Scope = EVERYTHING
    own: bool = True

    def check(self, customer: str, location: str | None = None) -> None:
        """Refuse what the grant does not cover, in the words of what does not exist.

        Raises:
            PlumeNotYours: always the same, so that nobody learns what there is.
        """
        if not self.scope.covers(customer, location):
            raise PlumeNotYours


@dataclass(frozen=True, slots=True)
class Access:
    store: Store
    sealer: Sealer
    plume: Plume
    clock: Callable[[], float]
    bell: Bell = SILENT

    async def sight(self, person: Person) -> Sight:
        """Return what a person may look at.

        Raises:
            NotConnected: they have not signed in, and nobody lets them look.
            CredentialsLost: they are here, and the key to them is not.
        """
        try:
            way = await self.store.run(lambda db: connections.way(db, self.sealer, person))
        except CannotOpen as error:
            raise CredentialsLost from error
        if way is None:
            raise NotConnected
        credentials = Credentials.load(way.credentials)
        heard = partial(self._heard, way.connection)
        account = self.plume.account(credentials, lent=not way.own, heard=heard)
        mark = credentials.fingerprint
        return Sight(person, way.connection, account, mark, way.scope, way.own)

    async def connect(self, person: Person, credentials: Credentials) -> int:
        """Sign in, and only then keep the credentials; return how many customers there are.

        Raises:
            PlumeError: they do not work, and whatever was there before stays.
        """
        count = await self.plume.account(credentials).customer_count()
        now = self.clock()

        def unit(db: Connection) -> int:
            number = connections.keep(db, self.sealer, person, credentials.dump(), now)
            audits.note(db, now, person, number, "connected")
            return number

        self._heard(await self.store.run(unit), taken=True)
        return count.value

    async def disconnect(self, person: Person) -> bool:
        """Delete what a person signed in with, the token that it got, and every grant of it.

        False where nothing was.
        """

        def unit(db: Connection) -> bool:
            number = connections.own(db, person)
            if number is not None:
                audits.note(db, self.clock(), person, number, "disconnected")
            return connections.drop(db, person)

        way = None
        with suppress(CannotOpen):  # then nobody signed in with them since the start
            way = await self.store.run(lambda db: connections.way(db, self.sealer, person))
        gone = await self.store.run(unit)
        if way is not None and way.own:
            self.plume.forget(Credentials.load(way.credentials))
        return gone

    async def grant(self, owner: Person, to: Person, scope: Scope) -> None:
        """Let somebody look through the owner's connection.

        Raises:
            NotConnected: the owner has none.
        """

        def unit(db: Connection) -> None:
            number = self._own(db, owner)
            connections.grant(db, self.sealer, number, to, scope, self.clock())
            audits.note(db, self.clock(), owner, number, f"granted {to.user_id}"[:32])

        await self.store.run(unit)

    async def revoke(self, owner: Person, person: Person) -> bool:
        def unit(db: Connection) -> bool:
            number = self._own(db, owner)
            audits.note(db, self.clock(), owner, number, f"revoked {person.user_id}"[:32])
            return connections.revoke(db, number, person)

        return await self.store.run(unit)

    async def granted(self, owner: Person) -> list[Granted]:
        return await self.store.run(
            lambda db: connections.granted(db, self.sealer, self._own(db, owner))
        )

    async def audits(self, owner: Person, most: int) -> list[Audit]:
        """Return who did what through the owner's connection, the latest first."""
        return await self.store.run(lambda db: audits.latest(db, most, self._own(db, owner)))

    async def invite(self, owner: Person, scope: Scope) -> str:
        """Return a token that lets whoever shows it first look, for a day."""
        token = secrets.token_urlsafe(TOKEN_BYTES)

        def unit(db: Connection) -> None:
            number, now = self._own(db, owner), self.clock()
            until = now + INVITED_SECONDS
            connections.invite(db, self.sealer, number, token, scope, until)
            audits.note(db, now, owner, number, "invited")

        await self.store.run(unit)
        return token

    async def redeem(self, token: str, person: Person) -> bool:
        return await self.store.run(
            lambda db: connections.redeem(db, self.sealer, token, person, self.clock())
        )

    async def choose(self, sight: Sight, place: Chosen) -> None:
        """Make a location the one that reports of a person are about.

        Raises:
            PlumeNotYours: they may not see it.
        """
        sight.check(place.customer_id, place.location_id)

        def unit(db: Connection) -> None:
            now = self.clock()
            places.choose(db, self.sealer, sight.person, place, now)
            where = (place.customer_id, place.location_id)
            audits.note(db, now, sight.person, sight.connection, "chose", *where)

        await self.store.run(unit)

    async def next_step(self, person: Person) -> Step:
        """Return the command that leads a person on."""
        try:
            await self.sight(person)
            await self.chosen(person)
        except NotConnected:
            return "setup"
        except NothingSelected:
            return "locations"
        return "status"

    async def chosen(self, person: Person) -> Chosen:
        """Return the location that a person chose last.

        Raises:
            NothingSelected: they have not chosen any.
        """
        place = await self.store.run(lambda db: places.chosen(db, self.sealer, person))
        if place is None:
            raise NothingSelected
        return place

    async def recent(self, sight: Sight) -> list[Chosen]:
        """Return what a person chose and may still see: favourites first, then the latest."""
        found = await self.store.run(lambda db: places.recent(db, self.sealer, sight.person, 100))
        seen = [each for each in found if sight.scope.covers(each.customer_id, each.location_id)]
        return sorted(seen, key=lambda each: not each.favourite)

    async def mark(self, person: Person, location: str, *, favourite: bool) -> bool:
        return await self.store.run(
            lambda db: places.mark(db, person, location, favourite=favourite)
        )

    async def note(self, sight: Sight, action: str, customer: str = "", location: str = "") -> None:
        """Write down that somebody looked."""
        await self.store.run(
            lambda db: audits.note(
                db, self.clock(), sight.person, sight.connection, action, customer, location
            )
        )

    def _heard(self, connection: int, taken: bool) -> None:  # noqa: FBT001 - see `Heard`
        if taken:
            self.bell.over("plume_refused", str(connection))
        else:
            self.bell.raise_("plume_refused", str(connection))

    def _own(self, db: Connection, owner: Person) -> int:
        number = connections.own(db, owner)
        if number is None:
            raise NotConnected
        return number


def narrowed(scope: Scope, *, customers: list[str], locations: list[str]) -> Scope:
    """Return `scope` for those customers and locations only; all of it where none is named."""
    if not customers and not locations:
        return scope
    return replace(scope, customers=frozenset(customers), locations=frozenset(locations))
