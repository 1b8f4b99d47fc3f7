"""One short question to somebody over HTTP."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from app.http import TRANSPORT_ERRORS

LARGEST = 1024 * 1024  # bytes
SECONDS = 4.0
TOO_LATE = "too late"


class Unreachable(Exception):
    """Nobody answered. The text is a word: an address may hold a token."""


@dataclass(frozen=True, slots=True)
class Said:
    """A status, and the JSON object where there is one."""

    status: int
    body: Mapping[str, Any]


async def ask(http: httpx.AsyncClient, method: str, url: str, key: str = "", **form: str) -> Said:
    """Return what is answered.

    Raises:
        Unreachable: nothing is.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    whole = bytearray()
    late = asyncio.timeout(SECONDS)
    try:
        async with late, http.stream(method, url, headers=headers, data=form or None) as response:
            async for piece in response.aiter_raw():
                whole += piece
                if len(whole) > LARGEST:
                    break
            status = response.status_code
    except TimeoutError:
        raise Unreachable(TOO_LATE if late.expired() else "TimeoutError") from None
    except TRANSPORT_ERRORS as error:
        raise Unreachable(type(error).__name__) from None
    try:
        body = json.loads(whole)
    except (ValueError, RecursionError):
        body = None
    return Said(status, body if isinstance(body, dict) else {})
