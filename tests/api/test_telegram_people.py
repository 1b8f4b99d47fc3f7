"""Who may talk to the bot, how much, and what becomes of those who may not."""

from collections.abc import AsyncIterator

import pytest

from app import texts
from simulator.telegram import GROUP
from tests.api.line import AISHA, JONAS, MINA, Line, line, telegram_world
from tests.api.service import Clock, Place, settled
from tests.simulator.bot_api import picture
from wire.delivery import Delivery

DAY = 86_400.0


@pytest.fixture
async def telephone(place: Place) -> AsyncIterator[Line]:
    async with line(place, telegram_admin_users=(AISHA,)) as telephone:
        yield telephone


def to(answers: list[Delivery], person: int) -> list[str]:
    return [
        each.reply.response
        for each in answers
        if each.chat_id == str(person) and each.reply is not None
    ]


async def told(telephone: Line, text: str, person: int = MINA) -> list[str]:
    """Return everything that a person was told after saying something."""
    await telephone.say(text, person)
    return to(await telephone.answers(), person)


# -- bans -----------------------------------------------------------------------------------


async def test_an_administrator_bans_and_unbans_by_number(telephone: Line) -> None:
    assert await told(telephone, f"/ban {MINA}", AISHA) == [texts.BANNED.format(user=f"`{MINA}`")]
    assert await told(telephone, "/help", MINA) == []
    assert len(await told(telephone, "/help", JONAS)) == 1

    assert len(await told(telephone, f"/unban {MINA}", AISHA)) == 2
    assert len(await told(telephone, "/help", MINA)) == 1


async def test_what_the_banned_press_edit_and_send_is_nothing_either(telephone: Line) -> None:
    await told(telephone, f"/ban {MINA}", AISHA)
    world = telephone.telegram
    shown = world.keep(world.chats[MINA], world.bot_id, {"text": "Choose"})
    sent = world.people.say(MINA, "hello")

    heard = await telephone.do(
        lambda it: it.press(MINA, shown.id, "k:nothing", forged=True),
        lambda it: it.press(MINA, shown.id, "/help", forged=True),
        lambda it: it.edit(MINA, sent.id, "hello?"),
        lambda it: it.photos(MINA, [picture(), picture()], caption="look"),
        lambda it: it.say(MINA, "/help", GROUP),
    )

    assert [each["notice"] for each in heard] == [None] * 7
    assert to(await telephone.answers(), MINA) == []
    assert telephone.asked() == []


@pytest.mark.parametrize("command", ["/ban", "/unban"])
async def test_others_cannot_ban(telephone: Line, command: str) -> None:
    (answer,) = await told(telephone, f"{command} {JONAS}", MINA)

    assert texts.ADMINS_ONLY in answer
    assert len(await told(telephone, "/help", JONAS)) == 1


@pytest.mark.parametrize("whom", ["@mina_r", "Mina", "-5", "0", "1001 1002", "٣٤"])
async def test_a_ban_needs_a_number(telephone: Line, whom: str) -> None:
    assert await told(telephone, f"/ban {whom}", AISHA) == [texts.BAN_USE.format(name="ban")]


async def test_a_ban_outlives_a_restart(place: Place) -> None:
    world = telegram_world()
    async with line(place, world, telegram_admin_users=(AISHA,)) as telephone:
        await told(telephone, f"/ban {MINA}", AISHA)
    async with line(place, world) as telephone:
        assert await told(telephone, "/help", MINA) == []


# -- invited people -------------------------------------------------------------------------


async def test_only_the_invited_and_administrators_are_answered(place: Place) -> None:
    async with line(
        place, telegram_allowed_users=(MINA,), telegram_admin_users=(AISHA,)
    ) as telephone:
        mina, aisha, jonas = [await told(telephone, "/help", who) for who in (MINA, AISHA, JONAS)]

    assert "/translate" in mina[0]
    assert "/ban" in aisha[0]
    assert jonas == [texts.NOT_INVITED]


async def test_who_is_not_invited_is_told_so_twenty_times_and_then_to_wait(place: Place) -> None:
    async with line(place, telegram_allowed_users=(MINA,)) as telephone:
        for number in range(30):
            await telephone.say(f"hello {number}", JONAS)
        heard = to(await telephone.answers(), JONAS)

    assert heard[:20] == [texts.NOT_INVITED] * 20
    assert len(heard) == 21
    assert "Wait" in heard[20]


async def test_an_album_of_somebody_who_is_not_invited_is_refused_once(place: Place) -> None:
    async with line(place, telegram_allowed_users=(MINA,)) as telephone:
        await telephone.do(lambda it: it.photos(JONAS, [picture()] * 4))

        assert to(await telephone.answers(), JONAS) == [texts.NOT_INVITED]


# -- limits ---------------------------------------------------------------------------------


async def test_the_twenty_first_message_of_a_minute_is_refused(place: Place) -> None:
    clock = Clock()
    async with line(place, telegram_world(clock=clock), wires={"clock": clock}) as telephone:
        for number in range(22):
            await telephone.say(f"/help {number}")
        await settled(telephone.service)
        early = to(await telephone.answers(), MINA)
        other = await told(telephone, "/help", JONAS)
        clock.now += 61
        await telephone.say("/help once more")
        late = to(await telephone.answers(), MINA)

    assert len(early) == 21
    assert early[20] == texts.LIMIT_REACHED.format(limit=20, seconds=60)
    assert len(other) == 1
    assert "/translate" in late[21]


async def test_old_messages_count_by_when_they_were_sent(place: Place) -> None:
    clock, sent = Clock(), Clock()
    world = telegram_world(clock=sent)
    async with line(place, world, wires={"clock": clock}) as telephone:
        for number in range(60):
            sent.now = clock.now - 3600 + 60 * number
            world.people.say(MINA, f"/help {number}")
        sent.now = clock.now
        await telephone.bring()
        answers = to(await telephone.answers(), MINA)

    assert len(answers) == 60
    assert not [answer for answer in answers if "Wait" in answer]


async def test_a_message_that_is_dated_in_the_future_counts_as_sent_now(place: Place) -> None:
    clock, sent = Clock(), Clock()
    world = telegram_world(clock=sent)
    async with line(place, world, wires={"clock": clock}) as telephone:
        sent.now = clock.now + 10 * DAY
        for number in range(20):
            world.people.say(MINA, f"/help {number}")
        await telephone.bring()
        await settled(telephone.service)
        sent.now = clock.now = clock.now + 61
        heard = await told(telephone, "/help")

    assert len(heard) == 21
    assert not [answer for answer in heard if "Wait" in answer]


async def test_edits_repeats_and_further_pictures_are_no_messages_more(place: Place) -> None:
    clock = Clock()
    world = telegram_world(clock=clock)
    async with line(place, world, wires={"clock": clock}) as telephone:
        first = world.people.say(MINA, "/help")
        (update,) = (each.json() for each in telephone._taken())
        for _ in range(30):
            await telephone.post(update)
        for number in range(30):
            world.people.edit(MINA, first.id, f"/help {number}")
        await telephone.bring()
        for number in range(18):
            await telephone.say(f"/help {number}")
        # The twentieth, and with its first picture the minute is full.
        await telephone.do(lambda it: it.photos(MINA, [picture()] * 3, caption="/status"))
        clock.now += 2
        heard = to(await telephone.answers(), MINA)

    assert len(heard) == 20
    assert not [answer for answer in heard if "Wait" in answer]


async def test_after_its_turns_of_the_day_a_person_hears_when_there_are_more(place: Place) -> None:
    clock = Clock(DAY * 20_000 + 5)
    world = telegram_world(clock=clock)
    async with line(place, world, wires={"clock": clock}, telegram_daily_turns=2) as telephone:
        heard = [await told(telephone, "/help") for _ in range(3)][-1]
        other = await told(telephone, "/help", JONAS)
        clock.now = DAY * 20_001
        tomorrow = await told(telephone, "/help")

    assert heard == [other[0], other[0], texts.DAY_USED.format(limit=2)]
    assert "midnight UTC" in heard[2]
    assert tomorrow[3] == other[0]


async def test_what_gets_no_turn_costs_none_of_the_day(place: Place) -> None:
    async with line(place, telegram_daily_turns=3) as telephone:
        world = telephone.telegram
        first = world.people.say(MINA, "/help")
        (update,) = (each.json() for each in telephone._taken())
        for number in range(900, 906):
            # By another number each: the message is the same.
            await telephone.post(update | {"update_id": number})
        await telephone.do(
            lambda it: it.edit(MINA, first.id, "/help me"),
            lambda it: it.photos(MINA, [picture()] * 4, caption="/help"),
            lambda it: it.press(MINA, first.id, "k:nothing", forged=True),
            lambda it: it.press(MINA, first.id, " ", forged=True),
            lambda it: it.say(MINA, "/help"),
            lambda it: it.say(MINA, "/help"),
        )
        heard = to(await telephone.answers(), MINA)

    assert [text == texts.DAY_USED.format(limit=3) for text in heard] == [False] * 4 + [True]
