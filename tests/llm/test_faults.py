"""Every fault that the simulator knows, asked for plainly and as a stream."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from app.errors import (
    ContextTooLong,
    ModelBadReply,
    ModelBlind,
    ModelBusy,
    ModelEmpty,
    ModelError,
    ModelGone,
    ModelInterrupted,
    ModelMisconfigured,
    ModelOutOfCredit,
    ModelTimeout,
    ModelUnreachable,
)
from app.llm.base import Ask, Turn
from app.llm.openrouter import OpenRouter, open_http
from app.llm.patience import Patience
from simulator.openrouter import FAULTS, OpenRouterWorld, create_openrouter
from simulator.openrouter.answer_faults import LONG, SHORT
from simulator.openrouter.stream_faults import UNICODE
from simulator.openrouter.world import KEY
from tests.servers import serve

ASK = Ask(
    model="openai/gpt-4o-mini",
    system="Be short.",
    turns=(Turn("user", "Hello"),),
    max_tokens=800,
    user="u",
    conversation="c",
)
PATIENCE = Patience(connect=5.0, first_token=5.0, gap=5.0, total=20.0)
# For what is meant to take too long.
SHORT_PATIENCE = replace(PATIENCE, first_token=0.3, gap=0.2, total=1.0)


@dataclass(frozen=True)
class Row:
    """What comes of a fault.

    `plain` is an error, or how the answer finished; `streamed` the same with text handed over
    as it comes, None where nothing differs. `text` is all that may be shown; None stands for
    the whole answer that there is without the fault.
    """

    tries: int
    plain: type[ModelError] | str
    text: str | None = ""
    streamed: type[ModelError] | None = None
    patience: Patience = PATIENCE


def fails(error: type[ModelError], tries: int = 1) -> Row:
    return Row(tries, error)


DECLINED = Row(1, "declined")
WHOLE = Row(1, "stop", None)
PERSIAN = Row(1, "stop", UNICODE)
DOWN = fails(ModelUnreachable, 3)
GONE = fails(ModelGone)
BUSY = fails(ModelBusy)
BUSY_TWICE = fails(ModelBusy, 2)
EMPTY = fails(ModelEmpty, 2)
SILENT = Row(2, ModelTimeout, patience=SHORT_PATIENCE)
BROKEN_SHORT = Row(1, ModelInterrupted, SHORT)
BROKEN_LONG = Row(1, "cut", LONG)

TABLE = {
    "http-400": fails(ModelError),
    "http-400-context": fails(ContextTooLong),
    "http-400-unknown-model": GONE,
    "http-400-policy": DECLINED,
    "http-401": fails(ModelMisconfigured),
    "http-402-credit": fails(ModelOutOfCredit),
    "http-402-afford": replace(WHOLE, tries=2),
    "http-402-in-flight": BUSY,
    "http-403-guardrail": DECLINED,
    "http-403-moderation": DECLINED,
    "http-403-key-limit": fails(ModelOutOfCredit),
    "http-403-region": fails(ModelMisconfigured),
    "http-404-no-endpoints": GONE,
    "http-404-privacy": GONE,
    "http-404-no-image": fails(ModelBlind),
    "http-404-no-tools": fails(ModelMisconfigured),
    "http-404-deprecated": GONE,
    "http-408": DOWN,
    "http-412": fails(ModelError),
    "http-413": fails(ContextTooLong),
    "http-413-html": fails(ContextTooLong),
    "http-422": fails(ModelError),
    "http-429-pool": BUSY_TWICE,
    "http-429-pool-wait": BUSY_TWICE,
    "http-429-daily": BUSY,
    "http-429-admission": BUSY_TWICE,
    "http-429-capacity": BUSY_TWICE,
    "http-429-html": BUSY_TWICE,
    "http-429-hour": BUSY,
    "http-429-negative": BUSY_TWICE,
    "http-429-date": BUSY_TWICE,
    "http-429-garbage": BUSY_TWICE,
    "http-429-minute": BUSY,
    "http-500": DOWN,
    "http-502": DOWN,
    "http-502-html": DOWN,
    "http-503": fails(ModelBusy, 3),
    "http-504": DOWN,
    "http-524": DOWN,
    "http-524-html": DOWN,
    "http-529": DOWN,
    "http-no-code": fails(ModelBusy, 3),
    "redirect-302": fails(ModelMisconfigured),
    "redirect-307": fails(ModelMisconfigured),
    "ok-error": DOWN,
    "ok-no-choices": EMPTY,
    "ok-choice-error": Row(1, ModelInterrupted, "It began well and then"),
    "ok-html": fails(ModelBadReply, 2),
    "ok-nothing": EMPTY,
    "ok-blank": EMPTY,
    "ok-bad-json": fails(ModelBadReply, 2),
    "ok-list": fails(ModelBadReply, 2),
    "blank-before-json": WHOLE,
    "gzip": fails(ModelBadReply),
    "gzip-bomb": fails(ModelBadReply),
    "length-short": fails(ModelInterrupted),
    "length-long": fails(ModelBadReply),
    "silence": SILENT,
    "silence-after-head": SILENT,
    "slow-bytes": replace(SILENT, tries=1),
    "comments-forever": replace(SILENT, tries=1),
    "reset-before-head": DOWN,
    "close-before-head": DOWN,
    "reset-after-head": DOWN,
    "empty-stop": EMPTY,
    "empty-length": fails(ModelEmpty),
    "empty-content-filter": DECLINED,
    "empty-tool-calls": EMPTY,
    "empty-error": fails(ModelInterrupted, 2),
    "empty-null": EMPTY,
    "empty-content-null": EMPTY,
    "blank-text": EMPTY,
    "filter-text": Row(1, "declined", SHORT),
    "finish-length": Row(1, "length", SHORT),
    "finish-null": BROKEN_SHORT,
    "dated-model": WHOLE,
    "huge-text": Row(1, ModelBadReply, ("words and " * 100_000), ModelInterrupted),
    "long-text": Row(1, "stop", LONG * 18),
    "think-tags": Row(1, "stop", "<think>Let me see.</think>It is four."),
    "reasoning-then-text": WHOLE,
    "reasoning-encrypted": WHOLE,
    "reasoning-only": EMPTY,
    "images": WHOLE,
    "images-only": EMPTY,
    "annotations-first": WHOLE,
    "role-repeated": WHOLE,
    "role-once": WHOLE,
    "tools-whole": EMPTY,
    "tools-and-text": WHOLE,
    "tools-parallel": EMPTY,
    "tools-same-id": EMPTY,
    "tools-empty-id": EMPTY,
    "tools-no-arguments": EMPTY,
    "tools-stop": EMPTY,
    "tools-null": fails(ModelInterrupted),
    "tools-length": fails(ModelEmpty),
    "tools-fragments": EMPTY,
    "tools-no-index": EMPTY,
    "usage-repeated-finish": WHOLE,
    "usage-null-finish": WHOLE,
    "usage-empty-choices": WHOLE,
    "usage-early": WHOLE,
    "usage-with-text": WHOLE,
    "usage-minimal": WHOLE,
    "usage-none": WHOLE,
    "silence-mid-text": replace(BROKEN_SHORT, patience=SHORT_PATIENCE),
    "comments-mid-text": Row(1, ModelTimeout, SHORT, ModelInterrupted, SHORT_PATIENCE),
    "slow-drip": Row(1, ModelTimeout, ".", ModelInterrupted, SHORT_PATIENCE),
    "reset-before-text": DOWN,
    "reset-short": BROKEN_SHORT,
    "reset-long": BROKEN_LONG,
    "cut-before-text": DOWN,
    "cut-short": BROKEN_SHORT,
    "cut-long": BROKEN_LONG,
    "eof-before-text": fails(ModelInterrupted, 2),
    "eof-short": BROKEN_SHORT,
    "eof-long": BROKEN_LONG,
    "eof-after-finish": WHOLE,
    "done-only": EMPTY,
    "done-short": BROKEN_SHORT,
    "keepalive-data": WHOLE,
    "bad-json-once": fails(ModelBadReply, 2),
    "bad-json-only": fails(ModelBadReply, 2),
    "bare-events": EMPTY,
    "huge-line": fails(ModelBadReply, 2),
    "delta-missing": WHOLE,
    "wire-utf8-split": PERSIAN,
    "wire-many-writes": PERSIAN,
    "wire-two-events": WHOLE,
    "wire-one-write": WHOLE,
    "wire-crlf": PERSIAN,
    "wire-crlf-split": PERSIAN,
    "wire-cr": PERSIAN,
    "wire-data-lines": PERSIAN,
    "wire-no-space": PERSIAN,
    "wire-bom": WHOLE,
    "wire-fields": PERSIAN,
    "wire-comments": WHOLE,
    "error-full-first": DOWN,
    "error-full-no-done": DOWN,
    "error-word-first": DOWN,
    "error-recorded-first": fails(ContextTooLong),
    "error-no-choices-429-first": BUSY_TWICE,
    "error-no-choices-502-first": DOWN,
    "error-bare-first": DOWN,
    "error-no-object-first": fails(ModelInterrupted, 2),
    "error-availability-first": fails(ModelBusy, 3),
}
for _shape in ("full", "word", "recorded", "no-choices-429", "no-choices-502", "bare",
               "no-object", "availability"):  # fmt: skip
    TABLE[f"error-{_shape}-short"] = BROKEN_SHORT
    TABLE[f"error-{_shape}-long"] = BROKEN_LONG


@pytest.fixture(scope="module")
def world() -> OpenRouterWorld:
    # Noon, so that neither midnight nor the next minute is near.
    return OpenRouterWorld(pause=0.001, drip=0.01, clock=lambda: 1_790_078_400.0)


@pytest.fixture
async def base(world: OpenRouterWorld) -> AsyncIterator[str]:
    world.reset()
    async with serve(create_openrouter(world)) as url:
        yield f"{url}/api/v1"


async def at_once(_: float) -> None:
    """Wait for nothing."""


async def hear(base: str, row: Row, said: list[str] | None) -> tuple[type[ModelError] | str, str]:
    """Return how the call ended and the text that a person has then seen."""
    async with open_http(base, KEY) as http:
        client = OpenRouter(
            http,
            patience=row.patience,
            sleep=at_once,
            now=lambda: 1_790_078_400.0,
        )
        try:
            answer = await client.complete(ASK, None if said is None else said.append)
        except ModelError as error:
            return type(error), "".join(said or ())
    return answer.finish, answer.text


async def expected(base: str, row: Row) -> str:
    return (await hear(base, WHOLE, None))[1] if row.text is None else row.text


def test_every_fault_has_its_row() -> None:
    assert set(TABLE) == set(FAULTS)


@pytest.mark.parametrize("name", TABLE)
async def test_a_plain_answer_survives(name: str, world: OpenRouterWorld, base: str) -> None:
    row = TABLE[name]
    text_expected = await expected(base, row)
    world.reset()
    world.next(name, times=9)

    outcome, text = await hear(base, row, None)

    assert outcome == row.plain
    assert len(world.chats()) == row.tries
    # An error takes the text along that nobody has seen.
    assert text == ("" if isinstance(row.plain, type) else text_expected)


@pytest.mark.parametrize("name", TABLE)
async def test_a_stream_survives(name: str, world: OpenRouterWorld, base: str) -> None:
    row = TABLE[name]
    text_expected = await expected(base, row)
    world.reset()
    world.next(name, times=9)
    said: list[str] = []

    outcome, text = await hear(base, row, said)

    assert outcome == (row.streamed or row.plain)
    assert len(world.chats()) == row.tries
    # What was shown is never taken back, and nothing was added behind the reader's back.
    assert text == "".join(said)
    assert text == text_expected or (name == "slow-drip" and text and set(text) == {"."})
