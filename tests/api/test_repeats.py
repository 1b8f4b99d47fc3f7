"""A message that is sent again is answered once."""

import asyncio

import pytest

from simulator.openrouter import OpenRouterWorld
from tests.api.service import BOT, Place, Service, said, until


async def test_a_repeat_gets_the_stored_reply_byte_for_byte_and_asks_no_model(
    service: Service, world: OpenRouterWorld
) -> None:
    question = said("hello")
    first = await service.post(question)

    second = await service.post(question)

    assert (second.status_code, second.content) == (200, first.content)
    assert len(world.chats()) == 1


async def test_a_repeat_gets_the_stored_reply_after_a_restart(
    place: Place, world: OpenRouterWorld
) -> None:
    question = said("hello")
    async with place.running() as service:
        first = await service.post(question)

    async with place.running() as service:
        second = await service.post(question)

    assert second.content == first.content
    assert len(world.chats()) == 1


async def test_a_repeat_takes_nothing_of_the_allowance_and_is_told_so(service: Service) -> None:
    question = said("/help")
    first = await service.post(question)
    for _ in range(3):
        repeated = await service.post(question)

    other = await service.post(said("/help"))

    assert first.headers["RateLimit-Remaining"] == "59"
    assert repeated.headers["RateLimit-Remaining"] == "59"
    assert other.headers["RateLimit-Remaining"] == "58"


@pytest.mark.parametrize(
    "change",
    [{"text": "bye"}, {"user_id": "ben"}, {"thread_id": "t"}, {"language": "de"}],
)
async def test_the_same_ids_with_another_message_are_refused(
    service: Service, world: OpenRouterWorld, change: dict[str, str]
) -> None:
    question = said("hello")
    await service.post(question)

    heard = await service.post(question | change)

    assert (heard.status_code, heard.json()["error"]) == (422, "message_id_reused")
    assert len(world.chats()) == 1


async def test_a_repeat_while_the_first_runs_is_told_to_wait(
    service: Service, world: OpenRouterWorld
) -> None:
    world.first_token = 0.2
    question = said("hello")
    first = asyncio.create_task(service.post(question))
    await until(world.chats)

    plain = await service.post(question)
    async with service.stream(question) as streamed:
        await streamed.aread()

    assert (plain.status_code, plain.json()["error"]) == (409, "in_progress")
    assert plain.headers["Retry-After"] == "1"
    assert streamed.status_code == 409
    assert (await first).status_code == 200
    assert len(world.chats()) == 1


async def test_many_repeats_at_once_make_one_answer(
    service: Service, world: OpenRouterWorld
) -> None:
    question = said("hello")

    heard = await asyncio.gather(*(service.post(question) for _ in range(20)))

    statuses = [each.status_code for each in heard]
    assert set(statuses) <= {200, 409}
    assert statuses.count(200) >= 1
    assert len({each.content for each in heard if each.status_code == 200}) == 1
    assert len(world.chats()) == 1


async def test_a_message_that_failed_may_be_sent_again(
    service: Service, world: OpenRouterWorld
) -> None:
    world.next("http-402-credit")
    question = said("hello")

    failed, again = await service.post(question), await service.post(question)

    assert (failed.status_code, again.status_code) == (503, 200)
    assert again.json()["data"]["message_count"] == 1


async def test_the_same_ids_on_two_platforms_are_two_messages(service: Service) -> None:
    ids = {"user_id": "1", "chat_id": "1", "message_id": "1"}

    internal = await service.post(said("hello", **ids))
    telegram = await service.post(said("bye", platform="telegram", **ids), BOT)

    assert (internal.status_code, telegram.status_code) == (200, 200)
    sessions = {each.json()["data"]["session_id"] for each in (internal, telegram)}
    assert len(sessions) == 2


async def test_the_same_id_in_two_chats_is_two_messages(service: Service) -> None:
    first = await service.post(said("one", message_id="1", chat_id="a"))
    second = await service.post(said("two", message_id="1", chat_id="b"))

    assert (first.status_code, second.status_code) == (200, 200)
