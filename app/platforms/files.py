"""Fetching what people sent through Telegram. A file's address holds the bot's token."""

import asyncio
from urllib.parse import quote

import httpx
from loguru import logger

from app.errors import AppError, ImageTooLarge
from app.platforms.telegram import LARGEST_FILE, Bot

DEADLINE = 30.0  # seconds for a whole file


class FileUnavailable(AppError):
    status = 502
    code = "file_unavailable"
    sentence = "Your picture could not be fetched from Telegram. Send it again."
    retryable = True


class TelegramFiles:
    """Asks Telegram's Bot API for two things: who we are, and a file."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base = base_url.rstrip("/")
        self._token = token
        self._http = httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=10.0)

    async def close(self) -> None:
        await self._http.aclose()

    async def me(self) -> Bot:
        """Return who the bot is.

        Raises:
            FileUnavailable: Telegram does not say.

        Source: getMe
        """
        found = await self._call("getMe")
        return Bot(str(found.get("id", "")), str(found.get("username", "")))

    async def fetch(self, file_id: str) -> bytes:
        """Return the bytes of a file, up to Telegram's 20 MB.

        Raises:
            ImageTooLarge, FileUnavailable: it is not to be had.

        Source: getFile
        """
        try:
            async with asyncio.timeout(DEADLINE):
                found = await self._call("getFile", file_id=file_id)
                path = found.get("file_path")
                if not isinstance(path, str):
                    raise FileUnavailable(cause="no_path")
                return await self._download(path)
        except TimeoutError as error:
            raise FileUnavailable(cause="timeout") from error

    async def _call(self, method: str, **parameters: str) -> dict[str, object]:
        try:
            response = await self._http.post(
                f"{self._base}/bot{self._token}/{method}", data=parameters
            )
            body = response.json()
        except (httpx.HTTPError, ValueError) as error:
            # The error's text holds the address, and the address the token.
            raise FileUnavailable(cause=type(error).__name__) from None
        if not isinstance(body, dict) or not isinstance(body.get("result"), dict):
            logger.warning("telegram.refused", method=method, status=response.status_code)
            if "too big" in str(body):
                raise ImageTooLarge("The picture is larger than 20 MB. Send it smaller.")
            raise FileUnavailable(cause=f"http_{response.status_code}")
        result: dict[str, object] = body["result"]
        return result

    async def _download(self, path: str) -> bytes:
        address = f"{self._base}/file/bot{self._token}/{quote(path)}"
        whole = bytearray()
        try:
            async with self._http.stream("GET", address) as response:
                if response.status_code != httpx.codes.OK:
                    raise FileUnavailable(cause=f"http_{response.status_code}")
                async for piece in response.aiter_raw():
                    whole += piece
                    if len(whole) > LARGEST_FILE:
                        raise ImageTooLarge("The picture is larger than 20 MB. Send it smaller.")
        except httpx.HTTPError as error:
            raise FileUnavailable(cause=type(error).__name__) from None
        return bytes(whole)
