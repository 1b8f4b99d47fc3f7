"""Two services on one PostgreSQL and one Redis: what one counts or hears holds for the other."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL

from app import texts
from app.chat import growth, lanes, outbox
from app.llm.patience import Patience
from app.sharing import bus as buses
from app.sharing import link as links
from app.sharing.limits import SharedLimits
from app.sharing.link import Link
from simulator.openrouter import OpenRouterWorld, create_openrouter
from tests.api.service import BOT, INTERNAL, Place, Service, bearer, said, until
from tests.api.test_deliveries import DOTS, following
from tests.api.test_webhook import final, send, update, watching
from tests.redises import Server, server
from tests.servers import serve

LONG = 60.0
HASTE = 0.3  # seconds


class Both:
    """Two services, and the Redis between them."""

    def __init__(self, redis: Server, one: Service, other: Service) -> None:
        self.redis = redis
        self.services = (one, other)

    def links(self) -> list[Link]:
        found = []
        for each in self.services:
            limits = each.parts.processor.limits
            assert isinstance(limits, SharedLimits)
            found.append(limits._link)
        return found

    async def settled(self) -> None:
        await until(lambda: all(it.settled and it.instances == 2 for it in self.links()), 20)


@pytest.fixture
async def both(
    tmp_path: Path, postgres_url: URL, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Both]:
    monkeypatch.setattr(growth, "EVERY", 0.05)
    monkeypatch.setattr(buses, "LISTEN_AGAIN", 0.02)
    monkeypatch.setattr(links, "BEAT_EVERY", 0.1)
    monkeypatch.setattr(links, "SETTLE_SECONDS", 0.3)
    world = OpenRouterWorld(index_delay=0.0, drip=0.01, pause=0.002)
    (tmp_path / "data").mkdir(mode=0o700)
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(server(tmp_path))
        upstream = await stack.enter_async_context(serve(create_openrouter(world)))
        url = postgres_url.render_as_string(hide_password=False)
        changes = {"database_url": url, "redis_url": redis.url, "login_rate_limit": "10/minute"}
        place = Place(tmp_path, upstream, world, changes)
        running = [
            await stack.enter_async_context(place.running(wires={"patience": Patience()}))
            for _ in range(2)
        ]
        made = Both(redis, *running)
        await made.settled()
        yield made


async def posted(service: Service, **change: Any) -> int:
    return (await service.post(said("/help", platform="telegram", **change), BOT)).status_code


async def test_a_person_has_one_allowance_at_both(both: Both) -> None:
    heard = [await posted(both.services[at % 2]) for at in range(24)]

    assert (heard[:20], heard[20:]) == ([200] * 20, [429] * 4)


async def test_wrong_keys_are_counted_at_both_and_a_right_one_is_let_in(both: Both) -> None:
    one, other = both.services
    wrong = [
        (await (one, other)[at % 2].http.get("/stats", headers=bearer(f"guess-{at}"))).status_code
        for at in range(12)
    ]
    right = await one.http.get("/stats", headers=bearer(INTERNAL))

    assert wrong == [401] * 10 + [429] * 2
    assert right.status_code == 200


async def test_stop_reaches_the_answer_that_the_other_one_writes(both: Both) -> None:
    one, _ = both.services
    async with watching(one) as events:
        await send(one, update(1, DOTS))
        await following(events, "progress")
        writes = [bool(each.parts.processor.stops.here) for each in both.services]
        not_writing = both.services[writes.index(False)]

        told = await send(not_writing, update(2, "/stop"))
        answered = await final(events)

    assert writes.count(True) == 1
    assert told["notice"] == texts.STOPPED
    assert answered["reply"]["response"].endswith(texts.STOPPED_NOTE)


async def test_whoever_waits_for_the_other_one_is_woken(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = both.services
    for module in (lanes, outbox):
        monkeypatch.setattr(module, "LOOK_EVERY", LONG)
    await asyncio.sleep(1.1)  # those who look now look again after a long time

    async with watching(one) as events, watching(other) as elsewhere:
        await send(one, update(1, "/help"))
        answers = [await final(events), await final(elsewhere)]
        first = asyncio.create_task(one.post(said("Tell me a story", chat_id="c")))
        await until(lambda: one.parts.processor.lanes.busy)
        second = await asyncio.wait_for(other.post(said("/help", chat_id="c")), 20)

    assert answers[0] == answers[1]
    assert ((await first).status_code, second.status_code) == (200, 200)


@pytest.mark.alone
@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_requests_go_on_while_redis_is_away(both: Both, fault: str) -> None:
    one, other = both.services
    break_it: Callable[[], None] = getattr(both.redis, fault)
    break_it()

    times = []
    for at in range(6):
        began = time.perf_counter()
        assert await posted((one, other)[at % 2], user_id=f"u{at}") == 200
        times.append(time.perf_counter() - began)
    refused = [await posted((one, other)[at % 2]) for at in range(24)]
    both.redis.thaw() if fault == "freeze" else both.redis.start()
    await both.settled()

    assert max(times) < HASTE + 0.2  # the first of each notices, and answers besides
    assert max(times[2:]) < HASTE
    assert refused.count(200) == 20
    assert await posted(one) == 429
