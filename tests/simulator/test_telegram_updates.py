"""How updates wait for the bot, and how they reach it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.telegram import GROUP, TelegramWorld
from tests.servers import serve
from tests.simulator.bot_api import USER, Bot, Clock, bot, clock, telegram

__all__ = ["bot", "clock", "telegram"]


async def until(condition: object, patience: float = 3.0) -> None:
    """Wait for something that another task brings about."""
    assert callable(condition)
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.005)


async def said(bot: Bot, **asked: object) -> list[str]:
    return [it["message"]["text"] for it in await bot.updates(**asked)]


async def test_an_update_waits_until_a_higher_offset(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.people.say(USER, "one")
    telegram.people.say(USER, "two")

    heard = [await said(bot), await said(bot, offset=1), await said(bot, offset=2)]

    assert heard == [["one", "two"], ["one", "two"], ["two"]]
    assert await said(bot, offset=3) == await said(bot) == []


async def test_ids_rise_by_one_from_where_the_world_began(clock: Clock) -> None:
    world = TelegramWorld(clock=clock, first_update=700, first_message=50)

    sent = [world.people.say(USER, text).id for text in "ab"]

    assert [update.id for update in world.updates.alive()] == [700, 701]
    assert sent == [50, 51]


def test_a_world_made_later_repeats_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_795_000_000.0)
    first = TelegramWorld.from_now_on("7:a")
    monkeypatch.setattr("time.time", lambda: 1_795_000_060.0)
    later = TelegramWorld.from_now_on("7:a")

    assert first.token == later.token == "7:a"
    assert (later.first_update - first.first_update, later.first_message) == (60, 15_000_060)


async def test_the_limit_is_kept(bot: Bot, telegram: TelegramWorld) -> None:
    for number in range(120):
        telegram.people.say(USER, str(number))

    assert len(await bot.updates(limit=7)) == 7
    assert len(await bot.updates(limit=500)) == 100


async def test_a_negative_offset_throws_older_ones_away(bot: Bot, telegram: TelegramWorld) -> None:
    for text in "abcd":
        telegram.people.say(USER, text)

    assert await said(bot, offset=-2) == ["c", "d"]
    assert await said(bot) == ["c", "d"]


async def test_a_long_poll_ends_when_something_comes(bot: Bot, telegram: TelegramWorld) -> None:
    waiting = asyncio.create_task(said(bot, timeout=30))
    await until(lambda: telegram.updates.is_polled)

    telegram.people.say(USER, "here")

    assert await asyncio.wait_for(waiting, 2) == ["here"]


async def test_a_new_poll_ends_the_one_that_waits(bot: Bot, telegram: TelegramWorld) -> None:
    waiting = asyncio.create_task(bot.refused("getUpdates", timeout=30))
    await until(lambda: telegram.updates.is_polled)

    assert await bot.updates() == []

    status, words = await asyncio.wait_for(waiting, 2)
    assert status == 409
    assert "terminated by other getUpdates request" in words


async def test_a_poller_that_hung_up_takes_nothing(bot: Bot, telegram: TelegramWorld) -> None:
    waiting = asyncio.create_task(bot.call("getUpdates", timeout=30))
    await until(lambda: telegram.updates.is_polled)

    waiting.cancel()

    await until(lambda: not telegram.updates.is_polled)


async def test_a_message_lives_for_a_day(bot: Bot, telegram: TelegramWorld, clock: Clock) -> None:
    telegram.people.say(USER, "old")
    clock.now += 24 * 3600 - 1
    assert await said(bot) == ["old"]

    clock.now += 1

    assert await said(bot) == []
    assert telegram.updates.expired == 1


async def test_a_press_lives_for_150_seconds(
    bot: Bot, telegram: TelegramWorld, clock: Clock
) -> None:
    telegram.people.say(USER, "hello")
    sent = await bot.do("sendMessage", chat_id=USER, text="Choose", reply_markup=KEYS)
    telegram.people.press(USER, sent["message_id"])
    clock.now += 149
    assert len(await bot.updates(offset=2)) == 1

    clock.now += 1

    assert await bot.updates() == []


KEYS = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}


async def test_the_kinds_that_are_wanted_are_remembered(bot: Bot, telegram: TelegramWorld) -> None:
    await bot.updates(allowed_updates=["edited_message"])
    await bot.updates()
    message = telegram.people.say(USER, "first")
    telegram.people.edit(USER, message.id, "second")

    (update,) = await bot.updates()

    assert update["edited_message"]["text"] == "second"


@pytest.mark.parametrize(
    ("pace", "heard"), [(True, [["a", "b"], ["a"]]), (False, [["a", "b"], ["a", "b"]])]
)
async def test_a_poller_that_spins_gets_one_at_a_time(
    bot: Bot, telegram: TelegramWorld, *, pace: bool, heard: list[list[str]]
) -> None:
    telegram.updates.pace = pace
    for text in "ab":
        telegram.people.say(USER, text)

    assert [await said(bot), await said(bot)] == heard


async def test_what_came_of_a_block_is_told(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.people.say(USER, "hello")
    telegram.people.block(USER)
    assert await bot.refused("sendMessage", chat_id=USER, text="Hi") == (
        403, "Forbidden: bot was blocked by the user",
    )  # fmt: skip
    telegram.people.unblock(USER)

    changes = [it["my_chat_member"]["new_chat_member"] for it in await bot.updates(offset=2)]

    assert [it["status"] for it in changes] == ["kicked", "member"]
    assert (await bot.call("sendMessage", chat_id=USER, text="Hi")).status_code == 200


async def test_privacy_lets_through_what_is_meant_for_the_bot(
    bot: Bot, telegram: TelegramWorld
) -> None:
    own = await bot.do("sendMessage", chat_id=GROUP, text="I am here")
    for text in ("among us", "/help", "/help@other_bot", f"hey @{telegram.username}"):
        telegram.people.say(USER, text, GROUP)
    telegram.people.say(USER, "thanks", GROUP, reply_to=own["message_id"])

    assert await said(bot) == ["/help", f"hey @{telegram.username}", "thanks"]


async def test_without_privacy_everything_is_heard(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.reads_all_in_groups = True
    telegram.people.say(USER, "among us", GROUP)

    assert await said(bot) == ["among us"]


class Receiver:
    """Takes what a webhook brings; `answers` are the statuses to give first."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.body = b""
        self.seen: list[tuple[int, str | None]] = []

    async def __call__(self, request: Request) -> Response:
        update = json.loads(await request.body())
        secret = request.headers.get("x-telegram-bot-api-secret-token")
        self.seen.append((update["update_id"], secret))
        return Response(self.body, status_code=self.answers.pop(0) if self.answers else 200)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def hook(receiver: Receiver) -> AsyncIterator[str]:
    routes = [Route("/hook", receiver.__call__, methods=["POST"])]
    async with serve(Starlette(routes=routes)) as url:
        yield f"{url}/hook"


async def test_a_webhook_brings_updates_with_the_secret(
    bot: Bot, telegram: TelegramWorld, hook: str, receiver: Receiver
) -> None:
    await bot.do("setWebhook", url=hook, secret_token="s3")
    telegram.people.say(USER, "hello")

    await until(lambda: receiver.seen == [(1, "s3")])
    await until(lambda: telegram.updates.alive() == [])
    assert (await bot.do("getWebhookInfo"))["pending_update_count"] == 0


async def test_a_webhook_repeats_until_it_is_taken(
    bot: Bot, telegram: TelegramWorld, hook: str, receiver: Receiver
) -> None:
    receiver.answers = [500, 503, 404]
    telegram.webhook_pause = 0.01
    await bot.do("setWebhook", url=hook)

    telegram.people.say(USER, "one")
    telegram.people.say(USER, "two")

    await until(lambda: len(receiver.seen) == 5)
    assert [number for number, _ in receiver.seen] == [1, 1, 1, 1, 2]


@pytest.mark.parametrize(
    ("body", "done"),
    [
        (b'{"method": "sendMessage", "chat_id": 1001, "text": "Hi."}', [("sendMessage", 200)]),
        (b'{"method": "sendMessage", "chat_id": 7, "text": "Hi."}', [("sendMessage", 400)]),
        (b'{"method": "getUpdates"}', []),
        (b'{"method": ["sendMessage"]}', []),
        (b'{"chat_id": 1001, "text": "Hi."}', []),
        (b'["sendMessage"]', []),
        (b"sendMessage", []),
        (b"\xff", []),
    ],
)
async def test_the_answer_of_a_webhook_may_be_a_call(
    bot: Bot,
    telegram: TelegramWorld,
    hook: str,
    receiver: Receiver,
    body: bytes,
    done: list[tuple[str, int]],
) -> None:
    receiver.body = body
    await bot.do("setWebhook", url=hook)
    before = len(telegram.calls)
    telegram.people.say(USER, "hello")

    await until(lambda: not telegram.updates.alive())
    assert [(call.method, call.status) for call in telegram.calls][before:] == done


async def test_a_chat_that_waits_holds_up_no_other(
    bot: Bot, telegram: TelegramWorld, hook: str, receiver: Receiver
) -> None:
    receiver.answers = [500, 500]
    telegram.webhook_pause = 60.0
    await bot.do("setWebhook", url=hook)
    telegram.people.say(USER, "stuck")
    await until(lambda: len(receiver.seen) == 2)

    telegram.people.say(USER + 1, "free")

    await until(lambda: len(receiver.seen) == 3)
    assert [number for number, _ in receiver.seen] == [1, 1, 2]
    assert (await bot.do("getWebhookInfo"))["last_error_message"] == (
        "Wrong response from the webhook: 500 Internal Server Error"
    )


async def test_polling_is_refused_while_a_webhook_is_set(bot: Bot, hook: str) -> None:
    await bot.do("setWebhook", url=hook)

    status, words = await bot.refused("getUpdates")
    await bot.do("deleteWebhook")

    assert (status, "webhook is active" in words) == (409, True)
    assert await bot.updates() == []


async def test_a_webhook_ends_the_poll_that_waits(
    bot: Bot, telegram: TelegramWorld, hook: str
) -> None:
    waiting = asyncio.create_task(bot.refused("getUpdates", timeout=30))
    await until(lambda: telegram.updates.is_polled)

    await bot.do("setWebhook", url=hook)

    assert await waiting == (409, "Conflict: terminated by setWebhook request")


async def test_a_webhook_goes_over_https_or_to_this_machine(bot: Bot) -> None:
    status, words = await bot.refused("setWebhook", url="http://example.com/hook")

    assert (status, "HTTPS URL must be provided" in words) == (400, True)
