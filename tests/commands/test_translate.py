import pytest

from app.llm.base import Turn
from app.sessions.profiles import Profile
from tests.fakes import INTERNAL, TELEGRAM, Dialogue, ScriptedModel, conversation, exchanges


@pytest.mark.parametrize(
    ("said", "language", "text"),
    [
        ("/translate german Good morning", "German", "Good morning"),
        ("/translate German: Good morning", "German", "Good morning"),
        ("/translate german\nGood morning", "German", "Good morning"),
        ("/translate\ngerman\nGood\n\n  morning", "German", "Good\n\n  morning"),
        ("/translate\u00a0de\u00a0Good morning", "German", "Good morning"),
        ("/translate to french Good morning", "French", "Good morning"),
        ("/translate TO french, Good morning", "French", "Good morning"),
        ("/translate to be or not to be", "English", "to be or not to be"),
        ("/translate to", "English", "to"),
        ("/translate Guten Morgen", "English", "Guten Morgen"),
        ("!translate fr Hi", "French", "Hi"),
    ],
)
async def test_the_model_sees_the_task_and_the_text_alone(
    said: str, language: str, text: str
) -> None:
    model = ScriptedModel("Translated.")
    talk = Dialogue(conversation(model), history=exchanges(3))

    heard = await talk.hear(said)

    assert heard == "Translated."
    assert f"Translate the user's message into {language}." in model.asked[0].system
    assert model.asked[0].turns == (Turn("user", text),)


@pytest.mark.parametrize(
    ("chosen", "telegram", "language"),
    [
        (None, None, "English"),
        (None, "fa", "Persian"),
        (None, "pt-br", "Portuguese"),
        (None, "xx", "English"),
        ("German", "fa", "German"),
    ],
)
async def test_without_a_language_it_takes_the_persons_own(
    chosen: str | None, telegram: str | None, language: str
) -> None:
    model = ScriptedModel()
    talk = Dialogue(conversation(model), TELEGRAM, profile=Profile(language=chosen))

    await talk.say("/translate Guten Morgen", language=telegram)

    assert f"into {language}." in model.asked[0].system


async def test_without_a_text_the_message_replied_to_is_translated() -> None:
    model = ScriptedModel()

    await Dialogue(conversation(model)).say("/translate german", reply_to_text=" Good\nmorning ")

    assert model.asked[0].turns == (Turn("user", "Good\nmorning"),)
    assert "into German." in model.asked[0].system


async def test_a_text_of_its_own_comes_before_the_message_replied_to() -> None:
    model = ScriptedModel()

    await Dialogue(conversation(model)).say("/translate german Hi", reply_to_text="Good morning")

    assert model.asked[0].turns == (Turn("user", "Hi"),)


async def test_a_translation_is_not_remembered() -> None:
    outcome = await Dialogue(conversation(ScriptedModel())).say("/translate german Hi")

    assert outcome.exchange is None


async def test_the_length_and_language_of_answers_do_not_reach_a_translation() -> None:
    model = ScriptedModel()
    profile = Profile(language="French", length="short")

    await Dialogue(conversation(model), INTERNAL, profile).say("/translate german Hi")

    assert "French" not in model.asked[0].system
    assert "three sentences" not in model.asked[0].system
