"""`python -m bench.telegram`: how long a person on Telegram waits, and what the bot weighs.

The real bot and the real service as processes, between a simulated Telegram and a model that
takes 0 ms; both simulators share this process with the load. Everybody writes in a chat of their
own, so that Telegram's pace of one chat does not rule. Nothing here is a limit.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from tests.chain.stack import Chain, Person, is_final, running

PEOPLE = 60
AT_ONCE = 40
WARM = 5  # messages
PATIENCE = 120.0  # seconds
LOOK_EVERY = 0.002
SAMPLE_EVERY = 0.1
QUESTION = "What is a fox?"
BEGINNING = ("sendChatAction", "sendMessage")


@dataclass(frozen=True, slots=True)
class Wait:
    """Milliseconds from the message until something shows, and until the answer is whole."""

    first: float
    final: float


async def ask(chain: Chain, person: Person) -> Wait:
    began = time.time()
    await person.say(QUESTION)
    async with asyncio.timeout(PATIENCE):
        while not (found := _answered(chain, person.id)):  # noqa: ASYNC110 - the world tells nobody
            await asyncio.sleep(LOOK_EVERY)
    first = chain.telegram.of(*BEGINNING, chat=person.id)[0].at
    return Wait((first - began) * 1000, (found - began) * 1000)


def _answered(chain: Chain, chat: int) -> float:
    """Return when the answer was whole, 0 before."""
    world = chain.telegram
    said = [it for it in world.chats[chat].messages.values() if it.sender == world.bot_id]
    if not said or not all(is_final(world.json(it)) for it in said):
        return 0.0
    return max(call.at for call in world.of("editMessageText", chat=chat))


async def measure(people: int, at_once: int, folder: Path) -> None:
    async with running(folder, LOG_LEVEL="INFO") as chain:
        for _ in range(WARM):
            await ask(chain, await chain.join())
        print(machine.described())
        print(f"{people} messages, one after the other; the model takes 0 ms")
        _print_memory("at rest", _weigh(chain))
        joined = [await chain.join() for _ in range(people)]
        before = _spent(chain)
        _print([await ask(chain, person) for person in joined])
        _print_spent(before, _spent(chain), people)
        print(f"{at_once} people at once")
        crowd = [await chain.join() for _ in range(at_once)]
        before = _spent(chain)
        load = asyncio.gather(*(ask(chain, person) for person in crowd))
        most = _weigh(chain)
        while not load.done():
            most = tuple(map(max, most, _weigh(chain)))
            await asyncio.sleep(SAMPLE_EVERY)
        _print_memory("at most", most)
        _print(await load)
        _print_spent(before, _spent(chain), at_once)


def _print(waits: Iterable[Wait]) -> None:
    found = list(waits)
    for name in ("first", "final"):
        values = [getattr(wait, name) for wait in found]
        worst = statistics.quantiles(values, n=20)[-1]
        what = {"first": "first visible sign", "final": "final text"}[name]
        print(f"  {what:20} median {statistics.median(values):6.0f} ms   p95 {worst:6.0f} ms")


def _spent(chain: Chain) -> tuple[float, ...]:
    """Return the processor seconds of the bot and of the service so far."""
    return tuple(machine.cpu_seconds(each.pid) for each in (chain.bot, chain.service))


def _print_spent(before: tuple[float, ...], after: tuple[float, ...], messages: int) -> None:
    bot, service = ((b - a) * 1000 / messages for a, b in zip(before, after, strict=True))
    print(f"  {'CPU ms of a message':20} bot {bot:6.1f}      service {service:6.1f}")


def _weigh(chain: Chain) -> tuple[float, ...]:
    """Return the megabytes of the bot and of the service."""
    return tuple(machine.resident_mb(each.pid) for each in (chain.bot, chain.service))


def _print_memory(when: str, megabytes: tuple[float, ...]) -> None:
    bot, service = megabytes
    print(f"  {'MB ' + when:20} bot {bot:6.0f}      service {service:6.0f}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.telegram", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        asyncio.run(measure(asked.people, asked.at_once, Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
