"""Each way in which Telegram refuses: what is called then, and what the service hears."""

import pytest
from starlette.responses import Response

from panoptes_bot import drawing
from panoptes_bot.pace import GROUP_SPACING
from panoptes_bot.telegram_api import TokenRefused
from simulator.telegram import GROUP
from tests.bot.fake_service import KEY
from tests.bot.stage import HURRY, MINA, Stage, final, placeholder, running, until
from tests.bot.test_drawing import picture
from wire.delivery import Acknowledgement, Progress
from wire.reply import Button, Reply

EDIT = "editMessageText"


async def ended(stage: Stage, reply: Reply | str = "**Hello**", chat: int = MINA) -> None:
    """Deliver a reply, and wait until it has ended in one way or the other."""
    async with running(stage.deliverer()):
        stage.service.deliver(final(reply, chat=chat))
        await until(lambda: 1 not in stage.service.open)


async def test_not_modified_is_success(on_stage: Stage) -> None:
    on_stage.world.fail(EDIT, "not_modified")

    await ended(on_stage)

    assert [outcome for outcome, _ in on_stage.service.said(1)] == ["placed", "sent"]
    assert on_stage.methods(EDIT) == [EDIT]


async def test_what_a_message_shows_already_is_not_written_again(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        placed = await on_stage.service.until("placed")
        for _ in range(3):
            on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text="same"))
            await until(lambda: on_stage.shown() == ["same"])
        on_stage.service.deliver(final("same", edits=placed.message_ids))
        await on_stage.service.until("sent")

    # Once for the text, and once for the stop button that goes.
    assert on_stage.methods(EDIT) == [EDIT] * 2


async def test_refused_entities_are_left_out(on_stage: Stage) -> None:
    on_stage.world.fail(EDIT, "entities")

    await ended(on_stage)

    assert on_stage.shown() == ["Hello"]
    assert "entities" not in on_stage.messages_in()[0].content
    assert on_stage.methods(EDIT) == [EDIT] * 2
    await on_stage.service.until("sent")


async def test_a_refused_button_does_not_cost_the_answer(on_stage: Stage) -> None:
    on_stage.world.fail(EDIT, "bad:BUTTON_URL_INVALID")

    await ended(on_stage, Reply(response="Hello", buttons=((Button(label="x", url="no"),),)))

    assert on_stage.shown() == ["Hello"]
    assert on_stage.messages_in()[0].markup is None


async def test_a_refused_picture_goes_as_a_file(on_stage: Stage) -> None:
    on_stage.world.fail("editMessageMedia", "bad:PHOTO_INVALID_DIMENSIONS")

    await ended(on_stage, Reply(response="", images=(picture("load"),)))

    (message,) = on_stage.messages_in()
    assert message.content["document"]["file_name"] == "picture1.png"
    assert message.content["caption"] == "load"


async def test_a_message_that_is_gone_is_placed_anew(on_stage: Stage) -> None:
    on_stage.world.fail(EDIT, "edit_gone")

    await ended(on_stage)

    first, second = (str(message.id) for message in on_stage.messages_in())
    assert on_stage.service.said(1) == [
        ("placed", (first,)),
        ("placed", (second,)),
        ("sent", (second,)),
    ]
    assert on_stage.shown() == ["…", "Hello"]


async def test_a_placeholder_that_its_reader_deletes_comes_again_with_the_text(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        await on_stage.service.until("placed")
        on_stage.world.remove(on_stage.messages_in()[0])
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text="still here"))
        await until(lambda: on_stage.shown() == ["still here"])

    assert len(on_stage.service.said(1)) == 2


async def test_who_deletes_every_message_is_left_alone(on_stage: Stage) -> None:
    on_stage.world.fail(EDIT, "edit_gone", times=100)

    await ended(on_stage)

    assert on_stage.service.said(1)[-1][0] == "refused"
    assert len(on_stage.world.of("sendMessage")) == 1 + drawing.MOST_ANEW


@pytest.mark.parametrize(
    ("method", "fault", "reason"),
    [
        ("sendMessage", "blocked", "Forbidden: bot was blocked by the user"),
        ("sendMessage", "kicked", "Forbidden: bot was kicked from the group chat"),
        ("sendMessage", "chat_gone", "Chat not found"),
        ("sendMessage", "bad:not enough rights to send text messages", "Not enough rights to"),
        ("sendMessage", "forbidden:user is deactivated", "Forbidden: user is deactivated"),
        ("sendMessage", "bad:TOPIC_CLOSED", "Topic_closed"),
        (EDIT, "blocked", "Forbidden: bot was blocked by the user"),
        (EDIT, "kicked", "Forbidden: bot was kicked from the group chat"),
        (EDIT, "chat_gone", "Chat not found"),
        (EDIT, "bad:have no rights to send a message", "Have no rights to send a message"),
        (EDIT, "bad:TOPIC_CLOSED", "Topic_closed"),
        (EDIT, "bad:CHAT_WRITE_FORBIDDEN", "Chat_write_forbidden"),
    ],
)
async def test_a_refusal_for_good_is_told_with_its_reason_and_not_tried_again(
    on_stage: Stage, method: str, fault: str, reason: str
) -> None:
    on_stage.world.fail(method, fault)

    await ended(on_stage)

    refused = await on_stage.service.until("refused")
    assert str(refused.reason).startswith(reason)
    assert len(on_stage.world.of(method)) == 1


async def test_who_blocks_the_bot_while_it_writes_ends_the_delivery(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        await on_stage.service.until("placed")
        on_stage.world.fail(EDIT, "blocked")
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text="so far"))
        refused = await on_stage.service.until("refused")

    assert refused.reason == "Forbidden: bot was blocked by the user"


async def test_a_group_that_moves_takes_its_answers_along(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder(chat=GROUP))
        placed = await on_stage.service.until("placed")
        on_stage.world.fail(EDIT, "migrate")
        on_stage.service.deliver(final("moved", chat=GROUP, edits=placed.message_ids))
        sent = await on_stage.service.until("sent")

    new = on_stage.world.chats[GROUP].moved_to
    assert new is not None
    assert sent.new_chat_id == str(new)
    assert on_stage.shown(new)[-1] == "moved"
    assert sent.message_ids == (str(on_stage.messages_in(new)[-1].id),)
    # An id of the old chat may be anybody's message in the new one.
    assert len(on_stage.world.of(EDIT, chat=new)) == 1


async def test_a_group_that_moves_again_and_again_is_given_up(on_stage: Stage) -> None:
    on_stage.world.chats[GROUP].moved_to = GROUP

    await ended(on_stage, chat=GROUP)

    assert (await on_stage.service.until("refused")).reason == "the chat moves again and again"


async def test_a_group_that_moved_before_the_placeholder_is_found(on_stage: Stage) -> None:
    on_stage.world.people.migrate(GROUP)
    new = on_stage.world.chats[GROUP].moved_to
    assert new is not None

    await ended(on_stage, "found", GROUP)

    assert on_stage.shown(new) == ["found"]
    assert {ack.new_chat_id for _, ack in on_stage.service.acks} == {str(new)}


@pytest.mark.parametrize("seconds", [3, 60])
@pytest.mark.parametrize("method", ["sendMessage", EDIT])
async def test_too_many_requests_are_waited_out_with_no_call_to_that_chat(
    on_stage: Stage, method: str, seconds: int
) -> None:
    on_stage.world.fail(method, f"too_many:{seconds}")

    await ended(on_stage)

    calls = on_stage.world.of("sendMessage", EDIT, "sendChatAction")
    limited = next(index for index, call in enumerate(calls) if call.status == 429)
    waited = (calls[limited + 1].at - calls[limited].at) * HURRY
    assert waited >= seconds
    assert on_stage.shown() == ["Hello"]
    await on_stage.service.until("sent")


async def test_a_chat_that_is_held_holds_up_no_other(on_stage: Stage) -> None:
    on_stage.world.fail("sendMessage", "too_many:60", chat=GROUP)
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final("late", 1, GROUP))
        await until(lambda: on_stage.world.of("sendMessage", chat=GROUP))
        on_stage.service.deliver(final("at once", 2))
        await on_stage.service.until("sent", 2)
        assert on_stage.shown(GROUP) == []
        await on_stage.service.until("sent", 1)

    assert on_stage.shown(GROUP) == ["late"]


async def test_a_long_penalty_is_handed_back(on_stage: Stage) -> None:
    on_stage.world.fail("sendMessage", "too_many:300")
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final("Hello"))
        first = await on_stage.service.until("later")
        on_stage.service.deliver(final("another", 2))
        second = await on_stage.service.until("later", 2)

    assert first.retry_after == pytest.approx(300, abs=1)
    assert 200 < (second.retry_after or 0) <= 301
    # The second one was not even tried: that would lengthen the penalty.
    assert len(on_stage.world.of("sendMessage", "sendChatAction")) == 1


async def test_cosmetic_calls_are_dropped_during_a_penalty(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        placed = await on_stage.service.until("placed")
        on_stage.world.fail(EDIT, "too_many:30")
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text="one"))
        await until(lambda: any(call.status == 429 for call in on_stage.world.calls))
        for text in ("two", "three", "four"):
            on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text=text))
        on_stage.service.deliver(final("all", edits=placed.message_ids))
        await on_stage.service.until("sent")

    calls = on_stage.world.of(EDIT, "sendChatAction")
    limited = next(index for index, call in enumerate(calls) if call.status == 429)
    assert [call.parameters.get("text") for call in calls[limited + 1 :]] == ["all"]


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "error:502", "error:500"])
async def test_what_may_have_been_placed_is_placed_again_and_counted(
    on_stage: Stage, fault: str
) -> None:
    on_stage.world.fail("sendMessage", fault)

    await ended(on_stage)

    assert on_stage.shown()[-1] == "Hello"
    assert on_stage.shown().count("Hello") == 1
    assert on_stage.messages.strays == 1


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "error:502", "error:504"])
async def test_an_edit_without_an_answer_is_made_again(on_stage: Stage, fault: str) -> None:
    on_stage.world.fail(EDIT, fault)

    await ended(on_stage)

    assert on_stage.shown() == ["Hello"]
    assert on_stage.messages.strays == 0
    assert len(on_stage.world.of(EDIT)) == 2


async def test_a_topic_that_is_gone_does_not_cost_the_answer(on_stage: Stage) -> None:
    delivery = final("Hello", chat=GROUP).model_copy(update={"thread_id": "77"})
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(delivery)
        await on_stage.service.until("sent")

    assert on_stage.shown(GROUP) == ["Hello"]


async def test_a_method_that_the_server_lacks_refuses_one_delivery(on_stage: Stage) -> None:
    # 404 is also what a wrong token gets; getMe tells the two apart.
    on_stage.world.fail(EDIT, "unauthorized")

    await ended(on_stage)

    assert (await on_stage.service.until("refused")).reason == "the server has no such method"


async def test_a_revoked_token_ends_the_delivering(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()) as work:
        await until(lambda: on_stage.service.connections)
        on_stage.world.revoked = True
        on_stage.service.deliver(final("Hello"))
        with pytest.raises(ExceptionGroup) as caught:
            await work

    assert caught.group_contains(TokenRefused)
    assert on_stage.service.acks == []


async def test_a_delivery_that_nobody_foresaw_is_refused_and_the_others_go_on(
    on_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with running(on_stage.deliverer()):
        with monkeypatch.context() as patch:
            patch.setattr(drawing, "finished", broken)
            on_stage.service.deliver(final("one"))
            refused = await on_stage.service.until("refused")
        on_stage.service.deliver(final("two", 2))
        await on_stage.service.until("sent", 2)

    assert refused.reason == "the bot failed: ZeroDivisionError"


async def test_an_acknowledgement_is_repeated_until_the_service_answers(on_stage: Stage) -> None:
    refusals = [Response(status_code=503), Response(status_code=429, headers={"Retry-After": "7"})]
    on_stage.service.ack_refusals.extend(refusals)

    await ended(on_stage)

    assert [outcome for outcome, _ in on_stage.service.said(1)] == ["placed", "sent"]
    assert 7.0 in on_stage.clock.slept
    assert on_stage.shown() == ["Hello"]


async def test_a_delivery_that_ended_elsewhere_leaves_no_placeholder(on_stage: Stage) -> None:
    on_stage.service.ack_refusals.append(Response(status_code=409))
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        await until(lambda: on_stage.world.of("deleteMessage"))
        await until(lambda: on_stage.shown() == [])

    assert on_stage.service.acks == []


async def test_the_stream_is_followed_again_after_it_broke(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        await until(lambda: on_stage.service.connections == 1)
        on_stage.service.drop()
        await until(lambda: on_stage.service.streams == [])
        on_stage.service.open[1] = final("meanwhile")
        await on_stage.service.until("sent")

    assert on_stage.service.connections == 2
    assert on_stage.shown() == ["meanwhile"]


async def test_a_delivery_that_comes_twice_is_drawn_once(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        on_stage.service.deliver(placeholder())
        await on_stage.service.until("placed")
        on_stage.service.drop()
        await until(lambda: on_stage.service.connections == 2)
        on_stage.service.deliver(final("once"))
        await on_stage.service.until("sent")

    assert on_stage.shown() == ["once"]


async def test_a_chat_makes_no_calls_faster_than_its_budget(
    on_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, taken = on_stage.pace.turn, list[float]()

    async def turn(chat: str, *, begins: bool = False) -> None:
        await take(chat, begins=begins)
        taken.append(on_stage.clock.now())

    monkeypatch.setattr(on_stage.pace, "turn", turn)
    async with running(on_stage.deliverer()):
        for number in range(1, 6):
            on_stage.service.deliver(final("x", number, GROUP))
        for number in range(1, 6):
            await on_stage.service.until("sent", number)

    assert len(on_stage.world.of("sendMessage", EDIT, chat=GROUP)) == len(taken) == 10
    # Seven more than its burst. What the way to Telegram takes is no part of the pace.
    assert taken[-1] - taken[0] > 7 * GROUP_SPACING - 1


def test_a_reason_fits_into_an_acknowledgement() -> None:
    assert drawing.LONGEST_REASON == 200
    Acknowledgement(outcome="refused", reason="x" * drawing.LONGEST_REASON)


async def test_no_other_message_is_placed_before_the_service_knows_of_the_last(
    on_stage: Stage,
) -> None:
    service, calls = on_stage.service, on_stage.methods
    async with running(on_stage.deliverer()):
        await until(lambda: service.streams)
        service.key = "refuses whatever is said"
        service.deliver(placeholder(1))
        service.deliver(placeholder(2, chat=GROUP))
        await until(lambda: len(on_stage.clock.slept) >= 3)
        unknown = calls("sendMessage")
        service.key = KEY
        await service.until("placed", 1)
        await service.until("placed", 2)

    assert (len(unknown), len(calls("sendMessage"))) == (1, 2)


@pytest.mark.parametrize("fault", ["reset_before", "error:502", "too_many:3"])
async def test_placeholders_stand_in_the_order_of_what_they_answer(
    on_stage: Stage, fault: str
) -> None:
    on_stage.world.fail("sendMessage", fault)
    numbers = range(1, 6)
    async with running(on_stage.deliverer()):
        for number in numbers:
            on_stage.service.deliver(placeholder(number))
        placed = [await on_stage.service.until("placed", number) for number in numbers]

    shown = [str(message.id) for message in on_stage.messages_in()]
    assert [said.message_ids for said in placed] == [(message,) for message in shown]
