"""How every upstream is reached: one httpx client each, for the life of the process."""

import math
import ssl
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

# The transport lets some of aiohttp's own errors through. None of them says what was sent: a
# reset arrives as a ConnectTimeout.
TRANSPORT_ERRORS: Final = (httpx.HTTPError, aiohttp.ClientError, OSError)
LONGEST_WAIT: Final = 86_400.0  # seconds; the daily caps are the longest that are known


def open_client(base_url: str = "", headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """Return the connections to an upstream, to be opened once and closed at the end.

    Replies come as they are: not followed, not decoded, and their cookies are not kept.
    """
    tls = _tls()
    return _Cookieless(
        base_url=base_url,
        headers={"Accept-Encoding": "identity", "User-Agent": "arash-bot", **(headers or {})},
        follow_redirects=False,
        trust_env=False,
        transport=AiohttpTransport(
            verify=tls,
            client=lambda: _session(tls),
        ),
    )


def _session(tls: ssl.SSLContext) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        # aiohttp stops at 100 connections unless told.
        connector=aiohttp.TCPConnector(limit=0, ssl=tls),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    # It would silently send a GET again whose connection broke: uncounted, and beside the one
    # layer of retries that each client has. There is no public way to say so.
    session._retry_connection = False  # noqa: SLF001
    return session


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes some 20 ms.
    return httpx.create_ssl_context()


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        pass


class _Cookieless(httpx.AsyncClient):
    """Keeps no cookies: one visitor's would go out with the next one's request.

    httpx has a jar of its own beside that of aiohttp. Asking it about every reply took an
    eighth of the time of a short call.
    """

    @property
    def cookies(self) -> httpx.Cookies:
        return _NoCookies()

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        """Keep none of these either."""


def is_encoded(response: httpx.Response) -> bool:
    return response.headers.get("content-encoding", "identity").lower() not in {"", "identity"}


def seconds_asked(value: object, now: float) -> float | None:
    """Read `Retry-After`: seconds, or an HTTP date. Garbage, zero and less is None.

    `now` is the Unix time in seconds.
    """
    number = read_number(value)
    if number is None and isinstance(value, str):
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        number = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    return None if number is None or number <= 0 else min(number, LONGEST_WAIT)


def read_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
