"""Each fault of the provider: what is asked of it, what a person sees and what REST answers.

All questions are asked at once, by people of their own, as most of the time is waiting; the
tests look at what came of them.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from app.llm.patience import Patience
from tests.api.service import said
from tests.faults.stage import MINA, SHORTENED, Shown, Stage, running
from tests.faults.table import ROWS, Row

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # The bot says so itself, but pytest forgets it from one test to the next.
    pytest.mark.filterwarnings("ignore:.*getUpdates.*"),
]

AT_ONCE = 12
DRIP, ENOUGH = "L3-slow-drip", 300  # characters
DOORS = ("telegram", "plain", "streamed")
FLAGS = ("truncated", "trimmed", "declined")


@dataclass(frozen=True)
class Heard:
    """What came of a question by one of the doors; `pieces` is the text that was streamed."""

    words: str
    tries: int
    shown: Shown | None = None
    status: int = 0
    body: Any = None
    pieces: str | None = None
    retry_after: str | None = None
    again: Any = None


def words_of(row: Row, door: str) -> str:
    return f"[[{'once' if row.once else 'fault'}:{row.fault}]] question {row.name} {door}"


async def by_telegram(stage: Stage, row: Row) -> Heard:
    person, words = stage.somebody(), words_of(row, "telegram")
    if row.after:
        await stage.ask(person, row.after)
    shown = await stage.ask(person, words)
    return Heard(words, stage.tries(words.partition("]] ")[2]), shown)


async def by_rest(stage: Stage, row: Row, door: str) -> Heard:
    service, words = stage.service, words_of(row, door)
    who = {"user_id": f"{row.name}-{door}", "chat_id": f"{row.name}-{door}"}
    if row.after:
        await service.say(row.after, **who)
    question = said(words, **who)
    asked = words.partition("]] ")[2]
    if door == "plain":
        heard = await service.post(question)
        wait = heard.headers.get("Retry-After")
        return Heard(words, stage.tries(asked), None, heard.status_code, heard.json(), None, wait)
    events = await service.events(question)
    status = 200 if events[-1].name == "reply" else 0
    pieces = "".join(each.data["text"] for each in events if each.name == "delta")
    return Heard(words, stage.tries(asked), None, status, events[-1].data, pieces)


@dataclass
class Told:
    stage: Stage
    heard: dict[tuple[str, str], Heard]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    side_by_side = asyncio.Semaphore(AT_ONCE)
    async with running(tmp_path_factory.mktemp("faults")) as stage:

        async def ask(row: Row, door: str) -> Heard:
            async with side_by_side:
                if door == "telegram":
                    return await by_telegram(stage, row)
                return await by_rest(stage, row, door)

        growing = stage.service.parts.processor.stops.here.values()

        def worth_keeping() -> bool:
            return any(len(it.growth.text) > ENOUGH for it in growing)

        cells = [(name, door) for name in ROWS if name != DRIP for door in DOORS]
        dripping = [(DRIP, door) for door in DOORS]
        asked = [asyncio.create_task(ask(ROWS[name], door)) for name, door in dripping]
        # So much drips in time only while nothing else is done.
        await stage.until(worth_keeping)
        asked += [asyncio.create_task(ask(ROWS[name], door)) for name, door in cells]
        heard = await asyncio.gather(*asked)
        yield Told(stage, dict(zip(dripping + cells, heard, strict=True)))


@pytest.mark.parametrize("name", ROWS)
async def test_a_person_on_telegram_sees(told: Told, name: str) -> None:
    row, heard = ROWS[name], told.heard[name, "telegram"]

    assert heard.tries == row.tries
    assert heard.shown is not None
    assert len(heard.shown.texts) == 1
    assert re.search(row.sees, heard.shown.text), heard.shown.text
    assert heard.shown.buttons == ((row.button,) if row.button else ())


@pytest.mark.parametrize("door", ["plain", "streamed"])
@pytest.mark.parametrize("name", ROWS)
async def test_rest_answers(told: Told, name: str, door: str) -> None:
    row, heard = ROWS[name], told.heard[name, door]
    body = heard.body

    assert heard.tries == row.tries
    if row.error is None:
        assert (heard.status, body["success"], body["error"]) == (200, True, None)
        assert {flag for flag in FLAGS if body["data"][flag]} == row.marks
        assert re.search(row.says or row.sees, body["response"]), body["response"]
        assert heard.pieces in {None, body["response"]}
        return
    assert heard.status == (row.status if door == "plain" else 0)
    assert (body["success"], body["data"], body["error"]) == (False, None, row.error)
    assert body["retry_after"] == row.wait
    if door == "plain":
        assert heard.retry_after == (None if row.wait is None else str(row.wait))
    if row.says:
        assert re.search(row.says, body["response"]), body["response"]
    assert body["response"]


async def test_operators_are_told_of_each_cause_once(told: Told) -> None:
    stage = told.stage
    causes = (
        "AI answers are off: the provider refuses our key.",
        "AI answers fail: the provider refuses how it is asked (region).",
        "AI answers are paused: the provider says that the credit is used up (credit).",
        "AI answers are paused: the provider says that the credit is used up (key_limit).",
    )

    def alerts() -> list[int]:
        texts = stage.shown(MINA).texts
        return [sum(text.startswith(cause) for text in texts) for cause in causes]

    await stage.until(lambda: 0 not in alerts())
    assert alerts() == [1] * len(causes)


async def test_try_again_asks_once_more(told: Told) -> None:
    stage = told.stage
    person = stage.somebody()
    stage.model.next("ok-html", 2)

    shown = await stage.ask(person, "what is it?")
    message = stage.bots(person)[-1].id
    stage.telegram.people.press(person, message, "Try again")
    await stage.until(lambda: stage.is_answered(person, message))

    assert shown.buttons == ("Try again",)
    assert stage.shown(person, message).text.startswith("You said")


async def test_who_waits_long_is_told_so_before_the_answer(told: Told) -> None:
    stage = told.stage
    for name in ("L2-silence", "L9-comments-forever"):
        words = told.heard[name, "telegram"].words
        (person,) = [
            number
            for number, chat in stage.telegram.chats.items()
            if any(it.content.get("text") == words for it in chat.messages.values())
        ]
        edits = [it.parameters["text"] for it in stage.telegram.of("editMessageText", chat=person)]
        assert edits[0].startswith("This is taking unusually long.")
        assert not edits[-1].startswith("This is taking")


async def test_by_default_it_waits_as_long_as_people_may_be_asked_to() -> None:
    usual = Patience()

    assert (usual.connect, usual.first_token, usual.gap, usual.total) == (5, 30, 20, 120)
    assert (usual.retries, usual.max_wait, usual.note) == (2, 10, 20)
    # Silence is asked for twice: the person hears of it after 65 seconds at the latest.
    assert 2 * usual.first_token + 0.5 <= 65
    assert SHORTENED.retries == usual.retries
