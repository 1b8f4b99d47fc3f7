"""What every call of one sign-in has in common."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from urllib.parse import quote, urlencode

from app.errors import LentSignInRefused, PlumeSignInRefused
from app.plume.budget import Purpose
from app.plume.caller import Ask
from app.plume.credentials import Credentials
from app.plume.models import Read
from app.plume.offers import Offers
from app.plume.patience import Patience

T = TypeVar("T")
Value = str | int | bool
Heard = Callable[[bool], None]


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where one Plume cloud is. Nothing that is asked can lead elsewhere.

    `reports_client_id` adds the client's id to calls of reports, as Plume's own console does.
    """

    sso_url: str
    api_base: str
    reports_base: str
    reports_client_id: bool = False


class Asker(Protocol):
    """Whoever carries calls out; `Plume`."""

    cloud: Cloud
    patience: Patience
    offers: Offers

    def moment(self) -> datetime: ...

    def minute(self) -> datetime: ...

    async def ask(
        self, credentials: Credentials, ask: Ask[T], purpose: Purpose, *, fresh: bool
    ) -> Read[T]: ...


class Desk:
    """Turns a path into a call. `purpose` says whether somebody waits for the answers.

    `lent` says that the credentials are not of the person who looks. `heard` is told whether
    Plume took them; not by answers that were at hand.
    """

    def __init__(
        self,
        asker: Asker,
        credentials: Credentials,
        purpose: Purpose,
        *,
        lent: bool = False,
        heard: Heard | None = None,
    ) -> None:
        self._heard = heard
        self._asker = asker
        self._credentials = credentials
        self._purpose = purpose
        self._lent = lent

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._credentials!r})"

    async def _state(
        self,
        name: str,
        read: Callable[[object], T],
        path: str,
        *,
        subject: str,
        fresh: bool = False,
        **params: Value,
    ) -> Read[T]:
        """Ask the API, which knows how things are now. `path` is encoded."""
        patience = self._asker.patience
        url = _url(self._asker.cloud.api_base, path, params)
        ask = Ask(name, url, read, subject, patience.api, patience.keep_state)
        return await self._ask(ask, fresh=fresh)

    async def _report(
        self,
        name: str,
        read: Callable[[object], T],
        path: str,
        *,
        subject: str,
        fresh: bool = False,
        **params: Value,
    ) -> Read[T]:
        """Ask the reports, which know how things were."""
        patience, cloud = self._asker.patience, self._asker.cloud
        if cloud.reports_client_id:
            params["client_id"] = self._credentials.client_id
        url = _url(cloud.reports_base, path, params)
        ask = Ask(name, url, read, subject, patience.reports, patience.keep_reports)
        return await self._ask(ask, fresh=fresh)

    async def _write(
        self, name: str, read: Callable[[object], T], path: str, *, subject: str
    ) -> Read[T]:
        url = _url(self._asker.cloud.api_base, path, {})
        ask = Ask(name, url, read, subject, self._asker.patience.api, writes=True)
        return await self._ask(ask, fresh=True)

    async def _ask(self, ask: Ask[T], *, fresh: bool) -> Read[T]:
        began = self._asker.moment()
        try:
            found = await self._asker.ask(self._credentials, ask, self._purpose, fresh=fresh)
        except PlumeSignInRefused as error:
            if self._heard is not None:
                self._heard(False)  # noqa: FBT003 - its one argument
            if self._lent:
                raise LentSignInRefused(cause=error.cause) from None
            raise
        if self._heard is not None and found.at >= began:
            self._heard(True)  # noqa: FBT003
        return found


def _url(base: str, path: str, params: dict[str, Value]) -> str:
    said = {name: _said(value) for name, value in params.items()}
    query = f"?{urlencode(said, quote_via=quote, safe='')}" if said else ""
    return f"{base.rstrip('/')}/{path}{query}"


def _said(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
