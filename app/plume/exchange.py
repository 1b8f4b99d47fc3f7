"""One request and what came back: as bytes, then as JSON without its secrets."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import aiohttp
import httpx
import orjson

from app.errors import PlumeBadReply
from app.http import TRANSPORT_ERRORS, is_encoded

LARGEST_BODY: Final = 8_000_000  # bytes; 200 devices are some 300 KB
_LARGEST_REFUSAL: Final = 65_536
_DEEPEST: Final = 40  # levels; what we know has six
_NO_BODY: Final = frozenset({204, 205, 304})
# Names whose values never come further than this: WiFi keys, the login of the line, tokens.
_SECRET_NAME: Final = re.compile(r"keys?$|pass|psk|secret|pppoe|token|credential", re.IGNORECASE)
_BOM: Final = b"\xef\xbb\xbf"
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_NAMES_KNOWN: Final = 4_096
_LONGEST_NAME: Final = 64  # characters; Plume's are shorter


class Broken(Exception):
    """Nothing came back, or not all of it where it `began`. `cause` is a word for the log."""

    def __init__(self, cause: str, *, began: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.began = began


@dataclass(frozen=True, slots=True)
class Heard:
    """A status, headers by lower-case name, and the body; of a refusal only its beginning."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - as HTTP has it


async def exchange(http: httpx.AsyncClient, request: httpx.Request) -> Heard:
    """Send a request and hear the answer.

    Raises:
        Broken: the connection did not hold; nothing is known of what Plume did.
        PlumeBadReply: the answer is too large, compressed, or no HTTP.
    """
    began = False
    try:
        response = await http.send(request, stream=True)
        began = True
        try:
            return Heard(response.status_code, response.headers, await _body(response))
        finally:
            await response.aclose()
    except aiohttp.ClientResponseError:
        raise PlumeBadReply(cause="bad_http") from None
    except TRANSPORT_ERRORS as error:
        # A TimeoutError is an OSError; that of the deadline never passes here as one.
        raise Broken(type(error).__name__, began=began) from None


async def _body(response: httpx.Response) -> bytes:
    most = LARGEST_BODY if response.is_success else _LARGEST_REFUSAL
    if response.is_success and is_encoded(response):
        raise PlumeBadReply(cause="encoded")
    whole = bytearray()
    async for piece in response.aiter_raw():
        whole += piece
        if len(whole) > most:
            if response.is_success:
                raise PlumeBadReply(cause="too_large")
            break
    return bytes(whole[:most])


def read_json(heard: Heard, *, secrets: bool = False) -> object:
    """Return what a success says; without `secrets`, nothing whose name sounds like one.

    Raises:
        PlumeBadReply: it says nothing that can be read.
    """
    whole = heard.body.removeprefix(_BOM).strip()
    if heard.status in _NO_BODY or not whole:
        raise PlumeBadReply(cause="no_body")
    if whole.startswith(b"<"):
        raise PlumeBadReply(cause="html")
    found = _loads(whole)
    if isinstance(found, dict) and isinstance(found.get("error"), dict):
        raise PlumeBadReply(cause="error_in_success")
    return found if secrets else without_secrets(found)


def _loads(whole: bytes) -> object:
    try:
        return orjson.loads(whole)
    except orjson.JSONDecodeError:
        pass
    # Some names of networks hold half of a character; the rest of the answer is as good as ever.
    try:
        return orjson.loads(_ESCAPE.sub(_whole_character, whole))
    except orjson.JSONDecodeError:
        # The other exception would hold the whole text.
        raise PlumeBadReply(cause="bad_json") from None


def _whole_character(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape["half"] else escape[0]


def read_error(heard: Heard) -> dict[str, Any]:
    """Return the JSON object of a refusal, empty where it has none."""
    try:
        found = orjson.loads(heard.body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def without_secrets(value: object, level: int = 0) -> object:
    if level > _DEEPEST:
        raise PlumeBadReply(cause="too_deep")
    if isinstance(value, dict):
        return {
            name: without_secrets(inner, level + 1)
            for name, inner in value.items()
            if len(name) <= _LONGEST_NAME and not _is_secret(name)
        }
    if isinstance(value, list):
        return [without_secrets(inner, level + 1) for inner in value]
    return value


@lru_cache(maxsize=_NAMES_KNOWN)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None
