"""What the service tells its administrators, from where it goes wrong to the delivery."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.storage import deliveries
from app.storage.deliveries import START
from app.storage.spends import DAY
from simulator.openrouter import OpenRouterWorld
from tests.api.service import BOT, Clock, Place, Service, bearer, said
from wire.reply import Reply

ADMINS = ("501", "502")
HOUR = 3600.0


@pytest.fixture
def clock() -> Clock:
    return Clock(DAY * 20_500 + HOUR)


@pytest.fixture
async def service(place: Place, clock: Clock) -> AsyncIterator[Service]:
    given: dict[str, Any] = {
        "telegram_admin_users": ",".join(ADMINS),
        "daily_spend_limit_usd": 1,
        "telegram_model": "openai/gpt-4o-mini",
    }
    # What is gone from the start and has no stand-in would be told of.
    async with place.running(wires={"clock": clock}, **given) as service:
        yield service


async def sent(service: Service, count: int) -> list[tuple[str, str]]:
    """Return to whom and what, once there are so many; a moment later there are no more."""
    store, sealer = service.parts.memory.store, service.parts.memory.sealer

    async def found() -> list[tuple[str, str]]:
        due, _ = await store.run(lambda db: deliveries.due(db, sealer, "telegram", START, 100))
        replies = [(it.target.chat_id, Reply.model_validate_json(it.reply or b"")) for it in due]
        return [(chat, reply.response) for chat, reply in replies]

    async with asyncio.timeout(5):
        while len(await found()) < count:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    return await found()


async def ask(service: Service, *texts: str) -> list[int]:
    return [(await service.post(said(text))).status_code for text in texts]


async def test_a_refused_key_is_told_once_an_hour_and_its_end_once(
    service: Service, world: OpenRouterWorld, clock: Clock
) -> None:
    world.next("http-401", 3)
    assert await ask(service, "one", "two") == [503, 503]
    off = await sent(service, 2)

    clock.now += HOUR
    assert await ask(service, "three") == [503]
    again = await sent(service, 4)
    assert await ask(service, "four", "five") == [200, 200]
    over = await sent(service, 6)

    assert [chat for chat, _ in off] == list(ADMINS)
    assert all("`OPENROUTER_API_KEY`" in text for _, text in off)
    assert [text for _, text in again] == [off[0][1]] * 4
    assert [text for _, text in over[4:]] == [
        "**Over:** the provider takes our key again, after 60 min."
    ] * 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("http-402-credit", "credit is used up (`credit`)"),
        ("http-403-key-limit", "credit is used up (`key_limit`)"),
        ("http-403-region", "refuses how it is asked (`region`)"),
    ],
)
async def test_what_else_the_operator_must_mend_is_told(
    service: Service, world: OpenRouterWorld, fault: str, words: str
) -> None:
    world.next(fault)

    await ask(service, "one", "two")

    found = await sent(service, 4)
    assert [words in text for _, text in found] == [True, True, False, False]
    assert [text.startswith("**Over:**") for _, text in found] == [False, False, True, True]


async def test_a_model_that_goes_without_notice_is_told(
    service: Service, world: OpenRouterWorld
) -> None:
    await service.say("/model claude")
    world.next("http-404-deprecated")

    await ask(service, "hello")

    found = await sent(service, 2)
    assert "gone:** `anthropic/claude-sonnet-4`." in found[0][1]


async def test_the_limit_of_the_day_is_told_at_four_fifths_and_at_its_end(
    service: Service, clock: Clock
) -> None:
    day = int(clock.now // DAY)
    await service.sql(f"INSERT INTO spends VALUES ({day}, 0.85) RETURNING day")
    assert await ask(service, "one") == [200]
    most = await sent(service, 2)
    await service.sql("UPDATE spends SET spent_usd = 1 RETURNING day")
    assert await ask(service, "two", "three") == [503, 503]
    all_of_it = await sent(service, 4)

    clock.now += DAY
    assert await ask(service, "four") == [200]
    over = await sent(service, 6)

    assert "80 %" in most[0][1]
    assert "paused until midnight UTC:** too little is left of the `1` USD" in all_of_it[2][1]
    assert [text for _, text in over[4:]] == ["**Over:** AI answers are back, after 24 h."] * 2


async def test_what_nobody_can_read_is_told(service: Service) -> None:
    await service.http.post("/webhook/telegram", content=b'{"x": 1}', headers=_json())

    assert "could not be read" in (await sent(service, 2))[0][1]


def _json() -> dict[str, str]:
    return bearer(BOT) | {"Content-Type": "application/json"}


async def refuse(service: Service, which: int, reason: str) -> None:
    done = {"outcome": "refused", "reason": reason}
    url = f"/deliveries/{which}/ack"
    assert (await service.http.post(url, json=done, headers=bearer(BOT))).is_success


async def numbers(service: Service) -> list[int]:
    store, sealer = service.parts.memory.store, service.parts.memory.sealer
    due, _ = await store.run(lambda db: deliveries.due(db, sealer, "telegram", START, 100))
    return [it.id for it in due]


async def test_an_alert_that_cannot_be_sent_raises_no_other(service: Service) -> None:
    service.parts.inbox.bell.raise_("update_unreadable")
    await sent(service, 2)

    for number in await numbers(service):
        await refuse(service, number, "message is too strange")

    assert await sent(service, 0) == []


async def test_a_dead_letter_is_told(service: Service, clock: Clock) -> None:
    update = {
        "update_id": 1,
        "message": {
            "message_id": 5,
            "date": int(clock.now),
            "chat": {"id": 7, "type": "private"},
            "from": {"id": 7, "is_bot": False, "first_name": "Mina"},
            "text": "/help",
        },
    }
    await service.http.post("/webhook/telegram", json=update, headers=bearer(BOT))
    (number,) = await numbers(service)

    await refuse(service, number, "message is too strange")

    assert "`POST /admin/redrive`" in (await sent(service, 2))[0][1]


async def test_a_task_that_ended_is_told(
    place: Place, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ends(_outbox: object) -> None: ...

    monkeypatch.setattr("app.chat.outbox.Outbox.care", ends)
    async with place.running(wires={"clock": clock}, telegram_admin_users="501") as service:
        found = await sent(service, 1)

    assert "stopped:** `outbox`" in found[0][1]


async def test_what_is_gone_and_replaced_by_configuration_wakes_nobody(service: Service) -> None:
    assert service.parts.health.detail()["models_gone"]
    assert await sent(service, 0) == []
