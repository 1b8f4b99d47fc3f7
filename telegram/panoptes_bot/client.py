"""The service, as the bot sees it."""

import json
import math
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import httpx
from loguru import logger
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from wire.delivery import Acknowledgement, Delivery, Progress

CONNECT_TIMEOUT = 5.0  # seconds
ANSWER_TIMEOUT = 30.0
# The stream says something every few seconds; a connection that says nothing is dead.
SILENCE = 45.0
LARGEST_EVENT = 64_000_000  # bytes; a reply carries its pictures as base64
LONGEST_RETRY_AFTER = 60.0
ABOUT_THE_UPDATE = {400, 413, 422}
KEY = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

Event = Delivery | Progress
Json = dict[str, Any]


class ServiceAway(Exception):
    """The service did not take it. The same again, after `retry_after` seconds if it says so."""

    def __init__(self, cause: str, retry_after: float | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.retry_after = retry_after


class UpdateRefused(Exception):
    """This one update will never be taken."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class DeliveryEnded(Exception):
    """Nothing more is to be done for this delivery. `known`: the service has what was placed."""

    def __init__(self, *, known: bool) -> None:
        super().__init__()
        self.known = known


class MenuEntry(BaseModel):
    """`groups`: it is for groups too."""

    model_config = ConfigDict(frozen=True)

    name: str
    summary: str
    groups: bool = True


class _Accepted(BaseModel):
    accepted: bool
    notice: str | None = None


class _Platform(BaseModel):
    commands: tuple[str, ...] = ()
    menu: tuple[MenuEntry, ...] | None = None


class Service:
    """Speaks for the platform whose key it has. Close it at the end."""

    def __init__(self, base_url: str, key: SecretStr) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key.get_secret_value()}"},
            timeout=httpx.Timeout(ANSWER_TIMEOUT, connect=CONNECT_TIMEOUT),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=16),
            # A proxy of the environment is for the way to Telegram.
            trust_env=False,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def accept(self, update: Json) -> str | None:
        """Hand over a raw update; return what the presser of a button may be told.

        When this returns, the update is kept.

        Raises:
            UpdateRefused: it cannot be taken, ever.
            ServiceAway: it may be taken later.

        Source: POST /webhook/telegram
        """
        # json escapes what is not ASCII, so that half a surrogate pair can be sent on too.
        content = json.dumps(update)
        response = await self._post("/webhook/telegram", content)
        if response.status_code in ABOUT_THE_UPDATE:
            raise UpdateRefused(response.status_code)
        _check(response)
        named = response.headers.get("x-request-id", "")
        logger.debug("update.taken", update=update.get("update_id"), request_id=named)
        try:
            return _Accepted.model_validate_json(response.content).notice
        except ValidationError:
            raise ServiceAway("the answer is not the service's") from None

    async def acknowledge(
        self, delivery: int, said: Acknowledgement, request_id: str | None = None
    ) -> None:
        """Say what became of a delivery. `request_id` is the one that came with it.

        Raises:
            DeliveryEnded: it is unknown, or has ended before.
            ServiceAway: say it again.

        Source: POST /deliveries/{id}/ack
        """
        content = said.model_dump_json(exclude_none=True)
        named = {"X-Request-ID": request_id} if request_id else {}
        response = await self._post(f"/deliveries/{delivery}/ack", content, named)
        if response.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
            raise DeliveryEnded(known=response.status_code == HTTPStatus.CONFLICT)
        if response.status_code in ABOUT_THE_UPDATE:
            logger.error("ack.refused", delivery=delivery, status=response.status_code)
            raise DeliveryEnded(known=False)
        _check(response)

    async def deliveries(self) -> AsyncIterator[Event | None]:
        """Yield None once connected, then what is open and what changes, until it breaks.

        Raises:
            ServiceAway: always, in the end.

        Source: GET /deliveries
        """
        timeout = httpx.Timeout(SILENCE, connect=CONNECT_TIMEOUT)
        try:
            async with self._http.stream("GET", "/deliveries", timeout=timeout) as response:
                _check(response)
                yield None
                async for name, data in _events(response):
                    if (event := _event(name, data)) is not None:
                        yield event
        except httpx.HTTPError as error:
            raise ServiceAway(type(error).__name__) from None
        raise ServiceAway("the stream ended")

    async def menu(self) -> tuple[MenuEntry, ...]:
        """Return the commands of Telegram's menu, in order.

        Raises:
            ServiceAway: ask again later.

        Source: GET /platforms
        """
        try:
            response = await self._http.get("/platforms")
        except httpx.HTTPError as error:
            raise ServiceAway(type(error).__name__) from None
        _check(response)
        try:
            platform = _Platform.model_validate(response.json()["telegram"])
        except (ValueError, KeyError, TypeError):
            raise ServiceAway("it says nothing of Telegram") from None
        if platform.menu is not None:
            return platform.menu
        return tuple(MenuEntry(name=name, summary=name) for name in platform.commands)

    async def _post(
        self, path: str, content: str, more: Mapping[str, str] = MappingProxyType({})
    ) -> httpx.Response:
        headers = {"Content-Type": "application/json", **more}
        try:
            return await self._http.post(path, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise ServiceAway(type(error).__name__) from None


def _check(response: httpx.Response) -> None:
    if response.status_code in KEY:
        raise ServiceAway("it refuses BOT_API_KEY")
    if not response.is_success:
        raise ServiceAway(f"status {response.status_code}", _retry_after(response.headers))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        after = float(headers.get("retry-after", ""))
    except ValueError:  # a date, or nothing
        return None
    return min(max(after, 0.0), LONGEST_RETRY_AFTER) if math.isfinite(after) else None


async def _events(response: httpx.Response) -> AsyncIterator[tuple[str, bytes]]:
    name, data = "", b""
    async for line in _lines(response):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            if data:
                yield name, data
            name, data = "", b""
        elif field == b"event":
            name = value.decode("utf-8", "replace")
        elif field == b"data":
            data = data + b"\n" + value if data else value


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    # httpx's own lines end at U+2028 too, which stands in texts.
    buffer = bytearray()
    async for chunk in response.aiter_bytes():
        looked = len(buffer)
        buffer += chunk
        while (end := buffer.find(b"\n", looked)) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            looked = 0
            yield line.removesuffix(b"\r")
        if len(buffer) > LARGEST_EVENT:
            raise ServiceAway("an event is too large")


def _event(name: str, data: bytes) -> Event | None:
    try:
        if name == "delivery":
            return Delivery.model_validate_json(data)
        if name == "progress":
            return Progress.model_validate_json(data)
    except ValidationError:
        # Which one it is stands in what cannot be read.
        logger.error("deliveries.unreadable", event=name, bytes=len(data))
    return None
