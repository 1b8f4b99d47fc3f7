"""Errors as OpenRouter words them, and as OpenAI does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.openrouter.completion import JSON_HEADERS, Dialect, Json
from simulator.script import Script

_DOCS = "https://openrouter.ai/docs/api/reference/errors-and-debugging"


@dataclass(frozen=True, slots=True)
class Failure:
    """One error. `type` is a word of `error_type`; `more` joins `error.metadata`."""

    status: int
    message: str
    type: str
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    availability: Mapping[str, Any] | None = None

    def error(self) -> Json:
        """Return the `error` member of an answer.

        Source: the error responses of POST /chat/completions
        """
        error: Json = {
            "code": self.status,
            "message": self.message,
            "metadata": {"error_type": self.type, **self.more},
        }
        if self.availability is not None:
            error["availability"] = dict(self.availability)
        return error

    def body(self, dialect: Dialect = "openrouter") -> Json:
        if dialect == "openai":
            kind = "invalid_request_error" if self.status < 500 else "server_error"  # noqa: PLR2004
            error = {"message": self.message, "type": kind, "param": None, "code": self.type}
            return {"error": error}
        return {"error": self.error(), "user_id": "user_simulated", "openrouter_metadata": None}

    def script(self, dialect: Dialect = "openrouter") -> Script:
        body = json.dumps(self.body(dialect)).encode()
        return Script([body], self.status, {**JSON_HEADERS, **self.headers})


class Refused(Exception):
    """A request is answered by `failure`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def bad(message: str, error_type: str = "invalid_request") -> Refused:
    """Return the usual 400."""
    return Refused(Failure(400, message, error_type))


def availability(
    code: str, model: str, *, retry_after: int | None = None, instead: tuple[str, ...] = ()
) -> Json:
    """Return the member that says whether waiting helps, and for how many seconds."""
    told: Json = {
        "code": code,
        "retryable": retry_after is not None,
        "requested_models": [model],
        "docs_url": _DOCS,
    }
    if retry_after is not None:
        told["retry_after"] = retry_after
    if instead:
        told["fallback_models"] = list(instead)
    return told


def deprecated(model: str, instead: tuple[str, ...] = ()) -> Failure:
    return Failure(
        404,
        f"{model} has been deprecated and is no longer available.",
        "not_found",
        availability=availability("model_deprecated", model, instead=instead),
    )


def not_found(model: str) -> Failure:
    return Failure(
        400,
        f"{model} is not a valid model ID",
        "invalid_request",
        availability=availability("model_not_found", model),
    )


def no_image_input() -> Failure:
    return Failure(404, "No endpoints found that support image input", "not_found")


def no_tools() -> Failure:
    return Failure(404, "No endpoints found that support tool use.", "not_found")


def too_long(limit: int, asked: int) -> Failure:
    return Failure(
        400,
        f"This endpoint's maximum context length is {limit} tokens. However, you requested "
        f"about {asked} tokens. Please reduce the length of either one.",
        "context_length_exceeded",
    )


def no_credit() -> Failure:
    return Failure(
        402, "Insufficient credits. Add more using the credits page.", "payment_required"
    )


def cannot_afford(asked: int, affordable: int) -> Failure:
    return Failure(
        402,
        "This request requires more credits, or fewer max_tokens. You requested up to "
        f"{asked} tokens, but can only afford {affordable}.",
        "payment_required",
        {"limit_source": "openrouter_credits"},
    )
