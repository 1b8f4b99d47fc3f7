"""Signing in: one token per credentials, however many ask for it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from loguru import logger

from app.errors import (
    PlumeBadReply,
    PlumeBusy,
    PlumeError,
    PlumeSignInRefused,
    PlumeTimeout,
    PlumeUnreachable,
)
from app.http import seconds_asked
from app.plume.credentials import Credentials, Secret
from app.plume.exchange import Broken, Heard, exchange, read_error, read_json
from app.plume.flights import Flights
from app.plume.reading import number, text
from app.plume.refusal import Refusal

SHORTEST, LONGEST, UNTOLD = 300.0, 86_400.0, 600.0  # seconds a token lives
MARGIN, MARGIN_PART = 60.0, 0.1  # before its end: seconds, or this part of its life if less
_LONGEST_TOKEN: Final = 8_192  # characters
_TRIES: Final = 2
_UNTOLD_WAIT: Final = 30.0  # seconds a person is told to wait where nobody says for how long

_HEADERS: Final = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "application/json",
    "Cache-Control": "no-cache",
}
_CLIENT: Final = (
    "Plume does not take this authorization header. Copy it again from the partner portal and "
    "sign in with /setup."
)
_SCOPE: Final = (
    "Plume does not let this sign-in use this partner id. Check that both belong together and "
    "sign in with /setup."
)
_MACHINES: Final = (
    "Plume does not let programs sign in for this partner. Ask Plume to allow it, then sign in "
    "with /setup."
)
_SENTENCES: Final[Mapping[str, str]] = {
    "invalid_client": _CLIENT,
    "unauthorized_client": _MACHINES,
    "invalid_scope": _SCOPE,
    "access_denied": _SCOPE,
    "invalid_grant": _MACHINES,
    "unsupported_grant_type": _MACHINES,
    "invalid_request": _CLIENT,
}
_WRONG_ADDRESS: Final = (
    "The address of Plume's sign-in is wrong here. The operator has to check PLUME_SSO_URL."
)


@dataclass(frozen=True, slots=True)
class Token:
    """What a call shows. `renew_at` is on the clock of `Tokens`, in seconds."""

    secret: Secret
    renew_at: float


class Tokens:
    """Keeps the token of each sign-in and fetches the next one before it ends.

    `clock` counts seconds and never goes back; `now` is Unix time.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        *,
        clock: Callable[[], float],
        now: Callable[[], float],
        timeout: httpx.Timeout,
        deadline: float,
    ) -> None:
        self._http = http
        self._url = httpx.URL(url)
        self._clock = clock
        self._now = now
        self._extensions = {"timeout": timeout.as_dict()}
        self._deadline = deadline
        self._tokens: dict[str, Token] = {}
        self._flights = Flights[Token | Refusal]()

    async def get(self, credentials: Credentials) -> Token:
        """Return a token that lives on for a while; all who ask at once share one sign-in.

        Raises:
            PlumeSignInRefused: the credentials are not taken.
            PlumeError: see `app.errors`; they are as good as before.

        Source: POST {sso}/v1/token
        """
        mine = credentials.fingerprint
        known = self._tokens.get(mine)
        if known is not None and self._clock() < known.renew_at:
            return known
        found = await self._flights.join(mine, lambda: self._sign_in(credentials))
        if isinstance(found, Refusal):
            raise found.error()
        return found

    def drop(self, credentials: Credentials, token: Token) -> None:
        """Forget a token that Plume did not take. A newer one stays."""
        if self._tokens.get(credentials.fingerprint) is token:
            del self._tokens[credentials.fingerprint]

    def forget(self, credentials: Credentials) -> None:
        self._tokens.pop(credentials.fingerprint, None)

    async def _sign_in(self, credentials: Credentials) -> Token | Refusal:
        try:
            async with asyncio.timeout(self._deadline) as whole:
                token = await self._ask(credentials)
        except PlumeError as error:
            refusal = Refusal.of(error)
        except TimeoutError:
            if not whole.expired():
                raise
            refusal = Refusal(PlumeTimeout, cause="sign_in_timeout")
        else:
            self._tokens[credentials.fingerprint] = token
            return token
        logger.warning("plume.sign_in_failed", cause=refusal.cause)
        return refusal

    async def _ask(self, credentials: Credentials) -> Token:
        for tried in range(1, _TRIES + 1):
            # The life of a token begins before its answer arrives.
            asked_at = self._clock()
            try:
                heard = await exchange(self._http, self._request(credentials))
            except Broken as broken:
                if tried == _TRIES:
                    raise PlumeUnreachable(cause=f"sign_in_{broken.cause}") from None
                continue
            if heard.succeeded:
                return _token(heard, asked_at)
            if heard.status < httpx.codes.INTERNAL_SERVER_ERROR or tried == _TRIES:
                raise _refused(heard, self._now())
        raise AssertionError

    def _request(self, credentials: Credentials) -> httpx.Request:
        form = {
            "grant_type": "client_credentials",
            "scope": f"partnerId:{credentials.partner_id} role:partnerIdAdmin",
        }
        headers = self._http.headers.copy()
        headers.update(_HEADERS)
        headers["Authorization"] = credentials.authorization.get_secret_value()
        return httpx.Request(
            "POST",
            self._url,
            headers=headers,
            content=urlencode(form).encode(),
            extensions=self._extensions,
        )


def _token(heard: Heard, asked_at: float) -> Token:
    found = read_json(heard, secrets=True)
    fields: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    secret, kind = fields.get("access_token"), fields.get("token_type", "Bearer")
    usable = isinstance(secret, str) and secret.isascii() and secret.isprintable()
    if not usable or not secret or " " in secret or len(secret) > _LONGEST_TOKEN:
        raise PlumeBadReply(cause="unusable_token")
    if text(kind) is None or str(kind).strip().lower() != "bearer":
        raise PlumeBadReply(cause="token_type")
    lives = _lifetime(fields.get("expires_in"))
    logger.info("plume.signed_in", lifetime_s=round(lives))
    return Token(Secret(secret), asked_at + lives - min(MARGIN, lives * MARGIN_PART))


def _lifetime(said: object) -> float:
    found = number(said)
    return UNTOLD if found is None else min(max(found, SHORTEST), LONGEST)


def _refused(heard: Heard, now: float) -> PlumeError:
    status = heard.status
    wait = seconds_asked(heard.headers.get("retry-after"), now)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return PlumeBusy(retry_after=wait or _UNTOLD_WAIT, cause="sign_in_busy")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        if wait is not None:
            return PlumeBusy(retry_after=wait, cause=f"sign_in_{status}")
        return PlumeUnreachable(cause=f"sign_in_{status}")
    if status == httpx.codes.NOT_FOUND:
        return PlumeError(_WRONG_ADDRESS, cause="sign_in_404")
    return _not_let_in(status, read_error(heard))


def _not_let_in(status: int, body: Mapping[str, Any]) -> PlumeError:
    said = body.get("error")
    word = said if isinstance(said, str) and said in _SENTENCES else ""
    by_status = {401: "invalid_client", 403: "access_denied"}
    if not body or not (word or status in by_status or isinstance(said, str)):
        # A page of something that stands between us and Plume says nothing of the credentials.
        return PlumeBadReply(cause=f"sign_in_{status}")
    word = word or by_status.get(status, "")
    return PlumeSignInRefused(_SENTENCES.get(word), cause=word or "sign_in_refused")
