"""Buttons whose text is too long for Telegram, and data that nobody was given."""

from collections.abc import AsyncIterator

import pytest

from app import texts
from simulator.telegram import GROUP
from tests.api.line import JONAS, MINA, Line, line
from tests.api.service import Place

LONG = "[[fault:http-500]] " + "tell me more about it " * 5


@pytest.fixture
async def telephone(place: Place) -> AsyncIterator[Line]:
    async with line(place) as telephone:
        yield telephone


async def long_button(telephone: Line, person: int, chat: int | None = None) -> tuple[int, str]:
    """Return a message of the bot and what its button sends: a short key."""
    world = telephone.telegram
    name = "" if chat is None else "@arash_sim_bot "
    await telephone.say(name + LONG, person, chat)
    (answer,) = await telephone.answers()
    assert answer.reply is not None
    send = answer.reply.buttons[0][0].send
    shown = world.keep(world.chats[chat or person], world.bot_id, {"text": "…"})
    assert send is not None
    return shown.id, send


async def test_a_long_button_is_a_key_that_its_owner_presses(telephone: Line) -> None:
    shown, send = await long_button(telephone, MINA)
    await telephone.do(lambda it: it.press(MINA, shown, send, forged=True))

    await telephone.answers()

    assert send.startswith("k:")
    assert len(send.encode()) <= 64
    assert {content.strip() for content in telephone.asked()} == {LONG.strip()}
    assert len(telephone.asked()) > 1


async def test_anybody_elses_key_is_no_longer_valid(telephone: Line) -> None:
    shown, send = await long_button(telephone, MINA, GROUP)
    asked = len(telephone.asked())

    (heard,) = await telephone.do(lambda it: it.press(JONAS, shown, send, GROUP, forged=True))

    assert heard["notice"] == texts.STALE_BUTTON
    assert len(await telephone.answers()) == 1
    assert len(telephone.asked()) == asked


@pytest.mark.parametrize("data", ["k:", "k:AAAAAAAAAAAAAAAA", "k:" + "x" * 62, "k:' OR 1=1 --"])
async def test_a_forged_key_is_no_longer_valid(telephone: Line, data: str) -> None:
    world = telephone.telegram
    shown = world.keep(world.chats[MINA], world.bot_id, {"text": "Choose"})

    (heard,) = await telephone.do(lambda it: it.press(MINA, shown.id, data, forged=True))

    assert heard["notice"] == texts.STALE_BUTTON
    assert await telephone.answers() == []


@pytest.mark.parametrize("data", ["\u0000" * 64, "ف" * 32, "/ban 1002", "/forget yes", "😀" * 16])
async def test_other_forged_data_is_what_the_presser_could_have_typed(
    telephone: Line, data: str
) -> None:
    world = telephone.telegram
    shown = world.keep(world.chats[MINA], world.bot_id, {"text": "Choose"})
    await telephone.do(lambda it: it.press(MINA, shown.id, data, forged=True))

    (answer,) = await telephone.answers()

    assert answer.reply is not None
    assert answer.reply.response
    assert answer.chat_id == str(MINA)


async def test_a_typed_key_is_only_a_text(telephone: Line) -> None:
    _, send = await long_button(telephone, MINA)
    await telephone.say(send)

    await telephone.answers()

    assert telephone.asked()[-1] == send
