"""What the bodies of errors mean; `test_faults.py` shows what comes of them."""

from typing import Any

import pytest

from app.errors import (
    ContextTooLong,
    ModelBlind,
    ModelBusy,
    ModelError,
    ModelGone,
    ModelMisconfigured,
    ModelOutOfCredit,
    ModelUnreachable,
)
from app.llm.faults import read_fault

NOW = 1_790_078_400.0


def error(**members: Any) -> dict[str, Any]:
    return {"error": members}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        # The word says more than the number.
        (400, error(code=400, metadata={"error_type": "rate_limit_exceeded"}), ModelBusy),
        (200, error(code="server_error", message="x"), ModelUnreachable),
        (200, error(code="429", message="x"), ModelBusy),
        (200, error(message="x"), ModelUnreachable),
        (503, error(error_type="not_found", http_status=404), ModelGone),
        (400, error(code=400, metadata={"error_type": "a_word_of_tomorrow"}), ModelError),
        # Gateways that speak OpenAI's dialect, vLLM, Ollama, and plain text.
        (404, error(message="no", type="invalid_request_error", code="model_not_found"), ModelGone),
        (429, error(message="no", type="insufficient_quota"), ModelOutOfCredit),
        (401, error(message="no", code="invalid_api_key"), ModelMisconfigured),
        (400, error(message="no", code="context_length_exceeded"), ContextTooLong),
        (400, {"object": "error", "message": "maximum context length is 8"}, ContextTooLong),
        (404, {"error": "model 'x' not found, try pulling it first"}, ModelGone),
        (400, {"detail": "This model does not support images"}, ModelBlind),
        (502, "<html>Bad gateway, too many tokens</html>", ModelUnreachable),
        (418, "", ModelError),
        # Texts where no word stands.
        (400, error(code=400, message="foo/bar is not a valid model ID"), ModelGone),
        (404, error(code=404, message="No endpoints found that support image input"), ModelBlind),
        (404, error(code=404, message="No endpoints found for x."), ModelGone),
        (413, error(code=413, message="Downloaded image content cannot exceed 30 MB"), ModelBlind),
        (400, error(code=400, message="no", metadata={"error_type": "invalid_image"}), ModelBlind),
        (400, error(message="Provider returned error", metadata={"raw": "prompt is too long"}),
         ContextTooLong),
        (403, error(code=403, message="Key limit exceeded (daily limit)"), ModelOutOfCredit),
        (402, error(code=402, message="Insufficient credits"), ModelOutOfCredit),
        (403, error(code=403, message="no"), ModelMisconfigured),
        # Nothing declines but the provider's own guards.
        (403, error(code=403, message="x", metadata={"flagged_input": "x"}), None),
        (400, error(code=400, metadata={"error_type": "refusal"}), None),
        (403, error(code=403, metadata={"patterns": []}), None),
    ],
)  # fmt: skip
def test_what_a_refusal_means(status: int, body: object, meaning: type[ModelError] | None) -> None:
    assert read_fault(status, {}, body, now=NOW).error is meaning


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        7,
        "text",
        {"error": None},
        {"error": []},
        {"error": {"code": None, "message": None, "metadata": None, "availability": None}},
        {"error": {"code": [], "message": {}, "metadata": [], "availability": 7}},
        {"error": {"code": True, "metadata": {"headers": [], "raw": {}, "limit_source": 7}}},
        {"error": {"code": 10**400, "metadata": {"headers": {"Retry-After": []}}}},
        {"error": {"code": float("nan"), "availability": {"retry_after": 10**400}}},
    ],
)
def test_odd_bodies_mean_what_their_status_means(body: object) -> None:
    fault = read_fault(502, {"retry-after": "\0"}, body, now=NOW)

    assert fault.error is ModelUnreachable
    assert fault.wait is None


def test_what_may_not_be_retried_is_not() -> None:
    availability = {"code": "temporarily_unavailable", "retryable": False}

    assert read_fault(503, {}, error(code=503), now=NOW).tries == 3
    assert read_fault(503, {}, error(code=503, availability=availability), now=NOW).tries == 1


@pytest.mark.parametrize(
    ("message", "asked", "affordable"),
    [
        ("can only afford 1,000", 2000, 900),
        ("can only afford 18", 2000, 16),
        ("can only afford 17", 2000, None),
        ("can only afford 0", 2000, None),
        ("can only afford 5000", 2000, None),
        ("can only afford many", 2000, None),
        ("Insufficient credits", 2000, None),
    ],
)
def test_what_the_credit_still_affords(message: str, asked: int, affordable: int | None) -> None:
    fault = read_fault(402, {}, error(code=402, message=message), now=NOW, asked_tokens=asked)

    assert fault.error is ModelOutOfCredit
    assert fault.affordable == affordable


def test_the_log_gets_a_short_message_without_keys() -> None:
    body = error(message="Incorrect API key: sk-or-v1-abc*** " + "x" * 500, code=500)

    fault = read_fault(500, {}, body, now=NOW)

    assert fault.message.startswith("Incorrect API key: [key] x")
    assert len(fault.message) == 200
