from dataclasses import replace

import pytest

from app.llm.catalogue import Catalogue
from app.sessions.profiles import Profile
from tests.fakes import INTERNAL, TELEGRAM, Dialogue, ScriptedModel, catalogue, conversation


@pytest.mark.parametrize(
    "words",
    ["claude", "CLAUDE-4", "anthropic/claude-sonnet-4", "claude sonnet 4", "Claude_Sonnet-4"],
)
async def test_the_next_request_goes_to_the_chosen_model(words: str) -> None:
    model = ScriptedModel()
    talk = Dialogue(conversation(model))

    await talk.say(f"/model {words}")
    await talk.say("Hi")

    assert model.asked[0].model == "anthropic/claude-sonnet-4"


async def test_every_button_chooses_the_model_that_it_names() -> None:
    known = catalogue()
    talk = Dialogue(conversation(known=known))
    rows = (await talk.say("/model")).reply.buttons
    chosen = {}

    for button in (button for row in rows for button in row):
        await talk.say(button.send or "")
        chosen[button.label.removeprefix("✓ ")] = talk.profile.model

    assert chosen == {known.label(model): model for model in INTERNAL.models}


async def test_an_unknown_model_changes_nothing() -> None:
    talk = Dialogue(conversation(), profile=Profile(model="openai/gpt-4.1"))

    outcome = await talk.say("/model " + "x" * 4_096)

    assert outcome.profile is None
    assert f"`{'x' * 63}…`" in outcome.reply.response


async def test_a_model_of_another_platform_is_unknown() -> None:
    narrow = replace(INTERNAL, models=INTERNAL.models[:2])

    outcome = await Dialogue(conversation(), narrow).say("/model claude")

    assert outcome.reply.error == "model_unknown"


async def test_where_there_is_one_model_nothing_can_be_chosen() -> None:
    opened = replace(TELEGRAM, commands=TELEGRAM.commands | {"model", "models"})
    talk = Dialogue(conversation(), opened)

    replies = [(await talk.say(said)).reply for said in ("/model", "/model claude", "/models")]

    fixed = "The model is the same for everyone here and cannot be changed."
    assert [reply.response.endswith(fixed) for reply in replies] == [True, True, False]
    assert [reply.buttons for reply in replies] == [(), (), ()]
    assert "/model" not in replies[2].response
    assert talk.profile.model is None


def lost(*models: str) -> Catalogue:
    """Return a catalogue without these models and without anything in their place."""
    known = Catalogue(INTERNAL.models, {}, {}, catalogue()._max_price)
    for model in models:
        known.mark_gone(model)
    return known


async def test_a_model_that_nothing_stands_in_for_is_no_choice() -> None:
    talk = Dialogue(conversation(known=lost("x-ai/grok-4")))

    outcome = await talk.say("/model x-ai/grok-4")

    assert outcome.profile is None
    assert outcome.reply.error == "model_unavailable"
    sends = [button.send for row in outcome.reply.buttons for button in row]
    assert "/model x-ai/grok-4" not in sends
    assert len(sends) == len(INTERNAL.models) - 1


async def test_the_lost_model_of_a_person_is_shown_as_lost() -> None:
    talk = Dialogue(conversation(known=lost(INTERNAL.default_model)))

    heard = [await talk.hear(said) for said in ("/model", "/status", "/models")]

    assert heard[0].startswith("**GPT-5 Chat** is no longer available. Which one")
    assert "- Model: GPT-5 Chat (no longer available)" in heard[1]
    assert (
        "- ✓ **GPT-5 Chat** `openai/gpt-5-chat` (sees pictures); no longer available\n" in heard[2]
    )
