"""Questions and their answers, from the chat page through bot, service and model and back."""

import asyncio
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image

from simulator.telegram import Upload
from tests.chain.stack import STOP, WAITING, Chain, Person, is_final
from tests.chain.test_chain_commands import styled
from tests.chain.traces import WORDS

pytestmark = pytest.mark.asyncio(loop_scope="package")

PART = 4096  # UTF-16 units of a message
MARKDOWN = f"""{WORDS}

# Heading

Words in **bold**, *italic*, ~~struck~~, `verbatim` and a [link](https://example.com/a?b=c).

> a quote

- one
  - two

1. first
2. second

| Name | Signal |
|:--|--:|
| kitchen | -61 |

```js
show("a < b & c")
```

end"""


def picture(colour: str, size: tuple[int, int] = (320, 200)) -> Upload:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return Upload(f"{colour}.png", "image/png", file.getvalue())


@contextmanager
def slow(chain: Chain, seconds: float) -> Iterator[None]:
    """Let the model write a token every so many seconds."""
    chain.openrouter.between_tokens = seconds
    try:
        yield
    finally:
        chain.openrouter.between_tokens = 0.0


def shown(chain: Chain, person: Person) -> list[str]:
    """Return every text that the person's chat has shown, in order."""
    calls = chain.telegram.of("sendMessage", "editMessageText", chat=person.id)
    return [str(call.parameters["text"]) for call in calls]


async def test_an_answer_grows_in_one_message_from_a_placeholder(
    chain: Chain, nora: Person
) -> None:
    with slow(chain, 0.02):
        told = await nora.ask("Tell me a story")

    texts = shown(chain, nora)
    assert texts[0] == WAITING
    assert texts[-1] == told["text"]
    assert len(texts) >= 4
    assert all(len(one) < len(other) for one, other in pairwise(texts[1:-1]))
    assert len(chain.telegram.of("sendMessage", chat=nora.id)) == 1
    assert styled(told, "bold")[:2] == ["1.", "2."]
    keys = [call.parameters.get("reply_markup") for call in _changes(chain, nora)]
    assert all(STOP in str(key) for key in keys[:-1])
    assert STOP not in str(keys[-1])


def _changes(chain: Chain, person: Person) -> list[Any]:
    return chain.telegram.of("sendMessage", "editMessageText", chat=person.id)


async def test_the_model_hears_the_conversation(chain: Chain, nora: Person) -> None:
    """R-20..R-24: ten messages of history."""
    await nora.ask(f"My name is Nora, {WORDS}")
    assert "Your name is Nora" in (await nora.ask("What is my name?"))["text"]

    for number in range(5):
        await nora.ask(f"number {number}")

    (prompt,) = chain.prompts("number 4")
    assert len([it for it in prompt["messages"] if it["role"] != "system"]) == 11
    assert prompt["model"].startswith("google/gemini")


async def test_every_kind_of_markdown_becomes_text_and_entities(nora: Person) -> None:
    told = await nora.ask(MARKDOWN)

    kinds = {it["type"] for it in told["entities"]}
    assert kinds >= {
        "bold", "italic", "strikethrough", "code", "pre", "blockquote", "text_link",
    }  # fmt: skip
    assert [it["url"] for it in told["entities"] if it["type"] == "text_link"] == [
        "https://example.com/a?b=c"
    ]
    assert 'show("a < b & c")' in styled(told, "pre")[-1]
    assert any("kitchen" in table and "-61" in table for table in styled(told, "pre"))
    assert not re.search(r"\*\*|~~|```|\]\(|^#|\|:", told["text"], re.MULTILINE)


async def test_a_long_answer_comes_in_parts_and_loses_nothing(nora: Person) -> None:
    to = await nora.say("Tell me a long story")

    first, second = await nora.answers(to, 2)

    assert PART * 0.75 < len(first["text"]) <= PART
    whole = f"{first['text']}\n{second['text']}"
    assert re.findall(r"^(\d+)\.", whole, re.MULTILINE) == [str(it) for it in range(1, 15)]
    assert "reply_to_message" not in second


async def test_a_picture_reaches_the_model_with_its_question(chain: Chain, nora: Person) -> None:
    """R-07."""
    (sent,) = await nora.show(picture("red"), caption=f"What is this? {WORDS}")

    told = await nora.answer(sent)

    assert "320 x 200 pixels, mostly red" in told["text"]
    assert _parts(chain) == ["text", "image_url"]
    await nora.ask("And what was the picture?")
    (later,) = chain.prompts("And what was the picture?")
    assert any("image_url" in str(it["content"]) for it in later["messages"])


async def test_an_album_is_one_question(chain: Chain, nora: Person) -> None:
    sent = await nora.show(picture("red"), picture("blue"), picture("green"), caption="Compare")

    told = await nora.answer(sent[-1])

    assert re.findall(r"mostly (\w+)", told["text"]) == ["red", "blue", "green"]
    assert _parts(chain) == ["text", *["image_url"] * 3]


def _parts(chain: Chain) -> list[str]:
    """Return the kinds of what the model was told last."""
    content = chain.openrouter.chats()[-1].body["messages"][-1]["content"]
    return [part["type"] for part in content]


async def test_voice_is_refused_kindly(chain: Chain, nora: Person) -> None:
    asked = len(chain.openrouter.chats())

    told = await nora.answer(await nora.speak())

    assert told["text"].startswith("I cannot read voice messages, only text and pictures.")
    assert len(chain.openrouter.chats()) == asked


async def test_the_stop_button_stops_what_is_being_written(chain: Chain, nora: Person) -> None:
    with slow(chain, 0.05):
        to = await nora.say("Tell me a long story")
        await chain.until(lambda: len(shown(chain, nora)) >= 3)
        (growing,) = [it for it in await nora.messages() if it["from"]["is_bot"]]
        assert not is_final(growing)

        press = await nora.press(growing, STOP)
        told = await nora.answer(to)

    assert told["text"].endswith("You stopped the answer here.")
    await chain.until(lambda: chain.telegram.presses[press].answer is not None)
    assert (chain.telegram.presses[press].answer or {})["text"] == "Stopped."
    await chain.until(lambda: chain.openrouter.cancelled)
    assert "Hello" in (await nora.ask("hello"))["text"]


async def test_a_stop_that_comes_too_late_is_told_so_and_leaves_no_message(
    chain: Chain, nora: Person
) -> None:
    with slow(chain, 0.01):
        to = await nora.say("Tell me a story")
        await chain.until(lambda: len(shown(chain, nora)) >= 2)
        (growing,) = [it for it in await nora.messages() if it["from"]["is_bot"]]
        told = await nora.answer(to)

    number = chain.telegram.people.press(nora.id, told["message_id"], "/stop", forged=True).id
    await chain.until(lambda: chain.telegram.presses[number].answer is not None)

    assert "nothing to stop" in (chain.telegram.presses[number].answer or {})["text"]
    assert growing["message_id"] == (await nora.messages())[-1]["message_id"]


async def test_the_21st_message_of_a_minute_is_refused_once(chain: Chain, nora: Person) -> None:
    """R-20..R-24. Nobody else is slowed down."""
    # In many chats, or the pace of one would take a minute.
    groups = [(await nora.found(f"Group {number}"))["id"] for number in range(10)]
    sent = [await nora.say("/start", group) for group in groups for _ in range(2)]
    for first in sent[::2]:
        assert [it["text"][:5] for it in await nora.answers(first, 2)] == ["Hello"] * 2

    told = await nora.ask("One more")
    again = await nora.say("And one more")

    assert "You have sent 20 messages in a minute, the most allowed. Wait" in told["text"]
    other = await chain.join()
    assert "Hello" in (await other.ask("hello"))["text"]
    assert (await nora.messages())[-1] == again


async def test_an_edit_of_what_waits_replaces_it(chain: Chain, nora: Person) -> None:
    with slow(chain, 0.01):
        first = await nora.say("Tell me a story")
        await chain.until(lambda: len(shown(chain, nora)) >= 2)
        second = await nora.say("old words")
        await nora.edit(second, "new words")
        told = (await nora.answers(first, 2))[-1]

    assert "new words" in told["text"]
    assert chain.prompts("old words") == []


async def test_an_edit_of_what_was_answered_is_no_new_question(chain: Chain, nora: Person) -> None:
    sent = await nora.say("first words")
    await nora.answer(sent)

    await nora.edit(sent, "other words")
    await nora.ask("last words")

    assert chain.prompts("other words") == []
    assert len([it for it in await nora.messages() if it["from"]["is_bot"]]) == 2


async def test_a_secret_is_withheld_and_its_message_deleted(chain: Chain, nora: Person) -> None:
    secret = "Basic dXNlcjpwYXNzd29yZDEyMzQ1Ng=="  # pragma: allowlist secret
    sent = await nora.say(f"my router wants {secret} as its header")

    told = await nora.answer(sent)

    assert "looked like a password or a key" in told["text"]
    assert sent["message_id"] not in [it["message_id"] for it in await nora.messages()]
    assert "dXNlcjpw" not in str([it.body for it in chain.openrouter.chats()])


async def test_a_provider_that_fails_is_told_with_a_button_that_tries_again(
    chain: Chain, nora: Person
) -> None:
    chain.openrouter.next("http-502", times=20)
    told = await nora.ask("hello")
    chain.openrouter.faults.clear()

    assert "AI service" in told["text"]
    await nora.press(told, "Try again")
    assert "Hello" in (await nora.answer(told))["text"]


async def test_many_people_are_answered_side_by_side(chain: Chain) -> None:
    people = [await chain.join(f"P{number}") for number in range(12)]

    told = await asyncio.gather(*(it.ask(f"7 + {it.id}") for it in people))

    sums = [f"{7 + it.id}" for it in people]
    assert [re.findall(r"= (\d+)", words["text"])[0] for words in told] == sums
