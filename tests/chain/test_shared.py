"""Two services on one PostgreSQL and one Redis: what begins at one goes on at the other."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app import texts, words
from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.plume import PARTNER, PlumeWorld, addresses, create_plume
from simulator.telegram import TelegramWorld, create_telegram
from tests import postgres
from tests.chain.stack import LOOK_EVERY, PATIENCE, Person
from tests.processes import Service, TelegramBot
from tests.redises import server
from tests.servers import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOOK = "/webhook/telegram"
HOOK_SECRET = secrets.token_urlsafe(24)
DOTS = "[[fault:slow-drip]]"  # one more dot of text, for ever
SLOW = 1.5  # seconds
MOST_QUESTIONS = 20  # either service may take one


@dataclass(frozen=True, slots=True)
class Instance:
    """A service with a model of its own: so it shows who asked."""

    service: Service
    model: OpenRouterWorld

    async def post(self, text: str, **more: Any) -> httpx.Response:
        """Send a message on behalf of Telegram, and wait for its answer."""
        ids = {"platform": "telegram", "user_id": "r1", "chat_id": "r1", "text": text}
        body = ids | {"message_id": secrets.token_hex(8), "chat_type": "private"} | more
        bearer = {"Authorization": f"Bearer {self.service.bot_key}"}
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
            return await http.post(f"{self.service.base}/message", json=body, headers=bearer)


@dataclass(frozen=True, slots=True)
class Two:
    """Telegram brings updates to the service it is `told`; the bot reads deliveries at `b`."""

    a: Instance
    b: Instance
    telegram: TelegramWorld
    http: httpx.AsyncClient

    def told(self, instance: Instance) -> None:
        self.telegram.webhook.set(f"{instance.service.base}{HOOK}", HOOK_SECRET, 40)

    async def join(self) -> Person:
        joined = await self.http.post("/users", json={"first_name": "Nora"})
        return Person(self.http, joined.json()["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    if reason := postgres.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("two")
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(server(folder))
        url = stack.enter_context(postgres.database()).render_as_string(hide_password=False)
        telegram = TelegramWorld()
        page = await stack.enter_async_context(serve(create_telegram(telegram)))
        where = addresses(await stack.enter_async_context(serve(create_plume(PlumeWorld()))))
        settings = {
            "DATABASE_URL": url,
            "REDIS_URL": redis.url,
            "TELEGRAM_BOT_TOKEN": telegram.token,
            "TELEGRAM_API_BASE": page,
            "TELEGRAM_WEBHOOK_SECRET": HOOK_SECRET,
            "PLUME_SSO_URL": where.sso,
            "PLUME_API_BASE": where.api,
            "PLUME_REPORTS_BASE": where.reports,
        }
        worlds = [OpenRouterWorld(index_delay=0.0) for _ in range(2)]
        models = [await stack.enter_async_context(serve(create_openrouter(it))) for it in worlds]
        keys = {"OPENROUTER_API_KEY": next(iter(worlds[0].keys))}
        first = Service(folder, f"{models[0]}/api/v1", **(settings | keys))
        place = folder / "b"
        place.mkdir()
        other = first.beside(place, OPENROUTER_SERVICE_URL=f"{models[1]}/api/v1")
        hook = {
            "TELEGRAM_WEBHOOK_URL": f"https://bot.example.org{HOOK}",
            "TELEGRAM_WEBHOOK_SECRET": HOOK_SECRET,
        }
        bot = TelegramBot(folder, other, page, telegram.token, **hook)
        base = f"{page}/_sim/telegram"
        http = httpx.AsyncClient(base_url=base, timeout=30, trust_env=False)
        made = Two(
            Instance(first, worlds[0]),
            Instance(other, worlds[1]),
            telegram,
            await stack.enter_async_context(http),
        )
        programs = (first, other, bot)
        for program in programs:
            await program.start()
        try:
            await asyncio.gather(first.ready(), other.ready())
            await _until(lambda: telegram.webhook.url and telegram.of("setMyDescription"))
            made.told(made.a)
            yield made
        finally:
            statuses = await asyncio.gather(*(program.stop() for program in reversed(programs)))
        assert statuses == [0, 0, 0], [program.log[-2000:] for program in programs]


async def _until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the worlds tell nobody
            await asyncio.sleep(LOOK_EVERY)


def _asked(instance: Instance, text: str) -> bool:
    return any(text in str(call.body["messages"][-1]) for call in instance.model.chats())


async def test_what_telegram_brings_to_one_comes_by_the_stream_of_the_other(two: Two) -> None:
    nora = await two.join()

    for number in range(MOST_QUESTIONS):
        question = f"Question {number}"
        answer = await nora.ask(question)

        assert question in answer["text"]
        assert _asked(two.a, question) != _asked(two.b, question)
        if _asked(two.a, question):
            break  # it wrote what the other one delivered
    else:
        pytest.fail("the service that Telegram calls never answers")


async def test_stop_heard_by_one_stops_the_answer_that_the_other_writes(two: Two) -> None:
    nora = await two.join()
    said = await nora.say(f"Count {DOTS}")
    await _until(lambda: _asked(two.a, "Count") or _asked(two.b, "Count"))

    two.told(two.b if _asked(two.a, "Count") else two.a)
    await nora.say("/stop")
    answer = await nora.answer(said)

    assert texts.STOPPED_NOTE.strip("_") in answer["text"]
    two.told(two.a)


async def test_a_dialogue_begun_at_one_goes_on_at_the_other(two: Two) -> None:
    asked = [
        (await instance.post(text)).json()["response"]
        for instance, text in [
            (two.a, "/setup"),
            (two.b, PARTNER.header),
            (two.a, PARTNER.id),
        ]
    ]

    assert asked[:2] == [words.SETUP_AUTHORIZATION, words.SETUP_PARTNER]
    assert asked[2].startswith("**Signed in.**")


async def test_a_repeat_at_the_other_gets_the_stored_reply(two: Two) -> None:
    first = await two.a.post("Say something", message_id="once", chat_id="r2", user_id="r2")
    again = await two.b.post("Say something", message_id="once", chat_id="r2", user_id="r2")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert not _asked(two.b, "Say something")


async def test_a_repeat_at_the_other_is_told_while_the_first_works(two: Two) -> None:
    two.a.model.first_token = SLOW
    same = {"message_id": "now", "chat_id": "r3", "user_id": "r3"}

    first = asyncio.create_task(two.a.post("Think first", **same))
    await _until(lambda: _asked(two.a, "Think first"))
    again = await two.b.post("Think first", **same)
    two.a.model.first_token = 0.0

    assert (again.status_code, again.json()["error"]) == (409, "in_progress")
    assert int(again.headers["Retry-After"]) >= 1
    assert (await first).status_code == 200
