"""`python -m bench.turns`: what a turn of Telegram costs the service, without bot and Telegram.

An update comes to `POST /webhook/telegram`, the answer by `GET /deliveries`, and is said to have
arrived by `POST /deliveries/{id}/ack`: all that a bot does, and nothing that takes it time. So
many people write at any time, each once.
"""

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import aiohttp

from bench import machine
from bench.growth import Filled
from bench.processes import Failed, cores
from bench.report import DOCUMENT, TURNS, markdown, number, put
from bench.runner import Runner
from bench.targets import DIRECT

ABOUT = (
    "Written by `python -m bench.turns --write`; do not edit. An update comes to",
    "`POST /webhook/telegram`, the answer by `GET /deliveries`, and is acknowledged at once: all",
    "that the bot does, without the bot. 64 people at any time, a model of 0 ms and 64 tokens.",
    "`kept`: so many turns of others are in the database, as after a busy week.",
)
KEPT = (0, 100_000)
AT_ONCE = 64
SECONDS = 6.0
WARM = 2.0
REPETITIONS = 3
OK = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """Turns in a second, and the milliseconds of processor that each took."""

    turns: float
    cpu_ms: float


class Bot:
    """Brings updates, and says of every delivery at once that it has arrived."""

    def __init__(self, http: aiohttp.ClientSession, numbers: Iterator[int]) -> None:
        self._http = http
        self._numbers = numbers
        self._tasks: set[asyncio.Task[None]] = set()
        self.done = 0

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def bring(self) -> None:
        number = next(self._numbers)
        person = {"id": number, "is_bot": False, "first_name": "Ann", "language_code": "en"}
        message = {
            "message_id": 1,
            "from": person,
            "chat": {"id": number, "type": "private", "first_name": "Ann"},
            "date": int(time.time()),
            "text": "Tell me something about foxes and dogs, please.",
        }
        update = {"update_id": number, "message": message}
        await self._say("/webhook/telegram", update)

    async def carry(self) -> None:
        """Read what is to be delivered; for each that has its answer, another one writes."""
        async with self._http.get("/deliveries") as events:
            async for line in events.content:
                if line.startswith(b"data: ") and b'"final":true' in line:
                    number = json.loads(line[6:])["id"]
                    task = asyncio.create_task(self._arrived(number))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def _arrived(self, number: int) -> None:
        await self._say(f"/deliveries/{number}/ack", {"outcome": "sent", "message_ids": ["1"]})
        self.done += 1
        await self.bring()

    async def _say(self, path: str, body: object) -> None:
        async with self._http.post(path, json=body) as said:
            if said.status != OK:
                raise Failed(f"{path}: {said.status} {await said.text()}")


async def drive(url: str, key: str, pid: int) -> Rate:
    connector = aiohttp.TCPConnector(limit=0)
    headers = {"Authorization": f"Bearer {key}"}
    silence = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        url, headers=headers, connector=connector, timeout=silence, read_bufsize=2**22
    ) as http:
        bot = Bot(http, itertools.count(1_000_000))
        carrying = asyncio.create_task(bot.carry())
        await asyncio.gather(*(bot.bring() for _ in range(AT_ONCE)))
        await asyncio.sleep(WARM)
        began, done, cpu = time.perf_counter(), bot.done, machine.cpu_seconds(pid)
        await asyncio.sleep(SECONDS)
        span = time.perf_counter() - began
        turns, spent = bot.done - done, machine.cpu_seconds(pid) - cpu
        carrying.cancel()
        bot.stop()
    if not turns:
        raise Failed("no turn was answered")
    return Rate(turns / span, spent * 1000 / turns)


def report(found: Mapping[int, list[Rate]]) -> str:
    table = [["kept", "", "goal", "median", "lowest", "highest"]]
    for kept, rates in found.items():
        for what, goal, values in (
            ("turns/s", "", sorted(rate.turns for rate in rates)),
            ("CPU ms of a turn", "<= 2", sorted(rate.cpu_ms for rate in rates)),
        ):
            figures = map(number, (median(values), values[0], values[-1]))
            table.append([f"{kept:,}", what, goal, *figures])
    about = [f"- Date: {datetime.now(UTC):%Y-%m-%d}", f"- Machine: {machine.described()}"]
    return "\n".join([TURNS, *ABOUT, "", *about, "", *markdown(table)]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.turns", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.name}")
    asked = parser.parse_args()
    found: dict[int, list[Rate]] = {kept: [] for kept in KEPT}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        runner = Runner(Path(folder), *cores())
        try:
            with runner.upstream(DIRECT) as upstream:
                for kept in [*KEPT] * asked.repetitions:
                    service = Filled(stored=kept)
                    with runner.target(service, "mock-d0", upstream) as what:
                        url = f"http://127.0.0.1:{what.port}"
                        rate = asyncio.run(drive(url, service.bot_key, what.pid))
                        found[kept].append(rate)
        except Failed as failed:
            print(failed, file=sys.stderr)
            return 1
    text = report(found)
    print(text)
    if asked.write:
        put(DOCUMENT, TURNS, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
