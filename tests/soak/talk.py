"""People who say numbered things and repeat themselves until they are heard."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.processes import Service

PATIENCE = 20.0  # seconds: a restart takes two or three, and then everything is taken up at once
BUSY_WAIT = 0.05
BUSY = frozenset({"in_progress", "busy", "not_ready", "stopping"})
LEFT_ALONE = 0.5  # of the messages that were accepted before a connection broke


@dataclass(slots=True)
class Said:
    """One message and what became of it. `kills` happened while it was on its way."""

    text: str
    accepted: bool = False
    left_alone: bool = False  # accepted, and not asked for until the end
    reply: dict[str, Any] | None = None
    sends: int = 0
    kills: int = 0
    waited: float = 0.0  # seconds for its reply while the service was ready

    @property
    def id(self) -> str:
        return self.text.replace(" ", "-")


@dataclass(slots=True)
class World:
    """What the people and the one who kills know of each other."""

    service: Service
    random: Random
    kills: int = 0
    ready_at: float = 0.0  # infinite while it is away
    over: bool = False
    door: str = ""  # where messages are sent, if not to the service itself
    away: frozenset[str] = frozenset()  # more errors after which the same is said again
    patience: float = PATIENCE


class TooPatient(AssertionError):
    """Somebody waited for an answer longer than people should."""


@dataclass(slots=True)
class Person:
    """One conversation. Every second person reads events, and so knows of being accepted."""

    number: int
    world: World
    said: list[Said] = field(default_factory=list)

    @property
    def streams(self) -> bool:
        return self.number % 2 == 1

    async def talk(self, http: httpx.AsyncClient) -> None:
        """Say one thing after the other until it is over."""
        while not self.world.over:
            message = Said(f"p{self.number} n{len(self.said) + 1}")
            self.said.append(message)
            await self.tell(http, message, insist=not self.streams)

    async def tell(self, http: httpx.AsyncClient, message: Said, *, insist: bool) -> None:
        """Send until there is a reply. Who does not insist may leave it at being accepted."""
        began, kills = time.monotonic(), self.world.kills
        while message.reply is None:
            message.sends += 1
            try:
                await self._send(http, message)
            except httpx.TransportError:
                await asyncio.sleep(BUSY_WAIT)
            message.kills += self.world.kills - kills
            kills = self.world.kills
            if not insist and self._leaves(message):
                return
            waited = time.monotonic() - max(began, self.world.ready_at)
            message.waited = max(message.waited, waited)
            if waited > self.world.patience:
                raise TooPatient(message)

    def _leaves(self, message: Said) -> bool:
        # The service alone can save such a message.
        unheard = message.accepted and message.reply is None
        message.left_alone = unheard and self.world.random.random() < LEFT_ALONE
        return message.left_alone

    async def _send(self, http: httpx.AsyncClient, message: Said) -> None:
        body = {
            "platform": "internal",
            "user_id": f"person-{self.number}",
            "chat_id": f"chat-{self.number}",
            "message_id": message.id,
            "text": message.text,
        }
        bearer = {"Authorization": f"Bearer {self.world.service.key}"}
        url = f"{self.world.door or self.world.service.base}/message"
        if not self.streams:
            self._hear(message, await http.post(url, json=body, headers=bearer))
            if message.reply is None:
                await asyncio.sleep(BUSY_WAIT)
            return
        headers = bearer | {"Accept": "text/event-stream"}
        async with http.stream("POST", url, json=body, headers=headers) as response:
            if not response.is_success:
                await response.aread()
                self._hear(message, response)
                await asyncio.sleep(BUSY_WAIT)
                return
            name = ""
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                    message.accepted = True
                elif line.startswith("data: ") and name == "reply":
                    message.reply = json.loads(line.removeprefix("data: "))
                elif line.startswith("data: ") and name == "error":
                    error = json.loads(line.removeprefix("data: "))["error"]
                    assert error in self.world.away, line

    def _hear(self, message: Said, response: httpx.Response) -> None:
        if response.is_success:
            message.accepted = True
            message.reply = response.json()
        elif response.json()["error"] not in BUSY | self.world.away:
            raise AssertionError(response.text)
