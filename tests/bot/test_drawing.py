"""How a delivery becomes messages, where nothing goes wrong."""

import asyncio
import base64
import io

import pytest
from PIL import Image as Pictures

from simulator.telegram import GROUP
from tests.bot.stage import MINA, Stage, final, placeholder, running, until
from wire.delivery import Progress
from wire.reply import Action, Button, Image, Reply


def picture(alt: str = "a chart") -> Image:
    made = io.BytesIO()
    Pictures.new("RGB", (4, 4), "red").save(made, "PNG")
    return Image(media_type="image/png", data=base64.b64encode(made.getvalue()).decode(), alt=alt)


async def until_shown(stage: Stage, text: str, chat: int = MINA) -> None:
    await until(lambda: text in stage.shown(chat))


def silences(stage: Stage) -> list[str]:
    sent = stage.world.of("sendMessage")
    return [str(call.parameters["disable_notification"]).lower() for call in sent]


def written(stage: Stage, index: int) -> list[str]:
    """Return what was written into the bot's message of this index, in order."""
    number = str(stage.messages_in()[index].id)
    edits = stage.world.of("editMessageText")
    return [edit.parameters["text"] for edit in edits if edit.parameters["message_id"] == number]


async def test_a_message_is_answered_by_a_placeholder_that_becomes_the_text(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder(source="1"))
        placed = await on_stage.service.until("placed")
        seen = on_stage.messages_in()[0]
        first = (seen.content["text"], seen.reply_to, seen.markup is not None)
        on_stage.service.deliver(final("**Hello**", edits=placed.message_ids))
        sent = await on_stage.service.until("sent")

    (message,) = on_stage.messages_in()
    assert first == ("…", 1, True)
    assert message.content["text"] == "Hello"
    assert message.content["entities"] == [{"type": "bold", "offset": 0, "length": 5}]
    assert message.markup is None
    assert placed.message_ids == sent.message_ids == (str(message.id),)


async def test_typing_is_shown_while_there_is_nothing_else_to_show(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        await on_stage.service.until("placed")
        await until(lambda: len(on_stage.world.of("sendChatAction")) >= 3)

    # The pace says how often.
    assert on_stage.shown() == ["…"]


async def test_no_call_is_spent_on_typing_where_the_answer_comes_at_once(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        placed = await on_stage.service.until("placed")
        on_stage.service.deliver(final("quick", edits=placed.message_ids))
        await on_stage.service.until("sent")

    assert on_stage.methods("sendMessage", "sendChatAction", "editMessageText") == [
        "sendMessage",
        "editMessageText",
    ]


async def test_the_text_grows_while_it_is_written(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        await on_stage.service.until("placed")
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text="one *two"))
        await until_shown(on_stage, "one *two")
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text="one *two* three"))
        await until_shown(on_stage, "one two three")

        button = on_stage.messages_in()[0].markup

    assert button == {"inline_keyboard": [[{"text": "Stop", "callback_data": "/stop"}]]}


async def test_a_text_that_outgrows_a_message_goes_on_in_another(on_stage: Stage) -> None:
    text = "word " * 1200
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        await on_stage.service.until("placed")
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text=text))
        placed = await on_stage.service.until("placed", times=2)
        await until(lambda: "…" not in on_stage.shown())
        stops = [message.markup is not None for message in on_stage.messages_in()]
        text += "and more"
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text=text))
        await until(lambda: on_stage.shown()[1].endswith("and more"))
        on_stage.service.deliver(final(text, edits=placed.message_ids))
        sent = await on_stage.service.until("sent")

    assert len(written(on_stage, 0)) == 1
    assert stops == [False, True]
    assert " ".join(on_stage.shown()) == text.strip()
    assert sent.message_ids == tuple(str(message.id) for message in on_stage.messages_in())
    assert [m.markup for m in on_stage.messages_in()] == [None, None]


async def test_a_final_text_that_is_shorter_takes_the_other_messages_away(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        await on_stage.service.until("placed")
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text="word " * 1200))
        placed = await on_stage.service.until("placed", times=2)
        on_stage.service.deliver(final("Stopped.", edits=placed.message_ids))
        sent = await on_stage.service.until("sent")

    assert on_stage.shown() == ["Stopped."]
    assert sent.message_ids == placed.message_ids[:1]


async def test_a_reply_that_is_there_at_once_is_placed_first_and_then_written(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final("Hello"))
        await on_stage.service.until("sent")

    assert on_stage.methods("sendMessage", "editMessageText") == ["sendMessage", "editMessageText"]
    assert [outcome for outcome, _ in on_stage.service.said(1)] == ["placed", "sent"]
    assert on_stage.world.of("sendMessage")[0].parameters.get("reply_markup") is None


async def test_every_part_and_picture_has_a_placeholder_that_is_told_of_first(
    on_stage: Stage,
) -> None:
    reply = Reply(response="word " * 1200, images=(picture("one"), picture("two")))
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final(reply))
        await on_stage.service.until("sent")

    ids = [str(message.id) for message in on_stage.messages_in()]
    assert on_stage.service.said(1) == [
        *(("placed", tuple(ids[:count])) for count in range(1, 5)),
        ("sent", tuple(ids)),
    ]
    assert on_stage.shown()[2:] == ["one", "two"]
    assert all("photo" in message.content for message in on_stage.messages_in()[2:])
    assert silences(on_stage) == ["false", "true", "true", "true"]


async def test_a_picture_without_words_takes_the_placeholder(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final(Reply(response="", images=(picture("load"),))))
        await on_stage.service.until("sent")

    (message,) = on_stage.messages_in()
    assert message.content["caption"] == "load"


async def test_a_very_long_answer_ends_in_a_file(on_stage: Stage) -> None:
    text = "\n\n".join(f"Paragraph {number} " + "x" * 200 for number in range(100))
    again = ((Button(label="Again", send="/again"),),)
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final(Reply(response=text, buttons=again)))
        await on_stage.service.until("sent")

    first, second = on_stage.messages_in()
    assert first.content["text"].startswith("Paragraph 0")
    assert first.content["text"].endswith("… The whole answer is in the file.")
    assert second.content["caption"] == "The whole answer."
    assert (first.markup is None, second.markup is None) == (True, False)
    file = on_stage.world.files.find(second.content["document"]["file_id"])
    assert file.content.decode() == text
    assert second.content["document"]["file_name"] == "answer.md"


@pytest.mark.parametrize("there", [1, 2, 3, 4])
async def test_a_very_long_answer_that_was_half_drawn_is_drawn_to_its_end(
    on_stage: Stage, there: int
) -> None:
    text = "\n\n".join(f"Paragraph {number} " + "x" * 200 for number in range(100))
    chat = on_stage.world.chats[MINA]
    ids = tuple(
        str(on_stage.world.keep(chat, on_stage.world.bot_id, {"text": "…"}).id)
        for _ in range(there)
    )
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final(text, edits=ids))
        await on_stage.service.until("sent")

    messages = on_stage.messages_in()
    assert len(messages) == (2 if there < 3 else 4)
    assert ["document" in message.content for message in messages] == [
        *([False] * (len(messages) - 1)),
        True,
    ]


async def test_buttons_stand_under_the_last_message(on_stage: Stage) -> None:
    rows = (
        (Button(label="Refresh", send="/wan", style="primary"),),
        (Button(label="Open", url="https://example.org/"), Button(label="long", send="x" * 65)),
        tuple(Button(label=str(number), send=str(number)) for number in range(10)),
    )
    reply = Reply(response="word " * 1200, buttons=rows)
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final(reply))
        await on_stage.service.until("sent")

    first, last = on_stage.messages_in()
    assert first.markup is None
    keyboard = (last.markup or {})["inline_keyboard"]
    assert [len(row) for row in keyboard] == [1, 1, 8, 2]
    assert keyboard[0][0] == {"text": "Refresh", "callback_data": "/wan", "style": "primary"}
    assert keyboard[1][0]["url"] == "https://example.org/"


@pytest.mark.parametrize("actions", [(), ("silent",)])
async def test_a_silent_reply_makes_no_sound(on_stage: Stage, actions: tuple[Action, ...]) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final(Reply(response="night", actions=actions)))
        await on_stage.service.until("sent")

    assert silences(on_stage) == ["true" if actions else "false"]


async def test_links_are_never_previewed(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final("see https://example.org/"))
        await on_stage.service.until("sent")

    calls = on_stage.world.of("sendMessage", "editMessageText")
    assert [call.parameters["link_preview_options"] for call in calls] == [
        {"is_disabled": True}
    ] * 2


async def test_a_message_that_held_a_secret_is_deleted(on_stage: Stage) -> None:
    asked = on_stage.world.people.say(MINA, "my password")
    delivery = final(Reply(response="Kept.", actions=("forget",)))
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(delivery.model_copy(update={"source_message_id": str(asked.id)}))
        sent = await on_stage.service.until("sent")

    assert asked.id not in on_stage.world.chats[MINA].messages
    assert on_stage.shown() == ["Kept."]
    assert sent.reason is None


async def test_a_secret_that_cannot_be_deleted_is_said(on_stage: Stage) -> None:
    asked = on_stage.world.people.say(MINA, "my password", GROUP)
    delivery = final(Reply(response="Kept.", actions=("forget",)), chat=GROUP)
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(delivery.model_copy(update={"source_message_id": str(asked.id)}))
        sent = await on_stage.service.until("sent")

    assert on_stage.shown(GROUP) == ["Kept."]
    assert sent.reason == "not deleted: Message can't be deleted"


async def test_a_pressed_button_redraws_its_own_message(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final("old"))
        sent = await on_stage.service.until("sent")
        on_stage.service.deliver(
            final(Reply(response="new", actions=("replace",)), 2, edits=sent.message_ids)
        )
        await on_stage.service.until("sent", 2)

    assert on_stage.shown() == ["new"]
    assert len(on_stage.world.of("sendMessage")) == 1


async def test_an_answer_stays_in_its_topic(on_stage: Stage) -> None:
    chat = on_stage.world.chats[GROUP]
    chat.is_forum, chat.topics = True, {7: "Nights"}
    delivery = final("word " * 1200, chat=GROUP)
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(delivery.model_copy(update={"thread_id": "7"}))
        await on_stage.service.until("sent")

    assert [message.thread for message in on_stage.messages_in(GROUP)] == [7, 7]


async def test_what_was_sent_is_not_drawn_again_by_late_news_of_it(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final("once"))
        await on_stage.service.until("sent")
        on_stage.service.deliver(final("once"))
        on_stage.service.deliver(final("two", 2))
        await on_stage.service.until("sent", 2)

    assert on_stage.shown() == ["once", "two"]


async def test_a_new_process_goes_on_where_the_last_one_ended(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        placed = await on_stage.service.until("placed")
    on_stage.service.deliver(final("done", edits=placed.message_ids))

    async with running(on_stage.deliverer()):
        await on_stage.service.until("sent")

    assert on_stage.shown() == ["done"]


async def test_a_process_that_is_stopped_says_what_it_has_just_placed(on_stage: Stage) -> None:
    on_stage.world.fail("sendMessage", "delay:0.2")
    async with running(on_stage.deliverer()) as work:
        on_stage.service.deliver(placeholder())
        await until(lambda: on_stage.world.of("sendMessage"))
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    assert on_stage.service.said(1) == [("placed", (str(on_stage.messages_in()[0].id),))]


async def test_a_slow_answer_in_a_group_holds_up_nobody_else(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder(1, GROUP))
        await on_stage.service.until("placed", 1)
        on_stage.service.deliver(final("quick", 2, GROUP))
        await on_stage.service.until("sent", 2)

    assert on_stage.shown(GROUP) == ["…", "quick"]


async def test_placeholders_come_in_the_order_of_the_messages(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        for number in range(1, 9):
            on_stage.service.deliver(final(f"{number}", number))
        for number in range(1, 9):
            await on_stage.service.until("sent", number)

    assert on_stage.shown() == [f"{number}" for number in range(1, 9)]
