"""The people's side: what a Telegram client would do, over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from simulator.telegram import GROUP
from tests.simulator.bot_api import USER, Bot, Json, bot, clock, picture, telegram

__all__ = ["bot", "clock", "telegram"]
SIM = "/_sim/telegram"


class Side:
    """One person's client."""

    def __init__(self, bot: Bot, person: int) -> None:
        self._bot = bot
        self.me = f"{bot.url}{SIM}/users/{person}"
        self.sim = f"{bot.url}{SIM}"

    async def post(self, path: str, body: Json | None = None, **more: Any) -> httpx.Response:
        return await self._bot.http.post(self.me + path, json=body, **more)

    async def get(self, path: str) -> Any:
        return (await self._bot.http.get(self.me + path)).json()

    async def edit(self, path: str, body: Json) -> httpx.Response:
        return await self._bot.http.patch(self.me + path, json=body)

    async def upload(self, path: str, *files: bytes, **fields: str) -> httpx.Response:
        parts = [("file", ("red.png", content, "image/png")) for content in files]
        return await self._bot.http.post(self.me + path, files=parts, data=fields)


@pytest.fixture
def mina(bot: Bot) -> Side:
    return Side(bot, USER)


@pytest.fixture
def jonas(bot: Bot) -> Side:
    return Side(bot, USER + 1)


async def test_a_person_sees_a_chat_with_the_bot_and_the_group(mina: Side) -> None:
    told = await mina.get("")

    assert told["me"]["first_name"] == "Mina"
    assert [(it["type"], it["unread"]) for it in told["chats"]] == [("private", 0), ("group", 0)]


async def test_what_is_written_and_answered_is_listed(bot: Bot, mina: Side) -> None:
    asked = (await mina.post(f"/chats/{USER}/messages", {"text": "Hello /help"})).json()
    await bot.do(
        "sendMessage", chat_id=USER, text="Hi", reply_parameters={"message_id": asked["message_id"]}
    )

    listed = await mina.get(f"/chats/{USER}/messages")
    overview = await mina.get("")

    assert [it["text"] for it in listed] == ["Hello /help", "Hi"]
    assert listed[0]["entities"] == [{"type": "bot_command", "offset": 6, "length": 5}]
    assert listed[1]["reply_to_message"]["text"] == "Hello /help"
    assert overview["chats"][0]["unread"] == 1


async def test_what_was_read_is_no_longer_counted(bot: Bot, mina: Side) -> None:
    await bot.do("sendMessage", chat_id=GROUP, text="Hi")

    before = (await mina.get(""))["chats"][1]["unread"]
    await mina.post(f"/chats/{GROUP}/read")

    assert (before, (await mina.get(""))["chats"][1]["unread"]) == (1, 0)


async def test_only_ones_own_messages_are_edited(mina: Side, jonas: Side) -> None:
    await mina.post(f"/chats/{USER}/messages", {"text": "Helo"})

    own = await mina.edit(f"/chats/{USER}/messages/1", {"text": "Hello"})
    foreign = await jonas.edit(f"/chats/{USER}/messages/1", {"text": "Hacked"})

    assert (own.status_code, own.json()["text"]) == (201, "Hello")
    assert foreign.status_code == 404


async def test_several_pictures_are_an_album(bot: Bot, mina: Side) -> None:
    red = picture().content

    sent = (await mina.upload(f"/chats/{USER}/photos", red, red, caption="Both")).json()

    assert len({it["media_group_id"] for it in sent}) == 1
    assert [it.get("caption") for it in sent] == ["Both", None]
    assert len(await bot.updates()) == 2


async def test_a_picture_that_is_none_is_refused(mina: Side) -> None:
    refused = await mina.upload(f"/chats/{USER}/photos", b"no picture")

    assert (refused.status_code, refused.json()) == (
        400, {"error": "Bad Request: IMAGE_PROCESS_FAILED"},
    )  # fmt: skip


async def test_a_picture_is_shown_and_a_document_only_saved(bot: Bot, mina: Side) -> None:
    page = b"<script>alert(1)</script>"
    photo = (await mina.upload(f"/chats/{USER}/photos", picture().content)).json()[0]["photo"][0]
    file = (await mina.upload(f"/chats/{USER}/documents", page)).json()["document"]

    shown = await bot.http.get(f"{mina.sim}/files/{photo['file_id']}")
    saved = await bot.http.get(f"{mina.sim}/files/{file['file_id']}")

    assert shown.headers["content-type"] == "image/jpeg"
    assert saved.headers["content-disposition"] == "attachment"
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.content == page


KEYS = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}


async def test_a_press_is_heard_and_answered(bot: Bot, mina: Side) -> None:
    await mina.post(f"/chats/{USER}/messages", {"text": "Hello"})
    sent = await bot.do("sendMessage", chat_id=USER, text="Well?", reply_markup=KEYS)
    path = f"/chats/{USER}/messages/{sent['message_id']}/press"

    pressed = (await mina.post(path, {"row": 0, "column": 0})).json()["query_id"]
    await bot.do("answerCallbackQuery", callback_query_id=pressed, text="Done")
    told = (await bot.http.get(f"{mina.sim}/presses/{pressed}")).json()

    (query,) = [it["callback_query"] for it in await bot.updates(offset=2)]
    assert (query["id"], query["data"]) == (pressed, "yes")
    assert told["answer"] == {"text": "Done", "show_alert": False}


async def test_data_can_be_forged_and_others_can_press(bot: Bot, jonas: Side) -> None:
    sent = await bot.do("sendMessage", chat_id=GROUP, text="Well?", reply_markup=KEYS)
    path = f"/chats/{GROUP}/messages/{sent['message_id']}/press"

    await jonas.post(path, {"data": "evil", "forged": True})

    (query,) = [it["callback_query"] for it in await bot.updates()]
    assert (query["from"]["id"], query["data"]) == (USER + 1, "evil")


async def test_a_button_that_is_not_there_cannot_be_pressed(mina: Side) -> None:
    await mina.post(f"/chats/{USER}/messages", {"text": "Hello"})

    refused = await mina.post(f"/chats/{USER}/messages/1/press", {"data": "evil"})

    assert refused.status_code == 404


async def test_a_group_moves_and_its_topics_follow(bot: Bot, mina: Side) -> None:
    moved = (await bot.http.post(f"{mina.sim}/chats/{GROUP}/migrate")).json()["id"]
    thread = (await mina.post(f"/chats/{moved}/topics", {"name": "Uplinks"})).json()["thread"]
    asked = {"text": "/help", "thread": thread}
    await mina.post(f"/chats/{moved}/messages", asked)

    answer = await bot.do("sendMessage", chat_id=moved, text="Hi", message_thread_id=thread)

    assert (answer["message_thread_id"], answer["is_topic_message"]) == (thread, True)
    assert [it["id"] for it in (await mina.get(""))["chats"]] == [USER, moved]


async def test_a_stranger_sees_no_chat_of_others(jonas: Side) -> None:
    assert (await jonas.get(f"/chats/{USER}/messages")) == {
        "error": "This person is in no such chat."
    }


async def test_a_person_can_join_and_found_a_group_with_topics(bot: Bot, mina: Side) -> None:
    new = (await bot.http.post(f"{mina.sim}/users", json={"first_name": "Noor"})).json()
    group = await mina.post("/groups", {"title": "Uplinks", "members": [new["id"]], "forum": True})
    noor = Side(bot, new["id"])

    seen = (await noor.get(""))["chats"]

    assert group.json()["is_forum"] is True
    assert [it["id"] for it in seen] == [new["id"], group.json()["id"]]


@asynccontextmanager
async def events(bot: Bot, side: Side) -> AsyncIterator[AsyncIterator[tuple[str, Json]]]:
    async with bot.http.stream("GET", f"{side.me}/events") as stream:

        async def read() -> AsyncIterator[tuple[str, Json]]:
            name = ""
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    yield name, json.loads(line[6:])

        yield read()


async def test_what_happens_is_streamed_to_whom_it_concerns(
    bot: Bot, mina: Side, jonas: Side
) -> None:
    async with events(bot, mina) as seen:
        first = await anext(seen)
        await jonas.post(f"/chats/{USER + 1}/messages", {"text": "not for Mina"})
        await mina.post(f"/chats/{USER}/messages", {"text": "Hello"})
        await bot.do("sendChatAction", chat_id=USER, action="typing")
        sent = await bot.do("sendMessage", chat_id=USER, text="…")
        this = {"chat_id": USER, "message_id": sent["message_id"]}
        await bot.do("editMessageText", **this, text="Hi")
        await bot.do("deleteMessage", **this)
        async with asyncio.timeout(3):
            names = [(name, what.get("text")) async for name, what in _until_deleted(seen)]

    assert first[0] == "bot"
    assert names == [
        ("message", "Hello"), ("typing", None), ("message", "…"), ("message", "Hi"),
        ("deleted", None),
    ]  # fmt: skip


async def _until_deleted(
    seen: AsyncIterator[tuple[str, Json]],
) -> AsyncIterator[tuple[str, Json]]:
    async for event in seen:
        if event[0] != "bot":
            yield event
        if event[0] == "deleted":
            return


async def test_the_switchboard_queues_faults_and_tells_calls(bot: Bot, mina: Side) -> None:
    await mina.post(f"/chats/{USER}/messages", {"text": "Hello"})
    fault = {"method": "sendMessage", "fault": "too_many:9", "chat": USER}
    queued = await bot.http.post(f"{mina.sim}/faults", json=fault)
    wrong = await bot.http.post(f"{mina.sim}/faults", json={**fault, "fault": "nonsense"})

    refused = await bot.call("sendMessage", chat_id=USER, text="Hi")
    told = (await bot.http.get(f"{mina.sim}/calls?method=sendMessage")).json()

    assert (queued.status_code, wrong.status_code, refused.status_code) == (204, 404, 429)
    assert [(it["parameters"]["text"], it["status"]) for it in told] == [("Hi", 429)]


async def test_the_switches_are_turned_from_outside(bot: Bot, mina: Side) -> None:
    turned = await bot.http.post(f"{mina.sim}/switches", json={"revoked": True})
    unknown = await bot.http.post(f"{mina.sim}/switches", json={"gravity": False})

    assert (turned.json()["revoked"], unknown.status_code) == (True, 404)
    assert (await bot.call("getMe")).status_code == 401


async def test_the_menu_of_a_chat_is_of_the_narrowest_scope(bot: Bot, mina: Side) -> None:
    general = [{"command": "help", "description": "what I can do"}]
    private = [{"command": "setup", "description": "begin"}]
    await bot.do("setMyCommands", commands=general)
    await bot.do("setMyCommands", commands=private, scope={"type": "all_private_chats"})

    chats = (await mina.get(""))["chats"]

    assert [it["commands"] for it in chats] == [private, general]
