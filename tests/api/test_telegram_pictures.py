"""Pictures and other files that people send: to the model, together, or kindly refused."""

from collections.abc import AsyncIterator

import pytest

from app import texts
from simulator.telegram import GROUP, Upload
from tests.api.line import MINA, Line, line
from tests.api.service import OPEN_TURNS, Place, settled, until
from tests.simulator.bot_api import picture

NAME = "@arash_sim_bot"
PNG = picture()
PDF = Upload("a.pdf", "application/pdf", b"%PDF-1.7")


@pytest.fixture
async def telephone(place: Place) -> AsyncIterator[Line]:
    async with line(place) as telephone:
        yield telephone


def parts(telephone: Line) -> list[tuple[str, int]]:
    """Return the words and the number of pictures of each question to the model."""
    found = []
    for content in telephone.asked():
        listed = [{"type": "text", "text": content}] if isinstance(content, str) else content
        words = " ".join(part["text"] for part in listed if part["type"] == "text")
        found.append((words, sum(part["type"] == "image_url" for part in listed)))
    return found


async def test_a_photo_with_a_question_reaches_the_model(telephone: Line) -> None:
    await telephone.do(lambda it: it.photos(MINA, [PNG], caption="What colour is this?"))

    (answer,) = await telephone.texts()

    assert parts(telephone) == [("What colour is this?", 1)]
    assert "red" in answer


async def test_a_photo_without_words_is_a_question_too(telephone: Line) -> None:
    await telephone.do(lambda it: it.photos(MINA, [PNG]))

    assert len(await telephone.replies()) == 1
    assert parts(telephone) == [(texts.PICTURE_ONLY, 1)]


async def test_a_picture_sent_as_a_file_is_one_whatever_its_name_says(telephone: Line) -> None:
    named = Upload("a.jpg", "image/jpeg", PNG.content)
    await telephone.do(lambda it: it.document(MINA, named, caption="What colour?"))

    (answer,) = await telephone.replies()

    assert answer.success is True
    assert parts(telephone) == [("What colour?", 1)]


async def test_an_album_is_one_question(telephone: Line) -> None:
    await telephone.do(lambda it: it.photos(MINA, [PNG, PNG, PNG], caption="Which is best?"))

    answers = await telephone.replies()

    assert len(answers) == 1
    assert parts(telephone) == [("Which is best?", 3)]


async def test_of_a_large_album_the_person_hears_what_is_looked_at(telephone: Line) -> None:
    await telephone.do(lambda it: it.photos(MINA, [PNG] * 7, caption="Compare"))

    answers = await telephone.texts()

    assert parts(telephone) == [("Compare", 4)]
    assert len(answers) == 2
    assert answers[1] == texts.ALBUM_FULL.format(most=4)


async def test_an_album_in_a_group_is_one_question(telephone: Line) -> None:
    caption = f"{NAME} which is best?"
    telephone.telegram.reads_all_in_groups = True
    await telephone.do(
        lambda it: it.photos(MINA, [PNG, PNG], GROUP, caption=caption),
        lambda it: it.photos(MINA, [PNG, PNG], GROUP, caption="only for you"),
    )

    answers = await telephone.replies()

    assert len(answers) == 1
    assert parts(telephone) == [("which is best?", 2)]


async def test_a_caption_that_is_edited_changes_the_album_and_keeps_its_pictures(
    telephone: Line,
) -> None:
    (first, *_) = telephone.telegram.people.photos(MINA, [PNG, PNG], caption="Wat?")
    await telephone.do(lambda it: it.edit(MINA, first.id, "What?"))

    assert len(await telephone.replies()) == 1
    assert parts(telephone) == [("What?", 2)]


async def test_an_album_in_which_there_is_more_than_pictures_is_refused_once(
    telephone: Line,
) -> None:
    telephone.telegram.people.photos(MINA, [PNG], caption="Look")
    telephone.telegram.people.voice(MINA, PDF)
    updates = [update.json() for update in telephone._taken()]
    for update in updates:
        update["message"]["media_group_id"] = "77"
        await telephone.post(update)

    (answer,) = await telephone.texts()

    assert answer == texts.KIND_REFUSED.format(kind=texts.KINDS["voice"])


@pytest.mark.parametrize("size", [1, 3])
async def test_a_command_with_pictures_is_answered_without_looking_at_them(
    telephone: Line, size: int
) -> None:
    caption = "/translate german Good morning"
    await telephone.do(lambda it: it.photos(MINA, [PNG] * size, caption=caption))

    (answer,) = await telephone.texts()

    assert "Guten Morgen" in answer
    assert telephone.telegram.of("getFile", "file") == []


async def test_a_command_is_answered_although_its_picture_is_not_to_be_had(
    telephone: Line,
) -> None:
    telephone.telegram.fail("getFile", "bad:gone", times=9)
    await telephone.do(lambda it: it.photos(MINA, [PNG], caption="/help"))

    (answer,) = await telephone.replies()

    assert (answer.success, "/translate" in answer.response) == (True, True)


async def test_a_picture_that_is_not_to_be_had_is_asked_for_again(telephone: Line) -> None:
    telephone.telegram.fail("getFile", "bad:gone", times=9)
    await telephone.do(lambda it: it.photos(MINA, [PNG], caption="What is it?"))

    (answer,) = await telephone.replies()

    assert (answer.error, answer.success) == ("file_unavailable", False)
    # Pressing a button would ask the words alone.
    assert answer.buttons == ()
    assert telephone.asked() == []


async def test_a_model_that_fails_at_a_picture_offers_no_button_for_the_words_alone(
    telephone: Line,
) -> None:
    telephone.model.next("http-500", times=9)
    await telephone.do(lambda it: it.photos(MINA, [PNG], caption="What is it?"))
    await telephone.say("And what is a mesh?")

    pictured, plain = await telephone.replies()

    assert (pictured.success, pictured.buttons) == (False, ())
    assert plain.success is False
    assert plain.buttons[0][0].send == "And what is a mesh?"


async def test_a_picture_of_more_than_20_mb_is_refused(telephone: Line) -> None:
    large = Upload("a.png", "image/png", PNG.content + bytes(20 * 1024 * 1024))
    await telephone.do(lambda it: it.document(MINA, large, caption="What is it?"))

    (answer,) = await telephone.replies()

    assert answer.error == "image_too_large"
    assert "20 MB" in answer.response


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>"])
async def test_a_picture_that_is_none_is_refused(telephone: Line, content: bytes) -> None:
    broken = Upload("a.png", "image/png", content)
    await telephone.do(lambda it: it.document(MINA, broken))

    (answer,) = await telephone.replies()

    assert answer.success is False
    assert str(answer.error).startswith("image_")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("voice", {"voice": {"file_id": "v", "duration": 1}}),
        ("sticker", {"sticker": {"file_id": "v"}}),
        ("video", {"video": {"file_id": "v"}, "caption": "Sum it up"}),
        ("location", {"location": {"latitude": 1.0, "longitude": 2.0}}),
        ("document", {"document": {"file_id": "v", "mime_type": "application/pdf"}}),
        ("document", {"document": {"file_id": "v"}, "caption": "Sum it up"}),
    ],
)
async def test_what_nobody_can_read_is_kindly_refused(
    telephone: Line, kind: str, content: dict[str, object]
) -> None:
    telephone.telegram.people.say(MINA, "x")
    (update,) = (each.json() for each in telephone._taken())
    del update["message"]["text"]
    update["message"] |= content
    await telephone.post(update)

    assert await telephone.texts() == [texts.KIND_REFUSED.format(kind=texts.KINDS[kind])]
    assert telephone.asked() == []


async def test_what_is_neither_is_answered_too(telephone: Line) -> None:
    telephone.telegram.people.say(MINA, "x")
    (update,) = (each.json() for each in telephone._taken())
    del update["message"]["text"]
    update["message"]["contact"] = {"first_name": "Bo", "phone_number": "1"}
    await telephone.post(update)

    (answer,) = await telephone.replies()

    assert answer.success is False
    assert "Send a text or a picture" in answer.response


async def test_pictures_stay_known_in_the_next_question(telephone: Line) -> None:
    await telephone.do(lambda it: it.photos(MINA, [PNG], caption="What colour?"))
    await settled(telephone.service)
    await telephone.say("And now?")

    await telephone.replies()

    messages = telephone.model.chats()[-1].body["messages"]
    kinds = [
        part["type"] for m in messages if isinstance(m["content"], list) for part in m["content"]
    ]
    assert kinds == ["text", "image_url"]


async def test_a_picture_that_comes_while_its_album_is_answered_is_left_out(
    telephone: Line,
) -> None:
    telephone.telegram.people.photos(MINA, [PNG, PNG], caption="Which?")
    first, second = (each.json() for each in telephone._taken())
    await telephone.post(first)
    await until(telephone.asked)
    await telephone.post(second)

    assert len(await telephone.replies()) == 1
    assert parts(telephone) == [("Which?", 1)]
    assert await telephone.service.sql(f"SELECT count(*) FROM {OPEN_TURNS}") == 0
