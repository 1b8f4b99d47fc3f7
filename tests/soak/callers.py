"""Callers of REST before several services: some who pause, and one who wants more than allowed."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Literal

import httpx

from tests.soak.talk import Person, Said, World

PAUSE = 1.5  # seconds between two messages of a caller, at most
AGAIN = 0.05
WINDOW = 60.0  # seconds in which a person has an allowance
PROBE_EVERY = 0.15  # seconds
WELL_AGAIN = 60.0  # seconds
IN_A_ROW = 3

Outcome = Literal["kept", "refused"]


class Caller(Person):
    """Somebody who pauses between messages, and waits for each answer."""

    async def talk(self, http: httpx.AsyncClient) -> None:
        while not self.world.over:
            message = Said(f"p{self.number} n{len(self.said) + 1}")
            self.said.append(message)
            await self.tell(http, message, insist=not self.streams)
            await asyncio.sleep(self.world.random.uniform(0.0, PAUSE))


@dataclass(frozen=True, slots=True)
class Tried:
    """A message that was kept or refused, somewhen between two times."""

    since: float
    until: float
    outcome: Outcome


@dataclass(slots=True)
class Greedy:
    """One person who sends as fast as it goes, each message in a chat of its own."""

    name: str
    world: World
    tried: list[Tried] = field(default_factory=list)

    async def talk(self, http: httpx.AsyncClient) -> None:
        while not self.world.over:
            await self.send(http)

    async def send(self, http: httpx.AsyncClient) -> Outcome:
        """Say one more thing, and repeat it until it is kept or refused; return which."""
        since, number = time.time(), len(self.tried) + 1
        outcome = None
        while outcome is None:
            try:
                outcome = await self._sent(http, f"{self.name}-{number}")
            except httpx.TransportError:
                await asyncio.sleep(AGAIN)
        self.tried.append(Tried(since, time.time(), outcome))
        return outcome

    async def _sent(self, http: httpx.AsyncClient, name: str) -> Outcome | None:
        """Return what became of it, None where the same has to be sent again."""
        body = {
            "platform": "internal",
            "user_id": self.name,
            "chat_id": name,
            "message_id": name,
            "text": "/help",
        }
        bearer = {"Authorization": f"Bearer {self.world.service.key}"}
        heard = await http.post(f"{self.world.door}/message", json=body, headers=bearer)
        if heard.is_success:
            return "kept"
        error = heard.json()["error"]
        if error == "rate_limited":
            await asyncio.sleep(AGAIN)
            return "refused"
        assert error in self.world.away | {"in_progress", "not_ready"}, heard.text
        await asyncio.sleep(AGAIN)
        return "kept" if error == "in_progress" else None

    def most(self) -> int:
        """Return how many were kept for sure in the fullest window."""
        kept = [each for each in self.tried if each.outcome == "kept"]
        return max(
            sum(each.since >= first.since and each.until < first.since + WINDOW for each in kept)
            for first in kept
        )

    def kept(self) -> int:
        return sum(each.outcome == "kept" for each in self.tried)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a probe heard, after so many seconds.

    `stage` of the test is the one in which it asked, or in which it was refused.
    """

    stage: str
    seconds: float
    status: int
    error: str | None = None
    retry_after: str | None = None


@dataclass(slots=True)
class Probes:
    """Somebody new every moment who asks what is answered at once, and never repeats it."""

    world: World
    stage: str = ""
    heard: list[Heard] = field(default_factory=list)

    async def talk(self, http: httpx.AsyncClient) -> None:
        async with asyncio.TaskGroup() as group:
            for number in itertools.count(1):
                if self.world.over:
                    return
                group.create_task(self._probe(http, f"probe-{number}"))
                await asyncio.sleep(PROBE_EVERY)

    async def well(self, since: int) -> None:
        """Wait until several in a row are answered, of those after the first `since`."""
        async with asyncio.timeout(WELL_AGAIN):
            while {each.status for each in self.heard[since:][-IN_A_ROW:]} != {200}:  # noqa: ASYNC110 - of processes
                await asyncio.sleep(AGAIN)

    def times(self, stage: str) -> list[float]:
        return sorted(each.seconds for each in self.heard if each.stage == stage)

    async def _probe(self, http: httpx.AsyncClient, name: str) -> None:
        ids = dict.fromkeys(("user_id", "chat_id", "message_id"), name)
        body = {"platform": "internal", "text": "/help"} | ids
        bearer = {"Authorization": f"Bearer {self.world.service.key}"}
        began, stage = time.monotonic(), self.stage
        told = await http.post(f"{self.world.door}/message", json=body, headers=bearer)
        seconds = time.monotonic() - began
        retry_after = told.headers.get("retry-after")
        error = told.json()["error"]
        stage = stage if told.is_success else self.stage
        self.heard.append(Heard(stage, seconds, told.status_code, error, retry_after))
