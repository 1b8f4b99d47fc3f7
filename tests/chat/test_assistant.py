from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.chat.assistant import MOST_TRIMS, ModelAssistant
from app.commands.base import Call
from app.commands.conversation import turns_of
from app.errors import (
    ContextTooLong,
    ModelBlind,
    ModelBusy,
    ModelEmpty,
    ModelError,
    ModelGone,
    ModelTimeout,
)
from app.llm.base import Completion, Picture, Tokens, Turn
from app.llm.cards import ModelCard
from app.llm.catalogue import Catalogue
from app.llm.defaults import CARDS
from app.platforms.platform import Platform
from app.sessions.history import Image
from app.sessions.profiles import Profile
from tests.fakes import (
    INTERNAL,
    TELEGRAM,
    Dialogue,
    ScriptedModel,
    assistant,
    call,
    catalogue,
    conversation,
    exchanges,
    message,
    session,
)

TODAY = date(2026, 9, 22)
PHOTO = Picture("image/jpeg", b"photo")
ASKED = Turn("user", "Well?")
TOO_LONG = ContextTooLong()
GONE = ModelGone()
DECLINED = "The AI provider declined to answer this. Put it differently"


def listed(*gone: str) -> Catalogue:
    """Return a catalogue whose list is all that we know, but for `gone`."""
    known = catalogue()
    known.learn([card for card in CARDS.values() if card.id not in gone], TODAY)
    return known


def asking(platform: Platform = INTERNAL, model: str | None = None, **fields: Any) -> Call:
    return call(message("Well?", platform), platform, profile=Profile(model=model), **fields)


def photographed(count: int) -> list[Turn]:
    image = Image("image/jpeg", b"photo")
    return turns_of(exchanges(count, pictures=1, images=(image,)))


def alternates(turns: Sequence[Turn]) -> bool:
    return [turn.role for turn in turns] == ["user", "assistant"] * (len(turns) // 2) + ["user"]


async def test_a_model_that_is_gone_is_replaced_and_the_text_says_so() -> None:
    model = ScriptedModel("Hi.")
    known = listed("openai/gpt-5-chat")

    said = await assistant(model, known).speak(asking(), [ASKED])

    assert [ask.model for ask in model.asked] == ["openai/gpt-5.4"]
    assert said.text == "Hi."
    assert said.notes == "\n\n_GPT-5 Chat is no longer available; GPT-5.4 answers instead._"
    assert (said.model, said.told) == ("openai/gpt-5.4", "openai/gpt-5.4")


async def test_a_replacement_is_told_once_per_conversation() -> None:
    talk = Dialogue(conversation(ScriptedModel("Hi."), listed("openai/gpt-5-chat")))

    heard = [
        await talk.hear("Hello"),
        await talk.hear("/translate german Hi"),
        await talk.hear("?"),
    ]

    note = "\n\n_GPT-5 Chat is no longer available; GPT-5.4 answers instead._"
    assert heard == [f"Hi.{note}", "Hi.", "Hi."]


async def test_another_replacement_is_told_again() -> None:
    known = listed("openai/gpt-5-chat")
    call_told = asking(session=session(told="x-ai/grok-4.3"))

    said = await assistant(ScriptedModel("Hi."), known).speak(call_told, [ASKED])

    assert said.notes


async def test_without_a_list_the_configured_model_is_tried_first() -> None:
    model = ScriptedModel(GONE, "Hi.")
    known = catalogue()

    said = await assistant(model, known).speak(asking(), [ASKED])

    assert [ask.model for ask in model.asked] == ["openai/gpt-5-chat", "openai/gpt-5.4"]
    assert said.notes.startswith("\n\n_GPT-5 Chat is no longer available")
    assert known.is_gone("openai/gpt-5-chat")


async def test_a_replacement_that_is_gone_too_is_replaced_in_turn() -> None:
    model = ScriptedModel(GONE, GONE, "Hi.")
    known = Catalogue((), {}, catalogue()._replacements, catalogue()._max_price)
    known._replacements["openai/gpt-5.4"] = known._replacements["x-ai/grok-4"]

    said = await assistant(model, known).speak(asking(), [ASKED])

    assert [ask.model for ask in model.asked] == [
        "openai/gpt-5-chat", "openai/gpt-5.4", "x-ai/grok-4.3",
    ]  # fmt: skip
    assert said.model == "x-ai/grok-4.3"


async def test_where_the_last_replacement_is_gone_the_sentence_names_the_way_out() -> None:
    model = ScriptedModel(GONE)

    with pytest.raises(ModelGone) as caught:
        await assistant(model).speak(asking(), [ASKED])

    assert str(caught.value) == (
        "GPT-5 Chat is no longer available. Choose another model with /models."
    )
    assert len(model.asked) == 2


async def test_a_replacement_that_is_too_dear_is_not_asked() -> None:
    model = ScriptedModel()
    known = catalogue()
    dear = ModelCard("openai/gpt-5.4", "GPT-5.4", price_out=known._max_price + 1)
    known.learn([dear], TODAY)

    with pytest.raises(ModelGone):
        await assistant(model, known).speak(asking(), [ASKED])

    assert model.asked == []


async def test_the_web_search_of_a_model_that_searched_is_passed_on() -> None:
    model = ScriptedModel()
    known = listed("openai/gpt-4o-search-preview")

    await assistant(model, known).speak(asking(model="openai/gpt-4o-search-preview"), [ASKED])
    await assistant(model, known).speak(asking(model="openai/gpt-4.1"), [ASKED])

    assert [(ask.model, ask.web_search) for ask in model.asked] == [
        ("openai/gpt-4.1", True), ("openai/gpt-4.1", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("exchanged", "failures", "left"),
    [(15, 1, 7), (15, 2, 3), (15, 3, 0), (3, 1, 1), (2, 1, 1), (1, 1, 0), (100, 3, 0)],
)
async def test_what_is_too_long_is_trimmed_at_its_beginning_and_that_is_said(
    exchanged: int, failures: int, left: int
) -> None:
    model = ScriptedModel(*[TOO_LONG] * failures, "Hi.")
    history = turns_of(exchanges(exchanged))

    said = await assistant(model).speak(asking(), [*history, ASKED])

    assert all(alternates(ask.turns) for ask in model.asked)
    assert model.asked[-1].turns == (*history[len(history) - 2 * left :], ASKED)
    assert said.trimmed
    assert said.notes == (
        "\n\n_The oldest messages were left out: the model cannot read more at once._"
    )


@pytest.mark.parametrize(("exchanged", "asked"), [(0, 1), (1, 2), (15, 1 + MOST_TRIMS)])
async def test_it_gives_up_when_the_question_alone_is_too_long(exchanged: int, asked: int) -> None:
    model = ScriptedModel(TOO_LONG)

    with pytest.raises(ContextTooLong, match=r"^This message is more than .* Send it in parts\.$"):
        await assistant(model).speak(asking(), [*turns_of(exchanges(exchanged)), ASKED])

    assert len(model.asked) == asked
    assert model.asked[-1].turns == (ASKED,)


@pytest.mark.parametrize(("exchanged", "asked"), [(1, 1), (2, 2), (100, 1 + MOST_TRIMS)])
async def test_a_task_about_the_conversation_is_never_asked_without_one(
    exchanged: int, asked: int
) -> None:
    model = ScriptedModel(TOO_LONG)

    with pytest.raises(ContextTooLong):
        await assistant(model).speak(asking(), [*turns_of(exchanges(exchanged)), ASKED], "Sum up.")

    assert len(model.asked) == asked
    assert all(len(ask.turns) > 1 and alternates(ask.turns) for ask in model.asked)


async def test_a_picture_for_a_blind_model_is_refused_with_models_that_see() -> None:
    model = ScriptedModel()
    known = listed("openai/gpt-4o-mini")  # it would see, and is gone
    blind = asking(model="deepseek/deepseek-chat-v3-0324")

    with pytest.raises(ModelBlind) as caught:
        await assistant(model, known).speak(blind, [replace(ASKED, pictures=(PHOTO,))])

    assert str(caught.value) == (
        "DeepSeek V3 takes no pictures. Choose one that does, such as `/model openai/gpt-5-chat` "
        "or `/model google/gemini-2.0-flash-001` or `/model anthropic/claude-sonnet-4`, then send "
        "the picture again."
    )
    assert model.asked == []


@pytest.mark.parametrize("told_by", ["the list", "the provider"])
async def test_where_the_model_is_fixed_the_blind_one_asks_for_words(told_by: str) -> None:
    platform = replace(TELEGRAM, models=("deepseek/deepseek-chat-v3-0324",))
    model = ScriptedModel(ModelBlind(cause="no_image_input"))
    if told_by == "the provider":
        platform = replace(TELEGRAM, models=("x-ai/grok-4.3",))

    with pytest.raises(ModelBlind) as caught:
        await assistant(model).speak(asking(platform), [replace(ASKED, pictures=(PHOTO,))])

    label = "DeepSeek V3" if told_by == "the list" else "Grok 4.3"
    assert str(caught.value) == f"{label} takes no pictures. Describe it in words instead."


async def test_where_nobody_may_choose_no_other_model_is_named() -> None:
    closed = replace(INTERNAL, commands=TELEGRAM.commands)
    blind = asking(closed, model="deepseek/deepseek-chat-v3-0324")

    with pytest.raises(ModelBlind, match=r"^DeepSeek V3 takes no pictures\. Describe it"):
        await assistant(ScriptedModel()).speak(blind, [replace(ASKED, pictures=(PHOTO,))])


async def test_a_picture_at_fault_is_not_blamed_on_the_model() -> None:
    fault = ModelBlind("The model could not read this picture.", cause="bad_picture")

    with pytest.raises(ModelBlind) as caught:
        await assistant(ScriptedModel(fault)).speak(asking(), [replace(ASKED, pictures=(PHOTO,))])

    assert caught.value is fault


async def test_earlier_pictures_become_a_word_for_a_blind_model() -> None:
    model = ScriptedModel()
    blind = asking(model="deepseek/deepseek-chat-v3-0324")

    await assistant(model).speak(blind, [*photographed(1), ASKED])

    assert model.asked[0].turns == (
        Turn("user", "question 1\n[a picture that you cannot see]"),
        Turn("assistant", "answer 1"),
        ASKED,
    )


async def test_earlier_pictures_become_a_word_when_only_the_provider_knows_of_the_blindness() -> (
    None
):
    model = ScriptedModel(ModelBlind(cause="no_image_input"), "Hi.")

    said = await assistant(model).speak(asking(), [*photographed(2), ASKED])

    assert said.text == "Hi."
    assert [any(turn.pictures for turn in ask.turns) for ask in model.asked] == [True, False]


async def test_blindness_without_any_picture_is_passed_on() -> None:
    model = ScriptedModel(ModelBlind())

    with pytest.raises(ModelBlind):
        await assistant(model).speak(asking(), [ASKED])

    assert len(model.asked) == 1


async def test_a_seeing_model_gets_all_pictures() -> None:
    model = ScriptedModel()
    turns = [*photographed(1), replace(ASKED, pictures=(PHOTO, PHOTO))]

    await assistant(model).speak(asking(), turns)

    assert model.asked[0].turns == tuple(turns)


@pytest.mark.parametrize(
    ("platform", "text", "notes"),
    [
        (INTERNAL, "I would rather not.", ""),
        (TELEGRAM, "", f"{DECLINED}."),
        (INTERNAL, "", f"{DECLINED}, or choose another model with `/model`."),
    ],
)  # fmt: skip
async def test_a_refusal_of_the_provider_is_passed_on_or_put_into_words(
    platform: Platform, text: str, notes: str
) -> None:
    model = ScriptedModel(Completion(text, "m", "declined"))

    said = await assistant(model).speak(asking(platform), [ASKED])

    assert (said.text, said.notes, said.declined) == (text, notes, True)
    assert not said.truncated


@pytest.mark.parametrize(
    ("finish", "note"),
    [("cut", "_The answer was cut short._"), ("length", "_The answer reached its length limit._")],
)
async def test_an_answer_that_stops_early_says_so_outside_of_its_code(
    finish: Any, note: str
) -> None:
    model = ScriptedModel(Completion("```sh\nls", "m", finish))

    said = await assistant(model).speak(asking(), [ASKED])

    assert said.truncated
    assert said.notes == f"\n```\n\n{note}"


async def test_all_notes_go_out_once_and_the_pieces_are_the_reply() -> None:
    pieces: list[str] = []
    model = ScriptedModel(TOO_LONG, Completion("A long answer", "openai/gpt-5.4", "cut"))
    known = listed("openai/gpt-5-chat")

    said = await assistant(model, known).speak(
        asking(say=pieces.append), [*turns_of(exchanges(2)), ASKED]
    )

    assert "".join(pieces) == said.text + said.notes
    assert pieces[-1] == said.notes
    assert said.notes.split("\n\n")[1:] == [
        "_The answer was cut short._",
        "_The oldest messages were left out: the model cannot read more at once._",
        "_GPT-5 Chat is no longer available; GPT-5.4 answers instead._",
    ]


async def test_nobody_is_named_to_the_provider_and_the_conversation_is() -> None:
    model = ScriptedModel()
    pseudonyms: list[str] = []

    def pseudonym(name: str) -> str:
        pseudonyms.append(name)
        return "pseudonym"

    asks = ModelAssistant(model, catalogue(), 321, pseudonym)
    said = call(message("Hi", user_id="person-4711", user_name="Mina"), session=session())
    await asks.speak(said, [ASKED])

    ask = model.asked[0]
    assert pseudonyms == ["internal/person-4711"]
    assert (ask.user, ask.max_tokens) == ("pseudonym", 321)
    assert ask.conversation == "0123456789abcdef0123456789abcdef"
    assert "4711" not in repr(ask)
    assert "Mina" not in repr(ask)


async def test_what_a_call_took_is_passed_on() -> None:
    tokens = Tokens(1, 2, 3, 0.5)

    said = await assistant(ScriptedModel(Completion("Hi.", "served", "stop", tokens))).speak(
        asking(), [ASKED]
    )

    assert (said.tokens, said.model, said.told, said.notes) == (tokens, "served", "", "")


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (ModelTimeout(), None),
        (ModelBusy(retry_after=7), 7),
        (ModelEmpty(cause="empty"), None),
        (ModelGone(), None),
        (ContextTooLong(), None),
        (ModelError("Say it differently, or choose another model with /model."), None),
    ],
)
@pytest.mark.parametrize("task", ["", "Sum up."])
async def test_on_telegram_no_error_names_a_command_that_is_refused_there(
    error: ModelError, retry_after: float | None, task: str
) -> None:
    talk = assistant(ScriptedModel(error))

    with pytest.raises(type(error)) as caught:
        await talk.speak(asking(TELEGRAM), [ASKED], task)

    assert "/" not in str(caught.value)
    assert str(caught.value)[-1] == "."
    assert caught.value.retry_after == retry_after
    assert caught.value.cause in {error.cause, "no_replacement"}


async def test_where_models_can_be_chosen_an_error_says_how() -> None:
    error = ModelTimeout()

    with pytest.raises(ModelTimeout) as caught:
        await assistant(ScriptedModel(error)).speak(asking(), [ASKED])

    assert caught.value is error
    assert "/model" in str(error)
