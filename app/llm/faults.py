"""What a refusal of the provider means, and whether asking again can help."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

from app.errors import (
    ContextTooLong,
    ModelBadReply,
    ModelBlind,
    ModelBusy,
    ModelError,
    ModelGone,
    ModelMisconfigured,
    ModelOutOfCredit,
    ModelUnreachable,
)
from app.http import read_number
from app.llm.waits import asked_wait

_SHOWN: Final = 200  # characters of the provider's own words that the log takes


@dataclass(frozen=True, slots=True)
class Fault:
    """One attempt that failed.

    `error` is None where the provider declined to answer, which is an outcome and no error.
    `tries` is how many attempts in all this failure is worth, `tries_after_text` the same once
    a part of an answer had come. `wait` is what the provider asked for, in seconds, None where
    it said nothing usable. `affordable` is the `max_tokens` that the credit allows. What came is
    not to be kept where it is `worthless`. `status`, `kind` and `message` are the provider's own
    and for the log alone.
    """

    error: type[ModelError] | None
    cause: str
    tries: int = 1
    tries_after_text: int = 1
    wait: float | None = None
    affordable: int | None = None
    worthless: bool = False
    sentence: str | None = None
    status: int | None = None
    kind: str = ""
    message: str = ""


_DECLINED: Final = Fault(None, "declined")
_TOO_LONG: Final = Fault(ContextTooLong, "context_length")
_GONE: Final = Fault(ModelGone, "model_gone")
_BLIND: Final = Fault(ModelBlind, "no_image_input")
_BAD_PICTURE: Final = Fault(
    ModelBlind,
    "bad_picture",
    sentence="The model could not read this picture. Send it smaller, or as JPEG or PNG.",
)
_AUTH: Final = Fault(ModelMisconfigured, "auth")
_FORBIDDEN: Final = Fault(ModelMisconfigured, "permission")
_CREDIT: Final = Fault(ModelOutOfCredit, "credit")
_KEY_LIMIT: Final = Fault(ModelOutOfCredit, "key_limit")
_BUSY: Final = Fault(ModelBusy, "rate_limit", tries=2)
_DAILY: Final = Fault(ModelBusy, "daily_cap")
_DOWN: Final = Fault(ModelUnreachable, "provider_down", tries=3)
_REFUSED: Final = Fault(
    ModelError,
    "invalid_request",
    sentence="The AI service refused this request. Say it differently, "
    "or choose another model with /model.",
)
_REDIRECT: Final = Fault(ModelMisconfigured, "redirect")

# `error.availability.code` says most, then `error.metadata.error_type`, then a word in
# `error.code` or `error.type` (gateways that speak OpenAI's dialect).
_BY_WORD: Final[Mapping[str, Fault]] = {
    "model_not_found": _GONE,
    "wrong_endpoint": replace(_GONE, cause="wrong_endpoint"),
    "no_endpoints": replace(_GONE, cause="no_endpoints"),
    "model_deprecated": _GONE,
    "model_unavailable_upstream": _GONE,
    "privacy_restricted": replace(_GONE, cause="privacy_restricted"),
    "constraint_filtered": replace(_GONE, cause="constraint_filtered"),
    "free_variant_ended": _GONE,
    "region_restricted": replace(_FORBIDDEN, cause="region"),
    "capacity_exhausted": _BUSY,
    "temporarily_unavailable": _DOWN,
    "context_length_exceeded": _TOO_LONG,
    "token_limit_exceeded": _TOO_LONG,
    "string_too_long": _TOO_LONG,
    "payload_too_large": _TOO_LONG,
    "max_tokens_exceeded": Fault(ModelMisconfigured, "max_tokens"),
    "content_policy_violation": _DECLINED,
    "content_filter": _DECLINED,
    "refusal": _DECLINED,
    "invalid_image": _BAD_PICTURE,
    "image_too_large": _BAD_PICTURE,
    "image_too_small": _BAD_PICTURE,
    "unsupported_image_format": _BAD_PICTURE,
    "image_download_failed": _BAD_PICTURE,
    "image_not_found": _BAD_PICTURE,
    "authentication": _AUTH,
    "invalid_api_key": _AUTH,
    "insufficient_quota": _CREDIT,
    "rate_limit_exceeded": _BUSY,
    "server": _DOWN,
    "server_error": _DOWN,
    "unmapped": _DOWN,
    "provider_unavailable": _DOWN,
    "provider_overloaded": _DOWN,
    "timeout": _DOWN,
}
# Words too general to decide before the message was read.
_STATUS_OF: Final[Mapping[str, int]] = {
    "payment_required": 402,
    "permission_denied": 403,
    "not_found": 404,
    "precondition_failed": 412,
    "unprocessable": 422,
    "invalid_request": 400,
    "invalid_prompt": 400,
}
# The texts that stand where no word does, as they were seen in the field.
_BY_TEXT: Final[tuple[tuple[re.Pattern[str], Fault], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), fault)
    for pattern, fault in (
        (r"support(s|ing)? image|image input|image_url is only supported|not.{0,20}vision", _BLIND),
        (r"downloaded image|image (is )?too large|could not process image", _BAD_PICTURE),
        (r"context[ _](length|window)|too many tokens|(prompt|input) is too long", _TOO_LONG),
        (r"token limit (reached|exceeded)|reduce the length", _TOO_LONG),
        (r"support tool|'tool_choice'", Fault(ModelMisconfigured, "no_tools")),
        (r"not a valid model|no endpoints|model.{0,80}(not found|does not exist)", _GONE),
        (r"moderation|flagged|content[ _](policy|filter)", _DECLINED),
    )
)
_BY_STATUS: Final[Mapping[int, Fault]] = {
    401: _AUTH,
    403: _FORBIDDEN,
    404: _GONE,
    408: _DOWN,
    413: _TOO_LONG,
    429: _BUSY,
}
_AFFORDABLE: Final = re.compile(r"can only afford ([\d,]{1,12})")
_KEY_BUDGET: Final = re.compile(r"(key|workspace|budget|spend\w*) limit|budget", re.IGNORECASE)
_SECRET: Final = re.compile(r"\b(sk|pk|key|gsk)-[\w\-*]+")
# Providers refuse `max_tokens` below 16; a tenth is kept back as the price may move.
FEWEST_TOKENS: Final = 16
_MARGIN: Final = 0.9
_ERRORS: Final = range(400, 1000)


def read_fault(
    status: int, headers: Mapping[str, str], body: object, *, now: float, asked_tokens: int = 0
) -> Fault:
    """Say what a refusal means.

    `body` is the decoded JSON, or the text of a body that is none; `headers` are looked up in
    lower case. `now` is the Unix time in seconds, `asked_tokens` the `max_tokens` of the
    request. Whatever is missing, unknown or of a wrong type is taken as absent.

    Source: POST /chat/completions, errors by status, in a 200 and as events of a stream.
    """
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return replace(_REDIRECT, status=status)
    error = _error(body)
    metadata = _table(error.get("metadata"))
    availability = _table(error.get("availability"))
    words = _words(error, metadata, availability)
    code = _code(status, error, words)
    message = _message(error)
    if isinstance(raw := metadata.get("raw"), str):
        message = f"{message} {raw}"
    fault = _limited(code, words, message, metadata) or _meaning(code, words, message, metadata)
    if availability.get("retryable") is False:
        fault = replace(fault, tries=1)
    if code == HTTPStatus.PAYMENT_REQUIRED and fault is _CREDIT:
        fault = replace(fault, affordable=_affordable(message, asked_tokens))
    return replace(
        fault,
        wait=asked_wait(availability, headers, metadata, now=now),
        status=code,
        kind=words[0] if words else "",
        message=_SECRET.sub("[key]", message)[:_SHOWN],
    )


def bad_reply(
    cause: str, *, tries: int = 1, tries_after_text: int = 1, worthless: bool = False
) -> Fault:
    return Fault(
        ModelBadReply, cause, tries=tries, tries_after_text=tries_after_text, worthless=worthless
    )


def _error(body: object) -> Mapping[str, Any]:
    """Return the error object, whichever of the known envelopes it came in."""
    if not isinstance(body, dict):
        return {"message": body} if isinstance(body, str) else {}
    for key in ("error", "detail"):
        inner = body.get(key)
        if isinstance(inner, dict):
            return inner
        if isinstance(inner, str):
            return {"message": inner}
    # vLLM puts the fields at the top: {"object": "error", "message": …, "code": 400}.
    return body if body.get("object") == "error" else {}


def _words(
    error: Mapping[str, Any], metadata: Mapping[str, Any], availability: Mapping[str, Any]
) -> list[str]:
    candidates = (
        availability.get("code"),
        metadata.get("error_type"),
        error.get("error_type"),
        error.get("code"),
        error.get("type"),
    )
    return [word.lower()[:60] for word in candidates if isinstance(word, str) and word]


def _code(status: int, error: Mapping[str, Any], words: list[str]) -> int:
    for word in words:
        if word in _STATUS_OF:
            return _STATUS_OF[word]
    for value in (error.get("code"), error.get("http_status"), status):
        number = read_number(value)
        if number is not None and number in _ERRORS:
            return int(number)
    return HTTPStatus.BAD_GATEWAY


def _limited(
    code: int, words: list[str], message: str, metadata: Mapping[str, Any]
) -> Fault | None:
    """Tell the limits apart, which share their status and their word."""
    source = str(metadata.get("limit_source") or "")
    if "free_tier_daily" in source or "free-models-per-day" in message:
        return _DAILY
    if code == HTTPStatus.PAYMENT_REQUIRED or "payment_required" in words:
        in_flight = "in_flight" in source or "in_flight" in str(metadata.get("reason") or "")
        return replace(_BUSY, cause="in_flight_budget") if in_flight else _CREDIT
    # One and the same limit of a key was seen as 402 and as 403.
    if code == HTTPStatus.FORBIDDEN and _KEY_BUDGET.search(message):
        return _KEY_LIMIT
    return None


def _meaning(code: int, words: list[str], message: str, metadata: Mapping[str, Any]) -> Fault:
    for word in words:
        if (fault := _BY_WORD.get(word)) is not None:
            return fault
    if code == HTTPStatus.UNAUTHORIZED:
        return _AUTH
    # Only moderation and guardrails give these; they also come with a 403.
    if any(key in metadata for key in ("reasons", "flagged_input", "patterns")):
        return _DECLINED
    if code < HTTPStatus.INTERNAL_SERVER_ERROR and code != HTTPStatus.TOO_MANY_REQUESTS:
        for pattern, fault in _BY_TEXT:
            if pattern.search(message):
                return fault
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _DOWN
    return _BY_STATUS.get(code, _REFUSED)


def _affordable(message: str, asked: int) -> int | None:
    found = _AFFORDABLE.search(message)
    if found is None:
        return None
    tokens = int(int(found[1].replace(",", "") or 0) * _MARGIN)
    # A sum that is no smaller than what was asked would be refused again.
    return tokens if FEWEST_TOKENS <= tokens < (asked or tokens + 1) else None


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _message(error: Mapping[str, Any]) -> str:
    message = error.get("message")
    return message[:4000] if isinstance(message, str) else ""
