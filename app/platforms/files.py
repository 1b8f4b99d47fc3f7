"""Fetching what people sent through Telegram. A file's address holds the bot's token."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from loguru import logger

from app.errors import AppError, ImageTooLarge
from app.http import TRANSPORT_ERRORS, is_encoded, open_client, read_number
from app.platforms.telegram import Bot

DEADLINE = 30.0  # seconds for a whole file, repeats included
LARGEST_FILE = 20 * 1024 * 1024  # bytes; getFile gives no larger ones
LARGEST_ANSWER = 1024 * 1024  # bytes
PAUSES = (0.5, 2.0)  # seconds before each repeat
LONGEST_WAIT = 10.0  # seconds that are waited where Telegram asks for it
# What Telegram names is joined to an address: nothing in it may lead elsewhere.
_PATH = re.compile(r"(?!.*\.\.)[A-Za-z0-9_-][A-Za-z0-9_./-]*")
T = TypeVar("T")


class FileUnavailable(AppError):
    status = HTTPStatus.BAD_GATEWAY
    code = "file_unavailable"
    sentence = "Your picture could not be fetched from Telegram. Send it again."
    retryable = True


class _Busy(Exception):
    """Telegram cannot just now. `wait`: the seconds it asks for."""

    def __init__(self, cause: str, wait: float = 0.0) -> None:
        super().__init__(cause)
        self.cause = cause
        self.wait = wait


class TelegramFiles:
    """Asks Telegram's Bot API for two things: who we are, and a file.

    What fails for a moment is asked again, after each of `pauses`. No error tells an address:
    it holds the token.
    """

    def __init__(self, base_url: str, token: str, pauses: Sequence[float] = PAUSES) -> None:
        self._base = base_url.rstrip("/")
        self._token = token
        self._pauses = tuple(pauses)
        self._http = open_client()

    async def close(self) -> None:
        await self._http.aclose()

    async def me(self) -> Bot:
        """Return who the bot is.

        Raises:
            FileUnavailable: Telegram does not say.

        Source: getMe
        """
        found = await self._patiently(partial(self._call, "getMe"))
        return Bot(str(found.get("id", "")), str(found.get("username", "")))

    async def fetch(self, file_id: str) -> bytes:
        """Return the bytes of a file, up to Telegram's 20 MB.

        Raises:
            ImageTooLarge, FileUnavailable: it is not to be had.

        Source: getFile
        """
        return await self._patiently(partial(self._fetch, file_id))

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(DEADLINE):
                for pause in self._pauses:
                    try:
                        return await ask()
                    except _Busy as busy:
                        logger.warning("telegram.busy", cause=busy.cause)
                        if busy.wait > LONGEST_WAIT:
                            raise
                        await asyncio.sleep(max(pause, busy.wait))
                return await ask()
        except TimeoutError:
            raise FileUnavailable(cause="timeout") from None
        except _Busy as busy:
            raise FileUnavailable(cause=busy.cause) from None

    async def _fetch(self, file_id: str) -> bytes:
        path = (await self._call("getFile", file_id=file_id)).get("file_path")
        if not isinstance(path, str) or not _PATH.fullmatch(path):
            raise FileUnavailable(cause="no_path")
        address = f"{self._base}/file/bot{self._token}/{quote(path)}"
        status, content = await self._read("GET", address, LARGEST_FILE)
        if status != HTTPStatus.OK:
            raise FileUnavailable(cause=f"http_{status}")
        return content

    async def _call(self, method: str, **parameters: str) -> dict[str, Any]:
        address = f"{self._base}/bot{self._token}/{method}"
        status, content = await self._read("POST", address, LARGEST_ANSWER, **parameters)
        body = _json(content)
        result = body.get("result")
        if status != HTTPStatus.OK or not isinstance(result, dict):
            logger.warning("telegram.refused", method=method, status=status)
            if "too big" in str(body.get("description")):
                raise _too_large()
            raise FileUnavailable(cause=f"http_{status}")
        return result

    async def _read(
        self, method: str, address: str, most: int, **parameters: str
    ) -> tuple[int, bytes]:
        content = bytearray()
        try:
            async with self._http.stream(method, address, data=parameters or None) as response:
                async for piece in response.aiter_raw():
                    content += piece
                    if len(content) > most:
                        raise _too_large()
        except TRANSPORT_ERRORS as error:
            raise _Busy(type(error).__name__) from None
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _Busy(f"http_{status}", _wait(_json(content)))
        if is_encoded(response):
            raise FileUnavailable(cause="encoded")
        return status, bytes(content)


def _too_large() -> ImageTooLarge:
    return ImageTooLarge("The picture is larger than 20 MB. Send it smaller.")


def _json(content: bytes | bytearray) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _wait(body: dict[str, Any]) -> float:
    parameters = body.get("parameters")
    return read_number(parameters.get("retry_after") if isinstance(parameters, dict) else 0) or 0.0
