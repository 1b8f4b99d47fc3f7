"""Service, bot and Telegram are away for a while, and everybody is answered all the same."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from itertools import cycle, repeat
from pathlib import Path

import pytest

from tests.bot.stage import until
from tests.chain.gate import Gate
from tests.processes import Program, TelegramBot
from tests.soak.chats import strays
from tests.soak.claims import all_answered, all_ended, all_once_in_order
from tests.soak.scene import Scene, Victim, scene

WHOLE = bool(os.environ.get("SOAK"))
CHATS = 40 if WHOLE else 8
AWAY = 60.0 if WHOLE else 3.0  # seconds
WAITING_THEN = 1_000 if WHOLE else 24  # messages said while somebody is away
WAITING_AT_START = 5_000 if WHOLE else 56
HOURS = 6 * 3600.0  # over which those are spread
MOST_IN_A_MINUTE = 5  # fewer than a person has waiting, and more than they said in any minute
PATIENCE = 60.0  # seconds


@pytest.fixture
async def on(tmp_path: Path) -> AsyncIterator[Scene]:
    """Everything runs, and everybody was answered once."""
    async with scene(tmp_path, CHATS) as made:
        await made.service.start()
        await made.service.program.ready()
        await made.bot.start()
        say(made, CHATS)
        await all_answered(made)
        yield made


def say(on: Scene, count: int, since: float | None = None) -> None:
    """Let everybody in turn say something, until so much was said; not in the group: it is slow."""
    talks = [talk for talk in on.talks if talk.chat > 0]
    for said, talk in zip(range(count), cycle(talks), strict=False):
        if since is not None:
            on.world.clock = repeat(since + (time.time() - since) * said / count).__next__
        talk.say("", on.service.kills)
    on.world.clock = time.time


def lines(bot: Program, event: str) -> list[str]:
    return [line for line in bot.log.splitlines() if re.search(rf"\b{re.escape(event)}\b", line)]


@pytest.mark.soak
async def test_who_writes_while_the_service_is_away_is_answered_after(on: Scene) -> None:
    await on.service.kill()
    went = time.monotonic()
    say(on, WAITING_THEN)
    bot = on.bot.program
    await until(lambda: lines(bot, "forwarding.away") and lines(bot, "service.away"), PATIENCE)
    await asyncio.sleep(AWAY - (time.monotonic() - went))
    assert len(on.world.updates.waiting) > 0
    await on.service.start()
    came = time.monotonic()
    await all_answered(on)
    await all_ended(on.service.program)

    all_once_in_order(on)
    assert strays(on.world) == []
    assert len(lines(bot, "forwarding.away")) == len(lines(bot, "forwarding.back")) == 1
    said = sum(len(talk.said) for talk in on.talks)
    print(f"\n{said} messages, all answered {time.monotonic() - came:.0f} s after")  # noqa: T201


@pytest.mark.soak
async def test_what_waits_at_the_start_is_worked_off_in_order(tmp_path: Path) -> None:
    limit = str(MOST_IN_A_MINUTE)
    async with scene(tmp_path, CHATS, TELEGRAM_RATE_LIMIT=limit) as on:
        await on.service.start()
        await on.service.program.ready()
        say(on, WAITING_AT_START, since=time.time() - HOURS)
        assert min(len(talk.said) for talk in on.talks if talk.chat > 0) > MOST_IN_A_MINUTE
        await on.bot.start()
        began = time.monotonic()
        await until(lambda: on.world.of("setMyDescription"), PATIENCE)
        at_rest = memory(on.bot.program)
        await until(lambda: not on.world.updates.waiting, PATIENCE + WAITING_AT_START / 10)
        taken = time.monotonic() - began
        await all_answered(on)
        took, most = time.monotonic() - began, memory(on.bot.program, "VmHWM")

    print(  # noqa: T201
        f"\n{WAITING_AT_START} updates waited: handed over in {taken:.1f} s, answered in "
        f"{took:.0f} s; the bot had {at_rest:.0f} MB after its start, {most:.0f} MB at most"
    )
    all_once_in_order(on)
    assert strays(on.world) == []


def memory(program: Program, what: str = "VmRSS") -> float:
    """Return megabytes of a process."""
    status = Path(f"/proc/{program.pid}/status").read_text()
    (kilobytes,) = re.findall(rf"{what}:\s+(\d+) kB", status)
    return int(kilobytes) / 1024


@pytest.mark.soak
async def test_telegram_away_delays_and_loses_nothing(on: Scene) -> None:
    gate = Gate(on.telegram)
    await gate.open()
    assert await on.bot.program.stop() == 0
    settings = {"TELEGRAM_API_BASE": gate.url, "SERVICE_URL": on.service.program.base}
    program = on.service.program
    on.bot = Victim(TelegramBot(program.folder, program, on.telegram, on.world.token, **settings))
    await on.bot.start()
    placed = len(on.world.of("sendMessage"))
    say(on, WAITING_THEN)
    await until(lambda: len(on.world.of("sendMessage")) > placed + CHATS, PATIENCE)

    await gate.close()
    went = time.monotonic()
    say(on, WAITING_THEN)
    bot = on.bot.program
    await until(lambda: lines(bot, "polling.away") and lines(bot, "telegram.away"), PATIENCE)
    await asyncio.sleep(AWAY - (time.monotonic() - went))
    await gate.open()
    on.world.fail("*", "error:502", times=CHATS)
    await all_answered(on)
    await all_ended(on.service.program)

    all_once_in_order(on)
    assert on.bot.program.status is None
    assert len(strays(on.world)) <= len(lines(bot, "place.unclear"))
    await on.bot.program.stop()
    await gate.close()


async def test_a_stop_while_it_works_takes_seconds_and_leaves_nothing(on: Scene) -> None:
    before = len(on.world.of("sendMessage"))
    say(on, 4 * CHATS)
    await until(lambda: len(on.world.of("sendMessage")) > before + 2, PATIENCE)

    async with asyncio.timeout(15):
        assert await on.bot.program.stop() == 0
    assert "Traceback" not in on.bot.program.log
    await on.bot.start()
    await all_answered(on)

    all_once_in_order(on)
    assert strays(on.world) == []


async def test_a_revoked_token_ends_it_with_one_line(on: Scene) -> None:
    on.world.revoked = True
    say(on, 1)
    await until(lambda: on.bot.program.status is not None, PATIENCE)

    assert on.bot.program.status == 2
    (line,) = lines(on.bot.program, "CRITICAL")
    assert "bot.token_refused" in line
    assert "Traceback" not in on.bot.program.log


async def test_a_second_poller_ends_one_of_the_two_with_one_line(on: Scene) -> None:
    service = on.service.program
    folder = service.folder / "second"
    folder.mkdir()
    second = TelegramBot(folder, service, on.telegram, on.world.token)
    await second.start()
    bots = [on.bot.program, second]
    try:
        await until(lambda: any(bot.status is not None for bot in bots), PATIENCE)
        (ended,) = [bot for bot in bots if bot.status is not None]
        (stays,) = [bot for bot in bots if bot.status is None]
        say(on, CHATS)
        await all_answered(on)
    finally:
        await second.stop()

    assert ended.status == 3
    (line,) = lines(ended, "CRITICAL")
    assert "bot.second_poller" in line
    assert lines(stays, "CRITICAL") == []
    all_once_in_order(on)
