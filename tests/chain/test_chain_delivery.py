"""What cannot be delivered is kept with its reason, and delivered when that is over."""

import asyncio

import pytest

from tests.chain.stack import LOOK_EVERY, PATIENCE, Chain, Json, Person
from tests.chain.test_chain_chat import shown
from tests.chain.test_chain_commands import styled

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_an_answer_to_a_blocked_bot_is_a_dead_letter_until_it_is_redriven(
    chain: Chain, nora: Person
) -> None:
    """The person blocks while the model thinks, and comes back later."""
    chain.openrouter.first_token = 1.0
    try:
        to = await nora.say("5 + 6")
        await chain.until(lambda: shown(chain, nora))
        await nora.block()
        letter = await _dead_letter(chain, nora)
    finally:
        chain.openrouter.first_token = 0.0
    assert "blocked" in letter["reason"]

    await nora.block(blocked=False)
    told = await chain.admin("POST", f"/admin/redrive?delivery_id={letter['id']}")

    assert told["redriven"] == 1
    assert "5 + 6 = 11" in (await nora.answer(to))["text"]
    assert await _letters(chain, nora) == []


async def _letters(chain: Chain, person: Person) -> list[Json]:
    told = await chain.admin("GET", "/admin/deliveries")
    return [it for it in told["refused"] if it["chat_id"] == str(person.id)]


async def _dead_letter(chain: Chain, person: Person) -> Json:
    async with asyncio.timeout(PATIENCE):
        while not (found := await _letters(chain, person)):  # noqa: ASYNC110 - as for any operator
            await asyncio.sleep(LOOK_EVERY)
    return found[0]


async def test_who_writes_again_after_blocking_is_answered(nora: Person) -> None:
    await nora.ask("hello")
    await nora.block()

    told = await nora.ask("7 * 6")

    assert "42" in told["text"]


async def test_formatting_that_telegram_refuses_is_sent_plainly(chain: Chain, nora: Person) -> None:
    chain.telegram.fail("editMessageText", "entities", chat=nora.id)

    told = await nora.ask("/help")

    assert told["text"].startswith("Commands")
    assert styled(told, "bold") == []
    assert styled(await nora.ask("/help"), "bold") == ["Commands"]


async def test_a_flood_wait_is_obeyed_and_delays_nobody_else(chain: Chain, nora: Person) -> None:
    other = await chain.join("Jonas")
    chain.telegram.fail("sendMessage", "too_many", chat=nora.id)

    to = await nora.say("/start")
    assert "Arash" in (await other.ask("/start"))["text"]

    assert "Arash" in (await nora.answer(to))["text"]
    refused, again = [it.at for it in chain.telegram.of("sendMessage", chat=nora.id)][:2]
    assert again - refused >= 3
