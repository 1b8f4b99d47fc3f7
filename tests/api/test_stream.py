"""An answer as events, while it is written."""

import asyncio

import pytest

from app import texts
from app.api.stream import _Heartbeat
from simulator.openrouter import OpenRouterWorld
from tests.api.service import (
    BOT,
    INTERNAL,
    OPEN_TURNS,
    Place,
    Service,
    bearer,
    events_of,
    said,
    settled,
    storage_away,
    until,
)


async def test_the_pieces_make_the_reply_and_a_repeat_gets_the_same(service: Service) -> None:
    question = said("Tell me a long story")

    progress, *deltas, reply = await service.events(question)

    repeated = await service.events(question)
    plain = await service.post(question)
    assert (progress.name, progress.data) == ("progress", {"stage": "accepted"})
    assert {event.name for event in deltas} == {"delta"}
    assert len(deltas) > 3
    assert reply.name == "reply"
    # Notes of ours, such as of the replaced model, are pieces as well.
    assert "no longer available" in reply.data["response"]
    assert "".join(event.data["text"] for event in deltas) == reply.data["response"]
    assert [event.name for event in repeated] == ["progress", "reply"]
    assert repeated[-1].data == plain.json() == reply.data


async def test_the_stream_says_that_nobody_may_hold_it_back(service: Service) -> None:
    async with service.stream(said("hello")) as heard:
        await heard.aread()

    assert heard.headers["content-type"].startswith("text/event-stream")
    assert heard.headers["cache-control"] == "no-store"
    assert heard.headers["x-accel-buffering"] == "no"
    assert heard.headers["ratelimit-remaining"] == "59"


async def test_the_first_piece_comes_before_the_answer_is_whole(
    service: Service, world: OpenRouterWorld
) -> None:
    world.between_tokens = 0.02
    async with service.stream(said("Tell me a story")) as heard:
        pieces = heard.aiter_text()
        while "event: delta" not in await anext(pieces):
            pass
        running = await service.sql(f"SELECT count(*) FROM {OPEN_TURNS}")

        await heard.aclose()

    assert running == 1


async def test_a_command_comes_as_its_reply_alone(service: Service) -> None:
    events = await service.events(said("/help"))

    assert [event.name for event in events] == ["progress", "reply"]


async def test_with_streaming_off_only_the_reply_comes(service: Service) -> None:
    await service.say("/settings streaming off")

    events = await service.events(said("hello"))

    assert [event.name for event in events] == ["progress", "reply"]
    assert events[-1].data["response"].startswith("Hello!")


async def test_a_warning_about_a_secret_is_a_piece_as_well(service: Service) -> None:
    _, *deltas, reply = await service.events(said("my key is sk-or-v1-" + "0123456789abcdef" * 4))

    assert texts.WITHHELD in reply.data["response"]
    assert "".join(event.data["text"] for event in deltas) == reply.data["response"]


async def test_while_nothing_comes_a_comment_keeps_the_line(
    service: Service, world: OpenRouterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.stream.QUIET_SECONDS", 0.03)
    world.first_token = 0.2

    async with service.stream(said("hello")) as heard:
        text = (await heard.aread()).decode()

    assert text.partition("event: delta")[0].count(": still here\n\n") >= 3
    assert events_of(text)[-1].name == "reply"


async def test_a_stream_that_ended_leaves_no_timer_behind(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.stream.QUIET_SECONDS", 0.01)
    beats: list[_Heartbeat] = []
    beat = _Heartbeat._beat

    def counted(one: _Heartbeat) -> None:
        beats.append(one)
        beat(one)

    monkeypatch.setattr(_Heartbeat, "_beat", counted)
    await service.events(said("hello"))
    before = len(beats)

    await asyncio.sleep(0.05)

    assert len(beats) == before


@pytest.mark.parametrize("begun", [False, True])
async def test_who_goes_away_stops_the_model_and_may_ask_again(
    service: Service, world: OpenRouterWorld, *, begun: bool
) -> None:
    await service.say("hello")
    if begun:
        world.between_tokens = 0.03
    else:
        world.first_token = 0.25
    question = said("Tell me a story")
    async with service.stream(question) as heard:
        pieces = heard.aiter_text()
        if begun:
            while "event: delta" not in await anext(pieces):
                pass
        else:
            await until(lambda: len(world.chats()) == 2)

    await until(lambda: world.cancelled)
    await settled(service)
    world.first_token = world.between_tokens = 0.0
    again = await service.post(question)

    roles = [message["role"] for message in world.chats()[-1].body["messages"]]
    assert again.status_code == 200
    assert again.json()["data"]["message_count"] == 2
    assert roles == ["system", "user", "assistant", "user"]


async def test_who_goes_away_while_waiting_for_an_earlier_turn_may_ask_again(
    service: Service, world: OpenRouterWorld
) -> None:
    world.first_token = 0.25
    first = asyncio.create_task(service.post(said("first")))
    await until(world.chats)
    second = said("second")
    async with service.stream(second) as heard:
        await anext(heard.aiter_text())
    third = asyncio.create_task(service.post(said("third")))

    answered = [await first, await third]
    again = await service.post(second)

    asked = [call.body["messages"][-1]["content"] for call in world.chats()]
    assert [each.status_code for each in [*answered, again]] == [200, 200, 200]
    assert asked == ["first", "third", "second"]


async def test_who_goes_away_from_a_plain_call_finds_the_answer_later(
    service: Service, world: OpenRouterWorld
) -> None:
    world.first_token = 0.2
    question = said("hello")
    asked = asyncio.create_task(service.post(question))
    await until(world.chats)

    asked.cancel()
    await settled(service)

    again = await service.post(question)
    assert again.status_code == 200
    assert len(world.chats()) == 1
    assert world.cancelled == []


@pytest.mark.parametrize(
    ("message", "key", "status", "code"),
    [
        ({"text": ""}, INTERNAL, 422, "empty_message"),
        ({}, BOT, 403, "platform_not_allowed"),
        ({}, "x", 401, "not_authenticated"),
    ],
)
async def test_what_is_refused_before_the_stream_is_an_ordinary_error(
    service: Service, message: dict[str, str], key: str, status: int, code: str
) -> None:
    headers = bearer(key) | {"Accept": "text/event-stream"}

    heard = await service.http.post("/message", json=said("hello") | message, headers=headers)

    assert heard.status_code == status
    assert heard.headers["content-type"] == "application/json"
    assert heard.json()["error"] == code


async def test_a_failure_of_ours_ends_the_stream_with_an_error_and_is_logged_once(
    service: Service, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.commands.help.Help.run", lambda *_: 1 / 0)

    async with service.stream(said("/help")) as heard:
        events = events_of((await heard.aread()).decode())

    assert [event.name for event in events] == ["progress", "error"]
    assert events[-1].data["error"] == "internal"
    assert events[-1].data["request_id"] == heard.headers["x-request-id"]
    assert logged.count("request.failed") == 1


async def test_storage_that_goes_away_during_a_stream_ends_it_with_an_error(
    service: Service, world: OpenRouterWorld
) -> None:
    world.first_token = 0.1
    question = said("hello")
    async with service.stream(question) as heard:
        await until(world.chats)
        async with storage_away(service):
            events = events_of((await heard.aread()).decode())

    assert events[-1].name == "error"
    assert events[-1].data["error"] == "storage_unavailable"
    assert events[-1].data["retry_after"] == 1


async def test_a_stream_is_taken_up_by_the_next_start_when_the_service_stops(
    place: Place, world: OpenRouterWorld
) -> None:
    world.first_token = 0.25
    question = said("hello")
    async with place.running() as service, service.stream(question):
        await until(world.chats)

    world.first_token = 0.0
    async with place.running() as service:
        await settled(service)
        heard = await service.post(question)

    assert heard.status_code == 200
