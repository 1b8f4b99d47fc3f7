"""What the simulated Bot API refuses, and with which words."""

import json
from typing import Any

import httpx
import pytest

from simulator.telegram import FAULTS, GROUP, TelegramWorld
from tests.simulator.bot_api import USER, Bot, Clock, Json, bot, clock, picture, telegram

__all__ = ["bot", "clock", "telegram"]
STRANGER = 99


@pytest.fixture
async def sent(bot: Bot, telegram: TelegramWorld) -> int:
    """The id of a message of the bot in the private chat."""
    telegram.people.say(USER, "Hello")
    return int((await bot.do("sendMessage", chat_id=USER, text="Hi"))["message_id"])


def keys(**button: Any) -> Json:
    return {"inline_keyboard": [[{"text": "Press", **button}]]}


def entity(kind: str, offset: int, length: int, **more: Any) -> list[Json]:
    return [{"type": kind, "offset": offset, "length": length, **more}]


NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)
PAST_THE_END = (
    "Bad Request: entity beginning at UTF-16 offset 0 ends after the end of the text at "
    "UTF-16 offset 9"
)
WRONG: dict[str, tuple[str, Json, str]] = {
    "no text": ("sendMessage", {"text": " \n"}, "Bad Request: message text is empty"),
    "long": ("sendMessage", {"text": "x" * 4097}, "Bad Request: message is too long"),
    "long in units": ("sendMessage", {"text": "😀" * 2049}, "Bad Request: message is too long"),
    "no chat": ("sendMessage", {"chat_id": "", "text": "x"}, "Bad Request: chat_id is empty"),
    "stranger": ("sendMessage", {"chat_id": STRANGER, "text": "x"}, "Bad Request: chat not found"),
    "not started": (
        "sendMessage", {"chat_id": USER + 1, "text": "x"}, "Bad Request: chat not found",
    ),
    "reply": (
        "sendMessage",
        {"text": "x", "reply_parameters": {"message_id": 77}},
        "Bad Request: message to be replied not found",
    ),
    "topic": (
        "sendMessage", {"text": "x", "message_thread_id": 5},
        "Bad Request: message thread not found",
    ),
    "data": (
        "sendMessage", {"text": "x", "reply_markup": keys(callback_data="é" * 33)},
        "Bad Request: BUTTON_DATA_INVALID",
    ),
    "no action": (
        "sendMessage", {"text": "x", "reply_markup": keys()},
        "Bad Request: text buttons are unallowed in the inline keyboard",
    ),
    "style": (
        "sendMessage", {"text": "x", "reply_markup": keys(callback_data="x", style="pink")},
        "Bad Request: can't parse inline keyboard button: Invalid button style specified",
    ),
    "buttons": (
        "sendMessage",
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "url": "a.b"}]] * 101}},
        "Bad Request: reply markup is too long",
    ),
    "json": (
        "sendMessage", {"text": "x", "entities": "[{"},
        "Bad Request: can't parse entities: invalid JSON",
    ),
    "parse mode": (
        "sendMessage", {"text": "x", "parse_mode": "HTML"},
        "Bad Request: unsupported parse_mode: the simulator takes entities",
    ),
    "past the end": (
        "sendMessage", {"text": "hello", "entities": entity("bold", 0, 9)},
        PAST_THE_END,
    ),
    "in a pair": (
        "sendMessage", {"text": "a😀b", "entities": entity("bold", 2, 1)},
        "Bad Request: entity begins in a middle of a UTF-16 symbol at UTF-16 offset 2",
    ),
    "localhost": (
        "sendMessage",
        {"text": "hello", "entities": entity("text_link", 0, 5, url="http://localhost:9090")},
        "Bad Request: entity URL 'http://localhost:9090' is invalid: Wrong HTTP URL",
    ),
    "gone": (
        "editMessageText", {"message_id": 77, "text": "x"},
        "Bad Request: message to edit not found",
    ),
    "not ours": (
        "editMessageText", {"message_id": 1, "text": "x"}, "Bad Request: message can't be edited",
    ),
    "the same": ("editMessageText", {"message_id": 2, "text": "Hi"}, NOT_MODIFIED),
    "the same keys": ("editMessageReplyMarkup", {"message_id": 2}, NOT_MODIFIED),
    "deleted": (
        "deleteMessage", {"message_id": 77}, "Bad Request: message to delete not found",
    ),
    "action": (
        "sendChatAction", {"action": "dancing"},
        "Bad Request: wrong parameter action in request",
    ),
    "query": (
        "answerCallbackQuery", {"callback_query_id": "7"},
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
    ),
    "file": (
        "getFile", {"file_id": "x"},
        "Bad Request: wrong file_id or the file is temporarily unavailable",
    ),
    "command": (
        "setMyCommands", {"commands": [{"command": "No Good", "description": "x"}]},
        "Bad Request: BOT_COMMAND_INVALID",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_call_is_refused_in_telegrams_words(name: str, bot: Bot) -> None:
    method, parameters, words = WRONG[name]

    assert await bot.refused(method, **{"chat_id": USER, **parameters}) == (400, words)


async def test_a_token_that_is_wrong_or_revoked_is_a_401(bot: Bot, telegram: TelegramWorld) -> None:
    wrong = Bot(bot.http, bot.url, "4242:other")

    assert await wrong.refused("getMe") == (401, "Unauthorized")
    telegram.revoked = True
    assert await bot.refused("getMe") == (401, "Unauthorized")


async def test_an_unknown_method_is_a_404(bot: Bot) -> None:
    assert await bot.refused("sendSmell") == (404, "Not Found: method not found")


async def test_methods_are_found_in_any_case_and_by_get(bot: Bot) -> None:
    reply = await bot.http.get(f"{bot.url}/bot{bot.token}/GETME")

    assert reply.json()["result"]["is_bot"] is True


@pytest.mark.usefixtures("sent")
async def test_bodies_of_every_kind_are_read(bot: Bot) -> None:
    url = f"{bot.url}/bot{bot.token}/sendMessage"
    markup = json.dumps(keys(callback_data="x"))
    fields = {"chat_id": str(USER), "text": "سلام & 😀", "reply_markup": markup}
    parts: list[tuple[str, tuple[None, str]]] = [(name, (None, it)) for name, it in fields.items()]

    replies = [
        await bot.http.get(url, params=fields),
        await bot.http.post(url, data=fields),
        await bot.http.post(url, files=parts),
        await bot.http.post(url, json={**fields, "reply_markup": keys(callback_data="x")}),
    ]

    texts = [(it.json()["result"]["text"], "reply_markup" in it.json()["result"]) for it in replies]
    assert texts == [("سلام & 😀", True)] * 4


async def test_entities_beyond_the_hundredth_are_ignored(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.people.say(USER, "Hello")
    many = [it for number in range(120) for it in entity("bold", 2 * number, 1)]

    sent = await bot.do("sendMessage", chat_id=USER, text="a " * 119 + "a", entities=many)

    assert len(sent["entities"]) == 100


async def test_a_text_is_trimmed_and_its_entities_move_along(
    bot: Bot, telegram: TelegramWorld
) -> None:
    telegram.people.say(USER, "Hello")

    sent = await bot.do(
        "sendMessage", chat_id=USER, text=" \n😀 bold\r\n", entities=entity("bold", 5, 4)
    )

    assert (sent["text"], sent["entities"]) == ("😀 bold", entity("bold", 3, 4))


async def test_commands_mentions_and_links_are_found(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.people.say(USER, "Hello")
    text = "/help me, @mina_r: see https://a.example/x(1), `/no` me@x.org"

    sent = await bot.do("sendMessage", chat_id=USER, text=text, entities=entity("code", 47, 5))

    found = [(it["type"], text[it["offset"] :][: it["length"]]) for it in sent["entities"]]
    assert found == [
        ("bot_command", "/help"), ("mention", "@mina_r"), ("url", "https://a.example/x(1"),
        ("code", "`/no`"), ("email", "me@x.org"),
    ]  # fmt: skip


async def test_an_edit_without_buttons_takes_them_away(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.people.say(USER, "Hello")
    markup = keys(callback_data="x")
    sent = await bot.do("sendMessage", chat_id=USER, text="Hi", reply_markup=markup)

    edited = await bot.do(
        "editMessageText", chat_id=USER, message_id=sent["message_id"], text="Hi there"
    )

    assert ("reply_markup" in sent, "reply_markup" in edited) == (True, False)


async def test_an_edit_of_the_buttons_alone_is_an_edit(bot: Bot, sent: int) -> None:
    markup = keys(callback_data="x")
    this = {"chat_id": USER, "message_id": sent, "text": "Hi"}

    edited = await bot.do("editMessageText", **this, reply_markup=markup)

    assert edited["reply_markup"] == markup
    assert "edit_date" not in edited


async def test_messages_of_two_days_cannot_be_deleted(bot: Bot, sent: int, clock: Clock) -> None:
    clock.now += 48 * 3600 + 1

    refused = await bot.refused("deleteMessage", chat_id=USER, message_id=sent)

    assert refused == (400, "Bad Request: message can't be deleted")


async def test_the_bot_deletes_what_a_person_wrote_in_private_only(
    bot: Bot, telegram: TelegramWorld
) -> None:
    private = telegram.people.say(USER, "my secret")
    group = telegram.people.say(USER, "our secret", GROUP)

    assert await bot.do("deleteMessage", chat_id=USER, message_id=private.id) is True
    refused = await bot.refused("deleteMessage", chat_id=GROUP, message_id=group.id)
    assert refused == (400, "Bad Request: message can't be deleted")


async def test_a_link_to_a_file_ends_after_an_hour(
    bot: Bot, telegram: TelegramWorld, clock: Clock
) -> None:
    (message,) = telegram.people.photos(USER, [picture()])
    path = (await bot.do("getFile", file_id=message.content["photo"][-1]["file_id"]))["file_path"]
    url = f"{bot.url}/file/bot{bot.token}/{path}"

    fresh = await bot.http.get(url)
    clock.now += 3601

    assert fresh.content.startswith(b"\xff\xd8")
    assert (await bot.http.get(url)).status_code == 404


async def test_a_group_that_moved_names_its_new_id(bot: Bot, telegram: TelegramWorld) -> None:
    new = telegram.people.migrate(GROUP).id

    reply = await bot.call("sendMessage", chat_id=GROUP, text="Hi")

    assert reply.status_code == 400
    assert reply.json()["parameters"] == {"migrate_to_chat_id": new}
    assert (await bot.do("sendMessage", chat_id=new, text="Hi"))["chat"]["type"] == "supergroup"


@pytest.mark.usefixtures("sent")
async def test_the_pace_of_a_private_chat_counts_every_call(
    bot: Bot, telegram: TelegramWorld, clock: Clock
) -> None:
    telegram.limits_rates = True
    await bot.do("sendChatAction", chat_id=USER, action="typing")

    reply = await bot.call("sendMessage", chat_id=USER, text="Hi")
    clock.now += 1
    later = await bot.call("sendMessage", chat_id=USER, text="Hi")

    assert (reply.status_code, reply.json()["parameters"]) == (429, {"retry_after": 1})
    assert later.status_code == 200


async def test_the_pace_of_a_group_is_twenty_a_minute(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.limits_rates = True

    statuses = [
        (await bot.call("sendMessage", chat_id=GROUP, text="Hi")).status_code for _ in range(21)
    ]

    assert statuses == [200] * 20 + [429]


SEEN: dict[str, tuple[int, str]] = {
    "too_many:60": (429, "Too Many Requests: retry after 60"),
    "entities": (400, "Bad Request: can't parse entities"),
    "not_modified": (400, NOT_MODIFIED),
    "edit_gone": (400, "Bad Request: message to edit not found"),
    "reply_gone": (400, "Bad Request: message to be replied not found"),
    "chat_gone": (400, "Bad Request: chat not found"),
    "bad:PEER_ID_INVALID": (400, "Bad Request: PEER_ID_INVALID"),
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "kicked": (403, "Forbidden: bot was kicked from the group chat"),
    "forbidden:user is deactivated": (403, "Forbidden: user is deactivated"),
    "unauthorized": (401, "Unauthorized"),
    "conflict": (409, "Conflict: terminated by other getUpdates request"),
    "error:503": (503, "<html>"),
}
OF_THE_SOCKET = {"reset_before", "reset_after", "delay", "silence", "migrate"}


@pytest.mark.parametrize("fault", SEEN)
async def test_a_fault_strikes_once_and_is_seen(
    fault: str, bot: Bot, telegram: TelegramWorld
) -> None:
    telegram.people.say(USER, "Hello")
    telegram.fail("sendMessage", fault)
    status, words = SEEN[fault]

    first = await bot.call("sendMessage", chat_id=USER, text="Hi")
    second = await bot.call("sendMessage", chat_id=USER, text="Hi")

    said = first.json()["description"] if status != 503 else first.text
    assert (first.status_code, said.startswith(words)) == (status, True)
    assert second.status_code == 200


def test_every_fault_of_the_table_is_tried() -> None:
    assert {name.partition(":")[0] for name in SEEN} | OF_THE_SOCKET == set(FAULTS)


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(("fault", "kept"), [("reset_before", 2), ("reset_after", 3)])
async def test_a_reset_comes_before_or_after_the_deed(
    fault: str, kept: int, bot: Bot, telegram: TelegramWorld
) -> None:
    telegram.fail("sendMessage", fault)

    with pytest.raises(httpx.TransportError):
        await bot.call("sendMessage", chat_id=USER, text="Hi")

    assert len(telegram.chats[USER].messages) == kept
    assert telegram.calls[-1].status == 0


@pytest.mark.usefixtures("sent")
async def test_a_silence_lasts_until_the_caller_leaves(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.fail("*", "silence")

    with pytest.raises(httpx.ReadTimeout):
        await bot.http.post(f"{bot.url}/bot{bot.token}/getMe", timeout=0.05)

    assert (await bot.do("getMe"))["is_bot"] is True


async def test_a_delay_answers_late_what_was_done(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.people.say(USER, "Hello")
    telegram.fail("sendMessage", "delay:0.05")

    reply = await bot.call("sendMessage", chat_id=USER, text="Hi")

    assert reply.status_code == 200
    assert reply.elapsed.total_seconds() >= 0.05


async def test_a_fault_can_move_a_group_away_mid_way(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.fail("sendMessage", "migrate", chat=GROUP)

    reply = await bot.call("sendMessage", chat_id=GROUP, text="Hi")

    assert reply.json()["parameters"] == {"migrate_to_chat_id": telegram.chats[GROUP].moved_to}


async def test_a_fault_of_one_chat_spares_the_others(bot: Bot, telegram: TelegramWorld) -> None:
    telegram.people.say(USER, "Hello")
    telegram.fail("sendMessage", "blocked", chat=GROUP)

    assert (await bot.call("sendMessage", chat_id=USER, text="Hi")).status_code == 200
    assert (await bot.call("sendMessage", chat_id=GROUP, text="Hi")).status_code == 403


@pytest.mark.usefixtures("sent")
async def test_calls_are_recorded_without_the_token(bot: Bot, telegram: TelegramWorld) -> None:
    await bot.http.post(
        f"{bot.url}/bot{bot.token}/sendPhoto",
        data={"chat_id": USER},
        files={"photo": ("red.png", picture().content, "image/png")},
    )

    (call,) = telegram.of("sendPhoto", chat=USER)
    assert call.status == 200
    assert call.parameters == {
        "chat_id": str(USER), "photo": f"red.png ({len(picture().content)} bytes)",
    }  # fmt: skip
    assert telegram.token not in str(list(telegram.calls))


def test_a_fault_that_does_not_exist_is_told() -> None:
    with pytest.raises(KeyError):
        TelegramWorld().fail("sendMessage", "nonsense")
