"""Pressed buttons, and chats that come, go and move."""

import pytest

from app.platforms.telegram import (
    BLOCKED,
    REMOVED,
    Gone,
    Ignored,
    Incoming,
    Moved,
    press_id_of,
    read,
)
from simulator.telegram import GROUP
from tests.platforms.telling import JONAS, MINA, Ear, Json, changed
from tests.simulator.bot_api import faults


def test_a_press_is_typing_what_the_button_sends(ear: Ear, spec: Json) -> None:
    ear.world.people.say(MINA, "hi")
    shown = ear.answer(MINA, markup={"inline_keyboard": [[{"text": "Go", "callback_data": "/go"}]]})
    update = ear.one(lambda it: it.press(MINA, shown))

    found = read(update, ear.bot)

    assert faults(spec, update, ["Update"]) == []
    assert isinstance(found, Incoming)
    assert (found.pressed, found.sent_at) == (True, 0.0)
    assert (found.message.text, found.message.pressed_message_id) == ("/go", str(shown))
    assert found.message.message_id == f"press-{press_id_of(update)}"


def test_a_press_of_another_in_a_group_is_theirs(ear: Ear) -> None:
    group, topic = ear.topic()
    shown = ear.answer(group, thread=topic)

    found = ear.message(lambda it: it.press(JONAS, shown, "/help", group, forged=True)).message

    assert (found.user_id, found.chat_id, found.thread_id, found.chat_type) == (
        str(JONAS), str(group), str(topic), "group",
    )  # fmt: skip


def test_a_press_on_a_message_that_telegram_no_longer_shows(ear: Ear, spec: Json) -> None:
    shown = ear.answer(GROUP)
    update = ear.one(lambda it: it.press(MINA, shown, "/help", GROUP, forged=True))
    chat = {"id": GROUP, "type": "group", "title": "Night shift"}
    update["callback_query"]["message"] = {"chat": chat, "message_id": shown, "date": 0}

    found = read(update, ear.bot)

    assert faults(spec, update, ["Update"]) == []
    assert isinstance(found, Incoming)
    assert (found.message.chat_id, found.message.pressed_message_id) == (str(GROUP), str(shown))


@pytest.mark.parametrize("data", ["k:", "k:" + "x" * 62, "\u0000" * 64, "ف" * 32, "/model x", " "])
def test_a_forged_press_is_only_a_text(ear: Ear, data: str) -> None:
    shown = ear.answer(GROUP)

    found = ear.message(lambda it: it.press(MINA, shown, data, GROUP, forged=True))

    assert (found.message.text, found.pressed) == (data, True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"message": None, "inline_message_id": "i1"}, "press_without_message"),
        ({"data": None, "game_short_name": "chess"}, "press_without_message"),
        ({"data": ""}, "press_without_message"),
        ({"from": {"id": 5, "is_bot": True, "first_name": "x"}}, "no_chat"),
        (
            {"message": {"chat": {"id": -100, "type": "channel"}, "message_id": 1, "date": 5}},
            "no_chat",
        ),
    ],
)
def test_a_press_that_is_none_is_ignored(ear: Ear, change: Json, reason: str) -> None:
    shown = ear.answer(GROUP)
    update = ear.one(lambda it: it.press(MINA, shown, "/help", GROUP, forged=True))

    assert read(changed(update, **change), ear.bot) == Ignored(reason)


def test_who_blocks_us_is_gone_and_who_returns_is_nothing_new(ear: Ear, spec: Json) -> None:
    blocked = ear.one(lambda it: it.block(MINA))
    back = ear.one(lambda it: it.unblock(MINA))
    thrown = ear.one(lambda it: it.throw_out(MINA, GROUP))

    assert [faults(spec, update, ["Update"]) for update in (blocked, back, thrown)] == [[]] * 3
    assert read(blocked, ear.bot) == Gone(str(MINA), BLOCKED)
    assert read(back, ear.bot) == Ignored("member")
    assert read(thrown, ear.bot) == Gone(str(GROUP), REMOVED)


@pytest.mark.parametrize(
    ("member", "gone"),
    [
        ({"status": "left"}, True),
        ({"status": "kicked", "until_date": 0}, True),
        ({"status": "restricted", "is_member": False}, True),
        ({"status": "restricted", "is_member": True}, False),
        ({"status": "member"}, False),
        ({"status": "administrator"}, False),
        ({"status": "creator"}, False),
        ({"status": "something new"}, False),
    ],
)
def test_a_membership_ends_in_three_ways(ear: Ear, member: Json, *, gone: bool) -> None:
    update = ear.one(lambda it: it.throw_out(MINA, GROUP))
    update["my_chat_member"]["new_chat_member"] = {**member, "user": ear.world.bot()}

    assert isinstance(read(update, ear.bot), Gone) is gone


def test_a_channel_that_loses_us_is_no_chat(ear: Ear) -> None:
    update = ear.one(lambda it: it.throw_out(MINA, GROUP))
    update["my_chat_member"]["chat"]["type"] = "channel"

    assert read(update, ear.bot) == Ignored("no_chat")


def test_both_halves_of_a_migration_say_the_same(ear: Ear, spec: Json) -> None:
    updates = ear.all(lambda it: it.migrate(GROUP))
    (new,) = (chat.id for chat in ear.world.chats.values() if chat.type == "supergroup")

    assert [faults(spec, update, ["Update"]) for update in updates] == [[]] * 2
    assert [read(update, ear.bot) for update in updates] == [Moved(str(GROUP), str(new))] * 2
