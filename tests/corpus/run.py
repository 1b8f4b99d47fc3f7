"""Sends every bad request to every endpoint of a running service."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.corpus import bodies, connection, doors
from tests.corpus.endpoints import Endpoint, Keys, endpoints
from tests.corpus.raw import Heard, send_raw
from tests.corpus.requests import CANARY, Bad

CASES: Sequence[Bad] = (*connection.CASES, *doors.CASES, *bodies.CASES)

_PROBLEM = {"success", "response", "data", "error", "retry_after", "request_id"}
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Deviation:
    """One reply that is not as it must be. `status` is 0 where none came."""

    endpoint: str
    case: str
    expected: int
    status: int
    why: str


async def run_corpus(
    base: str,
    key: str,
    admin_key: str,
    *,
    platform: str = "internal",
    cases: Sequence[Bad] = CASES,
    patience: float = 5.0,
) -> list[Deviation]:
    """Send `cases` to the service at `base`, between two good requests to each endpoint.

    `patience` is in seconds, for one reply.

    The service has to offer its schema, to answer `/help` without a model, and to allow some
    10,000 requests a minute of this address, with and without a key.
    """
    host, port = urlsplit(base).hostname or "", urlsplit(base).port or 80
    keys = Keys(key, admin_key, platform)
    schema = await send_raw(host, port, b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
    found = endpoints(json.loads(schema.body), keys)
    turns = asyncio.Semaphore(_AT_ONCE)

    async def send(endpoint: Endpoint, case: Bad) -> Deviation | None:
        async with turns:
            try:
                heard = await send_raw(host, port, case.raw(endpoint), patience=patience)
            except TimeoutError:
                return Deviation(endpoint.name, case.name, case.expect(endpoint), 0, "no reply")
        return _compare(endpoint, case, heard)

    good = Bad("a good request", Endpoint.request, lambda endpoint: endpoint.ok)
    results = [await send(endpoint, good) for endpoint in found]
    if not any(results):
        pairs = [(one, case) for case in cases for one in found if case.fits(one)]
        results = await asyncio.gather(*(send(one, case) for one, case in pairs))
        results += [await send(endpoint, good) for endpoint in found]
    return [deviation for deviation in results if deviation is not None]


def _compare(endpoint: Endpoint, case: Bad, heard: Heard) -> Deviation | None:
    expected = case.expect(endpoint)
    why = "another status" if heard.status != expected else _fault(heard)
    if why is None:
        return None
    return Deviation(endpoint.name, case.name, expected, heard.status, why)


def _fault(heard: Heard) -> str | None:
    if CANARY.encode() in heard.body or CANARY in str(heard.headers):
        return "it repeats what was sent"
    if heard.status < 400 or not heard.body:
        return None
    try:
        problem = json.loads(heard.body)
    except ValueError:
        return "the error is no JSON"
    faults = {
        "the error has another shape": set(problem) != _PROBLEM or problem["success"] is not False,
        "the request id differs": problem.get("request_id") != heard.headers.get("x-request-id"),
        "it does not say what is allowed": heard.status == 405 and "allow" not in heard.headers,
        "it does not say who may come in": heard.status == 401
        and "www-authenticate" not in heard.headers,
    }
    return next((why for why, found in faults.items() if found), None)
