import pytest

from simulator.openrouter.catalogue import CATALOGUE
from simulator.openrouter.model import answer
from tests.simulator.asking import SEEN, picture

ENTRY = CATALOGUE["openai/gpt-4o-mini"]


def say(*turns: object, system: str | None = None, **more: object) -> str:
    """Talk to the model: user and assistant in turn. Return its words."""
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": turn} for n, turn in enumerate(turns)]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    return answer({"messages": messages, **more}, ENTRY).text or ""


def test_it_greets() -> None:
    assert say("Hello!").startswith("Hello! I am OpenAI: GPT-4o-mini")


def test_it_greets_in_persian() -> None:
    assert say("سلام").startswith("سلام!")


def test_it_remembers_a_name() -> None:
    told = ("My name is Sara.", "Nice to meet you.")

    assert say(*told, "What is my name?") == "Your name is **Sara**."
    assert say(*told, "hi").startswith("Hello Sara!")


def test_it_admits_that_it_does_not_know_a_name() -> None:
    assert "not told me" in say("What is my name?")


def test_it_remembers_what_was_said() -> None:
    assert "“The pod is red”" in say("The pod is red", "I see.", "What did I say before?")


def test_it_remembers_only_what_it_is_sent() -> None:
    assert say("What did I say before?") == "This is your first message to me."


def test_it_echoes_and_refers_to_what_came_before() -> None:
    said = say("First thing", "ok", "Second thing")

    assert "“Second thing”" in said
    assert "“First thing”" in said


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("translate to German: good morning", "Guten Morgen"),
        ('Translate "thank you" into French', "Merci"),
        ("translate to es: hello world!", "Hola mundo!"),
        ("translate to Italian good night", "Buona notte"),
        ("Translate to Persian: how are you?", "حال شما چطور است؟"),
        ("Translate to English: Danke", "thank you"),
        ("Translate to German: my router hums", "[de] my router hums"),
    ],
)
def test_it_translates_what_it_knows(asked: str, expected: str) -> None:
    assert say(asked) == expected


def test_the_system_may_ask_for_the_translation() -> None:
    assert say("Thank you.", system="Translate the user's text into German.") == "Danke."


def test_it_summarises_the_turns_it_gets() -> None:
    said = say("The pod in the hall is offline", "Restart it", "Please summarise our chat")

    assert "- **user**: The pod in the hall is offline" in said
    assert "- **assistant**: Restart it" in said


@pytest.mark.parametrize(
    ("asked", "markdown"),
    [
        ("give me a list of ideas", "1. **Look**"),
        ("make a table of this", "|---|---|"),
        ("write some python code", "```python"),
        ("What is 12 * 12?", "12 * 12 = **144**"),
        ("What is 1 / 0?", "Dividing by zero"),
    ],
)
def test_it_writes_markdown(asked: str, markdown: str) -> None:
    assert markdown in say(asked)


def test_a_long_story_is_longer_than_one_telegram_message() -> None:
    assert len(say("Tell me a long story")) > 4096


def test_it_describes_a_picture() -> None:
    assert say(SEEN) == "I see a PNG of 4 x 3 pixels, mostly red."


def test_it_describes_several_pictures() -> None:
    parts = [{"type": "image_url", "image_url": {"url": picture((n, n))}} for n in (2, 3)]

    first, second = say(parts).splitlines()
    assert first.startswith("1. a PNG of 2 x 2 pixels")
    assert second.startswith("2. a PNG of 3 x 3 pixels")


def test_the_system_chooses_the_language() -> None:
    assert say("ok", system="Be kind. Answer in German.").startswith("Auf Deutsch: ")
    assert say("ok", system="Always reply in Turkish.").startswith("[Turkish] ")
    assert say("ok", system="Answer in the language of the user.").startswith("You said")


def test_a_limit_of_tokens_cuts_the_text() -> None:
    whole = say("Tell me a story")
    body = {"messages": [{"role": "user", "content": "Tell me a story"}], "max_tokens": 20}

    cut = answer(body, ENTRY)

    assert cut.finish == "length"
    assert whole.startswith(cut.text or "-")
    assert len(cut.text or "") < len(whole)


def test_a_stop_word_ends_the_text() -> None:
    assert "simulated" not in say("Just words", stop=["simulated"])


def test_it_calls_the_function_that_the_words_name() -> None:
    weather = {
        "name": "get_weather",
        "parameters": {"required": ["city"], "properties": {"city": {"type": "string"}}},
    }
    body = {
        "messages": [{"role": "user", "content": "How is the weather in Bern?"}],
        "tools": [{"type": "function", "function": weather}],
    }

    said = answer(body, ENTRY)

    assert (said.finish, said.text) == ("tool_calls", None)
    assert said.calls[0]["function"] == {"name": "get_weather", "arguments": '{"city": "Bern"}'}


def test_it_reads_the_result_of_a_tool() -> None:
    assert (
        answer({"messages": [{"role": "tool", "tool_call_id": "c", "content": "Sun"}]}, ENTRY).text
        == "The tool says: Sun"
    )


def test_it_cites_what_it_searched() -> None:
    body = {
        "messages": [{"role": "user", "content": "Search the latest news"}],
        "tools": [{"type": "openrouter:web_search"}],
    }

    said = answer(body, ENTRY)

    assert said.annotations[0]["url_citation"]["url"] == "https://example.com/"
    assert said.searches == 1


def test_it_thinks_when_asked_to() -> None:
    body = {"messages": [{"role": "user", "content": "Hm"}], "reasoning": {"effort": "low"}}

    assert answer(body, ENTRY).reasoning == "The user wrote 1 words."


def test_the_same_question_gets_the_same_answer() -> None:
    assert say("Whatever this is") == say("Whatever this is")
