"""The service is told to stop in the middle of its work, again and again, and nothing is lost."""

import asyncio
import json
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

import httpx
import pytest

from tests.processes import Service, program
from tests.soak.claims import read, rows_of
from tests.soak.talk import Person, Said, World

WHOLE = bool(os.environ.get("SOAK"))
STOPS = 100 if WHOLE else 2
HALF_OPEN = 0.3  # of them find connections on which somebody said half of something
POSTING = 4  # people
BRINGING = 2  # people whose messages come by the webhook
SLOWLY = 0.1  # of the messages take the model seconds
# The first leaves an answer that comes slowly to the next start, the second lets it be finished.
DRAINS = ("1", "6") if WHOLE else ("1",)
MOST_OPEN = 3  # messages of one person that are brought and not answered
LONGEST = 30.0  # seconds that a stop may take
MOST_UP = 0.8  # seconds between being ready and the next stop
ALL_DONE = 90.0  # seconds for what is still open in the end
PAUSE = 0.4  # seconds between two messages that are brought, at most
LOOK_EVERY = 0.05


def slowly(text: str, random: Random) -> str:
    return f"{text} slowly" if random.random() < SLOWLY else text


class Posting(Person):
    """Somebody who waits for the answer, in events or in one piece."""

    async def talk(self, http: httpx.AsyncClient) -> None:
        while not self.world.over:
            text = slowly(f"p{self.number} n{len(self.said) + 1}", self.world.random)
            message = Said(text)
            self.said.append(message)
            await self.tell(http, message, insist=not self.streams)


@dataclass(slots=True)
class Bringing:
    """Somebody whose messages others bring, and who hears of the answers later."""

    number: int
    world: World
    said: list[str] = field(default_factory=list)

    async def talk(self, http: httpx.AsyncClient) -> None:
        while not self.world.over:
            text = slowly(f"w{self.number} n{len(self.said) + 1}", self.world.random)
            self.said.append(text)
            await self._bring(http, text)
            while self._open() > MOST_OPEN:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(LOOK_EVERY)
            await asyncio.sleep(self.world.random.uniform(0.0, PAUSE))

    def _open(self) -> int:
        mine = f"chat_id = 'chat-w{self.number}' AND state <> 'done'"
        ((count,),) = read(self.world.service, f"SELECT count(*) FROM turns WHERE {mine}")
        return int(count)

    async def _bring(self, http: httpx.AsyncClient, text: str) -> None:
        service = self.world.service
        body = {
            "platform": "internal",
            "user_id": f"person-w{self.number}",
            "chat_id": f"chat-w{self.number}",
            "message_id": text.replace(" ", "-"),
            "text": text,
        }
        bearer = {"Authorization": f"Bearer {service.key}"}
        url = f"{service.base}/webhook/internal"
        while True:
            try:
                heard = await http.post(url, json=body, headers=bearer)
            except httpx.TransportError:
                await asyncio.sleep(LOOK_EVERY)
                continue
            if heard.status_code == 202:
                return
            assert heard.json()["error"] == "stopping", heard.text
            await asyncio.sleep(LOOK_EVERY)


@pytest.mark.skipif(not WHOLE, reason="SOAK=1 stops it a hundred times under load")
@pytest.mark.soak
async def test_a_stop_under_load_loses_nothing_and_takes_no_attempt(tmp_path: Path) -> None:
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(10**6))
    calls = tmp_path / "calls"
    calls.touch()

    async with program("tests.soak.provider", calls) as provider:
        service = Service(tmp_path, provider, INTERNAL_MAX_HISTORY="0")
        world = World(service, Random(seed))
        posting = [Posting(number, world) for number in range(POSTING)]
        bringing = [Bringing(number, world) for number in range(BRINGING)]
        took = await _stopped_again_and_again(world, [*posting, *bringing])

    rows = rows_of(service)
    said = {f"chat-{each.number}": [one.id for one in each.said] for each in posting}
    said |= {
        f"chat-w{each.number}": [text.replace(" ", "-") for text in each.said] for each in bringing
    }
    more = len(calls.read_text().splitlines()) - sum(map(len, said.values()))
    print(  # noqa: T201 - `SOAK_SEED` repeats it
        f"\nseed {seed}: {STOPS} stops, half {median(took):.2f} s, longest {max(took):.2f} s; "
        f"{sum(map(len, said.values()))} messages, {more} calls of the model more than messages"
    )
    assert max(took) < LONGEST
    assert {chat: [row.message_id for row in of] for chat, of in rows.items()} == said
    for of in rows.values():
        counts = [row.reply["data"]["message_count"] for row in of]
        assert counts == list(range(1, len(of) + 1))
        # Nobody is told that it did not work: a stop is no fault of the message.
        assert [(row.state, row.attempts, row.reply["error"]) for row in of] == [
            ("done", 1, None)
        ] * len(of)
    stored = {row.message_id: row.reply for of in rows.values() for row in of}
    heard = [message for person in posting for message in person.said if message.reply]
    assert all(message.reply == stored[message.id] for message in heard)
    assert _deliveries(service) == {1: sum(len(each.said) for each in bringing)}


async def _stopped_again_and_again(world: World, people: list[Posting | Bringing]) -> list[float]:
    """Return how long each stop took, once everything that was said is answered."""
    service = world.service
    halves = set(world.random.sample(range(STOPS), round(STOPS * HALF_OPEN)))
    took = []
    async with httpx.AsyncClient(timeout=30) as http:
        try:
            await _start(world)
            async with asyncio.TaskGroup() as group:
                for person in people:
                    group.create_task(person.talk(http))
                for number in range(STOPS):
                    await asyncio.sleep(world.random.uniform(0.0, MOST_UP))
                    took.append(await _stop(world, half_open=number in halves))
                    await _start(world)
                    world.ready_at = time.monotonic()
                world.over = True
            await _all_ended(service)
        finally:
            status = await service.stop()
    assert status == 0
    return took


async def _start(world: World) -> None:
    world.service._environment["DRAIN_SECONDS"] = world.random.choice(DRAINS)
    await world.service.start()
    await world.service.ready()


async def _stop(world: World, *, half_open: bool) -> float:
    service = world.service
    clients = [await _half(service, sent) for sent in _halves(service)] if half_open else []
    began = time.monotonic()
    world.kills += 1
    world.ready_at = float("inf")  # nobody's patience is counted while it is away
    status = await service.stop()
    took = time.monotonic() - began
    for _, writer in clients:
        writer.close()
    assert status == 0, service.log[-2000:]
    return took


def _halves(service: Service) -> list[bytes]:
    """Return what is sent on connections that stay open: nothing, halves, a whole, a stream."""
    host = b"Host: x\r\nAuthorization: Bearer %s\r\n" % service.key.encode()
    body = json.dumps({"platform": "internal", "text": "never whole"}).encode()
    head = b"POST /message HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\n"
    return [
        b"",
        head,
        head + b"Content-Length: 1000\r\n\r\n" + body,
        b"GET /health/live HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /deliveries HTTP/1.1\r\n" + host + b"\r\n",
    ]


async def _half(service: Service, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def _all_ended(service: Service) -> None:
    ends = time.monotonic() + ALL_DONE
    while read(service, "SELECT count(*) FROM turns WHERE state <> 'done'") != [(0,)]:
        assert time.monotonic() < ends, "turns stay open"
        await asyncio.sleep(LOOK_EVERY)


def _deliveries(service: Service) -> dict[int, int]:
    """Return how many turns have how many deliveries with an answer."""
    answered = "SELECT turn, count(*) AS each FROM deliveries WHERE reply IS NOT NULL GROUP BY turn"
    return dict(read(service, f"SELECT each, count(*) FROM ({answered}) GROUP BY each"))
