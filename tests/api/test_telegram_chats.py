"""Topics, groups that move, and chats that come and go."""

from collections.abc import AsyncIterator

import pytest

from simulator.telegram import GROUP
from tests.api.line import JONAS, MINA, Json, Line, line, writing
from tests.api.service import Place, settled

NAME = "@arash_sim_bot"


@pytest.fixture
async def telephone(place: Place) -> AsyncIterator[Line]:
    async with line(place) as telephone:
        yield telephone


async def test_each_topic_is_a_conversation_and_is_answered_there(telephone: Line) -> None:
    world = telephone.telegram
    group = world.people.found(MINA, "Forum", [JONAS], forum=True).id
    topics = [world.people.open_topic(MINA, group, name) for name in ("Routers", "Cats")]
    for topic in topics:
        world.people.say(MINA, f"{NAME} topic {topic}", group, thread=topic)
        await telephone.bring()
        await settled(telephone.service)

    answers = await telephone.answers()

    assert [each.thread_id for each in answers] == [str(topic) for topic in topics]
    assert {each.chat_id for each in answers} == {str(group)}
    # The second is asked without the first.
    assert len(telephone.model.chats()[-1].body["messages"]) == 2


async def test_people_of_one_group_have_their_own_conversations(telephone: Line) -> None:
    for person in (MINA, JONAS):
        await telephone.say(f"{NAME} I am {person}", person, GROUP)
        await settled(telephone.service)

    assert len(await telephone.answers()) == 2
    assert len(telephone.model.chats()[-1].body["messages"]) == 2


def told_of(telephone: Line, number: int) -> list[str]:
    """Return what was said to the model in its `number`th call, without its instructions."""
    messages: list[Json] = telephone.model.chats()[number].body["messages"][1:]
    return [each["content"] for each in messages if each["role"] == "user"]


async def test_a_conversation_goes_on_when_its_group_moves(telephone: Line) -> None:
    await telephone.say(f"{NAME} one", chat=GROUP)
    await settled(telephone.service)
    new = telephone.telegram.people.migrate(GROUP).id
    await telephone.bring()
    await telephone.say(f"{NAME} two", chat=new)

    first, second = await telephone.answers()

    assert (first.chat_id, first.source_message_id) == (str(new), None)
    assert (second.chat_id, second.source_message_id) == (str(new), "2")
    assert told_of(telephone, -1) == ["one", "two"]


@pytest.mark.parametrize("halves", [(0, 1), (1, 0), (0,), (1,)])
async def test_a_group_that_moves_while_something_waits_loses_nothing(
    telephone: Line, halves: tuple[int, ...]
) -> None:
    async with writing(telephone, f"{NAME} one", chat=GROUP):
        await telephone.say(f"{NAME} two", chat=GROUP)
        new = telephone.telegram.people.migrate(GROUP).id
        updates = [each.json() for each in telephone._taken()]
        for half in halves:
            await telephone.post(updates[half])
        await telephone.say(f"{NAME} three", chat=new)

    answers = await telephone.answers()

    assert [each.chat_id for each in answers] == [str(new)] * 3
    assert told_of(telephone, -1) == ["one", "two", "three"]
    assert await telephone.service.sql("SELECT count(*) FROM sessions") == 1


# -- coming and going -----------------------------------------------------------------------


async def letters(telephone: Line) -> list[tuple[str, str]]:
    refused, _ = await telephone.service.parts.outbox.dead()
    return [(letter.chat_id, letter.reason) for letter in refused]


async def test_nobody_tries_to_reach_a_person_who_blocked_the_bot(telephone: Line) -> None:
    await telephone.say("/help")
    await telephone.say("/help", JONAS)
    await settled(telephone.service)
    await telephone.do(lambda it: it.block(MINA))

    assert [each.chat_id for each in await telephone.answers()] == [str(JONAS)]
    assert await letters(telephone) == [(str(MINA), "blocked by the person")]

    await telephone.do(lambda it: it.unblock(MINA), lambda it: it.say(MINA, "/start"))

    assert [each.chat_id for each in await telephone.answers()] == [str(JONAS), str(MINA)]


async def test_what_waits_for_somebody_who_left_is_not_asked(telephone: Line) -> None:
    async with writing(telephone):
        await telephone.say("And another one")
        await telephone.do(lambda it: it.block(MINA))
    await settled(telephone.service)

    assert telephone.asked() == ["Tell me a story"]
    assert await letters(telephone) == [(str(MINA), "blocked by the person")]


async def test_a_group_that_throws_the_bot_out_gets_nothing_more(telephone: Line) -> None:
    await telephone.say(f"/help{NAME}", chat=GROUP)
    await settled(telephone.service)
    await telephone.do(lambda it: it.throw_out(MINA, GROUP))

    assert await telephone.answers() == []
    assert await letters(telephone) == [(str(GROUP), "removed from the group")]


async def test_what_is_being_answered_is_brought_to_whoever_blocked_the_bot(
    telephone: Line,
) -> None:
    """The bot hears of the block itself, and then the dead letter holds an answer."""
    async with writing(telephone):
        await telephone.do(lambda it: it.block(MINA))
        assert await letters(telephone) == []

    (answer,) = await telephone.answers()
    assert (answer.chat_id, answer.final) == (str(MINA), True)
