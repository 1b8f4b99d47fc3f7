import asyncio
import io
import json
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from loguru import logger

from app.errors import (
    AppError,
    ModelBusy,
    ModelEmpty,
    ModelInterrupted,
    ModelMisconfigured,
    ModelOutOfCredit,
    ModelTimeout,
    ModelUnreachable,
)
from app.llm.base import Ask, Picture, Say, Tokens, Turn
from app.llm.openrouter import OpenRouter, open_http
from app.llm.patience import Patience
from app.llm.request import Dialect
from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.openrouter.world import KEY
from tests.llm.upstream import END, EVENTS, Step, chunked, event, reply, sent, stream, upstream
from tests.servers import serve

SECRET = "sk-or-v1-canary-0123456789"
NOW = 1_790_078_400.0
ASK = Ask("m", "Be short.", (Turn("user", "Hello"),), 800, "u", "c")
PATIENCE = Patience(connect=1.0, first_token=1.0, gap=0.3, total=3.0)
LONG = "word " * 50
COMMENTS = [step for _ in range(60) for step in (0.03, chunked(b": hm\n\n"))]
HELLO = stream(event("Hel"), event("lo", finish="stop"))


class Waits(list[float]):
    """Stands in for sleeping, and remembers for how long."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(
    http: httpx.AsyncClient,
    *,
    dialect: Dialect = "openrouter",
    waits: Waits | None = None,
    **patience: float,
) -> OpenRouter:
    return OpenRouter(
        http,
        dialect=dialect,
        patience=replace(PATIENCE, **patience),  # type: ignore[arg-type]
        sleep=Waits() if waits is None else waits,
        rand=lambda: 1.0,
        now=lambda: NOW,
    )


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    sink = io.StringIO()
    number = logger.add(sink, format="{message} {extra}\n{exception}", backtrace=False)
    yield sink
    logger.remove(number)


async def test_what_is_asked_of_openrouter() -> None:
    picture = Picture("image/jpeg", b"\xff\xd8")
    turns = (
        Turn("user", "Look", (picture, picture)),
        Turn("assistant", "I see"),
        Turn("user", "", (picture,)),
        Turn("user", "And?"),
    )
    ask = Ask("m", "Be short.", turns, 4, "u", "c" * 300, web_search=True)

    async with upstream(HELLO) as told, open_http(told.url, SECRET) as http:
        await client(http).complete(ask)

    url = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9g="}}
    assert told.bodies == [
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be short."},
                {"role": "user", "content": [{"type": "text", "text": "Look"}, url, url]},
                {"role": "assistant", "content": "I see"},
                {"role": "user", "content": [url]},
                {"role": "user", "content": "And?"},
            ],
            "max_tokens": 16,
            "stream": True,
            "user": "u",
            "session_id": "c" * 256,
            "tools": [
                {
                    "type": "openrouter:web_search",
                    "parameters": {"max_results": 3, "max_uses": 2, "search_context_size": "low"},
                }
            ],
        }
    ]
    head = told.heads[0].lower()
    assert head.startswith("post /api/v1/chat/completions http/1.1\r\n")
    assert f"\r\nauthorization: bearer {SECRET}\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head
    assert "\r\nx-openrouter-title: arash bot\r\n" in head
    assert "\r\naccept: text/event-stream\r\n" in head
    assert "\r\ncontent-type: application/json\r\n" in head


async def test_a_strict_gateway_is_sent_nothing_of_openrouters_own() -> None:
    async with upstream(HELLO) as told, open_http(told.url, dialect="openai") as http:
        await client(http, dialect="openai").complete(replace(ASK, web_search=True))

    assert set(told.bodies[0]) == {
        "model", "messages", "max_tokens", "stream", "stream_options", "user",
    }  # fmt: skip
    assert told.bodies[0]["stream_options"] == {"include_usage": True}
    assert "openrouter" not in told.heads[0].lower()
    assert "authorization" not in told.heads[0].lower()


async def test_the_text_is_handed_over_as_it_comes() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.5}
    script = (EVENTS + event("Hel"), 0.05, event("lo", finish="stop") + sent({"usage": usage}), END)
    heard: list[tuple[str, float]] = []

    async with upstream(script) as told, open_http(told.url) as http:
        completion = await client(http).complete(
            ASK, lambda text: heard.append((text, time.monotonic()))
        )

    assert [text for text, _ in heard] == ["Hel", "lo"]
    assert heard[1][1] - heard[0][1] > 0.03
    assert (completion.text, completion.model, completion.finish) == ("Hello", "m", "stop")
    assert completion.tokens == Tokens(3, 2, 5, 0.5)


async def test_a_connection_is_used_again_also_when_its_end_comes_late() -> None:
    late = (EVENTS + event("a", finish="stop") + chunked(b"data: [DONE]\n\n"), 0.02, END)

    async with upstream(late, late, HELLO) as told, open_http(told.url) as http:
        for _ in range(3):
            await client(http).complete(ASK)

    assert told.connections == 1


async def test_more_than_a_hundred_calls_wait_side_by_side() -> None:
    script: tuple[Step, ...] = (EVENTS, "hang")

    async with upstream(script) as told, open_http(told.url) as http:
        told.many = 120
        patient = client(http, first_token=30.0, total=60.0)
        calls = [asyncio.create_task(patient.complete(ASK)) for _ in range(120)]
        async with asyncio.timeout(3):
            await told.crowd.wait()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("begun", [b"", EVENTS, EVENTS + event("Hel")])
async def test_cancelling_ends_it_at_the_provider_at_once(begun: bytes) -> None:
    script: tuple[Step, ...] = (begun, "hang")

    async with upstream(script) as told, open_http(told.url) as http:
        call = asyncio.create_task(client(http).complete(ASK))
        await asyncio.sleep(0.05)
        assert not told.left.is_set()
        call.cancel()
        async with asyncio.timeout(0.2):
            await told.left.wait()

    with pytest.raises(asyncio.CancelledError):
        await call


async def test_what_holds_on_after_the_finish_reason_is_not_waited_for() -> None:
    script: tuple[Step, ...] = (EVENTS + event("Hello", finish="stop"), "hang")

    async with upstream(script) as told, open_http(told.url) as http:
        began = time.monotonic()
        completion = await client(http).complete(ASK)

    assert completion.text == "Hello"
    assert completion.finish == "stop"
    assert time.monotonic() - began < 1.0


async def test_comments_do_not_stretch_the_time_for_the_first_token() -> None:
    async with upstream((EVENTS, *COMMENTS)) as told, open_http(told.url) as http:
        with pytest.raises(ModelTimeout) as caught:
            await client(http, first_token=0.4, gap=0.1, total=9.0).complete(ASK)

    assert caught.value.cause == "first_token"
    assert len(told.bodies) == 1


async def test_comments_stretch_a_gap_but_not_the_time_for_all() -> None:
    script = (EVENTS + event(LONG), *COMMENTS)
    began = time.monotonic()

    async with upstream(script) as told, open_http(told.url) as http:
        completion = await client(http, gap=0.1, total=0.5).complete(ASK)

    assert (completion.text, completion.finish) == (LONG, "cut")
    assert 0.45 < time.monotonic() - began < 0.8


@pytest.mark.parametrize(
    ("say", "error"), [(None, ModelTimeout), (lambda _: None, ModelInterrupted)]
)
async def test_too_little_text_at_the_end_of_all_time_is_an_error(
    say: Say | None, error: type[AppError]
) -> None:
    script = (EVENTS + event("Hello"), *COMMENTS)

    async with upstream(script) as told, open_http(told.url) as http:
        with pytest.raises(error) as caught:
            await client(http, total=0.2).complete(ASK, say)

    assert caught.value.cause == "total"
    assert caught.value.__context__ is None


async def test_a_limit_told_twice_is_still_a_limit() -> None:
    error = {"error": {"code": 400, "message": "token limit reached"}}
    script = stream(event("Hello", finish="length"), sent(error))

    async with upstream(script) as told, open_http(told.url) as http:
        completion = await client(http).complete(ASK)

    assert (completion.text, completion.finish) == ("Hello", "length")


async def test_an_error_after_a_good_finish_makes_the_text_suspect() -> None:
    script = stream(event("Hello", finish="stop"), sent({"error": {"code": 502}}))

    async with upstream(script) as told, open_http(told.url) as http:
        with pytest.raises(ModelInterrupted):
            await client(http).complete(ASK)


async def test_an_answer_that_comes_in_one_piece_is_handed_over_too() -> None:
    whole = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
    said: list[str] = []

    async with upstream(reply(200, whole)) as told, open_http(told.url) as http:
        completion = await client(http).complete(ASK, said.append)

    assert said == ["Hello"]
    assert completion.text == "Hello"
    assert completion.model == "m"


async def test_nothing_is_tried_again_once_text_was_shown() -> None:
    script = (EVENTS + event("Hel") + chunked(b"data: {no json\n\n"), END)
    said: list[str] = []

    async with upstream(script, HELLO) as told, open_http(told.url) as http:
        with pytest.raises(ModelInterrupted):
            await client(http).complete(ASK, said.append)

    assert said == ["Hel"]
    assert len(told.bodies) == 1


async def test_text_that_nobody_saw_is_thrown_away_with_its_attempt() -> None:
    script = (EVENTS + event("Hel") + chunked(b"data: {no json\n\n") + END,)

    async with upstream(script, HELLO) as told, open_http(told.url) as http:
        completion = await client(http).complete(ASK)

    assert completion.text == "Hello"


async def test_an_empty_answer_is_asked_for_once_more() -> None:
    nothing = stream(event("", finish="stop"))

    async with upstream(nothing, HELLO) as told, open_http(told.url) as http:
        assert (await client(http).complete(ASK)).text == "Hello"
    async with upstream(nothing, nothing, HELLO) as told, open_http(told.url) as http:
        with pytest.raises(ModelEmpty):
            await client(http).complete(ASK)


async def test_credit_that_falls_short_buys_a_shorter_answer_once() -> None:
    message = "You requested up to 800 tokens, but can only afford 100."
    poor = reply(402, {"error": {"code": 402, "message": message}})

    async with upstream(poor, HELLO) as told, open_http(told.url) as http:
        completion = await client(http).complete(ASK)
    assert completion.text == "Hello"
    assert [body["max_tokens"] for body in told.bodies] == [800, 90]

    poorer = reply(402, {"error": {"code": 402, "message": message.replace("100", "50")}})
    async with upstream(poor, poorer) as told, open_http(told.url) as http:
        with pytest.raises(ModelOutOfCredit):
            await client(http).complete(ASK)
    assert len(told.bodies) == 2


@pytest.mark.parametrize(
    ("headers", "error", "waited"),
    [
        (["Retry-After: 3"], {}, 3.0),
        (["Retry-After: 3"], {"availability": {"retry_after": 2}}, 2.0),
        ([], {"metadata": {"headers": {"Retry-After": "1"}}}, 1.0),
        ([f"X-RateLimit-Reset: {int(NOW + 2) * 1000}"], {}, 2.0),
        ([], {"metadata": {"headers": {"X-RateLimit-Reset": str(int(NOW + 1) * 1000)}}}, 1.0),
        (["Retry-After: Tue, 22 Sep 2026 12:00:04 GMT"], {}, 4.0),
        (["Retry-After: soon"], {}, 0.5),
        (["Retry-After: -5"], {}, 0.5),
        (["Retry-After: nan"], {}, 0.5),
        ([f"X-RateLimit-Reset: {int(NOW - 9) * 1000}"], {}, 0.5),
        ([], {}, 0.5),
    ],
)
async def test_it_waits_as_long_as_it_is_told(
    headers: list[str], error: dict[str, Any], waited: float
) -> None:
    busy = reply(429, {"error": {"code": 429, "message": "busy", **error}}, *headers)
    waits = Waits()

    async with upstream(busy, HELLO) as told, open_http(told.url) as http:
        completion = await client(http, waits=waits, total=60.0).complete(ASK)

    assert completion.text == "Hello"
    assert waits == [waited]


@pytest.mark.parametrize(
    ("header", "total", "told_to_wait"),
    [("11", 60.0, 11.0), ("3600", 60.0, 3600.0), ("1e12", 60.0, 86_400.0), ("9", 5.0, 9.0)],
)
async def test_a_long_wait_is_the_persons_to_choose(
    header: str, total: float, told_to_wait: float
) -> None:
    busy = reply(429, {"error": {"code": 429}}, f"Retry-After: {header}")
    waits = Waits()

    async with upstream(busy) as told, open_http(told.url) as http:
        with pytest.raises(ModelBusy) as caught:
            await client(http, waits=waits, total=total).complete(ASK)

    assert caught.value.retry_after == told_to_wait
    assert waits == []
    assert len(told.bodies) == 1


async def test_the_waits_between_tries_grow() -> None:
    waits = Waits()

    async with upstream(reply(502, {})) as told, open_http(told.url) as http:
        with pytest.raises(ModelUnreachable):
            await client(http, waits=waits, retries=5).complete(ASK)
        with pytest.raises(ModelUnreachable):
            await client(http, retries=0).complete(ASK)

    assert waits == [0.5, 1.0]
    assert len(told.bodies) == 3 + 1


async def test_nobody_listens_there() -> None:
    async with upstream(HELLO) as told:
        url = told.url
    waits = Waits()

    async with open_http(url) as http:
        with pytest.raises(ModelUnreachable):
            await client(http, waits=waits).complete(ASK)

    assert len(waits) == 2


@pytest.mark.parametrize(
    "script",
    [
        ("reset",),
        (b"no http at all\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",),
        (EVENTS + event("Hel"), 0.02, "reset"),
        (EVENTS + event("Hel") + b"zz\r\n", 0.02),
        reply(401, {"error": {"code": 401, "message": f"Incorrect API key: {SECRET}"}}),
        reply(500, f"<html>{SECRET}".encode()),
        reply(302, b"", f"Location: https://elsewhere.invalid/?{SECRET}"),
    ],
)
async def test_the_key_is_in_no_error_and_no_log(
    script: tuple[Step, ...], logged: io.StringIO
) -> None:
    async with upstream(script) as told, open_http(told.url, SECRET) as http:
        model = client(http)
        with pytest.raises(AppError) as caught:
            await model.complete(ASK)
        logger.opt(exception=caught.value).warning("seen")
        shown = repr(model) + repr(http) + "".join(traceback.format_exception(caught.value))

    assert told.heads
    assert "llm.refused" in logged.getvalue()
    assert SECRET not in logged.getvalue() + shown
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("key", ["sk or", "sk\r\nX: y", "sk-é", "sk\0"])
def test_a_key_that_no_header_may_carry_is_refused_unseen(key: str) -> None:
    with pytest.raises(ValueError, match="the key holds") as caught:
        open_http("http://127.0.0.1:1/v1", key)

    assert key not in str(caught.value)


async def test_cookies_of_the_provider_are_not_sent_back() -> None:
    whole = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
    script = reply(200, whole, "Set-Cookie: visitor=1; Path=/")

    async with upstream(script) as told, open_http(told.url) as http:
        await client(http).complete(ASK)
        await client(http).key()

    assert "cookie" not in told.heads[1].lower()


async def test_a_redirect_is_not_followed() -> None:
    async with upstream(HELLO) as other:
        script = reply(307, b"", f"Location: {other.url}/chat/completions")
        async with upstream(script) as told, open_http(told.url) as http:
            with pytest.raises(ModelMisconfigured):
                await client(http).complete(ASK)

    assert other.bodies == []


async def test_thinking_aloud_is_dropped_in_the_dialect_of_gateways_alone() -> None:
    script = stream(event("<think>hm</think>"), event("Four."), event(finish="stop"))

    async with upstream(script) as told, open_http(told.url) as http:
        gateway = await client(http, dialect="openai").complete(ASK)
        router = await client(http).complete(ASK)

    assert gateway.text == "Four."
    assert router.text == "<think>hm</think>Four."


async def test_the_models_and_the_key_are_told() -> None:
    world = OpenRouterWorld()

    async with serve(create_openrouter(world)) as base:
        async with open_http(f"{base}/api/v1", KEY) as http:
            rich = await client(http).models()
            state = await client(http).key()
        async with open_http(f"{base}/openai/v1", KEY, dialect="openai") as http:
            poor = await client(http, dialect="openai").models()
            await client(http, dialect="openai").key()

    assert [card.id for card in rich] == [card.id for card in poor] == list(world.catalogue)
    assert all(card.vision is not None and card.price_out is not None for card in rich)
    assert all(card.vision is None and card.price_out is None for card in poor)
    assert state.used_usd is not None


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (reply(401, {"error": {"code": 401, "message": "User not found."}}), ModelMisconfigured),
        (("reset",), ModelUnreachable),
        (reply(200, b"<html>"), AppError),
        (reply(503, b"", "Retry-After: 20"), ModelBusy),
    ],
)
async def test_a_health_check_says_what_is_wrong(
    script: tuple[Step, ...], error: type[AppError]
) -> None:
    async with upstream(script) as told, open_http(told.url, SECRET) as http:
        with pytest.raises(error) as caught:
            await client(http).key()

    assert caught.value.__context__ is None
    assert told.heads


async def test_it_works_over_a_transport_that_is_no_socket() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        body = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
        assert json.loads(request.content)["model"] == "m"
        return httpx.Response(200, json=body)

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, base_url="https://x/api/v1") as http:
        assert (await client(http).complete(ASK)).text == "Hello"
