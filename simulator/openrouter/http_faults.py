"""Faults that are an HTTP answer of their own: error statuses, and 200s that are none."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

from simulator.openrouter import failure
from simulator.openrouter.completion import (
    COMMENT,
    EVENT_HEADERS,
    JSON_HEADERS,
    Call,
    answered,
    events,
    headers,
    plain_body,
)
from simulator.openrouter.failure import Failure, availability
from simulator.script import Act, Pause, Script, Step

AFFORDABLE = 120  # tokens
BOMB_BYTES = 64 * 1024 * 1024
_HTML = b"<!DOCTYPE html><html><head><title>%s</title></head><body>cloudflare</body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """`about` says what is seen on the wire; `act` makes the answer."""

    about: str
    act: Callable[[Call], Script]
    streams_only: bool = False


def _fails(about: str, made: Failure | Callable[[Call], Failure]) -> Fault:
    def act(call: Call) -> Script:
        return (made if isinstance(made, Failure) else made(call)).script(call.dialect)

    return Fault(about, act)


def _html(status: int, title: bytes) -> Callable[[Call], Script]:
    return lambda _: Script([_HTML % title], status, {"content-type": "text/html; charset=UTF-8"})


def _busy(
    source: str, message: str = "Provider returned error", **more: Any
) -> Callable[[Mapping[str, str]], Failure]:
    def made(sent: Mapping[str, str]) -> Failure:
        metadata = {"limit_source": source, **more}
        if sent:
            metadata["headers"] = dict(sent)
        return Failure(429, message, "rate_limit_exceeded", metadata, sent)

    return made


_POOL = _busy("upstream_provider_shared_pool", provider_name="DeepInfra", raw="model is busy")


def _daily(call: Call) -> Failure:
    now = datetime.fromtimestamp(call.world.clock(), UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return _limited("openrouter_free_tier_daily", "free-models-per-day", 50, midnight.timestamp())


def _minute(call: Call) -> Failure:
    reset = (call.world.clock() // 60 + 1) * 60
    return _limited("openrouter_per_model_minute", "free-models-per-min", 20, reset)


def _limited(source: str, name: str, limit: int, reset: float) -> Failure:
    sent = {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(reset * 1000)),
    }
    return _busy(source, f"Rate limit exceeded: {name}. ")(sent)


def _date(call: Call) -> Failure:
    later = datetime.fromtimestamp(call.world.clock() + 2, UTC)
    return _POOL({"Retry-After": format_datetime(later, usegmt=True)})


def _affords(call: Call) -> Script:
    asked = call.body.get("max_tokens") or call.entry.max_output
    if asked <= AFFORDABLE:
        return answered(call)
    return failure.cannot_afford(asked, AFFORDABLE).script(call.dialect)


def _in_flight() -> Failure:
    sent = {"Retry-After": "120"}
    metadata = {
        "reason": "in_flight_budget_exhausted",
        "limit_source": "openrouter_in_flight_budget",
        "headers": sent,
    }
    message = "Too much credit is reserved by running requests."
    return Failure(402, message, "payment_required", metadata, sent)


def _moderated(call: Call) -> Failure:
    metadata = {
        "reasons": ["violence"],
        "flagged_input": "…",
        "provider_name": call.entry.provider,
        "model_slug": call.entry.id,
    }
    return Failure(403, "Your input was flagged", "content_policy_violation", metadata)


def _unavailable(call: Call) -> Failure:
    told = availability("temporarily_unavailable", call.entry.id, retry_after=1)
    return Failure(
        503,
        "No provider is available right now.",
        "provider_overloaded",
        headers={"Retry-After": "1"},
        availability=told,
    )


def _capacity(call: Call) -> Failure:
    told = availability("capacity_exhausted", call.entry.id, retry_after=1)
    return Failure(429, "At capacity.", "rate_limit_exceeded", availability=told)


def _without_code(call: Call) -> Script:
    error = {
        "message": "No provider is available right now.",
        "error_type": "provider_overloaded",
        "http_status": 503,
        "availability": availability("temporarily_unavailable", call.entry.id, retry_after=1),
    }
    return Script([json.dumps({"error": error}).encode()], 503, JSON_HEADERS)


def _json(call: Call, body: Any) -> Script:
    return Script([json.dumps(body).encode()], headers=headers(call, JSON_HEADERS))


def _choice_error(call: Call) -> Script:
    body = plain_body(call.saying("It began well and then", finish="error"))
    error = Failure(502, "Provider disconnected", "provider_unavailable").error()
    body["choices"][0]["error"] = error
    return _json(call, body)


def _blank_first(call: Call) -> Script:
    def steps() -> Iterator[Step]:
        for _ in range(5):
            yield b"\n         \n"
            yield Pause(call.world.pause)
        yield json.dumps(plain_body(call)).encode()

    return Script(steps(), headers=headers(call, JSON_HEADERS))


def _redirect(status: int) -> Callable[[Call], Script]:
    def act(call: Call) -> Script:
        return Script([b""], status, {"location": call.world.redirect_to + "/chat/completions"})

    return act


_PACKED = {**JSON_HEADERS, "content-encoding": "gzip"}


def _packed(call: Call) -> Script:
    return Script([gzip.compress(json.dumps(plain_body(call)).encode())], headers=_PACKED)


def _bomb(_: Call) -> Script:
    return Script([_packed_bomb()], headers=_PACKED)


@cache
def _packed_bomb() -> bytes:
    # The fastest level: others hold up the whole server for a third of a second.
    return gzip.compress(b'{"id": "' + b"0" * BOMB_BYTES + b'"}', compresslevel=1)


def _wrong_length(off_by: int) -> Callable[[Call], Script]:
    def act(call: Call) -> Script:
        body = json.dumps(plain_body(call)).encode()
        head = (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body) + off_by}\r\n\r\n"
        )
        return Script([head.encode() + body, Act.HANG_UP], raw=True)

    return act


def _forever(step: bytes) -> Callable[[Call], Script]:
    def steps(call: Call) -> Iterator[Step]:
        while True:
            yield step
            yield Pause(call.world.drip)

    def act(call: Call) -> Script:
        kind = EVENT_HEADERS if call.streams else JSON_HEADERS
        return Script(steps(call), headers=headers(call, kind))

    return act


def _acts(*steps: Step) -> Callable[[Call], Script]:
    return lambda call: Script(list(steps), headers=headers(call, EVENT_HEADERS))


_GENERIC = Failure(
    400,
    "Provider returned error",
    "invalid_request",
    {"provider_name": "OpenAI", "raw": '{"error":{"message":"Invalid value"}}'},
)

HTTP_FAULTS: dict[str, Fault] = {
    "http-400": _fails("400, invalid_request, the provider's words in metadata.raw", _GENERIC),
    "http-400-context": _fails(
        "400, context_length_exceeded", lambda call: failure.too_long(call.entry.context, 2_000_000)
    ),
    "http-400-unknown-model": _fails(
        "400, availability model_not_found", lambda call: failure.not_found(call.entry.id)
    ),
    "http-400-policy": _fails(
        "400, content_policy_violation",
        Failure(400, "The prompt breaks the provider's policy.", "content_policy_violation"),
    ),
    "http-401": _fails("401, 'User not found.'", Failure(401, "User not found.", "authentication")),
    "http-402-credit": _fails("402, the credit is used up", failure.no_credit()),
    "http-402-afford": Fault(
        f"402, can only afford {AFFORDABLE} tokens; answers when max_tokens is no more", _affords
    ),
    "http-402-in-flight": _fails("402, in_flight_budget_exhausted, Retry-After: 120", _in_flight()),
    "http-403-guardrail": _fails(
        "403, a guardrail of the account",
        Failure(403, "Blocked by a guardrail", "permission_denied", {"patterns": ["secret"]}),
    ),
    "http-403-moderation": _fails("403, the input was flagged, with reasons", _moderated),
    "http-403-key-limit": _fails(
        "403, the budget of the key is used up",
        Failure(403, "Key limit exceeded (total limit).", "permission_denied"),
    ),
    "http-403-region": _fails(
        "403, availability region_restricted",
        lambda call: Failure(
            403,
            "This model is not available in your region.",
            "permission_denied",
            availability=availability("region_restricted", call.entry.id),
        ),
    ),
    "http-404-no-endpoints": _fails(
        "404, no endpoints found for the model, no availability",
        lambda call: Failure(404, f"No endpoints found for {call.entry.id}.", "not_found"),
    ),
    "http-404-privacy": _fails(
        "404, availability privacy_restricted",
        lambda call: Failure(
            404,
            "No endpoints available matching your guardrail restrictions and data policy",
            "not_found",
            availability=availability("privacy_restricted", call.entry.id),
        ),
    ),
    "http-404-no-image": _fails("404, no endpoint takes images", failure.no_image_input()),
    "http-404-no-tools": _fails("404, no endpoint takes tools", failure.no_tools()),
    "http-404-deprecated": _fails(
        "404, availability model_deprecated",
        lambda call: failure.deprecated(call.entry.id, ("openai/gpt-4o-mini",)),
    ),
    "http-408": _fails("408, timeout", Failure(408, "Request timed out", "timeout")),
    "http-412": _fails("412", Failure(412, "Precondition failed", "precondition_failed")),
    "http-413": _fails("413 as JSON", Failure(413, "Payload too large", "payload_too_large")),
    "http-413-html": Fault("413 as an HTML page", _html(413, b"413 Payload Too Large")),
    "http-422": _fails("422", Failure(422, "Cannot be processed", "unprocessable")),
    "http-429-pool": _fails("429, shared pool, no Retry-After", _POOL({})),
    "http-429-pool-wait": _fails("429, shared pool, Retry-After: 1", _POOL({"Retry-After": "1"})),
    "http-429-daily": _fails("429, daily cap, X-RateLimit-Reset (ms) at midnight UTC", _daily),
    "http-429-minute": _fails("429, cap per minute, X-RateLimit-Reset (ms)", _minute),
    "http-429-admission": _fails(
        "429, admission control", _busy("openrouter_admission_control", "Shedding load")({})
    ),
    "http-429-capacity": _fails("429, availability capacity_exhausted, retry_after 1", _capacity),
    "http-429-html": Fault("429 as an HTML page", _html(429, b"429 Too Many Requests")),
    "http-429-hour": _fails("429, Retry-After: 3600", _POOL({"Retry-After": "3600"})),
    "http-429-negative": _fails("429, Retry-After: -5", _POOL({"Retry-After": "-5"})),
    "http-429-date": _fails("429, Retry-After as an HTTP date, 2 s ahead", _date),
    "http-429-garbage": _fails("429, Retry-After: soon", _POOL({"Retry-After": "soon"})),
    "http-500": _fails("500", Failure(500, "Internal Server Error", "server")),
    "http-502": _fails("502", Failure(502, "Provider returned error", "provider_unavailable")),
    "http-502-html": Fault("502 as an HTML page", _html(502, b"502 Bad Gateway")),
    "http-503": _fails("503, availability temporarily_unavailable, Retry-After: 1", _unavailable),
    "http-504": _fails("504", Failure(504, "The provider timed out", "timeout")),
    "http-524": _fails("524 as JSON", Failure(524, "Edge network timeout", "timeout")),
    "http-524-html": Fault("524 as an HTML page", _html(524, b"524: A timeout occurred")),
    "http-529": _fails("529", Failure(529, "Provider overloaded", "provider_overloaded")),
    "http-no-code": Fault("503, error_type and http_status instead of a code", _without_code),
    "redirect-302": Fault("302 to another host", _redirect(302)),
    "redirect-307": Fault("307 to another host", _redirect(307)),
    "ok-error": Fault(
        "200, an error body (502)",
        lambda call: _json(call, Failure(502, "Provider returned error", "server").body()),
    ),
    "ok-no-choices": Fault(
        "200, choices: []", lambda call: _json(call, plain_body(call) | {"choices": []})
    ),
    "ok-choice-error": Fault("200, choices[0].error beside half a text", _choice_error),
    "ok-html": Fault("200, an HTML page", _html(200, b"Just a moment")),
    "ok-nothing": Fault("200, no body at all", lambda _: Script([], headers=JSON_HEADERS)),
    "ok-blank": Fault("200, blank lines only", lambda _: Script([b"\n \n"], headers=JSON_HEADERS)),
    "ok-bad-json": Fault("200, half a JSON", lambda _: Script([b'{"id":'], headers=JSON_HEADERS)),
    "ok-list": Fault("200, JSON that is no object", lambda call: _json(call, [1, 2])),
    "blank-before-json": Fault("keep-alive blanks, then one JSON answer", _blank_first),
    "gzip": Fault("a gzip reply nobody asked for", _packed),
    "gzip-bomb": Fault(f"gzip that grows to {BOMB_BYTES} bytes", _bomb),
    "length-short": Fault("the connection closes before content-length", _wrong_length(100)),
    "length-long": Fault("more bytes than content-length", _wrong_length(-20)),
    "silence": Fault("the request is taken; nothing comes", _acts(Act.SILENCE)),
    "silence-after-head": Fault("a 200 head, then nothing", _acts(b"", Act.SILENCE)),
    "slow-bytes": Fault("a 200 and single blanks, for ever", _forever(b" ")),
    "comments-forever": Fault("comments only, for ever", _forever(COMMENT)),
    "reset-before-head": Fault("a TCP reset instead of an answer", _acts(Act.RESET)),
    "close-before-head": Fault("the connection closes instead of an answer", _acts(Act.HANG_UP)),
    "reset-after-head": Fault(
        "a 200 head, then a TCP reset",
        lambda call: events(call, [Pause(call.world.pause), Act.RESET]),
    ),
}
