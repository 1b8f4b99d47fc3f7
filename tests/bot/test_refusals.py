"""What is drawn instead where Telegram does not take what was to be drawn."""

import pytest

from panoptes_bot import telegram_api
from panoptes_bot.telegram_api import KINDS, Rejected
from simulator.telegram import GROUP
from tests.bot.stage import Stage, final, running, stage, until
from tests.bot.test_drawing import picture
from tests.bot.test_faults import EDIT, ended
from wire.reply import Button, Reply

MEDIA = "editMessageMedia"
REFRESH = ((Button(label="Refresh", send="/wan"),),)


async def test_a_refusal_that_nobody_knows_costs_the_styles_and_not_the_answer(
    on_stage: Stage,
) -> None:
    on_stage.world.fail(EDIT, "bad:something nobody knows")

    await ended(on_stage)

    assert on_stage.shown() == ["Hello"]
    assert "entities" not in on_stage.messages_in()[0].content


async def test_a_refusal_that_comes_again_for_the_plain_text_is_told(on_stage: Stage) -> None:
    on_stage.world.fail(EDIT, "bad:something nobody knows", times=9)

    await ended(on_stage)

    assert (await on_stage.service.until("refused")).reason == "Something nobody knows"
    assert len(on_stage.world.of(EDIT)) == 2


@pytest.mark.parametrize(
    "fault",
    [
        "bad:BUTTON_DATA_INVALID",
        "bad:inline keyboard button URL 'no' is invalid: wrong HTTP URL",
        "bad:reply markup is too long",
        "bad:REPLY_MARKUP_INVALID",
    ],
)
async def test_buttons_that_are_refused_are_left_out(on_stage: Stage, fault: str) -> None:
    on_stage.world.fail(EDIT, fault)

    await ended(on_stage, Reply(response="**Hello**", buttons=REFRESH))

    (message,) = on_stage.messages_in()
    assert (message.content["text"], message.markup) == ("Hello", None)
    assert message.content["entities"]  # only what was refused is missing


@pytest.mark.parametrize("fault", ["bad:message is too long", "bad:MESSAGE_TOO_LONG"])
async def test_a_text_that_is_too_long_after_all_goes_as_a_file(
    on_stage: Stage, fault: str
) -> None:
    on_stage.world.fail(EDIT, fault)

    await ended(on_stage, Reply(response="Hello", buttons=REFRESH))

    (message,) = on_stage.messages_in()
    file = on_stage.world.files.find(message.content["document"]["file_id"])
    assert file.content == b"Hello"
    assert message.content["caption"] == "The whole answer."
    assert message.markup is not None


@pytest.mark.parametrize("fault", ["bad:not enough rights to send photos to the chat", "error:413"])
async def test_a_picture_that_is_refused_in_every_form_is_told_in_words(
    on_stage: Stage, fault: str
) -> None:
    on_stage.world.fail(MEDIA, fault, times=2)

    await ended(on_stage, Reply(response="Look", images=(picture("load"),), buttons=REFRESH))

    assert on_stage.shown() == ["Look", "[load]"]
    assert on_stage.messages_in()[1].markup is not None
    assert len(on_stage.world.of(MEDIA)) == 2
    await on_stage.service.until("sent")


async def test_an_answer_that_is_refused_as_a_file_is_told(on_stage: Stage) -> None:
    on_stage.world.fail(MEDIA, "bad:not enough rights to send documents to the chat")

    await ended(on_stage, "\n\n".join("x" * 1000 for _ in range(40)))

    refused = await on_stage.service.until("refused")
    assert str(refused.reason).startswith("Not enough rights to send documents")
    # What arrived stays; what would have stayed empty does not.
    assert len(on_stage.messages_in()) == len(refused.message_ids) == 1


async def test_who_is_answered_may_have_deleted_the_question(on_stage: Stage) -> None:
    on_stage.world.fail("sendMessage", "reply_gone")
    delivery = final("Hello").model_copy(update={"source_message_id": "1"})
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(delivery)
        await on_stage.service.until("sent")

    assert on_stage.shown() == ["Hello"]
    assert on_stage.messages_in()[0].reply_to is None


@pytest.mark.parametrize("fault", ["bad:message thread not found", "bad:TOPIC_DELETED"])
async def test_a_topic_that_was_deleted_does_not_cost_the_answer(
    on_stage: Stage, fault: str
) -> None:
    chat = on_stage.world.chats[GROUP]
    chat.is_forum, chat.topics = True, {7: "Nights"}
    on_stage.world.fail("sendMessage", fault)
    delivery = final("Hello", chat=GROUP).model_copy(update={"thread_id": "7"})
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(delivery)
        await on_stage.service.until("sent")

    (message,) = on_stage.messages_in(GROUP)
    assert (message.content["text"], message.thread) == ("Hello", None)


@pytest.mark.parametrize("method", ["sendMessage", EDIT])
async def test_a_call_that_is_never_answered_is_made_again(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(telegram_api, "CALL_TIMEOUT", 0.3)
    async with stage() as made:
        made.world.fail(method, "silence")
        async with running(made.deliverer()):
            made.service.deliver(final("Hello"))
            await made.service.until("sent")
            await until(lambda: len(made.world.of(method)) == 2)

        assert made.shown() == ["Hello"]
        assert made.messages.strays == (1 if method == "sendMessage" else 0)


@pytest.mark.parametrize(("words", "kind"), KINDS)
def test_every_refusal_is_known_by_its_words(words: str, kind: str) -> None:
    assert Rejected(f"Bad Request: {words.upper()} for a reason").kind == kind
