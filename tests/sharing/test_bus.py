"""What one instance says, the others hear; nobody waits for it."""

import asyncio
import time

import pytest

from app.sharing import bus as buses
from app.sharing.bus import MOST_WAITING
from app.sharing.line import BATCH_SECONDS
from tests.api.service import until
from tests.redises import Server, cleared, instance, listening, prefix, shared_url


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buses, "LISTEN_AGAIN", 0.01)


async def test_the_others_hear_it_and_who_says_it_does_not() -> None:
    url, named = shared_url(), prefix()
    async with instance(url, named) as one, instance(url, named) as other:
        heard: list[tuple[str, str]] = []
        one.bus.on("stop", lambda told: heard.append(("one", told)))
        other.bus.on("stop", lambda told: heard.append(("other", told)))
        await one.link.beat()
        await other.link.beat()
        await listening(one, other)

        one.bus.publish("stop", '["a","b c","","\u00e9\\n"]')
        await until(lambda: heard)
        await asyncio.sleep(0.02)

        assert heard == [("other", '["a","b c","","\u00e9\\n"]')]
    await cleared(url, named)


async def test_what_is_said_often_goes_out_once() -> None:
    url, named = shared_url(), prefix()
    async with instance(url, named) as one, instance(url, named) as other:
        heard: list[str] = []
        other.bus.on("ended", heard.append)
        await one.link.beat()
        await other.link.beat()
        await listening(one, other)

        for number in range(1_000):
            one.bus.publish("ended", str(number % 3))
        await until(lambda: len(heard) >= 3)
        await asyncio.sleep(0.02)

        assert sorted(heard) == ["0", "1", "2"]
    await cleared(url, named)


async def test_what_nobody_can_read_does_not_end_the_hearing() -> None:
    url, named = shared_url(), prefix()
    async with instance(url, named) as one, instance(url, named) as other:
        heard: list[int] = []
        other.bus.on("ended", lambda told: heard.append(int(told)))
        await one.link.beat()
        await other.link.beat()
        await listening(one, other)

        one.bus.publish("ended", "many")
        one.bus.publish("ended", "7")
        await until(lambda: heard)

        assert heard == [7]
    await cleared(url, named)


@pytest.mark.alone
async def test_saying_it_waits_for_nothing_and_holds_little(redis: Server) -> None:
    async with instance(redis.url, prefix(), BATCH_SECONDS) as one:
        await one.settle()
        redis.freeze()
        began = time.perf_counter()

        said = [one.bus.publish("ended", str(number)) for number in range(3 * MOST_WAITING)]

        assert time.perf_counter() - began < 0.05
        assert said.count(True) == MOST_WAITING


async def test_away_nothing_is_kept_for_later(redis: Server) -> None:
    async with instance(redis.url, prefix()) as one:
        redis.kill()
        await one.link.beat()

        assert not one.bus.publish("queued")


async def test_after_redis_was_away_it_listens_again_and_looks_for_what_it_missed(
    redis: Server,
) -> None:
    named = prefix()
    async with instance(redis.url, named) as one, instance(redis.url, named) as other:
        heard: list[str] = []
        other.bus.on("queued", heard.append, missed=lambda: heard.append("missed"))
        await one.link.beat()
        await other.link.beat()
        await listening(one, other)
        redis.kill()
        await until(lambda: not other.bus.listening.is_set())
        redis.start()
        for each in (one, other):
            await each.link.beat()  # finds it away
            await each.link.beat()
        await listening(one, other)

        one.bus.publish("queued", "again")
        await until(lambda: "again" in heard)

        assert heard == ["missed", "missed", "again"]


async def test_a_connection_on_which_no_heart_beats_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buses, "SILENCE_SECONDS", 0.05)
    url, named = shared_url(), prefix()
    async with instance(url, named) as one:
        missed: list[int] = []
        one.bus.on("queued", lambda _: None, missed=lambda: missed.append(1))
        await one.link.beat()

        await until(lambda: len(missed) > 1)
    await cleared(url, named)
