"""Every result and every update, held to the Bot API's published description."""

from typing import Any

import pytest

from simulator.telegram import GROUP, TelegramWorld, Upload
from tests.simulator.bot_api import (
    USER,
    Bot,
    Json,
    bot,
    clock,
    faults,
    faults_of_call,
    picture,
    spec,
    telegram,
)

__all__ = ["bot", "clock", "spec", "telegram"]
KEYS = {
    "inline_keyboard": [
        [{"text": "Yes", "callback_data": "yes", "style": "success"}],
        [{"text": "Look", "url": "https://example.com"}, {"text": "x", "copy_text": {"text": "x"}}],
    ]
}
BOLD = [{"type": "bold", "offset": 0, "length": 2}]


async def test_every_result_is_as_described(bot: Bot, telegram: TelegramWorld, spec: Json) -> None:
    wrong: list[str] = []

    async def do(method: str, **parameters: Any) -> Any:
        result = await bot.do(method, **parameters)
        wrong.extend(faults_of_call(spec, method, parameters, result))
        return result

    asked = telegram.people.say(USER, "Hello")
    (photo,) = telegram.people.photos(USER, [picture(1000, 700)])
    file = photo.content["photo"][0]["file_id"]
    document = telegram.people.document(USER, Upload("a.txt", "text/plain", b"a"))
    here = {"chat_id": USER}

    await do("getMe")
    sent = await do(
        "sendMessage", **here, text="Hi /help", entities=BOLD, reply_markup=KEYS,
        reply_parameters={"message_id": asked.id}, link_preview_options={"is_disabled": True},
    )  # fmt: skip
    this = {**here, "message_id": sent["message_id"]}
    await do("editMessageText", **this, text="Hi there", reply_markup=KEYS)
    await do("editMessageReplyMarkup", **this)
    await do("editMessageMedia", **this, media={"type": "photo", "media": file, "caption": "a"})
    await do("editMessageCaption", **this, caption="b")
    await do("sendPhoto", **here, photo=file, caption="Hi /help", caption_entities=BOLD)
    await do("sendDocument", **here, document=document.content["document"]["file_id"])
    await do("sendChatAction", **here, action="typing")
    await do("getFile", file_id=file)
    await do("deleteMessage", **this)
    await do("getUpdates", offset=-1, allowed_updates=["message"])
    await do("setWebhook", url="https://example.com/x", secret_token="s")
    await do("getWebhookInfo")
    await do("deleteWebhook", drop_pending_updates=True)
    scope = {"type": "all_private_chats"}
    commands = [{"command": "help", "description": "what I can do"}]
    await do("setMyCommands", commands=commands, scope=scope)
    assert await do("getMyCommands", scope=scope) == commands
    await do("deleteMyCommands", scope=scope)
    for title, field in [
        ("Name", "name"), ("Description", "description"), ("ShortDescription", "short_description"),
    ]:  # fmt: skip
        await do(f"setMy{title}", **{field: "Arash"})
        assert await do(f"getMy{title}") == {field: "Arash"}
    await do("getChat", **here)
    await do("getChat", chat_id=GROUP)
    await do("leaveChat", chat_id=GROUP)

    assert wrong == []


async def test_every_update_is_as_described(bot: Bot, telegram: TelegramWorld, spec: Json) -> None:
    telegram.reads_all_in_groups = True
    people = telegram.people
    first = people.say(USER, "See https://example.com /help @mina_r #one me@example.com")
    people.edit(USER, first.id, "Hello again")
    sent = await bot.do("sendMessage", chat_id=USER, text="Choose", reply_markup=KEYS)
    people.press(USER, sent["message_id"], "Yes")
    people.say(USER, "a reply", reply_to=sent["message_id"])
    people.photos(USER, [picture(900, 900), picture()], caption="two")
    people.document(USER, Upload("a.pdf", "application/pdf", b"%PDF"), caption="one")
    people.voice(USER, Upload("a.oga", "audio/ogg", b"OggS"))
    people.sticker(USER, "🎉")
    people.block(USER)
    people.unblock(USER)
    people.say(USER, "to all", GROUP)
    people.throw_out(USER, GROUP)
    people.invite(USER, GROUP)
    moved = people.migrate(GROUP)
    thread = people.open_topic(USER, moved.id, "Uplinks")
    people.say(USER, "in a topic", moved.id, thread=thread)

    updates = await bot.updates()

    kinds = {name for update in updates for name in update} - {"update_id"}
    assert kinds == {"message", "edited_message", "callback_query", "my_chat_member"}
    assert len(updates) == 19
    assert faults(spec, updates, ["Array of Update"]) == []


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({"id": 1, "is_bot": True}, "it: lacks first_name"),
        ({"id": "1", "is_bot": True, "first_name": "A"}, "it.id: '1' is no Integer"),
        ({"id": 1, "is_bot": True, "first_name": "A", "shoe": 1}, "it: unknown shoe"),
        ([], "it: no User"),
    ],
)
def test_the_judge_finds_what_is_wrong(spec: Json, value: Any, wrong: str) -> None:
    assert faults(spec, value, ["User"]) == [wrong]
