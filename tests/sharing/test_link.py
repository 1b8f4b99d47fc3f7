"""Whatever Redis does, whoever asks goes on within 300 ms, and finds it back by himself."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from loguru import logger

from app.sharing import link as links
from app.sharing.line import BATCH_SECONDS, Away, ended
from app.sharing.link import Link
from app.sharing.script import Script
from tests.api.service import until
from tests.redises import Instance, Server, cleared, instance, prefix, server, shared_url

HASTE = 0.3  # seconds
COUNT = Script("return redis.call('INCR', KEYS[2])")
READ = Script("return redis.call('GET', KEYS[2])")
SECRET = "hidden-0123456789"
FAULTS: dict[str, tuple[Callable[[Server], None], Callable[[Server], None], str]] = {
    "killed": (Server.kill, Server.start, "ConnectionError"),
    "frozen": (Server.freeze, Server.thaw, "TimeoutError"),
    "read-only": (
        lambda redis: redis.say("REPLICAOF", "127.0.0.1", "1"),
        lambda redis: redis.say("REPLICAOF", "NO", "ONE"),
        "ReadOnlyError",
    ),
    "full": (
        lambda redis: redis.say("CONFIG", "SET", "maxmemory", "1"),
        lambda redis: redis.say("CONFIG", "SET", "maxmemory", "0"),
        "OutOfMemoryError",
    ),
    "emptied": (lambda redis: redis.say("FLUSHALL"), lambda _redis: None, "emptied"),
}


@pytest.fixture
async def one(redis: Server) -> AsyncIterator[Instance]:
    async with instance(redis.url, prefix(), BATCH_SECONDS) as made:
        await made.settle()
        yield made


@pytest.fixture
def told() -> Iterator[list[tuple[str, str]]]:
    """What is logged: the event and its kind."""
    events: list[tuple[str, str]] = []
    number = logger.add(
        lambda line: events.append(
            (line.record["message"], str(line.record["extra"].get("kind", "")))
        )
    )
    yield events
    logger.remove(number)


async def asked(link: Link) -> bool:
    """Ask once, in haste; tell whether there was an answer."""
    began = time.perf_counter()
    try:
        await link.call(COUNT, ["n"], [])
    except Away:
        return False
    finally:
        assert time.perf_counter() - began < HASTE
    return True


@pytest.mark.alone
@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_happens_to_it_nobody_waits_and_it_is_found_again(
    redis: Server, one: Instance, told: list[tuple[str, str]], fault: str
) -> None:
    broken, mended, kind = FAULTS[fault]
    assert await asked(one.link)

    broken(redis)
    during = await asyncio.gather(*(asked(one.link) for _ in range(50)))
    began = time.perf_counter()
    later = [await asked(one.link) for _ in range(50)]
    at_once = time.perf_counter() - began
    mended(redis)
    await one.link.beat()
    back = await asked(one.link)

    assert not any(during)
    assert not any(later)
    assert at_once < 0.05
    assert back
    assert not one.link.settled
    assert told == [("sharing.away", kind), ("sharing.back", "")]


@pytest.mark.alone
async def test_it_is_back_by_itself_and_settles(
    redis: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(links, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(links, "BEAT_EVERY", 0.05)
    monkeypatch.setattr(links, "SETTLE_SECONDS", 0.3)
    link = Link(redis.url)
    link._pause = 0.05

    async with link.opened():
        await until(lambda: link.settled)
        redis.kill()
        await until(lambda: not link.here)  # the beat notices it, though nobody asks
        redis.start()
        await until(lambda: link.settled)

        assert await link.call(COUNT, ["n"], []) == 1


async def test_away_at_the_start_it_is_taken_for_several_instances_and_found_later(
    redis: Server,
) -> None:
    redis.kill()
    async with instance(redis.url, prefix()) as one:
        await one.link.beat()
        assert (one.link.here, one.link.instances) == (False, links.INSTANCES_UNKNOWN)

        redis.start()
        await one.settle()

        assert (one.link.settled, one.link.instances) == (True, 1)


async def test_scripts_come_back_after_they_were_flushed(redis: Server, one: Instance) -> None:
    assert await asked(one.link)

    redis.say("SCRIPT", "FLUSH")

    assert await one.link.call(COUNT, ["n"], []) == 2


async def test_instances_know_of_each_other_and_of_who_said_goodbye() -> None:
    url, named = shared_url(), prefix()
    async with instance(url, named) as one:
        async with instance(url, named) as other:
            await other.settle()
            await one.settle()
            await other.link.beat()
            assert (one.link.instances, other.link.instances) == (2, 2)
        await one.link.beat()

        assert one.link.instances == 1
    await cleared(url, named)


async def test_a_burst_of_a_thousand_is_no_reason_to_think_it_away() -> None:
    url, named = shared_url(), prefix()
    async with instance(url, named, BATCH_SECONDS) as one:
        await one.settle()

        counted = await asyncio.gather(
            *(one.link.call(COUNT, ["n"], []) for _ in range(1_000)), return_exceptions=True
        )

        assert one.link.settled
        assert len([each for each in counted if each is not Away]) == 1_000
    await cleared(url, named)


async def test_who_gives_up_waiting_leaves_the_others_their_answers(one: Instance) -> None:
    calls = [asyncio.create_task(one.link.call(COUNT, ["n"], [])) for _ in range(3)]
    await asyncio.sleep(0)

    calls[1].cancel()
    heard = await asyncio.gather(*calls, return_exceptions=True)

    assert (heard[0], heard[2]) == (1, 3)


@pytest.mark.parametrize("password", ["", f":{SECRET}-wrong@"])
async def test_a_refused_password_is_away_and_in_no_log(
    tmp_path: Path, password: str, told: list[tuple[str, str]]
) -> None:
    lines: list[str] = []
    number = logger.add(lines.append, format="{message} {extra} {exception}", diagnose=True)
    with server(tmp_path, "--requirepass", SECRET) as locked:
        url = locked.url.replace("//", f"//{password}")
        async with instance(url, prefix()) as one:
            await one.link.beat()
            assert not await asked(one.link)
    logger.remove(number)

    assert [event for event, _ in told] == ["sharing.away"]
    assert told[0][1] in {"AuthenticationError", "AuthenticationRequiredError", "NOAUTH"}
    assert SECRET not in "".join(lines)
    assert str(locked.port) not in "".join(lines)


async def test_what_is_no_redis_is_away() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n:x\r\n*y\r\n$z\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as web:
        port = web.sockets[0].getsockname()[1]
        async with instance(f"redis://127.0.0.1:{port}", prefix()) as one:
            await one.link.beat()

            assert not one.link.here


@pytest.mark.alone
async def test_no_url_can_make_it_slow(redis: Server) -> None:
    url = f"{redis.url}?socket_timeout=30&socket_connect_timeout=30&retry_on_timeout=true"
    async with instance(url, prefix(), BATCH_SECONDS) as one:
        await one.settle()
        assert await asked(one.link)
        redis.freeze()

        assert not await asked(one.link)


async def test_a_script_of_an_instance_that_was_away_touches_nothing_of_another_redis(
    redis: Server, one: Instance
) -> None:
    assert await asked(one.link)
    redis.kill()
    redis.start()

    assert not await asked(one.link)
    await one.link.beat()

    assert await one.link.call(READ, ["n"], []) is None


async def test_a_task_that_forgets_a_cancellation_ends_all_the_same() -> None:
    async def forgetful() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    task = asyncio.create_task(forgetful())
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await ended(task)

    assert task.cancelled()
