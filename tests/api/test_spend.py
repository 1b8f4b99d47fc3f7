"""What people hear when the day's money is used up, and what still works."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from app import texts
from app.llm.meter import MESSAGE_TOKENS
from app.storage.spends import DAY
from simulator.openrouter import OpenRouterWorld, create_openrouter
from tests import processes
from tests.api.service import BOT, Clock, Place, Service, bearer, said, until
from tests.servers import serve

EVENING = DAY * 20_500 + 19 * 3600  # five hours before midnight, UTC
# GPT-5.4, 1,500 tokens of output at 15 USD a million, and some 2 KB of input at 2.50.
ONE_ANSWER = 0.03


@pytest.fixture
def clock() -> Clock:
    return Clock(EVENING)


@pytest.fixture
async def service(place: Place, clock: Clock) -> AsyncIterator[Service]:
    async with place.running(wires={"clock": clock}, daily_spend_limit_usd=ONE_ANSWER) as service:
        yield service


async def spend(service: Service, usd: float) -> None:
    """Let so much be spent already."""
    day = int(EVENING // DAY)
    statement = f"INSERT INTO spends VALUES ({day}, {usd}) RETURNING day"
    await service.sql(statement)


async def test_what_an_answer_cost_is_spent_and_nothing_stays_held(service: Service) -> None:
    heard = (await service.post(said("first"))).json()

    spent = await service.sql("SELECT spent_usd FROM spends")
    assert heard["data"]["usage"]["cost"] == pytest.approx(spent)
    assert await service.sql("SELECT count(*) FROM reservations") == 0
    assert tuple(await service.parts.health.spending.today()) == (  # type: ignore[union-attr]
        spent, 0.0, ONE_ANSWER
    )  # fmt: skip


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
async def test_when_it_is_used_up_people_hear_when_it_is_back(
    service: Service, world: OpenRouterWorld, *, streamed: bool
) -> None:
    await spend(service, ONE_ANSWER)
    asked = len(world.chats())

    if streamed:
        *_, event = await service.events(said("first"))
        name, body = event.name, event.data
    else:
        heard = await service.post(said("first"))
        name, body = str(heard.status_code), heard.json()
        assert heard.headers["Retry-After"] == "18000"

    assert name == ("error" if streamed else "503")
    assert (body["success"], body["error"]) == (False, "spend_limit_reached")
    assert body["retry_after"] == 18_000
    assert body["response"] == texts.SPENT.format(wait="5 h")
    assert len(world.chats()) == asked


async def test_commands_that_need_no_model_still_work(service: Service) -> None:
    await spend(service, ONE_ANSWER)

    for command in ("/help", "/status", "/model gpt4", "/clear"):
        assert (await service.post(said(command))).json()["success"], command


async def test_a_telegram_message_gets_the_sentence_too(service: Service) -> None:
    await spend(service, ONE_ANSWER)
    update = {
        "update_id": 1,
        "message": {
            "message_id": 5,
            "date": int(EVENING),
            "chat": {"id": 7, "type": "private"},
            "from": {"id": 7, "is_bot": False, "first_name": "Mina"},
            "text": "hello",
        },
    }

    await service.http.post("/webhook/telegram", json=update, headers=bearer(BOT))
    found = ""
    async with asyncio.timeout(5):
        async for each in service.parts.outbox.changes("telegram"):
            reply = getattr(each, "reply", None)
            if reply is not None:
                found = reply.response
                break

    assert found == texts.SPENT.format(wait="5 h")


async def test_it_is_back_at_midnight(service: Service, clock: Clock) -> None:
    await spend(service, ONE_ANSWER)
    refused = await service.post(said("first"))

    clock.now += 5 * 3600

    assert refused.status_code == 503
    assert (await service.say("first")).startswith("You said")


async def test_health_says_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.health.FRESH_SECONDS", 0.0)
    before = (await service.http.get("/health", headers=bearer(BOT))).json()
    await spend(service, ONE_ANSWER)
    await service.post(said("first"))

    after = (await service.http.get("/health", headers=bearer(BOT))).json()

    assert (before["status"], after["status"]) == ("healthy", "degraded")
    assert after["components"]["openrouter"] == "degraded"
    assert before["detail"]["spend"]["used_up"] is False
    assert after["detail"]["spend"] == {
        "spent_usd": ONE_ANSWER,
        "held_usd": 0.0,
        "limit_usd": ONE_ANSWER,
        "used_up": True,
    }


async def test_what_only_waits_for_others_may_be_asked_again_soon(
    service: Service, world: OpenRouterWorld
) -> None:
    world.first_token = 0.4
    writing = asyncio.create_task(service.say("first"))
    await until(world.chats)

    heard = await service.post(said("first", user_id="bob", chat_id="other"))

    assert (heard.status_code, heard.json()["error"]) == (503, "spend_limit_reached")
    assert heard.headers["Retry-After"] == "10"
    assert "Try again soon" in heard.json()["response"]
    assert (await writing).startswith("You said")
    assert (await service.http.get("/health")).json()["status"] == "healthy"


async def test_what_could_never_be_paid_is_not_put_off_to_midnight(service: Service) -> None:
    text = "a" * 8_000
    assert (len(text) + MESSAGE_TOKENS) * 2.5e-6 + 1_500 * 15e-6 > ONE_ANSWER

    heard = await service.post(said(text))

    assert heard.json()["response"] == texts.SPENT_NEVER
    assert "Retry-After" not in heard.headers


async def test_what_is_too_much_for_today_alone_says_so(service: Service) -> None:
    await spend(service, ONE_ANSWER / 2)

    heard = await service.post(said("first"))

    assert heard.json()["response"] == texts.SPENT_NEARLY.format(wait="5 h")
    assert (await service.http.get("/health")).json()["status"] == "healthy"


async def test_without_a_limit_nothing_is_held(place: Place, clock: Clock) -> None:
    async with place.running(wires={"clock": clock}) as service:
        heard = (await service.post(said("first"))).json()
        rows = await service.sql("SELECT count(*) FROM spends")
        spending = service.parts.health.spending
        assert spending is not None
        today = await spending.today()

    assert rows == 0
    assert today.spent == pytest.approx(heard["data"]["usage"]["cost"])
    assert (today.held, today.limit) == (0.0, None)


async def test_an_answer_whose_cost_cannot_be_written_down_is_not_lost(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("app.storage.spends.settle", broken)

    assert (await service.say("first")).startswith("You said")
    assert await service.sql("SELECT count(*) FROM reservations") == 1


async def test_a_kill_in_the_middle_of_a_call_leaves_its_money_held(tmp_path: Path) -> None:
    world = OpenRouterWorld(first_token=30.0)
    async with serve(create_openrouter(world)) as upstream:
        settings = {"DAILY_SPEND_LIMIT_USD": "5"}
        service = processes.Service(tmp_path, f"{upstream}/api/v1", **settings)
        await service.start()
        await service.ready()
        async with httpx.AsyncClient(base_url=service.base) as http:
            asking = asyncio.create_task(
                http.post("/message", json=said("first"), headers=bearer(service.key))
            )
            await until(world.chats, 20)
            await service.kill()
            await asyncio.gather(asking, return_exceptions=True)

    with closing(sqlite3.connect(tmp_path / "data" / "soak.db")) as db:
        ((amount, count),) = db.execute("SELECT sum(amount_usd), count(*) FROM reservations")
    assert count == 1
    assert 0.0225 < amount < 5
