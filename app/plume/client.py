"""Plume Cloud, as far as we ask it. `Plume` is one per process, an `Account` one per sign-in."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import httpx

from app.plume.account import Account
from app.plume.budget import Budget, Purpose
from app.plume.caller import Ask, Caller
from app.plume.credentials import Credentials
from app.plume.desk import Cloud, Heard
from app.plume.flights import Flights
from app.plume.models import Read
from app.plume.oauth import Tokens
from app.plume.offers import Offers
from app.plume.patience import Patience
from app.plume.refusal import Refusal
from app.plume.shelf import Shelf
from app.plume.watch import Watch

T = TypeVar("T")
_USUAL: Final = Patience()
_KEPT_BYTES: Final = 16_000_000  # of answers as they came; their models take a few times that


class Plume:
    """The one client of this process: it knows tokens, the budget and what was just asked.

    `http` is `app.http.open_client()`. `clock` counts seconds and never goes back, `now` is Unix
    time; they, `sleep` and `rand` stand in tests for the real ones.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        cloud: Cloud,
        *,
        budget: Budget | None = None,
        patience: Patience = _USUAL,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.cloud = cloud
        self.patience = patience
        self.watch = Watch()
        self.budget = budget or Budget(clock=clock, sleep=sleep)
        self.offers = Offers(clock)
        self._clock = clock
        self._now = now
        timeout = httpx.Timeout(None, connect=patience.connect, pool=patience.connect)
        self._tokens = Tokens(
            http, cloud.sso_url, clock=clock, now=now, timeout=timeout, deadline=patience.sign_in
        )
        self._caller = Caller(
            http,
            self._tokens,
            self.budget,
            self.watch,
            patience,
            timeout=timeout,
            now=now,
            sleep=sleep,
            rand=rand,
        )
        self._flights = Flights[Any]()
        self._shelf = Shelf[Read[Any]](_KEPT_BYTES)

    def account(
        self,
        credentials: Credentials,
        *,
        purpose: Purpose = "person",
        lent: bool = False,
        heard: Heard | None = None,
    ) -> Account:
        """Return what these credentials see. Nothing is asked yet, and nothing to be closed.

        `lent` says that they are not of the person who looks. `heard` is told by each call
        whether Plume took them.
        """
        return Account(self, credentials, purpose, lent=lent, heard=heard)

    def forget(self, credentials: Credentials) -> None:
        """Drop the token of credentials that are no longer used here."""
        self._tokens.forget(credentials)

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def minute(self) -> datetime:
        """Return the last full minute, so that calls with times in them are equal for a while."""
        return self.moment().replace(second=0, microsecond=0)

    async def ask(
        self, credentials: Credentials, ask: Ask[T], purpose: Purpose, *, fresh: bool
    ) -> Read[T]:
        """Return the answer of a call; of some seconds ago where it need not be `fresh`.

        Raises:
            PlumeError: see `app.errors`.
        """
        key = (credentials.fingerprint, ask.url)
        kept: Read[T] | None = None if fresh else self._shelf.get(key, self._clock())
        if kept is not None:
            return kept
        found: Read[T] | Refusal
        if ask.writes:
            found = await self._call(credentials, ask, purpose)
        else:
            found = await self._flights.join(
                (*key, purpose), lambda: self._call(credentials, ask, purpose)
            )
        if isinstance(found, Refusal):
            raise found.error()
        return found

    async def _call(
        self, credentials: Credentials, ask: Ask[T], purpose: Purpose
    ) -> Read[T] | Refusal:
        found = await self._caller.call(credentials, ask, purpose)
        if isinstance(found, Refusal):
            return found
        read, size = found
        key = (credentials.fingerprint, ask.url)
        self._shelf.put(key, read, now=self._clock(), seconds=ask.keep, size=size)
        return read
