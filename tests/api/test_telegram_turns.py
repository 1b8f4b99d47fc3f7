"""From a message on Telegram to one answer: edits, stops, repeats, restarts, moves."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app import texts
from simulator.telegram import GROUP
from tests.api.line import JONAS, MINA, Line, line, telegram_world, writing
from tests.api.service import OPEN_TURNS, Clock, Place, settled, until
from tests.simulator.bot_api import picture

NAME = "@arash_sim_bot"
WEEK = 7 * 86_400.0


@pytest.fixture
async def telephone(place: Place) -> AsyncIterator[Line]:
    async with line(place) as telephone:
        yield telephone


# -- edits ----------------------------------------------------------------------------------


async def test_an_edit_replaces_what_waits(telephone: Line) -> None:
    async with writing(telephone):
        waits = telephone.telegram.people.say(MINA, "What is a mash?")
        await telephone.bring()
        await telephone.do(lambda it: it.edit(MINA, waits.id, "What is a mesh?"))

    assert len(await telephone.answers()) == 2
    assert telephone.asked() == ["Tell me a story", "What is a mesh?"]


async def test_an_edit_of_what_is_being_answered_changes_nothing(telephone: Line) -> None:
    async with writing(telephone):
        (story,) = telephone.telegram.chats[MINA].messages.values()
        await telephone.do(lambda it: it.edit(MINA, story.id, "Tell me a joke"))

    assert len(await telephone.answers()) == 1
    assert telephone.asked() == ["Tell me a story"]


async def test_an_edit_of_what_was_answered_is_no_new_question(telephone: Line) -> None:
    sent = telephone.telegram.people.say(MINA, "/help")
    await telephone.bring()
    await settled(telephone.service)
    await telephone.do(lambda it: it.edit(MINA, sent.id, "And what is a mesh?"))

    assert len(await telephone.answers()) == 1
    assert telephone.asked() == []


async def test_an_edit_that_names_us_only_now_is_no_question(telephone: Line) -> None:
    telephone.telegram.reads_all_in_groups = True
    sent = telephone.telegram.people.say(MINA, "what is a mesh?", GROUP)
    await telephone.bring()
    await telephone.do(lambda it: it.edit(MINA, sent.id, f"{NAME} what is a mesh?", GROUP))

    assert await telephone.answers() == []


# -- stopping -------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["/stop", "/cancel", f"/stop{NAME}", "/STOP"])
async def test_stop_ends_the_answer_that_is_written(telephone: Line, word: str) -> None:
    async with writing(telephone):
        (heard,) = await telephone.say(word)
        # The model has not answered yet.
        assert await telephone.texts() == [texts.STOPPED_NOTE]

    assert heard["notice"] == texts.STOPPED


async def test_stop_of_another_in_the_group_stops_nothing_of_mine(telephone: Line) -> None:
    async with writing(telephone, f"{NAME} tell me a story", chat=GROUP):
        await telephone.say(f"/stop{NAME}", JONAS, GROUP)

    mine, theirs = await telephone.texts()
    assert texts.STOPPED_NOTE not in mine
    assert theirs == texts.NOTHING_RUNS


async def test_a_stop_that_comes_again_stops_nothing_later(telephone: Line) -> None:
    async with writing(telephone, "The first story"):
        telephone.telegram.people.say(MINA, "/stop")
        (stop,) = (each.json() for each in telephone._taken())
        await telephone.post(stop)
    await settled(telephone.service)
    async with writing(telephone, "The second story"):
        heard = await telephone.post(stop)

    assert heard["notice"] == texts.NOTHING_RUNS
    first, second = await telephone.texts()
    assert first == texts.STOPPED_NOTE
    assert texts.STOPPED_NOTE not in second


# -- once -----------------------------------------------------------------------------------


async def test_an_update_is_answered_once_for_a_week_and_then_forgotten(place: Place) -> None:
    clock = Clock()
    async with line(place, telegram_world(clock=clock), wires={"clock": clock}) as telephone:
        telephone.telegram.people.say(MINA, "/help")
        (update,) = (each.json() for each in telephone._taken())
        await telephone.post(update)
        await settled(telephone.service)
        clock.now += WEEK - 1
        await telephone.service.parts.memory.sweep(clock.now)
        await telephone.post(update)
        within = len(await telephone.answers())
        clock.now += 2
        await telephone.service.parts.memory.sweep(clock.now)
        kept = await telephone.service.sql("SELECT count(*) FROM updates")

    assert within == 1
    assert kept == 0


async def test_the_same_message_by_another_update_is_answered_once(telephone: Line) -> None:
    telephone.telegram.people.say(MINA, "/help")
    (update,) = (each.json() for each in telephone._taken())
    for number in (5, 6, 7):
        await telephone.post(update | {"update_id": number})
        await settled(telephone.service)

    assert len(await telephone.answers()) == 1


async def test_twenty_carriers_of_one_update_bring_one_answer(telephone: Line) -> None:
    telephone.telegram.people.say(MINA, "hello")
    (update,) = (each.json() for each in telephone._taken())
    async with asyncio.TaskGroup() as carriers:
        for _ in range(20):
            carriers.create_task(telephone.post(update))

    assert len(await telephone.answers()) == 1
    assert telephone.asked() == ["hello"]


async def test_another_bot_has_updates_of_its_own(place: Place) -> None:
    first = telegram_world(token="1:made-up")  # pragma: allowlist secret
    second = telegram_world(token="2:made-up", first_message=500)  # pragma: allowlist secret
    async with line(place, first) as telephone:
        await telephone.say("/help")
        await settled(telephone.service)
    async with line(place, second) as telephone:
        await telephone.say("/help")

        assert len(await telephone.answers()) == 2


# -- restarts -------------------------------------------------------------------------------


async def test_what_was_half_answered_and_what_waited_is_answered_once_after_a_restart(
    place: Place,
) -> None:
    world = telegram_world()
    async with line(place, world) as telephone:
        telephone.gate.close()
        await telephone.say("The first story")
        await telephone.say("The second story")
        await until(lambda: telephone.gate.waiting)
        updates = [await telephone.service.sql("SELECT count(*) FROM updates")]

    async with line(place, world) as telephone:
        answers = await telephone.answers()
        updates.append(await telephone.service.sql("SELECT count(*) FROM updates"))
        done = await telephone.service.sql("SELECT count(*) FROM turns WHERE state = 'done'")

    assert [each.source_message_id for each in answers] == ["1", "2"]
    assert telephone.asked() == ["The first story", "The second story"]
    assert updates == [2, 2]
    assert done == 2


async def test_an_album_that_waits_outlives_a_restart(place: Place) -> None:
    world = telegram_world()
    clock = Clock()
    async with line(place, world, wires={"clock": clock}) as telephone:
        await telephone.do(lambda it: it.photos(MINA, [picture()] * 2, caption="Which?"))
        assert await telephone.service.sql(f"SELECT count(*) FROM {OPEN_TURNS}") == 1
    clock.now += 2
    async with line(place, world, wires={"clock": clock}) as telephone:
        assert len(await telephone.answers()) == 1

    assert len([part for part in telephone.asked()[-1] if part["type"] == "image_url"]) == 2


# -- late -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "told"),
    [(0, None), (599, None), (601, "10 min"), (3000, "50 min"), (7300, "2 h"), (80_000, "22 h")],
)
async def test_an_answer_to_an_old_message_says_so(
    place: Place, age: int, told: str | None
) -> None:
    clock, sent = Clock(), Clock()
    async with line(place, telegram_world(clock=sent), wires={"clock": clock}) as telephone:
        sent.now = clock.now - age
        telephone.telegram.people.say(MINA, "/help")
        sent.now = clock.now
        await telephone.bring()
        (answer,) = await telephone.texts()

    note = None if told is None else answer.rpartition("\n\n")[2]
    assert note == (None if told is None else texts.LATE.format(age=told))
    assert ("ago" in answer) is (told is not None)
