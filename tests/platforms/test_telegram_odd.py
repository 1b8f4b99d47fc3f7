"""Updates that nobody knows, and what was broken on the way."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from app.platforms.telegram import (
    Bot,
    Ignored,
    Incoming,
    Unreadable,
    press_id_of,
    read,
    update_id_of,
)
from app.platforms.updates import Update
from panoptes_bot.receive import ALLOWED_UPDATES
from simulator.telegram import GROUP
from tests.platforms.telling import MINA, Act, Ear, Json
from tests.simulator.bot_api import picture

POST = {"message_id": 1, "date": 5, "chat": {"id": -100, "type": "channel", "title": "x"}}


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1},
        {"update_id": 1, "channel_post": {**POST, "text": "/help"}},
        {"update_id": 1, "edited_channel_post": {**POST, "text": "/help"}},
        {"update_id": 1, "business_message": {**POST, "text": "/help"}},
        {"update_id": 1, "guest_message": {**POST, "text": "/help"}},
        {"update_id": 1, "inline_query": {"id": "1"}},
        {"update_id": 1, "of_the_year_2030": {"message": [[[]]]}},
    ],
    ids=lambda it: [*it][-1],
)
def test_kinds_that_are_not_for_us_are_ignored(ear: Ear, update: Json) -> None:
    assert read(update, ear.bot) == Ignored("unknown_kind")


def test_a_message_in_a_channel_is_no_chat(ear: Ear) -> None:
    post = {**POST, "text": "/help", "from": {"id": 1, "first_name": "x"}}

    assert read({"update_id": 1, "message": post}, ear.bot) == Ignored("no_chat")


ODD: list[Any] = [
    None, [], "text", 5, {}, {"update_id": None}, {"update_id": "5"}, {"update_id": True},
    {"update_id": -1}, {"update_id": 2**63}, {"update_id": 1.5}, {"update_id": 1, "message": []},
    {"update_id": 1, "callback_query": {"id": 5}}, {"update_id": 1, "my_chat_member": {}},
]  # fmt: skip


@pytest.mark.parametrize("raw", ODD, ids=repr)
def test_what_is_no_update_is_unreadable(raw: Any) -> None:
    with pytest.raises(Unreadable):
        read(raw, Bot("1", "x"))


WRONG: list[tuple[str, Any]] = [
    ("date", "yesterday"), ("date", -1), ("date", 10**30), ("date", True), ("date", 1.5),
    ("chat", None), ("chat", {"id": "x", "type": "private"}),
    ("chat", {"id": True, "type": "private"}),
    ("message_id", "1"), ("message_id", None), ("from", 5), ("text", 5), ("text", ["a"]),
    ("photo", {}), ("photo", [{"file_id": 1}]), ("document", "x"), ("entities", [{}]),
    ("entities", "x"), ("media_group_id", 5), ("media_group_id", "a b"), ("quote", {}),
    ("reply_to_message", 1), ("migrate_to_chat_id", "x"), ("message_thread_id", "1"),
    ("document", {"file_id": "x" * 5000}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG, ids=repr)
def test_a_field_of_another_type_makes_an_update_unreadable(
    ear: Ear, name: str, value: Any
) -> None:
    update = ear.one(lambda it: it.say(MINA, "hi"))
    broken = copy.deepcopy(update)
    broken["message"][name] = value
    if name == "document":
        del broken["message"]["text"]

    assert isinstance(read(update, ear.bot), Incoming)
    with pytest.raises(Unreadable):
        read(broken, ear.bot)


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ({"update_id": 5}, 5), ({"update_id": 0}, 0), ({"update_id": 2**63 - 1}, 2**63 - 1),
        ({"update_id": 2**63}, None), ({"update_id": -1}, None), ({"update_id": True}, None),
        ({"update_id": "5"}, None), ({"update_id": 5.0}, None),
        ({}, None), ([], None), (None, None),
    ],
)  # fmt: skip
def test_the_number_of_an_update_is_told_where_there_is_one(raw: Any, number: int | None) -> None:
    assert update_id_of(raw) == number


@pytest.mark.parametrize(
    ("raw", "press"),
    [
        ({"callback_query": {"id": "77"}}, "77"), ({"callback_query": {"id": 77}}, None),
        ({"callback_query": []}, None), ({"callback_query": {}}, None), ({}, None), ("x", None),
    ],
)  # fmt: skip
def test_the_id_of_a_press_is_told_where_there_is_one(raw: Any, press: str | None) -> None:
    assert press_id_of(raw) == press


def test_the_bot_asks_for_what_is_read_here() -> None:
    assert set(ALLOWED_UPDATES) == set(Update.model_fields) - {"update_id"}


STRANGE: list[Any] = [
    None, True, -1, 0, 2**70, 1.5, float("nan"), "", "\ud800", "\0", "x" * 5000, [], {},
    [[]], {"id": 1},
]  # fmt: skip
LIKELY: list[Act] = [
    lambda it: it.say(MINA, "/help@arash_sim_bot", GROUP),
    lambda it: it.photos(MINA, [picture()], caption="What?"),
    lambda it: it.document(MINA, picture()),
    lambda it: it.press(MINA, it.say(MINA, "hi").id, "x", forged=True),
    lambda it: it.block(MINA),
    lambda it: it.migrate(GROUP),
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a value that can hold another one."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@pytest.mark.parametrize("act", LIKELY)
def test_whatever_stands_anywhere_in_an_update_it_is_read_or_unreadable(ear: Ear, act: Act) -> None:
    update = ear.all(act)[-1]
    tried = outcomes = 0
    for number, _ in enumerate(list(places(update))):
        for strange in STRANGE:
            broken = copy.deepcopy(update)
            holder, key = list(places(broken))[number]
            holder[key] = strange
            tried += 1
            try:
                read(broken, ear.bot)
            except Unreadable:
                outcomes += 1

    assert tried > outcomes > 0
