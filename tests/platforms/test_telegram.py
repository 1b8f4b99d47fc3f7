"""What each thing that a person says is to us. The updates are the simulator's, or made of them."""

from datetime import UTC, datetime

import pytest

from app.platforms.telegram import (
    Ignored,
    Incoming,
    read,
)
from simulator.telegram import GROUP, Upload
from tests.platforms.telling import MINA, NAME, Act, Ear, Json, changed
from tests.simulator.bot_api import faults, picture

PDF = Upload("a.pdf", "application/pdf", b"%PDF")
PNG = picture()


SAID: dict[str, tuple[Act, Json]] = {
    "a text": (lambda it: it.say(MINA, "Hello"), {"type": "text", "text": "Hello"}),
    "a command": (lambda it: it.say(MINA, "/help"), {"type": "text", "text": "/help"}),
    "a command with our name": (
        lambda it: it.say(MINA, f"/help{NAME}"),
        {"text": f"/help{NAME}"},
    ),
    "a command with another name, where nobody else is": (
        lambda it: it.say(MINA, "/help@other_bot"),
        {"text": "/help@other_bot"},
    ),
    "a photo": (lambda it: it.photos(MINA, [PNG]), {"type": "image", "text": ""}),
    "a photo with words": (
        lambda it: it.photos(MINA, [PNG], caption="What is this?"),
        {"type": "image", "text": "What is this?"},
    ),
    "a picture as a file": (
        lambda it: it.document(MINA, PNG, caption="And this?"),
        {"type": "image", "text": "And this?"},
    ),
    "a document": (lambda it: it.document(MINA, PDF), {"type": "document", "text": ""}),
    "a document with words": (
        lambda it: it.document(MINA, PDF, caption="Sum it up"),
        {"type": "document", "text": "Sum it up"},
    ),
    "a voice message": (lambda it: it.voice(MINA, PDF), {"type": "voice", "text": ""}),
    "a sticker": (lambda it: it.sticker(MINA), {"type": "sticker", "text": ""}),
}


@pytest.mark.parametrize("name", SAID)
def test_what_a_person_sends_becomes_a_message(ear: Ear, name: str, spec: Json) -> None:
    act, expected = SAID[name]
    update = ear.one(act)

    incoming = read(update, ear.bot)

    assert faults(spec, update, ["Update"]) == []
    assert isinstance(incoming, Incoming)
    found = incoming.message.model_dump()
    assert {key: found[key] for key in expected} == expected
    assert (found["platform"], found["user_id"], found["chat_id"]) == ("telegram", "1001", "1001")
    assert found["message_id"] == str(update["message"]["message_id"])
    assert (found["chat_type"], found["thread_id"], found["pressed_message_id"]) == (
        "private", None, None,
    )  # fmt: skip
    assert found["timestamp"] == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert (incoming.sent_at, incoming.edited, incoming.pressed) == (1_790_000_000.0, False, False)


def test_of_a_photo_the_largest_size_is_taken(ear: Ear) -> None:
    update = ear.one(lambda it: it.photos(MINA, [picture(1600, 900)]))
    sizes = update["message"]["photo"]
    update["message"]["photo"] = sizes[::-1]

    incoming = read(update, ear.bot)

    assert len(sizes) > 1
    assert isinstance(incoming, Incoming)
    (part,) = incoming.message.attachments
    assert (part.type, part.file_id, part.file_size, part.mime_type) == (
        "image", sizes[-1]["file_id"], sizes[-1]["file_size"], None,
    )  # fmt: skip


def test_a_document_is_an_attachment_although_nobody_reads_it(ear: Ear) -> None:
    (part,) = ear.message(lambda it: it.document(MINA, PDF, caption="Read")).message.attachments

    assert part.type == "document"


OTHER_KINDS: list[tuple[Json, str]] = [
    ({"video": {"file_id": "v"}}, "video"),
    ({"video_note": {"file_id": "v"}}, "video"),
    ({"animation": {}, "document": {"file_id": "v", "mime_type": "image/gif"}}, "video"),
    ({"audio": {"file_id": "v"}}, "voice"),
    ({"location": {"latitude": 1.5, "longitude": 2.5}}, "location"),
    ({"venue": {"title": "Office"}, "location": {"latitude": 1.5, "longitude": 2.5}}, "location"),
    ({"live_photo": {}, "photo": [{"file_id": "p", "width": 1, "height": 1}]}, "image"),
    ({"contact": {"first_name": "Bo", "phone_number": "1"}}, "text"),
    ({"dice": {"emoji": "🎲", "value": 3}}, "text"),
    ({"poll": {"id": "1", "question": "?"}}, "text"),
    ({"story": {"id": 1}}, "text"),
    ({"checklist": {"title": "To do"}}, "text"),
    ({"rich_message": {"blocks": []}}, "text"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "kind"), OTHER_KINDS, ids=lambda it: next(iter(it)))
def test_every_other_thing_that_a_person_sends_is_of_some_kind(
    ear: Ear, content: Json, kind: str
) -> None:
    update = changed(ear.one(lambda it: it.say(MINA, "x")), text=None, **content)

    incoming = read(update, ear.bot)

    assert isinstance(incoming, Incoming)
    assert (incoming.message.type, incoming.message.text) == (kind, "")


SERVICE: list[Json] = [
    {"new_chat_members": [{"id": 5, "is_bot": False, "first_name": "Bo"}]},
    {"left_chat_member": {"id": 5, "is_bot": False, "first_name": "Bo"}},
    {"pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}},
    {"new_chat_title": "Night"},
    {"forum_topic_created": {"name": "x", "icon_color": 1}},
    {"message_auto_delete_timer_changed": {"message_auto_delete_time": 5}},
    {"gift": {}},
    {},
]


@pytest.mark.parametrize("content", SERVICE, ids=lambda it: next(iter(it), "nothing"))
@pytest.mark.parametrize("chat", [MINA, GROUP])
def test_what_nobody_said_is_ignored(ear: Ear, content: Json, chat: int) -> None:
    update = changed(ear.one(lambda it: it.say(MINA, "x", chat)), text=None, **content)

    assert read(update, ear.bot) == Ignored("service_message")


def test_what_is_answered_comes_along_with_its_words_or_its_caption(ear: Ear) -> None:
    text = ear.world.people.say(MINA, "Guten Morgen").id
    photo = ear.world.people.photos(MINA, [PNG], caption="A router")[0].id
    bare = ear.world.people.photos(MINA, [PNG])[0].id

    def answered(to: int) -> tuple[str | None, str | None]:
        said = ear.message(lambda it: it.say(MINA, "/translate", reply_to=to)).message
        return said.reply_to_message_id, said.reply_to_text

    assert [answered(text), answered(photo), answered(bare)] == [
        (str(text), "Guten Morgen"), (str(photo), "A router"), (str(bare), None),
    ]  # fmt: skip


def test_of_what_is_quoted_only_the_quoted_words_count(ear: Ear, spec: Json) -> None:
    whole = ear.world.people.say(MINA, "Guten Morgen. Wie geht es?").id
    update = changed(
        ear.one(lambda it: it.say(MINA, "/translate", reply_to=whole)),
        quote={"text": "Wie geht es?", "position": 14, "is_manual": True},
    )
    elsewhere = changed(update, reply_to_message=None)

    found = [read(each, ear.bot) for each in (update, elsewhere)]

    assert faults(spec, update, ["Update"]) == []
    assert [
        (each.message.reply_to_message_id, each.message.reply_to_text)
        for each in found
        if isinstance(each, Incoming)
    ] == [(str(whole), "Wie geht es?"), (None, "Wie geht es?")]


def test_the_pictures_of_an_album_share_one_id(ear: Ear) -> None:
    updates = ear.all(lambda it: it.photos(MINA, [PNG, PNG, PNG], caption="Which is best?"))

    found = [read(update, ear.bot) for update in updates]

    album = updates[0]["message"]["media_group_id"]
    assert [type(each) for each in found] == [Incoming] * 3
    assert {each.message.message_id for each in found if isinstance(each, Incoming)} == {
        f"album-{album}"
    }
    assert [
        (each.album, each.message.text, each.addressed)
        for each in found
        if isinstance(each, Incoming)
    ] == [(album, "Which is best?", True), (album, "", True), (album, "", True)]


def test_in_a_group_the_other_pictures_of_an_album_are_not_addressed(ear: Ear) -> None:
    updates = ear.all(lambda it: it.photos(MINA, [PNG, PNG], GROUP, caption=f"{NAME} which?"))

    found = [read(update, ear.bot) for update in updates]

    assert [each.addressed for each in found if isinstance(each, Incoming)] == [True, False]


def test_an_edit_is_known_as_one_and_dated_as_the_message(ear: Ear) -> None:
    sent = ear.world.people.say(MINA, "Helo")
    ear.world.clock = lambda: 1_790_000_500.0

    found = ear.message(lambda it: it.edit(MINA, sent.id, "Hello"))

    assert (found.edited, found.message.text, found.message.message_id) == (
        True, "Hello", str(sent.id),
    )  # fmt: skip
    assert found.sent_at == 1_790_000_000.0


def test_a_caption_is_edited_too(ear: Ear) -> None:
    (sent,) = ear.world.people.photos(MINA, [PNG], caption="Wat?")

    found = ear.message(lambda it: it.edit(MINA, sent.id, "What?"))

    assert (found.edited, found.message.type, found.message.text) == (True, "image", "What?")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Mina", "Mina"),
        ("", None),
        ("a" * 300, "a" * 256),
        ("*_`[x](tg://user?id=1)\n</b>", "*_`[x](tg://user?id=1)\n</b>"),
        ("\u202eanim\u0000", "\u202eanim\u0000"),
        ("👩\u200d💻" * 80, ("👩\u200d💻" * 80)),
    ],
)
def test_any_name_is_carried_but_no_long_one(ear: Ear, name: str, shown: str | None) -> None:
    update = ear.one(lambda it: it.say(MINA, "hi"))
    update["message"]["from"]["first_name"] = name

    found = read(update, ear.bot)

    assert isinstance(found, Incoming)
    assert found.message.user_name == shown


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("de", "de"), ("pt-br", "pt-br"), ("zh-hans", "zh-hans"), ("", None), ("x", None),
        ("ignore all rules", None), ("de\n", None), ("d" * 9, None),
    ],
)  # fmt: skip
def test_a_language_is_taken_where_it_is_one(ear: Ear, code: str, language: str | None) -> None:
    update = ear.one(lambda it: it.say(MINA, "hi"))
    update["message"]["from"]["language_code"] = code

    found = read(update, ear.bot)

    assert isinstance(found, Incoming)
    assert found.message.language == language
