"""What is meant for us in a group, and who a person is."""

import copy

import pytest

from app.platforms.telegram import (
    Bot,
    Ignored,
    Incoming,
    NameAwaited,
    read,
)
from simulator.telegram import GROUP
from simulator.telegram.people import People
from tests.platforms.telling import JONAS, MINA, NAME, Ear, Json, changed
from tests.simulator.bot_api import faults, picture

PNG = picture()

IN_GROUPS: list[tuple[str, str | None]] = [
    ("Good morning all", None),
    (f"{NAME} what is a mesh?", "what is a mesh?"),
    (f"what is a mesh, {NAME}?", "what is a mesh, ?"),
    (f"so {NAME.upper()} what now", "so  what now"),
    (f"{NAME} /translate german Hi", "/translate german Hi"),
    (NAME, ""),
    (f"{NAME}2 hello", None),
    (f"x{NAME} hello", None),
    ("@other_bot hello", None),
    ("/help", "/help"),
    ("/help now", "/help now"),
    (f"/help{NAME}", f"/help{NAME}"),
    (f"/help{NAME.upper()} me", f"/help{NAME.upper()} me"),
    ("/help@other_bot", None),
    (f"/help@other_bot {NAME}", None),
    (f"/help{NAME}2", None),
    ("/etc/passwd is a file", None),
    ("/", None),
]


@pytest.mark.parametrize(("text", "heard"), IN_GROUPS)
@pytest.mark.parametrize("kind", ["text", "caption"])
def test_in_a_group_only_what_is_meant_for_us_is_heard(
    ear: Ear, text: str, heard: str | None, kind: str
) -> None:
    def say(people: People) -> None:
        if kind == "text":
            people.say(MINA, text, GROUP)
        else:
            people.photos(MINA, [PNG], GROUP, caption=text)

    found = ear.read(say)

    if heard is None:
        assert found == Ignored("not_for_us")
    else:
        assert isinstance(found, Incoming)
        assert found.message.text == heard
        assert (found.message.chat_id, found.message.chat_type) == (str(GROUP), "group")
        assert found.message.type == ("text" if kind == "text" else "image")


@pytest.mark.parametrize("name", ["entities", "caption_entities"])
def test_a_mention_by_link_is_one_too(ear: Ear, name: str, spec: Json) -> None:
    def link(person: Json) -> list[Json]:
        return [{"type": "text_mention", "offset": 0, "length": 3, "user": person}]

    update = ear.one(lambda it: it.say(MINA, "You, what now?", GROUP))
    ours = changed(update, **{name: link(ear.world.bot())})
    theirs = changed(update, **{name: link(ear.world.persons[JONAS].json())})

    found = read(ours, ear.bot)

    assert faults(spec, ours, ["Update"]) == []
    assert isinstance(found, Incoming)
    assert found.message.text == "You, what now?"
    assert read(theirs, ear.bot) == Ignored("not_for_us")


def test_an_answer_to_us_is_heard_in_a_group_and_one_to_others_is_not(ear: Ear) -> None:
    ours = ear.answer(GROUP)
    theirs = ear.world.people.say(JONAS, "I think so", GROUP).id

    heard = ear.message(lambda it: it.say(MINA, "Why?", GROUP, reply_to=ours))
    other = ear.read(lambda it: it.say(MINA, "Why?", GROUP, reply_to=theirs))

    assert (heard.message.reply_to_message_id, heard.message.reply_to_text) == (str(ours), "Yes?")
    assert other == Ignored("not_for_us")


def test_while_our_name_is_unknown_commands_and_answers_are_heard(ear: Ear) -> None:
    ours = ear.answer(GROUP)
    nameless = Bot(ear.bot.id)

    said = [
        ear.one(lambda it: it.say(MINA, f"/help{NAME}", GROUP)),
        ear.one(lambda it: it.say(MINA, "Why?", GROUP, reply_to=ours)),
        ear.one(lambda it: it.say(MINA, f"{NAME} hello", GROUP)),
    ]

    assert [type(read(update, nameless)) for update in said] == [Incoming, Incoming, Ignored]


@pytest.mark.parametrize("text", [f"{NAME} hello", f"/help{NAME}"])
def test_who_is_named_before_telegram_told_our_name_cannot_be_said(ear: Ear, text: str) -> None:
    asked = Bot(ear.bot.id, asked=True)

    with pytest.raises(NameAwaited):
        read(ear.one(lambda it: it.say(MINA, text, GROUP)), asked)

    assert isinstance(read(ear.one(lambda it: it.say(MINA, text)), asked), Incoming)
    assert isinstance(read(ear.one(lambda it: it.say(MINA, "/help", GROUP)), asked), Incoming)
    plain = ear.one(lambda it: it.say(MINA, "hello", GROUP))
    assert read(plain, asked) == Ignored("not_for_us")


def test_a_topic_is_a_thread_and_its_opening_is_no_question(ear: Ear) -> None:
    group, topic = ear.topic()
    ours = ear.answer(group, thread=topic)

    asked = ear.message(lambda it: it.say(MINA, f"{NAME} hi", group, thread=topic)).message
    # Telegram tells a message in a topic as an answer to what opened it.
    plain = ear.one(lambda it: it.say(MINA, "hi", group, thread=topic, reply_to=topic))
    opened = copy.deepcopy(plain)
    opened["message"]["reply_to_message"]["from"] = ear.world.bot()
    answered = ear.message(lambda it: it.say(MINA, "Why?", group, thread=topic, reply_to=ours))

    assert (asked.chat_id, asked.thread_id) == (str(group), str(topic))
    assert plain["message"]["reply_to_message"]["message_id"] == topic
    assert read(opened, ear.bot) == Ignored("not_for_us")
    assert answered.message.reply_to_message_id == str(ours)


def test_a_thread_of_answers_in_a_group_without_topics_is_none(ear: Ear) -> None:
    update = changed(ear.one(lambda it: it.say(MINA, f"{NAME} hi", GROUP)), message_thread_id=77)

    found = read(update, ear.bot)

    assert isinstance(found, Incoming)
    assert found.message.thread_id is None


def test_a_private_chat_may_have_topics(ear: Ear) -> None:
    update = changed(
        ear.one(lambda it: it.say(MINA, "hi")), message_thread_id=77, is_topic_message=True
    )

    found = read(update, ear.bot)

    assert isinstance(found, Incoming)
    assert (found.message.thread_id, found.message.chat_type) == ("77", "private")


NO_PERSON: list[Json] = [
    {"sender_chat": {"id": GROUP, "type": "group", "title": "Night shift"}},
    {"from": {"id": 1087968824, "is_bot": True, "first_name": "GroupAnonymousBot"}},
    {"from": {"id": 5, "is_bot": True, "first_name": "Other", "username": "other_bot"}},
    {"from": None},
]  # fmt: skip


@pytest.mark.parametrize("change", NO_PERSON)
@pytest.mark.parametrize("chat", [MINA, GROUP])
def test_bots_anonymous_admins_and_channels_are_nobody(ear: Ear, change: Json, chat: int) -> None:
    update = changed(ear.one(lambda it: it.say(MINA, "/help", chat)), **change)

    assert read(update, ear.bot) == Ignored("no_person")


def test_a_person_who_writes_through_another_bot_is_one(ear: Ear) -> None:
    other = {"id": 5, "is_bot": True, "first_name": "Gif", "username": "gif"}
    update = changed(ear.one(lambda it: it.say(MINA, "hi")), via_bot=other)

    assert isinstance(read(update, ear.bot), Incoming)
