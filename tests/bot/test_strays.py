"""No message stays in a chat that will never become the answer, if anybody knows its id."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import Response

from panoptes_bot.client import Service
from panoptes_bot.messages import Messages
from simulator.telegram import GROUP
from simulator.telegram.methods import DELETABLE
from tests.bot.stage import MINA, Stage, final, placeholder, running, until
from tests.bot.test_drawing import picture
from tests.bot.test_faults import EDIT, ended
from wire.delivery import Delivery, Progress
from wire.reply import Button, Reply

MEDIA = "editMessageMedia"
REFRESH = ((Button(label="Refresh", send="/wan"),),)
LONG = "word " * 1200


def ids(stage: Stage, chat: int = MINA) -> tuple[str, ...]:
    return tuple(str(message.id) for message in stage.messages_in(chat))


async def grown(stage: Stage, text: str = LONG, parts: int = 2) -> tuple[str, ...]:
    """Have an answer grow over so many messages; return their ids."""
    stage.service.deliver(placeholder())
    await stage.service.until("placed")
    stage.service.grow(Progress(id=1, chat_id=str(MINA), text=text))
    await stage.service.until("placed", times=parts)
    await until(lambda: "…" not in stage.shown())
    return ids(stage)


@pytest.mark.parametrize("status", [404, 409])
async def test_a_placeholder_that_nobody_wants_any_more_goes(on_stage: Stage, status: int) -> None:
    on_stage.service.ack_refusals.append(Response(status_code=status))
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        await until(lambda: on_stage.world.of("deleteMessage"))
        await until(lambda: on_stage.shown() == [])


async def test_all_of_an_answer_that_the_service_never_heard_of_goes(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        await on_stage.service.until("placed")
        del on_stage.service.open[1]
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text=LONG))
        await until(lambda: on_stage.shown() == [])

    assert len(on_stage.world.of("sendMessage")) == 2


async def test_what_another_process_has_finished_stays(on_stage: Stage) -> None:
    deliverer = on_stage.deliverer()
    async with running(deliverer):
        on_stage.service.deliver(placeholder())
        placed = await on_stage.service.until("placed")
        on_stage.service.ack_refusals.append(Response(status_code=409))
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text=LONG))
        await until(lambda: not deliverer._open)

    assert ids(on_stage) == placed.message_ids
    assert len(on_stage.world.of("sendMessage")) == 2


async def test_a_refusal_takes_the_placeholders_along_and_says_what_is_left(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        placed = await grown(on_stage)
        on_stage.world.fail(EDIT, "bad:have no rights to send a message")
        on_stage.service.deliver(final("Quite another text.", edits=placed))
        refused = await on_stage.service.until("refused")

    assert on_stage.shown() == []
    assert refused.message_ids == ()


async def test_a_refusal_leaves_the_parts_that_have_arrived(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        placed = await grown(on_stage)
        on_stage.world.fail(EDIT, "bad:have no rights to send a message")
        # The first part shows its text already; the second one still has its stop button.
        on_stage.service.deliver(final(LONG, edits=placed))
        refused = await on_stage.service.until("refused")

    assert refused.message_ids == placed[:1] == ids(on_stage)


async def test_who_blocked_the_bot_is_not_called_for_every_placeholder(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        placed = await grown(on_stage)
        on_stage.world.people.block(MINA)
        on_stage.service.deliver(final(LONG, edits=placed))
        refused = await on_stage.service.until("refused")

    assert len(on_stage.world.of("deleteMessage")) == 1
    # They are still there: driven again, they become the answer.
    assert refused.message_ids == placed


async def test_a_dead_letter_that_is_driven_again_becomes_the_placeholder_that_stood(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        placed = await grown(on_stage)
        on_stage.world.people.block(MINA)
        on_stage.service.deliver(final(LONG, edits=placed))
        await on_stage.service.until("refused")
        on_stage.world.people.unblock(MINA)
        on_stage.service.deliver(final("Hello", edits=placed))
        await on_stage.service.until("sent")

    assert on_stage.shown() == ["Hello"]


async def test_the_message_whose_button_was_pressed_outlives_a_refusal(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final("old"))
        sent = await on_stage.service.until("sent")
        on_stage.world.fail(EDIT, "bad:have no rights to send a message", times=9)
        redrawn = Reply(response="new", actions=("replace",))
        on_stage.service.deliver(final(redrawn, 2, edits=sent.message_ids))
        refused = await on_stage.service.until("refused", 2)

    assert on_stage.shown() == ["old"]
    assert refused.message_ids == sent.message_ids


async def test_a_message_that_cannot_be_edited_is_replaced_and_taken_away(
    on_stage: Stage,
) -> None:
    on_stage.world.fail(EDIT, "bad:message can't be edited")

    await ended(on_stage)

    first, second = (ack for ack in on_stage.service.said(1) if ack[0] == "placed")
    assert first[1] != second[1] == ids(on_stage)
    assert on_stage.shown() == ["Hello"]
    # Before the new one comes: a process that ends between the two leaves none behind.
    assert on_stage.methods("sendMessage", "deleteMessage") == [
        "sendMessage",
        "deleteMessage",
        "sendMessage",
    ]


async def test_a_redrawn_picture_whose_reply_is_a_text_leaves_nothing_stale(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        chart = Reply(response="", images=(picture("load"),), buttons=REFRESH)
        on_stage.service.deliver(final(chart))
        sent = await on_stage.service.until("sent")
        text = Reply(response="No readings.", actions=("replace",), buttons=REFRESH)
        on_stage.service.deliver(final(text, 2, edits=sent.message_ids))
        redrawn = await on_stage.service.until("sent", 2)

    (message,) = on_stage.messages_in()
    assert message.content["text"] == "No readings."
    assert message.markup is not None
    assert redrawn.message_ids == ids(on_stage)


async def test_a_redrawn_text_whose_reply_is_a_picture_becomes_it(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(final(Reply(response="No readings.", buttons=REFRESH)))
        sent = await on_stage.service.until("sent")
        chart = Reply(response="", images=(picture("load"),), actions=("replace",))
        on_stage.service.deliver(final(chart, 2, edits=sent.message_ids))
        redrawn = await on_stage.service.until("sent", 2)

    (message,) = on_stage.messages_in()
    assert message.content["caption"] == "load"
    assert message.markup is None
    assert redrawn.message_ids == sent.message_ids


async def test_what_is_too_old_to_be_deleted_loses_its_buttons(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        chart = Reply(response="", images=(picture("load"),), buttons=REFRESH)
        on_stage.service.deliver(final(chart))
        sent = await on_stage.service.until("sent")
        on_stage.messages_in()[0].date -= DELETABLE + 60
        text = Reply(response="No readings.", actions=("replace",), buttons=REFRESH)
        on_stage.service.deliver(final(text, 2, edits=sent.message_ids))
        await on_stage.service.until("sent", 2)

    old, new = on_stage.messages_in()
    assert (old.content["caption"], old.markup) == ("load", None)
    assert new.content["text"] == "No readings."


async def test_surplus_parts_go_also_when_another_process_draws_the_end(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        placed = await grown(on_stage)
    on_stage.service.deliver(final("Short.", edits=placed))

    async with running(on_stage.deliverer()):
        sent = await on_stage.service.until("sent")

    assert on_stage.shown() == ["Short."]
    assert sent.message_ids == placed[:1]


async def test_an_answer_that_is_begun_anew_leaves_no_parts_of_the_first_try(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        placed = await grown(on_stage)
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text="Another try"))
        await until(lambda: "Another try" in on_stage.shown())
        on_stage.service.deliver(final("Another try.", edits=placed))
        await on_stage.service.until("sent")

    assert on_stage.shown() == ["Another try."]


async def test_a_process_that_knows_nothing_goes_on_with_a_growing_answer(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        placed = await grown(on_stage)

    async with running(on_stage.deliverer()):
        await until(lambda: on_stage.service.connections == 2)
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text=f"{LONG}and more"))
        await until(lambda: on_stage.shown()[-1].endswith("and more"))
        on_stage.service.deliver(final(f"{LONG}and more.", edits=placed))
        await on_stage.service.until("sent")

    assert ids(on_stage) == placed
    assert " ".join(on_stage.shown()) == f"{LONG}and more."


async def test_a_service_that_goes_away_and_comes_back_finds_one_answer(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        placed = await on_stage.service.until("placed")
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text="so far"))
        await until(lambda: on_stage.shown() == ["so far"])
        on_stage.service.away = True
        on_stage.service.drop()
        await until(lambda: on_stage.service.streams == [])
        on_stage.service.open[1] = final(LONG, edits=placed.message_ids)
        on_stage.service.away = False
        await on_stage.service.until("sent")

    assert " ".join(on_stage.shown()) == LONG.strip()
    assert len(on_stage.world.of("sendMessage")) == 2


async def test_a_service_that_goes_away_while_it_is_told_of_a_part_hears_of_it_later(
    on_stage: Stage,
) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder())
        await on_stage.service.until("placed")
        on_stage.service.away = True
        on_stage.service.grow(Progress(id=1, chat_id=str(MINA), text=LONG))
        on_stage.service.drop()
        await until(lambda: len(on_stage.messages_in()) == 2)
        on_stage.service.away = False
        placed = await on_stage.service.until("placed", times=2)
        await until(lambda: on_stage.service.connections == 2)
        on_stage.service.deliver(final(LONG, edits=placed.message_ids))
        await on_stage.service.until("sent")

    assert " ".join(on_stage.shown()) == LONG.strip()
    assert len(on_stage.world.of("sendMessage")) == 2


def killing(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, count: int) -> asyncio.Event:
    """Let nothing of the `count`th call of a method happen or be heard of; tell when."""
    real: Callable[..., Any] = getattr(owner, name)
    calls, reached = 0, asyncio.Event()

    async def counted(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count:
            reached.set()
            await asyncio.Event().wait()
        return await real(*args, **named)

    monkeypatch.setattr(owner, name, counted)
    return reached


STEPS = [
    *((Service, "acknowledge", count) for count in range(1, 6)),
    *((Messages, "place", count) for count in range(1, 5)),
    *((Messages, "edit", count) for count in range(1, 5)),
]


@pytest.mark.parametrize(("owner", "name", "step"), STEPS)
async def test_a_kill_at_any_step_leaves_at_most_one_message_without_an_id(
    on_stage: Stage, owner: type, name: str, step: int
) -> None:
    delivery: Delivery = final(Reply(response=LONG, images=(picture("a"), picture("b"))))
    with pytest.MonkeyPatch.context() as patch:
        reached = killing(patch, owner, name, step)
        dying = on_stage.deliverer()
        work = asyncio.create_task(dying.run())
        on_stage.service.deliver(delivery)
        await until(reached.is_set)
        for task in (work, *dying._placing):
            task.cancel()
        await asyncio.gather(work, return_exceptions=True)

    async with running(on_stage.deliverer()):
        await until(lambda: 1 not in on_stage.service.open)

    known = on_stage.service.said(1)[-1][1]
    strays = [message for message in ids(on_stage) if message not in known]
    assert len(known) == 4
    assert len(strays) <= (1 if name == "acknowledge" else 0)


async def test_an_old_chat_keeps_nothing_that_it_could_lose(on_stage: Stage) -> None:
    async with running(on_stage.deliverer()):
        on_stage.service.deliver(placeholder(1, GROUP))
        on_stage.service.deliver(placeholder(2, GROUP))
        for number in (1, 2):
            await on_stage.service.until("placed", number)
        new = on_stage.world.people.migrate(GROUP)
        for number in (1, 2):
            on_stage.service.deliver(final(f"answer {number}", number, GROUP))
            await on_stage.service.until("sent", number)

    assert sorted(on_stage.shown(new.id)) == ["answer 1", "answer 2"]
