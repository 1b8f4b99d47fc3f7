"""The bot as a process of its own, between a simulated Telegram and a small service."""

import asyncio
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from panoptes_bot.main import SECOND_POLLER, TOKEN_REFUSED, run
from tests.bot.fake_service import KEY
from tests.bot.stage import MINA, Hurried, Stage, final, placeholder, until

ROOT = Path(__file__).resolve().parents[2]


def environment(stage: Stage, **changed: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "TELEGRAM_BOT_TOKEN": stage.world.token,
        "BOT_API_KEY": KEY,
        "SERVICE_URL": str(stage.settings.service_url),
        "TELEGRAM_API_BASE": str(stage.settings.telegram_api_base),
        "TELEGRAM_LOG_FILE": "bot.log",
        **changed,
    }


@asynccontextmanager
async def bot_process(
    folder: Path, environment: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "run_telegram_bot.py"),
        cwd=folder,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    async with asyncio.timeout(10):
        _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


def files_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_the_process_forwards_answers_and_shows_its_menu(
    on_stage: Stage, tmp_path: Path
) -> None:
    async with bot_process(tmp_path, environment(on_stage)):
        await until(lambda: on_stage.world.commands)
        said = on_stage.world.people.say(MINA, "Hello?")
        await until(lambda: on_stage.service.updates)
        on_stage.service.deliver(placeholder(source=str(said.id)))
        placed = await on_stage.service.until("placed")
        on_stage.service.deliver(final("Yes.", edits=placed.message_ids))
        await on_stage.service.until("sent")

    assert on_stage.shown() == ["Yes."]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_and_soon(
    on_stage: Stage, tmp_path: Path, number: signal.Signals
) -> None:
    async with bot_process(tmp_path, environment(on_stage)) as process:
        on_stage.service.deliver(placeholder())
        await on_stage.service.until("placed")
        began = time.monotonic()
        process.send_signal(number)
        code, said = await ended(process)

    assert code == 0
    assert time.monotonic() - began < 3
    assert "bot.stopped" in said
    assert "Traceback" not in said


async def test_the_supervisor_hears_of_the_start_of_life_and_of_the_end(
    on_stage: Stage, tmp_path: Path
) -> None:
    name = str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as supervisor:
        supervisor.bind(name)
        supervisor.settimeout(10)
        watched = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "200000"}
        async with bot_process(tmp_path, environment(on_stage, **watched)) as process:
            heard = [await asyncio.to_thread(supervisor.recv, 100) for _ in range(4)]
            process.terminate()
            code, _ = await ended(process)
        while b"STOPPING=1" not in heard[-1]:
            heard.append(supervisor.recv(100))

    assert heard[0] == b"READY=1\nSTATUS=Carries messages."
    assert set(heard[1:-1]) == {b"WATCHDOG=1"}
    assert code == 0


async def test_a_second_signal_does_not_wait_for_what_is_being_placed(
    on_stage: Stage, tmp_path: Path
) -> None:
    on_stage.world.fail("sendMessage", "silence")
    async with bot_process(tmp_path, environment(on_stage)) as process:
        on_stage.service.deliver(placeholder())
        await until(lambda: on_stage.world.of("sendMessage"))
        process.terminate()
        await asyncio.sleep(0.3)
        waits = process.returncode is None
        process.terminate()
        began = time.monotonic()
        code, _ = await ended(process)

    assert waits
    assert code == 0
    assert time.monotonic() - began < 2


async def test_a_check_says_whether_it_could_start(on_stage: Stage, tmp_path: Path) -> None:
    given = environment(on_stage)
    said = []
    for changed in ({}, {"BOT_API_KEY": "planted-4711"}):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "run_telegram_bot.py"), "--check"),
            cwd=tmp_path,
            env={**given, **changed},
            stderr=asyncio.subprocess.PIPE,
        )
        said.append(await ended(process))

    assert said == [
        (0, "The bot can start with these settings.\n"),
        (78, "The bot cannot start:\n  - BOT_API_KEY: needs at least 32 characters\n"),
    ]
    assert files_in(tmp_path) == []


async def test_a_token_that_is_revoked_ends_it_with_one_clear_line(
    on_stage: Stage, tmp_path: Path
) -> None:
    async with bot_process(tmp_path, environment(on_stage)) as process:
        await until(lambda: on_stage.world.updates.is_polled)
        on_stage.world.revoked = True
        on_stage.world.people.say(MINA, "the next poll")
        code, said = await ended(process)

    assert code == 2
    (line,) = [line for line in said.splitlines() if "CRITICAL" in line]
    assert "bot.token_refused do=put the token of @BotFather in TELEGRAM_BOT_TOKEN" in line
    assert "Traceback" not in said


async def test_a_token_that_telegram_never_gave_ends_it_at_once(
    on_stage: Stage, tmp_path: Path
) -> None:
    wrong = environment(on_stage, TELEGRAM_BOT_TOKEN="4242:another-one-4711")
    async with bot_process(tmp_path, wrong) as process:
        code, said = await ended(process)

    assert code == 2
    told = said + (tmp_path / "bot.log").read_text()
    assert "another-one" not in told
    assert "-4711" not in told


async def test_a_second_poller_ends_one_of_the_two(on_stage: Stage) -> None:
    both = {asyncio.create_task(run(on_stage.settings, Hurried())) for _ in range(2)}

    first, others = await asyncio.wait(both, timeout=10, return_when=asyncio.FIRST_COMPLETED)

    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    assert {task.result() for task in first} == {SECOND_POLLER}


async def test_the_code_says_that_there_is_a_second_poller(on_stage: Stage) -> None:
    on_stage.world.fail("getUpdates", "conflict", times=3)

    assert await asyncio.wait_for(run(on_stage.settings, Hurried()), 10) == SECOND_POLLER


async def test_the_code_says_that_the_token_was_refused_on_the_way_out(on_stage: Stage) -> None:
    running = asyncio.create_task(run(on_stage.settings, Hurried()))
    await until(lambda: on_stage.service.connections and on_stage.world.updates.is_polled)
    on_stage.world.revoked = True
    on_stage.service.deliver(final("Hello"))

    assert await asyncio.wait_for(running, 10) == TOKEN_REFUSED


async def test_without_settings_it_says_all_that_is_missing(tmp_path: Path) -> None:
    bare = {"PATH": os.environ["PATH"], "LOG_LEVEL": "planted-4711"}
    async with bot_process(tmp_path, bare) as process:
        code, said = await ended(process)

    assert code == 78
    assert said.splitlines() == [
        "The bot cannot start:",
        "  - TELEGRAM_BOT_TOKEN: is not set",
        "  - BOT_API_KEY: is not set",
        "  - LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
    ]
    assert files_in(tmp_path) == []


async def test_a_log_that_cannot_be_written_is_said(on_stage: Stage, tmp_path: Path) -> None:
    wrong = environment(on_stage, TELEGRAM_LOG_FILE="/dev/null/bot.log")
    async with bot_process(tmp_path, wrong) as process:
        code, said = await ended(process)

    assert code == 78
    assert "  - TELEGRAM_LOG_FILE: " in said


async def test_what_nobody_foresaw_ends_it_with_a_traceback_and_a_code(
    on_stage: Stage, tmp_path: Path
) -> None:
    async with bot_process(tmp_path, environment(on_stage)) as process:
        await until(lambda: on_stage.world.updates.is_polled)
        # An update without a number: nothing could be confirmed.
        on_stage.world.updates.add("message", {}, queue="x", born=time.time(), life=60)
        on_stage.world.updates.waiting[-1] = Nameless()  # type: ignore[call-overload]
        on_stage.world.updates.wake()
        code, said = await ended(process)

    assert code == 1
    assert "bot.failed" in said
    assert "KeyError" in said


class Nameless:
    id = 10**6
    dies = float("inf")

    def json(self) -> dict[str, object]:
        return {"message": {"text": "x"}}


async def test_it_waits_for_both_sides_and_says_so_once(on_stage: Stage, tmp_path: Path) -> None:
    alone = environment(on_stage, SERVICE_URL="http://127.0.0.1:9")
    on_stage.world.fail("getUpdates", "error:502", times=2)
    async with bot_process(tmp_path, alone) as process:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            first = await process.stderr.readuntil(b"polling.back")
        process.terminate()
        code, rest = await ended(process)

    said = first.decode() + rest
    assert code == 0
    assert len(re.findall(r"service\.away cause=ConnectError", said)) == 1
    assert len(re.findall(r"polling\.away", said)) == 1
    assert len(re.findall(r"polling\.back", said)) == 1


async def test_with_a_webhook_it_only_delivers(on_stage: Stage, tmp_path: Path) -> None:
    hooked = environment(
        on_stage,
        TELEGRAM_WEBHOOK_URL="https://bot.example.org/webhook/telegram",
        TELEGRAM_WEBHOOK_SECRET="abcdefghijklmnop-0123456789_ABCDEF",
    )
    async with bot_process(tmp_path, hooked):
        on_stage.service.deliver(final("Hello"))
        await on_stage.service.until("sent")
        await until(lambda: on_stage.world.webhook.url)

    assert on_stage.world.of("getUpdates", "deleteWebhook") == []
    assert on_stage.shown() == ["Hello"]


async def test_nothing_is_left_on_the_disk_but_the_log(on_stage: Stage, tmp_path: Path) -> None:
    async with bot_process(tmp_path, environment(on_stage)) as process:
        on_stage.service.deliver(final("Hello"))
        await on_stage.service.until("sent")
        process.terminate()
        await ended(process)

    assert files_in(tmp_path) == ["bot.log"]
    assert "Hello" not in (tmp_path / "bot.log").read_text()
