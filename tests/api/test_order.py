"""Messages of one conversation come one after the other, those of others do not wait."""

import asyncio
from typing import Any

import pytest

from app.llm.patience import Patience
from simulator.openrouter import OpenRouterWorld
from tests.api.service import BOT, Place, Service, said, until


def asked(world: OpenRouterWorld) -> list[str]:
    return [call.body["messages"][-1]["content"] for call in world.chats()]


def roles(world: OpenRouterWorld, number: int = -1) -> list[str]:
    return [message["role"] for message in world.chats()[number].body["messages"]]


async def in_order(service: Service, count: int, **change: Any) -> list[asyncio.Task[Any]]:
    """Send so many messages, each when the service has kept the one before."""
    sent = []
    for number in range(count):
        sent.append(asyncio.create_task(service.post(said(f"word {number}", **change))))
        expected = number + 1
        async with asyncio.timeout(5):
            while await service.sql("SELECT count(*) FROM turns") < expected:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
    return sent


@pytest.mark.parametrize("count", [2, 5])
async def test_quick_messages_are_answered_in_their_order(
    service: Service, world: OpenRouterWorld, count: int
) -> None:
    world.first_token = 0.05

    heard = [await each for each in await in_order(service, count)]

    assert [each.status_code for each in heard] == [200] * count
    assert [each.json()["data"]["message_count"] for each in heard] == list(range(1, count + 1))
    assert asked(world) == [f"word {number}" for number in range(count)]
    assert roles(world) == ["system", *["user", "assistant"] * (count - 1), "user"]


async def test_a_sixth_waiting_message_is_refused_and_costs_nothing(
    place: Place, world: OpenRouterWorld
) -> None:
    async with place.running(wires={"patience": Patience()}) as service:
        world.first_token = 3  # so that all six are there before one is answered
        waiting = await in_order(service, 5)

        sixth = await service.post(said("word 5"))
        world.first_token = 0

        assert (sixth.status_code, sixth.json()["error"]) == (429, "busy")
        assert sixth.headers["Retry-After"] == "5"
        assert [(await each).status_code for each in waiting] == [200] * 5
        after = await service.post(said("word 6"))
        assert after.headers["RateLimit-Remaining"] == "54"


async def test_a_message_whose_turn_failed_does_not_hold_up_the_next(
    service: Service, world: OpenRouterWorld
) -> None:
    world.first_token = 0.1
    world.next("http-401")

    first, second = await in_order(service, 2)

    assert [(await first).status_code, (await second).status_code] == [503, 200]
    assert roles(world) == ["system", "user"]


async def test_conversations_do_not_wait_for_each_other(
    service: Service, world: OpenRouterWorld
) -> None:
    world.first_token = 0.25
    questions = [
        said("hello"),
        said("hello", user_id="ben"),
        said("hello", thread_id="t"),
        said("hello", chat_id="other"),
    ]

    sent = [asyncio.create_task(service.post(each)) for each in questions]

    # All are with the model before the first one got an answer.
    await until(lambda: len(world.chats()) == len(sent), 0.2)
    heard = await asyncio.gather(*sent)
    assert [each.status_code for each in heard] == [200] * 4


async def test_people_in_one_group_each_have_a_history_of_their_own(
    service: Service, world: OpenRouterWorld
) -> None:
    group = {"platform": "telegram", "chat_id": "-1", "chat_type": "group"}
    await service.say("swordfish", BOT, user_id="ann", **group)

    await service.say("hello", BOT, user_id="ben", **group)
    ben = str(world.chats()[-1].body)
    await service.say("hello", BOT, user_id="ann", **group)
    ann = str(world.chats()[-1].body)

    assert "swordfish" not in ben
    assert "swordfish" in ann


async def test_threads_of_a_chat_are_apart(service: Service, world: OpenRouterWorld) -> None:
    await service.say("swordfish", thread_id="one")

    await service.say("hello", thread_id="two")

    assert "swordfish" not in str(world.chats()[-1].body)


@pytest.mark.parametrize(
    ("platform", "key_is_bot", "most"), [("telegram", True, 10), ("internal", False, 30)]
)
async def test_the_model_sees_so_many_messages_as_the_platform_remembers(
    service: Service, world: OpenRouterWorld, platform: str, most: int, *, key_is_bot: bool
) -> None:
    keys = {"key": BOT} if key_is_bot else {}
    for number in range(most // 2 + 2):
        await service.say(f"word {number}", platform=platform, **keys)

    await service.say("last", platform=platform, **keys)

    assert roles(world) == ["system", *["user", "assistant"] * (most // 2), "user"]
    assert world.chats()[-1].body["messages"][1]["content"] == "word 2"
