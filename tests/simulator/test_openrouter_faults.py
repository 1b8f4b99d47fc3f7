"""Every fault of the table, seen on the wire."""

import contextlib
import gzip
import json
from collections.abc import Callable

import pytest

from simulator.openrouter import FAULTS, OpenRouterWorld
from simulator.openrouter.answer_faults import HUGE_CHARS
from simulator.openrouter.http_faults import AFFORDABLE, BOMB_BYTES
from simulator.openrouter.stream_faults import HUGE_LINE_BYTES, UNICODE
from tests.simulator.wire import Json, Seen, ask

CHAT = "/api/v1/chat/completions"
Check = Callable[[Seen], bool]


def _error(status: int, error_type: str, **more: object) -> Check:
    def check(seen: Seen) -> bool:
        error = seen.error
        told = error["metadata"]
        return (
            seen.status == error["code"] == status
            and told["error_type"] == error_type
            and all(told.get(name) == value for name, value in more.items())
        )

    return check


def _available(status: int, code: str, *, retryable: bool) -> Check:
    def check(seen: Seen) -> bool:
        told = seen.error["availability"]
        return seen.status == status and (told["code"], told["retryable"]) == (code, retryable)

    return check


def _page(status: int) -> Check:
    return lambda seen: (
        seen.status == status
        and seen.body.startswith(b"<!DOCTYPE html>")
        and str(seen.header("content-type")).startswith("text/html")
    )


def _waits(value: str | None) -> Check:
    return lambda seen: seen.status == 429 and seen.header("retry-after") == value


def _both(*checks: Check) -> Check:
    return lambda seen: all(check(seen) for check in checks)


def _resets(source: str) -> Check:
    def check(seen: Seen) -> bool:
        reset = int(seen.header("x-ratelimit-reset") or 0)
        told = seen.error["metadata"]
        return (
            reset > 1_700_000_000_000
            and told["limit_source"] == source
            and told["headers"]["X-RateLimit-Reset"] == str(reset)
        )

    return check


def _empty(finish: str | None) -> Check:
    return lambda seen: (
        seen.text == "" and set(seen.finishes) == ({finish} if finish else set()) and seen.done
    )


def _begins(end: str, low: int, high: int) -> Check:
    """Text of a length in between, no finish reason, and this end."""
    return lambda seen: (
        seen.status == 200
        and seen.end == end
        and low <= len(seen.text) <= high
        and not seen.finishes
    )


def _breaks(low: int, high: int, is_it: Callable[[Json], bool], *, done: bool = True) -> Check:
    def check(seen: Seen) -> bool:
        return (
            seen.status == 200
            and low <= len(seen.text) <= high
            and is_it(seen.events[-1])
            and seen.done is done
        )

    return check


def _unicode(odd: Callable[[Seen], bool]) -> Check:
    return lambda seen: seen.text == UNICODE and "stop" in seen.finishes and odd(seen)


def _answers(odd: Callable[[Seen], bool]) -> Check:
    return lambda seen: "Hello" in seen.text and "stop" in seen.finishes and odd(seen)


def _splits_characters(seen: Seen) -> bool:
    def whole(data: bytes) -> bool:
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
        return True

    return not all(whole(data) for data in seen.writes)


def _names(seen: Seen) -> list[str]:
    return [call["function"].get("name", "") for call in seen.calls]


def _tools(finish: str | None, odd: Callable[[list[Json]], bool]) -> Check:
    return lambda seen: (
        _names(seen)[0] == "get_weather"
        and set(seen.finishes) == ({finish} if finish else set())
        and odd(seen.calls)
    )


def _usage_in(is_it: Callable[[Json], bool]) -> Check:
    return _answers(lambda seen: len(seen.usages) == 1 and is_it(seen.usages[0]))


def _finish_of(event: Json) -> str | None:
    finish: str | None = event["choices"][0]["finish_reason"]
    return finish


def _joined(calls: list[Json]) -> bool:
    parts = "".join(call["function"].get("arguments", "") for call in calls)
    return len(calls) > 1 and json.loads(parts) == {"city": "Bern"}


SHORT, LONG = (1, 199), (201, 100_000)
ERRORS: dict[str, Callable[[Json], bool]] = {
    "full": lambda it: it["error"]["code"] == 502 and _finish_of(it) == "error",
    "word": lambda it: it["error"]["code"] == "server_error" and _finish_of(it) == "error",
    "recorded": lambda it: it["error"]["code"] == 400 and not _finish_of(it) and "usage" in it,
    "no-choices-429": lambda it: it["error"]["code"] == 429 and it["choices"] == [],
    "no-choices-502": lambda it: it["error"]["code"] == 502 and it["choices"] == [],
    "bare": lambda it: set(it) == {"error"},
    "no-object": lambda it: "error" not in it and _finish_of(it) == "error",
    "availability": lambda it: (
        "code" not in it["error"] and it["error"]["availability"]["retryable"]
    ),
}

EXPECTED: dict[str, Check] = {
    "http-400": _error(400, "invalid_request", provider_name="OpenAI"),
    "http-400-context": _error(400, "context_length_exceeded"),
    "http-400-unknown-model": _available(400, "model_not_found", retryable=False),
    "http-400-policy": _error(400, "content_policy_violation"),
    "http-401": _error(401, "authentication"),
    "http-402-credit": _error(402, "payment_required"),
    "http-402-afford": _error(402, "payment_required", limit_source="openrouter_credits"),
    "http-402-in-flight": _both(
        _error(402, "payment_required", reason="in_flight_budget_exhausted"),
        lambda seen: seen.header("retry-after") == "120",
    ),
    "http-403-guardrail": _error(403, "permission_denied", patterns=["secret"]),
    "http-403-moderation": _error(403, "content_policy_violation", reasons=["violence"]),
    "http-403-key-limit": _both(
        _error(403, "permission_denied"), lambda seen: "Key limit" in seen.error["message"]
    ),
    "http-403-region": _available(403, "region_restricted", retryable=False),
    "http-404-no-endpoints": _error(404, "not_found"),
    "http-404-privacy": _available(404, "privacy_restricted", retryable=False),
    "http-404-no-image": _both(
        _error(404, "not_found"), lambda seen: "image input" in seen.error["message"]
    ),
    "http-404-no-tools": _both(
        _error(404, "not_found"), lambda seen: "tool use" in seen.error["message"]
    ),
    "http-404-deprecated": _available(404, "model_deprecated", retryable=False),
    "http-408": _error(408, "timeout"),
    "http-412": _error(412, "precondition_failed"),
    "http-413": _error(413, "payload_too_large"),
    "http-413-html": _page(413),
    "http-422": _error(422, "unprocessable"),
    "http-429-pool": _both(
        _waits(None),
        _error(429, "rate_limit_exceeded", limit_source="upstream_provider_shared_pool"),
    ),
    "http-429-pool-wait": _waits("1"),
    "http-429-daily": _both(_waits(None), _resets("openrouter_free_tier_daily")),
    "http-429-minute": _both(_waits(None), _resets("openrouter_per_model_minute")),
    "http-429-admission": _error(
        429, "rate_limit_exceeded", limit_source="openrouter_admission_control"
    ),
    "http-429-capacity": _available(429, "capacity_exhausted", retryable=True),
    "http-429-html": _page(429),
    "http-429-hour": _waits("3600"),
    "http-429-negative": _waits("-5"),
    "http-429-date": lambda seen: str(seen.header("retry-after")).endswith(" GMT"),
    "http-429-garbage": _waits("soon"),
    "http-500": _error(500, "server"),
    "http-502": _error(502, "provider_unavailable"),
    "http-502-html": _page(502),
    "http-503": _both(
        _available(503, "temporarily_unavailable", retryable=True),
        lambda seen: seen.header("retry-after") == "1",
    ),
    "http-504": _error(504, "timeout"),
    "http-524": _error(524, "timeout"),
    "http-524-html": _page(524),
    "http-529": _error(529, "provider_overloaded"),
    "http-no-code": lambda seen: "code" not in seen.error and seen.error["http_status"] == 503,
    "redirect-302": lambda seen: seen.status == 302 and "elsewhere" in str(seen.header("location")),
    "redirect-307": lambda seen: seen.status == 307 and "elsewhere" in str(seen.header("location")),
    "ok-error": lambda seen: seen.status == 200 and seen.error["code"] == 502,
    "ok-no-choices": lambda seen: seen.status == 200 and seen.json["choices"] == [],
    "ok-choice-error": lambda seen: (
        seen.json["choices"][0]["error"]["code"] == 502 and "began" in seen.text
    ),
    "ok-html": _page(200),
    "ok-nothing": lambda seen: (seen.status, seen.body, seen.end) == (200, b"", "tidy"),
    "ok-blank": lambda seen: seen.status == 200 and seen.body != b"" and not seen.body.strip(),
    "ok-bad-json": lambda seen: seen.body == b'{"id":',
    "ok-list": lambda seen: seen.json == [1, 2],
    "blank-before-json": lambda seen: seen.body.startswith(b"\n  ") and "Hello" in seen.text,
    "gzip": lambda seen: (
        seen.header("content-encoding") == "gzip"
        and b"Hello" in gzip.decompress(seen.body)
    ),
    "gzip-bomb": lambda seen: (
        len(seen.body) < 400_000 and len(gzip.decompress(seen.body)) > BOMB_BYTES
    ),
    "length-short": lambda seen: (
        int(seen.header("content-length") or 0) == len(seen.body) + 100 and seen.end == "cut"
    ),
    "length-long": lambda seen: int(seen.header("content-length") or 0) == len(seen.body) - 20,
    "silence": lambda seen: (seen.head, seen.end) == (b"", "open"),
    "silence-after-head": lambda seen: (seen.status, seen.body, seen.end) == (200, b"", "open"),
    "slow-bytes": lambda seen: seen.end == "open" and len(seen.writes) > 10 and not seen.text,
    "comments-forever": lambda seen: (
        seen.end == "open" and set(seen.writes) == {b": OPENROUTER PROCESSING\n\n"}
    ),
    "reset-before-head": lambda seen: (seen.head, seen.end) == (b"", "reset"),
    "close-before-head": lambda seen: (seen.head, seen.end) == (b"", "cut"),
    "reset-after-head": lambda seen: seen.status == 200 and seen.end == "reset",
    "empty-stop": _empty("stop"),
    "empty-length": _empty("length"),
    "empty-content-filter": _empty("content_filter"),
    "empty-tool-calls": _empty("tool_calls"),
    "empty-error": _empty("error"),
    "empty-null": _empty(None),
    "empty-content-null": _empty("stop"),
    "blank-text": lambda seen: seen.text == " \n " and "stop" in seen.finishes,
    "filter-text": lambda seen: seen.text != "" and set(seen.finishes) == {"content_filter"},
    "finish-length": lambda seen: seen.text != "" and set(seen.finishes) == {"length"},
    "finish-null": lambda seen: seen.text != "" and not seen.finishes and seen.done,
    "dated-model": lambda seen: all(it["model"].endswith("20250929") for it in seen.events),
    "huge-text": lambda seen: len(seen.text) == HUGE_CHARS,
    "long-text": lambda seen: len(seen.text) > 12_000 and seen.done,
    "think-tags": lambda seen: seen.text.startswith("<think>"),
    "reasoning-then-text": _answers(lambda seen: bool(seen.deltas[0]["reasoning"])),
    "reasoning-encrypted": _answers(
        lambda seen: any("reasoning_details" in delta for delta in seen.deltas)
    ),
    "reasoning-only": lambda seen: (
        seen.text == "" and any(delta.get("reasoning") for delta in seen.deltas)
    ),
    "images": _answers(lambda seen: any("images" in delta for delta in seen.deltas)),
    "images-only": lambda seen: (
        seen.text == "" and any("images" in delta for delta in seen.deltas)
    ),
    "annotations-first": _answers(
        lambda seen: seen.deltas[0]["annotations"][0]["url_citation"]["title"] == ""
    ),
    "role-repeated": _answers(lambda seen: all("role" in delta for delta in seen.deltas)),
    "role-once": _answers(
        lambda seen: "role" in seen.deltas[0] and "role" not in seen.deltas[1]
    ),
    "tools-whole": _tools("tool_calls", lambda calls: len(calls) == 1),
    "tools-and-text": lambda seen: "Hello" in seen.text and len(seen.calls) == 1,
    "tools-parallel": _tools("tool_calls", lambda calls: len({it["id"] for it in calls}) == 2),
    "tools-same-id": _tools(
        "tool_calls", lambda calls: len(calls) == 2 and len({it["id"] for it in calls}) == 1
    ),
    "tools-empty-id": _tools("tool_calls", lambda calls: calls[0]["id"] == ""),
    "tools-no-arguments": _tools(
        "tool_calls", lambda calls: "arguments" not in calls[0]["function"]
    ),
    "tools-stop": _tools("stop", lambda calls: len(calls) == 1),
    "tools-null": _tools(None, lambda calls: len(calls) == 1),
    "tools-length": _tools("length", lambda calls: calls[0]["function"]["arguments"] == '{"ci'),
    "tools-fragments": _tools(
        "tool_calls", lambda calls: _joined(calls) and all("index" in it for it in calls)
    ),
    "tools-no-index": _tools(
        "tool_calls", lambda calls: _joined(calls) and not any("index" in it for it in calls)
    ),
    "usage-repeated-finish": _usage_in(lambda it: _finish_of(it) == "stop"),
    "usage-null-finish": _usage_in(lambda it: _finish_of(it) is None),
    "usage-empty-choices": _usage_in(lambda it: it["choices"] == []),
    "usage-early": _answers(lambda seen: "usage" in seen.events[-2]),
    "usage-with-text": _usage_in(
        lambda it: bool(it["choices"][0]["delta"]["content"]) and _finish_of(it) == "stop"
    ),
    "usage-minimal": _usage_in(lambda it: len(it["usage"]) == 3),
    "usage-none": _answers(lambda seen: not seen.usages),
    "silence-mid-text": _begins("open", *SHORT),
    "comments-mid-text": _both(
        _begins("open", *SHORT), lambda seen: seen.body.count(b": OPENROUTER") > 5
    ),
    "slow-drip": _both(_begins("open", *SHORT), lambda seen: set(seen.text) == {"."}),
    "reset-before-text": _begins("reset", 0, 0),
    "reset-short": _begins("reset", *SHORT),
    "reset-long": _begins("reset", *LONG),
    "cut-before-text": _begins("cut", 0, 0),
    "cut-short": _begins("cut", *SHORT),
    "cut-long": _begins("cut", *LONG),
    "eof-before-text": _both(_begins("tidy", 0, 0), lambda seen: not seen.done),
    "eof-short": _both(_begins("tidy", *SHORT), lambda seen: not seen.done),
    "eof-long": _both(_begins("tidy", *LONG), lambda seen: not seen.done),
    "eof-after-finish": _answers(lambda seen: seen.end == "tidy" and not seen.done),
    "done-only": _both(_begins("tidy", 0, 0), lambda seen: seen.done),
    "done-short": _both(_begins("tidy", *SHORT), lambda seen: seen.done),
    "keepalive-data": _answers(lambda seen: b"data: : keepalive\n\n" in seen.writes),
    "bad-json-once": lambda seen: seen.body.count(b'"gen-\n\n') > 0 and b'"stop"' in seen.body,
    "bad-json-only": lambda seen: seen.body.count(b'"gen-\n\n') > 1 and b"choices" not in seen.body,
    "bare-events": lambda seen: len(seen.events) > 1 and not seen.choices and seen.done,
    "huge-line": lambda seen: max(map(len, seen.writes)) > HUGE_LINE_BYTES,
    "delta-missing": lambda seen: (
        "delta" not in seen.choices[0] and seen.choices[1]["delta"] is None
    ),
    "wire-utf8-split": _unicode(_splits_characters),
    "wire-many-writes": _unicode(lambda seen: max(map(len, seen.writes)) <= 60),
    "wire-two-events": _answers(lambda seen: seen.writes[3].count(b"data: ") == 2),
    "wire-one-write": _answers(lambda seen: len(seen.writes) == 3),
    "wire-crlf": _unicode(lambda seen: b"\r\n\r\ndata:" in seen.body),
    "wire-crlf-split": _unicode(lambda seen: seen.writes[2].endswith(b"\r")),
    "wire-cr": _unicode(lambda seen: b"\r\rdata:" in seen.body and b"\r\n" not in seen.body),
    "wire-data-lines": _unicode(lambda seen: b',\ndata: "object"' in seen.body),
    "wire-no-space": _unicode(lambda seen: b"data: {" not in seen.body),
    "wire-bom": _answers(lambda seen: seen.body.startswith(b"\xef\xbb\xbf:")),
    "wire-fields": _unicode(lambda seen: b"\nid: 7\n" in seen.body),
    "wire-comments": _answers(lambda seen: b": ping\n\n" in seen.body.partition(b"data:")[2]),
    "error-full-no-done": _breaks(0, 0, ERRORS["full"], done=False),
    **{f"error-{name}-first": _breaks(0, 0, is_it) for name, is_it in ERRORS.items()},
    **{f"error-{name}-short": _breaks(*SHORT, is_it) for name, is_it in ERRORS.items()},
    **{f"error-{name}-long": _breaks(*LONG, is_it) for name, is_it in ERRORS.items()},
}  # fmt: skip


ENDLESS = {
    "silence", "silence-after-head", "silence-mid-text", "slow-bytes", "slow-drip",
    "comments-forever", "comments-mid-text",
}  # fmt: skip


def asking(**more: object) -> Json:
    messages = [{"role": "user", "content": "Hello there"}]
    return {"model": "openai/gpt-4o-mini", "messages": messages, "stream": True, **more}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_shows_what_its_line_says(name: str, base_url: str) -> None:
    patience = 0.4 if name in ENDLESS else 10

    seen = await ask(base_url, asking(model=f"sim/fault-{name}"), path=CHAT, patience=patience)

    assert EXPECTED[name](seen), (FAULTS[name].about, seen.head, seen.writes[:8], seen.end)


def test_the_table_and_its_expectations_name_the_same_faults() -> None:
    assert set(EXPECTED) == set(FAULTS)


def test_no_line_of_the_table_is_empty_or_long() -> None:
    odd = [name for name, it in FAULTS.items() if not 0 < len(it.about) < 110 or "\n" in it.about]

    assert odd == []


async def test_an_ordinary_answer_passes_for_no_fault(base_url: str) -> None:
    """Else the expectations above could not fail."""
    seen = await ask(base_url, asking(), path=CHAT)

    passing = set()
    for name, check in EXPECTED.items():
        with contextlib.suppress(ValueError, LookupError, TypeError, OSError):
            passing |= {name} if check(seen) else set()
    assert passing == {"role-repeated", "usage-repeated-finish"}


@pytest.mark.parametrize("name", [name for name, it in FAULTS.items() if it.streams_only])
async def test_a_fault_of_streams_needs_one(name: str, base_url: str) -> None:
    seen = await ask(base_url, asking(model=f"sim/fault-{name}", stream=False), path=CHAT)

    assert seen.status == 400
    assert "needs stream: true" in seen.error["message"]


async def test_less_than_what_can_be_afforded_is_answered(base_url: str) -> None:
    asked = asking(model="sim/fault-http-402-afford", max_tokens=AFFORDABLE)

    seen = await ask(base_url, asked, path=CHAT)

    assert "Hello" in seen.text


async def test_a_queued_fault_strikes_as_often_as_it_was_queued(
    base_url: str, world: OpenRouterWorld
) -> None:
    world.next("http-500", times=2)
    world.next("http-429-pool")

    seen = [(await ask(base_url, asking(), path=CHAT)).status for _ in range(4)]

    assert seen == [500, 500, 429, 200]


async def test_the_words_of_the_user_choose_a_fault(base_url: str) -> None:
    words = [{"role": "user", "content": "Hello [[fault:http-503]]"}]

    seen = await ask(base_url, asking(messages=words), path=CHAT)

    assert seen.status == 503


async def test_only_the_last_words_choose_a_fault(base_url: str) -> None:
    words = [{"role": "user", "content": said} for said in ("[[fault:http-503]]", "Hello")]

    seen = await ask(base_url, asking(messages=words), path=CHAT)

    assert seen.status == 200


async def test_a_fault_that_does_not_exist_is_told(base_url: str, world: OpenRouterWorld) -> None:
    seen = await ask(base_url, asking(model="sim/fault-nonsense"), path=CHAT)

    assert (seen.status, "nonsense" in seen.error["message"]) == (400, True)
    with pytest.raises(KeyError):
        world.next("nonsense")
