from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import texts
from app.commands import COMMANDS
from app.commands.base import Call, Command, Outcome, Services
from app.errors import AppError, ModelBusy
from app.llm.base import Completion, Picture, Turn
from app.platforms.platform import Platform
from app.sessions.history import Exchange
from app.sessions.profiles import Profile
from tests.fakes import (
    INTERNAL,
    PLATFORMS,
    TELEGRAM,
    Dialogue,
    ScriptedModel,
    conversation,
    exchanges,
)

PHOTO = Picture("image/jpeg", b"photo")
PHOTO_PART = {"type": "image", "data": "aGk="}
SECRETS = [
    "sk-or-v1-0123456789abcdef0123456789abcdef",
    "Basic dXNlcjpwYXNzd29yZDEyMzQ1Ng==",
    "dXNlcjpwYXNzd29yZDEyMzQ1Ng==",
    "7123456789:AAH3v9Xw2kZ8qLm4Nr7Tb1Yc5Ud6Pe0Sf9g",  # pragma: allowlist secret
]


async def test_a_conversation_reaches_the_model_in_its_order() -> None:
    model = ScriptedModel("Hello.", "Fine.", "Bye.")
    talk = Dialogue(conversation(model))
    dialogue = [("Hi", "Hello."), ("How are you?", "Fine."), ("Bye", "Bye.")]

    heard = [(said, await talk.hear(said)) for said, _ in dialogue]

    assert heard == dialogue
    assert model.asked[2].turns == (
        Turn("user", "Hi"),
        Turn("assistant", "Hello."),
        Turn("user", "How are you?"),
        Turn("assistant", "Fine."),
        Turn("user", "Bye"),
    )
    assert [exchange.number for exchange in talk.history] == [1, 2, 3]


@pytest.mark.parametrize(("platform", "most"), [(TELEGRAM, 10), (INTERNAL, 30)])
async def test_the_model_sees_the_latest_messages_alone(platform: Platform, most: int) -> None:
    model = ScriptedModel(*[f"answer {n}" for n in range(40)])
    talk = Dialogue(conversation(model), platform)

    for number in range(40):
        await talk.say(f"question {number}")

    turns = model.asked[-1].turns
    assert len(turns) == most + 1
    assert turns[0] == Turn("user", f"question {39 - most // 2}")
    assert turns[-2:] == (Turn("assistant", "answer 38"), Turn("user", "question 39"))


async def test_after_clear_the_next_request_carries_no_history() -> None:
    model = ScriptedModel()
    talk = Dialogue(conversation(model), history=exchanges(3))

    cleared = await talk.say("/clear")
    await talk.say("Hi")

    assert cleared.forget == "history"
    assert model.asked[0].turns == (Turn("user", "Hi"),)


async def test_clear_forgets_what_the_model_no_longer_sees_too() -> None:
    narrow = replace(INTERNAL, max_history=0)

    outcome = await Dialogue(conversation(), narrow).say("/clear")

    assert outcome.forget == "history"


async def test_a_summary_is_made_of_the_history_and_not_remembered() -> None:
    model = ScriptedModel("In short.")
    talk = Dialogue(conversation(model), history=exchanges(2))

    outcome = await talk.say("/summarize")

    assert outcome.reply.response == "In short."
    assert outcome.exchange is None
    assert [turn.text for turn in model.asked[0].turns] == [
        "question 1", "answer 1", "question 2", "answer 2", "Summarise our conversation so far.",
    ]  # fmt: skip
    assert "Summarise the conversation" in model.asked[0].system
    assert "Write in the language of the conversation." in model.asked[0].system


async def test_a_summary_is_in_the_chosen_language() -> None:
    model = ScriptedModel()
    talk = Dialogue(conversation(model), profile=Profile(language="German"), history=exchanges(1))

    await talk.say("/summarize")

    assert "Write in German." in model.asked[0].system


async def test_forgetting_needs_a_yes() -> None:
    talk = Dialogue(conversation(), history=exchanges(1))

    asked = await talk.say("/forget")
    done = await talk.say(asked.reply.buttons[0][0].send or "")

    assert (asked.forget, done.forget) == ("nothing", "person")


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
@pytest.mark.parametrize("said", ["!frobnicate the thing", "! help", "!?", "?/help", "help"])
async def test_what_is_no_command_is_chat(said: str, platform: Platform) -> None:
    model = ScriptedModel("Chat.")

    heard = await Dialogue(conversation(model), platform).hear(said)

    assert heard == "Chat."
    assert model.asked[0].turns == (Turn("user", said),)


@pytest.mark.parametrize(
    "said", ["/status", "/STATUS", "/status@BotName", "!status", "!Status now", " /status \n",
             "\u200b/status", "/sta\u2060tus"],
)  # fmt: skip
async def test_a_command_is_known_however_it_is_typed(said: str) -> None:
    outcome = await Dialogue(conversation()).say(said)

    assert outcome.reply.response.startswith("**Session**")
    assert outcome.spoken is None


@pytest.mark.parametrize("name", ["model", "models", "clear", "summarize", "settings"])
@pytest.mark.parametrize("mark", "/!")
async def test_the_private_commands_are_refused_on_telegram_with_a_reason(
    name: str, mark: str
) -> None:
    talk = Dialogue(conversation(), TELEGRAM, history=exchanges(1))

    outcome = await talk.say(f"{mark}{name} claude")

    assert outcome == Outcome(outcome.reply)
    assert (outcome.reply.success, outcome.reply.error) == (False, "command_not_allowed")
    assert len(outcome.reply.response.split(". ")) == 3  # what, why, and what now


async def test_an_allowed_command_is_run_on_telegram() -> None:
    opened = replace(TELEGRAM, commands=TELEGRAM.commands | {"clear"})
    talk = Dialogue(conversation(), opened, history=exchanges(1))

    outcome = await talk.say("/clear")

    assert outcome.forget == "history"
    assert "`/clear`" in await talk.hear("/help")


class Echo(Command):
    name = "echo"
    summary = "say it again"
    usage = "[text]"

    async def run(self, call: Call, services: Services) -> Outcome:
        said = Dialogue(conversation())
        return Outcome((await said.say(f"/{call.words}")).reply)


async def test_a_command_is_added_by_adding_it() -> None:
    added = conversation(commands=(*COMMANDS, Echo()))

    heard = [await Dialogue(added).hear(said) for said in ("/help", "/ECHO frob", "/ecoh")]

    assert "- `/echo [text]`: say it again" in heard[0]
    assert heard[1].startswith("There is no command `/frob`.")
    assert "Did you mean `/echo`?" in heard[2]


async def test_a_command_that_is_off_is_neither_suggested_nor_listed() -> None:
    talk = Dialogue(conversation(), TELEGRAM)

    heard = [await talk.hear("/sumarize"), await talk.hear("/help")]

    assert "summarize" not in heard[0]
    assert "summarize" not in heard[1]


async def test_an_argument_of_several_lines_and_4_kb_is_taken_whole() -> None:
    model = ScriptedModel()
    text = "\n".join(["word " * 20] * 40).strip()

    await Dialogue(conversation(model)).say(f"/translate german\n{text}")

    assert model.asked[0].turns == (Turn("user", text),)


async def test_markup_in_what_a_person_typed_stays_code() -> None:
    talk = Dialogue(conversation())
    evil = "`*a*_b_[c](http://d)`\n# e"

    heard = [
        await talk.hear(f"/{said} {evil}") for said in ("model", "settings", "settings length")
    ]

    shown = "`'*a*_b_[c](http://d)' # e`"
    assert shown in heard[0]
    assert "`'*a*_b_[c](http://d)'`" in heard[1]
    assert shown in heard[2]


@pytest.mark.parametrize("secret", SECRETS)
async def test_a_secret_reaches_neither_the_model_nor_the_history(secret: str) -> None:
    model = ScriptedModel("Careful.")
    talk = Dialogue(conversation(model))

    outcome = await talk.say(f"What is {secret} good for?")

    assert secret.rpartition(" ")[2] not in repr((model.asked, outcome))
    assert "[withheld] good for?" in model.asked[0].turns[0].text
    assert outcome.reply.response == f"Careful.\n\n{texts.WITHHELD}"
    assert outcome.reply.actions == ("forget",)
    assert "".join(talk.pieces) == outcome.reply.response


@pytest.mark.parametrize("secret", SECRETS)
async def test_a_secret_in_a_quoted_message_is_withheld_too(secret: str) -> None:
    model = ScriptedModel("Careful.")
    talk = Dialogue(conversation(model))

    outcome = await talk.say("What is this?", reply_to_text=f"It is\n{secret}")

    assert secret.rpartition(" ")[2] not in repr((model.asked, outcome))
    assert outcome.reply.response == f"Careful.\n\n{texts.WITHHELD}"
    assert outcome.reply.actions == ()  # the person's own message holds nothing


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "Authorization: {}", "`{}`", "{}\n{}"])
async def test_a_secret_alone_is_no_question_for_a_model(secret: str, around: str) -> None:
    model = ScriptedModel()

    outcome = await Dialogue(conversation(model)).say(around.replace("{}", secret))

    assert model.asked == []
    assert outcome.reply.response == texts.WITHHELD_ALL
    assert outcome.reply.actions == ("forget",)
    assert outcome.exchange is None


async def test_a_secret_that_is_broken_up_by_hidden_characters_is_found() -> None:
    model = ScriptedModel()
    broken = "sk-or-v1-9f8e7d6c\u200b5b4a39281706\u2060f5e4d3c2"

    outcome = await Dialogue(conversation(model)).say(f"My key: {broken}")

    assert model.asked[0].turns == (Turn("user", "My key: [withheld]"),)
    assert "f5e4d3c2" not in repr((model.asked, outcome))


async def test_a_secret_in_a_command_is_withheld_and_told() -> None:
    outcome = await Dialogue(conversation()).say(f"/model {SECRETS[0]}")

    assert SECRETS[0] not in repr(outcome)
    assert outcome.reply.error == "model_unknown"
    assert outcome.reply.response.endswith(f"\n\n{texts.WITHHELD}")


async def test_a_quoted_message_stands_above_the_question_as_a_quotation() -> None:
    model = ScriptedModel()
    talk = Dialogue(conversation(model))

    await talk.say("Why?", reply_to_text="One.\r\nTwo.\u202e")

    assert model.asked[0].turns == (Turn("user", "> One.\n> Two.\n\nWhy?"),)
    assert talk.history[0].question == "> One.\n> Two.\n\nWhy?"


async def test_hidden_characters_do_not_reach_the_model() -> None:
    model = ScriptedModel()

    await Dialogue(conversation(model)).say("Hi\U000e0049\U000e0067 \u202eyou\x07 👩\u200d💻")

    assert model.asked[0].turns == (Turn("user", "Hi you 👩\u200d💻"),)


async def test_a_picture_without_words_gets_a_question_of_its_own() -> None:
    model = ScriptedModel("A cat.")
    talk = Dialogue(conversation(model))

    await talk.say("", PHOTO, type="image", attachments=[PHOTO_PART])
    await talk.say("What colour?")

    first, second = (ask.turns for ask in model.asked)
    assert first == (Turn("user", "What is in this picture?", (PHOTO,)),)
    assert second[:2] == (*first, Turn("assistant", "A cat."))
    assert talk.history[0].pictures == 1


async def test_pictures_are_refused_where_they_are_switched_off() -> None:
    outcome = await Dialogue(conversation()).say("What?", attachments=[PHOTO_PART])

    assert (outcome.reply.success, outcome.reply.error) == (False, "pictures_off")


@pytest.mark.parametrize("kind", texts.KINDS)
async def test_what_nobody_can_read_is_refused_by_name(kind: str) -> None:
    model = ScriptedModel()

    outcome = await Dialogue(conversation(model)).say("", type=kind)

    assert texts.KINDS[kind] in outcome.reply.response
    assert outcome.reply.error == "kind_not_supported"
    assert model.asked == []


@pytest.mark.parametrize("finish", ["cut", "length"])
async def test_an_answer_that_stopped_early_can_be_continued(finish: Any) -> None:
    model = ScriptedModel(Completion("Once upon", "m", finish), " a time.")
    talk = Dialogue(conversation(model))

    first = await talk.say("Tell me")
    await talk.say(first.reply.buttons[0][0].send or "")

    assert first.reply.buttons[0][0].label == "Continue"
    assert model.asked[1].turns == (
        Turn("user", "Tell me"),
        Turn("assistant", "Once upon […cut short]"),
        Turn("user", "Continue where you stopped."),
    )
    assert "cut short._" not in repr(talk.history)


async def test_an_answer_that_was_declined_without_a_word_is_not_remembered() -> None:
    talk = Dialogue(conversation(ScriptedModel(Completion("", "m", "declined"))))

    outcome = await talk.say("Something")

    assert outcome.exchange is None
    assert "".join(talk.pieces) == outcome.reply.response
    assert outcome.reply.response.startswith("The AI provider declined")


async def test_an_answer_that_was_declined_in_words_is_remembered() -> None:
    talk = Dialogue(conversation(ScriptedModel(Completion("Rather not.", "m", "declined"))))

    await talk.say("Something")

    assert talk.history == [Exchange(1, "Something", "Rather not.")]


async def test_a_failure_is_no_answer() -> None:
    talk = Dialogue(conversation(ScriptedModel(ModelBusy(retry_after=3), "Hi.")))

    with pytest.raises(ModelBusy):
        await talk.say("Hello")

    assert talk.history == []
    assert await talk.hear("Hello") == "Hi."


async def test_telegrams_language_helps_where_the_persons_is_unclear() -> None:
    model = ScriptedModel()
    talk = Dialogue(conversation(model), TELEGRAM)

    await talk.say("OK?", language="fa")
    await talk.say("OK?")

    unclear = "Where that is unclear, answer in Persian."
    assert [unclear in ask.system for ask in model.asked] == [True, False]


@pytest.mark.parametrize("name", ["", *(command.name for command in COMMANDS)])
@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
@settings(max_examples=60, deadline=None)
@given(words=st.text(max_size=80), mark=st.sampled_from("/!"), gap=st.sampled_from(" \n\t"))
async def test_no_words_break_a_command_or_come_back_with_hidden_characters(
    name: str, platform: Platform, words: str, mark: str, gap: str
) -> None:
    talk = Dialogue(conversation(ScriptedModel("Well.")), platform, history=exchanges(1))

    try:
        outcome = await talk.say(f"{mark}{name}{gap}{words}")
    except AppError:
        return

    reply = outcome.reply
    assert reply.response.strip()
    assert not texts.UNSEEN.search(reply.response)
    assert all(button.label and button.send for row in reply.buttons for button in row)
