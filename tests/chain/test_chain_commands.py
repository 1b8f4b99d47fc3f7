"""What a newcomer presses and types, from the chat page through bot and service and back."""

import re

import pytest

from tests.chain.stack import Chain, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="package")

ALWAYS = {"session", "cancel", "forget"}
PRIVATE = {"model", "models", "clear", "summarize", "settings", "ban", "unban"}
CHAT = ["start", "help", "status", "translate"]
NAME = "*Nora* <b>[x](https://evil.example)`"


def styled(message: Json, kind: str) -> list[str]:
    """Return the words that an entity of this kind covers. All of them are of 16 bits."""
    found = [it for it in message.get("entities", []) if it["type"] == kind]
    return [message["text"][it["offset"] :][: it["length"]] for it in found]


async def test_start_welcomes_and_offers_one_next_step(nora: Person) -> None:
    """R-45."""
    hello = await nora.ask("/start")

    assert "up to 20 messages a minute" in hello["text"]
    assert styled(hello, "bold")[0] == "Arash"
    first = hello["reply_markup"]["inline_keyboard"][0][0]
    assert (first["text"], first["callback_data"]) == ("What can I do?", "/help")


async def test_the_button_of_start_brings_help_and_is_answered(chain: Chain, nora: Person) -> None:
    hello = await nora.ask("/start")

    press = await nora.press(hello, "What can I do?")
    shown = await nora.answer(hello)

    assert shown["text"].startswith("Commands")
    await chain.until(lambda: chain.telegram.presses[press].answer is not None)


async def test_help_lists_exactly_what_telegram_may_use(chain: Chain, nora: Person) -> None:
    """R-20..R-24, R-46."""
    listed = await nora.ask("/help")

    commands = re.findall(r"/(\w+)", listed["text"])
    told = (await chain.http.get(f"{chain.service.base}/platforms")).json()
    assert commands == told["telegram"]["commands"]
    assert commands[:4] == CHAT
    assert set(commands) >= ALWAYS
    assert not set(commands) & PRIVATE
    assert [words.split()[0] for words in styled(listed, "code")] == [f"/{it}" for it in commands]


async def test_the_menu_is_the_services_own_list_in_each_scope(chain: Chain, nora: Person) -> None:
    told = (await chain.http.get(f"{chain.service.base}/platforms")).json()
    group = (await nora.found("Team"))["id"]

    private, common = await nora.commands(), await nora.commands(group)

    menu = told["telegram"]["menu"]
    assert private == [_entry(it) for it in menu]
    assert common == [_entry(it) for it in menu if it["groups"]]
    assert {it["command"] for it in common} >= {*CHAT, *ALWAYS}
    overview = (await chain.http.get(f"/users/{nora.id}")).json()
    assert "AI model" in overview["bot"]["description"]
    assert overview["bot"]["short_description"]


def _entry(it: Json) -> Json:
    return {"command": it["name"], "description": it["summary"]}


async def test_status_counts_history_and_what_is_left(chain: Chain, nora: Person) -> None:
    """R-47."""
    await nora.ask("hello")

    told = await nora.ask("/status")

    assert "Platform: telegram" in told["text"]
    assert "Messages: 2" in told["text"]
    assert "History: 2 of 10 messages" in told["text"]
    assert "Limit: 20 messages a minute, 18 left" in told["text"]
    await nora.press(told, "Refresh")
    shown = chain.telegram.chats[nora.id].messages
    await chain.until(lambda: "Messages: 3" in shown[told["message_id"]].content["text"])
    assert len(shown) == 4, "it is drawn in its place"


@pytest.mark.parametrize("typed", ["/model", "/model claude", "/MODEL gpt", "!model mini"])
async def test_the_model_is_fixed_and_the_refusal_says_why(
    chain: Chain, nora: Person, typed: str
) -> None:
    """R-20..R-24, R-54."""
    said = await nora.ask(typed)

    assert "/model is not available here" in said["text"]
    assert "the same for everyone here and cannot be changed" in said["text"]
    assert "/help" in said["text"]
    assert chain.prompts(typed) == []


@pytest.mark.parametrize("command", ["clear", "summarize", "settings"])
async def test_private_commands_are_refused_with_a_reason(nora: Person, command: str) -> None:
    """R-54."""
    said = await nora.ask(f"/{command}")

    assert f"/{command} is not available here. It belongs to the private service" in said["text"]


async def test_an_unknown_command_gets_a_hint(nora: Person) -> None:
    assert "Did you mean /translate?" in (await nora.ask("/transalte"))["text"]


@pytest.mark.parametrize("typed", ["/stop", "/cancel"])
async def test_stopping_where_nothing_runs_is_no_unknown_command(nora: Person, typed: str) -> None:
    assert "no command" not in (await nora.ask(typed))["text"]


async def test_translate_really_translates(chain: Chain, nora: Person) -> None:
    """R-48."""
    text = "Good morning"

    assert "Guten Morgen" in (await nora.ask(f"/translate german {text}"))["text"]

    (prompt,) = chain.prompts(text)[-1:]
    assert "Translate the user's message into German" in prompt["messages"][0]["content"]


async def test_translate_takes_the_message_replied_to(nora: Person) -> None:
    """R-48."""
    original = await nora.say("Thank you")
    await nora.answer(original)

    said = await nora.ask("/translate fr", reply_to=original["message_id"])

    assert "Merci" in said["text"]


async def test_translate_without_a_text_explains_itself(nora: Person) -> None:
    assert "/translate german Good morning" in (await nora.ask("/translate"))["text"]


async def test_what_a_person_is_called_is_never_markup(chain: Chain) -> None:
    """Nor does it reach the model as an instruction."""
    evil = await chain.join(NAME)

    for typed in ("/start", "hello", "/status", "what is my name?"):
        said = await evil.ask(typed)
        assert "evil.example" not in str(said.get("entities"))
        assert "Nora" not in said["text"] or NAME in said["text"]


async def test_forget_asks_and_then_deletes(nora: Person) -> None:
    await nora.ask("my name is Nora")
    asked = await nora.ask("/forget")
    await nora.press(asked, "Delete everything")
    done = await nora.answer(asked)

    assert "everything I had stored about you here is deleted" in done["text"]
    assert "You have not told me" in (await nora.ask("what is my name?"))["text"]
