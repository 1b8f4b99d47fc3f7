"""Updates pushed to an address instead of fetched."""

import asyncio
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from simulator.telegram.failure import Json, Refused, bad
from simulator.telegram.updates import Update

if TYPE_CHECKING:
    from simulator.telegram.world import TelegramWorld

LONGEST_PAUSE = 64.0  # seconds
LONGEST_OBEDIENCE = 3600.0  # seconds of a Retry-After
TIMEOUT = 30.0
HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Webhook:
    """Delivers one queue after the other in order, several queues side by side."""

    def __init__(self, world: "TelegramWorld") -> None:
        self._world = world
        self._running: asyncio.Task[None] | None = None
        self._queues: dict[str, asyncio.Task[None]] = {}
        self.url = ""
        self.secret = ""
        self.connections = 40
        self.works = True
        self.last_error = ""
        self.last_error_at = 0

    def set(self, url: str, secret: str, connections: int) -> None:
        """Deliver to this address from now on.

        Raises:
            Refused: 400, no address or secret that Telegram takes. Plain HTTP is taken for
                this machine alone, where Telegram itself would want HTTPS.
        """
        parts = urlsplit(url)
        here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if parts.scheme != "https" and not (parts.scheme == "http" and here):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise bad("secret token contains unallowed characters")
        self.stop()
        self.url, self.secret, self.connections = url, secret, connections
        self.works, self.last_error = True, ""
        self._running = asyncio.create_task(self._run())

    def stop(self) -> None:
        for task in [self._running, *self._queues.values()]:
            if task:
                task.cancel()
        self._running, self.url, self.secret = None, "", ""
        self._queues.clear()

    def info(self) -> Json:
        told: Json = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._world.updates.alive()),
        }
        if self.url:
            told["max_connections"] = self.connections
        if self.last_error:
            told |= {"last_error_date": self.last_error_at, "last_error_message": self.last_error}
        if self._world.updates.allowed:
            told["allowed_updates"] = self._world.updates.allowed
        return told

    async def _run(self) -> None:
        """Start a task for every queue that has something and none yet."""
        updates = self._world.updates
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as http:
            while True:
                changed = updates.changed
                for update in updates.alive():
                    if update.queue not in self._queues:
                        made = asyncio.create_task(self._empty(http, update.queue))
                        self._queues[update.queue] = made
                await changed.wait()

    async def _empty(self, http: httpx.AsyncClient, queue: str) -> None:
        updates = self._world.updates
        failures = 0
        while update := next((it for it in updates.alive() if it.queue == queue), None):
            wait = await self._deliver(http, update)
            if wait is None:
                failures = 0
                if update in updates.waiting:
                    updates.waiting.remove(update)
                continue
            # The first repeat comes at once.
            pause = self._world.webhook_pause * 2 ** (failures - 1) if failures else 0.0
            failures += 1
            await asyncio.sleep(max(wait, min(pause, LONGEST_PAUSE)))
        del self._queues[queue]

    async def _deliver(self, http: httpx.AsyncClient, update: Update) -> float | None:
        """Return None when it was taken, or the seconds the other side asked us to wait."""
        headers = {HEADER: self.secret} if self.secret else {}
        try:
            reply = await http.post(self.url, json=update.json(), headers=headers)
        except httpx.HTTPError as error:
            self._failed(f"Connection failed: {type(error).__name__}")
            return 0.0
        if reply.is_success:
            self.works = True
            self._carry_out(reply)
            return None
        self._failed(f"Wrong response from the webhook: {reply.status_code} {reply.reason_phrase}")
        after = reply.headers.get("retry-after", "")
        return min(float(after), LONGEST_OBEDIENCE) if after.isdecimal() else 0.0

    def _carry_out(self, reply: httpx.Response) -> None:
        """Do what the answer asks for, if anything; nobody is told what came of it."""
        from simulator.telegram.methods import METHODS  # noqa: PLC0415  (it imports this module)
        from simulator.telegram.world import Call  # noqa: PLC0415  (so does this one)

        try:
            asked = reply.json()
        except ValueError:
            return
        name = asked.pop("method", None) if isinstance(asked, dict) else None
        if not isinstance(name, str) or name not in METHODS or name == "getUpdates":
            return
        call = Call(name, asked, self._world.clock(), 200)
        self._world.called(call)
        try:
            METHODS[name](self._world, asked)
        except Refused as refused:
            call.status = refused.status

    def _failed(self, why: str) -> None:
        self.works, self.last_error, self.last_error_at = False, why, int(time.time())
