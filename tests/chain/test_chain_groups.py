"""Groups: the bot answers who means it, where they wrote, and nobody else."""

import pytest
import pytest_asyncio

from tests.chain.stack import Chain, Json, Person
from tests.chain.test_chain_chat import picture

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(loop_scope="package")
async def jonas(chain: Chain) -> Person:
    return await chain.join("Jonas")


@pytest_asyncio.fixture(loop_scope="package")
async def team(nora: Person, jonas: Person) -> int:
    return int((await nora.found("Team", jonas))["id"])


def _quoted(message: Json) -> int:
    return int(message["reply_to_message"]["message_id"])


async def test_who_mentions_it_is_answered_with_a_quote(
    chain: Chain, nora: Person, team: int
) -> None:
    to = await nora.say(f"7 + 8, @{chain.telegram.username}", team)

    told = await nora.answer(to)

    assert "7 + 8 = 15" in told["text"]
    assert _quoted(told) == to["message_id"]
    assert chain.telegram.username not in str(chain.prompts("7 + 8")[-1]["messages"][-1])


async def test_who_replies_to_it_is_answered(nora: Person, jonas: Person, team: int) -> None:
    hello = await nora.ask("/start", team)

    told = await jonas.ask("3 * 4", team, reply_to=hello["message_id"])

    assert "3 * 4 = 12" in told["text"]


@pytest.mark.parametrize("command", ["/start", "/start@arash_sim_bot"])
async def test_who_commands_it_is_answered(nora: Person, team: int, command: str) -> None:
    assert "I am Arash" in (await nora.ask(command, team))["text"]


async def test_what_is_not_for_it_is_left_alone(
    chain: Chain, nora: Person, jonas: Person, team: int
) -> None:
    """Also where Telegram lets the bot read everything."""
    chain.telegram.reads_all_in_groups = True
    try:
        first = await nora.say("shall we eat?", team)
        await jonas.say("in a minute", team, reply_to=first["message_id"])
        await jonas.say("/start@another_bot", team)
        to = await nora.say("/start", team)
        told = await nora.answers(first)
    finally:
        chain.telegram.reads_all_in_groups = False

    assert [_quoted(it) for it in told] == [to["message_id"]]
    assert chain.prompts("shall we eat?") == []


async def test_people_of_a_group_have_conversations_of_their_own(
    nora: Person, jonas: Person, team: int, chain: Chain
) -> None:
    name = f"@{chain.telegram.username}"
    await nora.ask(f"{name} my name is Nora", team)

    told = await jonas.ask(f"{name} what is my name?", team)

    assert "You have not told me" in told["text"]


async def test_the_answer_comes_in_the_same_topic(chain: Chain, nora: Person) -> None:
    forum = (await nora.found("Forum", forum=True))["id"]
    topics = [await nora.topic(forum, name) for name in ("Uplink", "Coffee")]

    for topic in topics:
        told = await nora.ask("/start", forum, thread=topic)
        assert told["message_thread_id"] == topic

    calls = chain.telegram.of("sendChatAction", "sendMessage", chat=forum)
    assert {call.parameters.get("message_thread_id") for call in calls} == set(map(str, topics))


async def test_a_picture_with_a_mention_is_looked_at(chain: Chain, nora: Person, team: int) -> None:
    name = f"@{chain.telegram.username}"
    (sent,) = await nora.show(picture("blue"), chat=team, caption=f"{name} what is this?")

    assert "mostly blue" in (await nora.answer(sent))["text"]


async def test_somebody_elses_stop_button_stops_nothing(
    chain: Chain, nora: Person, jonas: Person, team: int
) -> None:
    chain.openrouter.between_tokens = 0.02
    try:
        to = await nora.say(f"@{chain.telegram.username} tell me a story", team)
        await chain.until(lambda: len(chain.telegram.of("editMessageText", chat=team)) >= 1)
        (growing,) = [it for it in await nora.messages(team) if it["from"]["is_bot"]]
        press = await jonas.press(growing, "Stop")
        await chain.until(lambda: chain.telegram.presses[press].answer is not None)
        told = await nora.answer(to)
    finally:
        chain.openrouter.between_tokens = 0.0

    assert "nothing to stop" in (chain.telegram.presses[press].answer or {})["text"]
    assert "stopped the answer" not in told["text"]


async def test_a_group_that_becomes_a_supergroup_goes_on(
    chain: Chain, nora: Person, team: int
) -> None:
    name = f"@{chain.telegram.username}"
    await nora.ask(f"{name} my name is Nora", team)
    moved = (await chain.http.post(f"/chats/{team}/migrate")).json()["id"]

    told = await nora.ask(f"{name} what is my name?", moved)

    assert "Your name is Nora" in told["text"]
