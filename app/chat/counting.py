"""What the metrics learn of turns and deliveries."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from app import metrics
from app.commands.base import Outcome
from app.errors import AppError


def _all(error: type[AppError]) -> Iterator[type[AppError]]:
    yield error
    for each in error.__subclasses__():
        yield from _all(each)


# Codes of answers that stand for one that never came.
_FAILURES: Final = frozenset(
    {
        "gave_up",
        *(each.code for each in _all(AppError) if each.status >= HTTPStatus.INTERNAL_SERVER_ERROR),
    }
)


def turn_ended(platform: str, asked: str, outcome: Outcome, seconds: float) -> None:
    """Count a turn that has its answer, `seconds` after it was taken.

    `asked` is the model that serves here. Providers answer with longer names of it, too.
    """
    reply, spoken = outcome.reply, outcome.spoken
    kind = "answered" if reply.success else "failed" if reply.error in _FAILURES else "refused"
    metrics.of(metrics.messages, platform, kind).inc()
    metrics.of(metrics.answer_seconds, platform).observe(max(0.0, seconds))
    if spoken is not None and (tokens := spoken.tokens) is not None:
        prompt, completion = tokens.prompt or 0, tokens.completion or 0
        named = metrics.model(spoken.model)
        served = metrics.model(asked) if named == metrics.OTHER else named
        metrics.used(platform, served, prompt, completion, tokens.cost_usd or 0.0)


def turn_failed(platform: str, error: Exception) -> None:
    """Count a turn that ended without an answer."""
    status = error.status if isinstance(error, AppError) else AppError.status
    kind = "failed" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused"
    metrics.of(metrics.messages, platform, kind).inc()


def acknowledged(platform: str, outcome: str, seconds: float) -> None:
    """Count what was said of a delivery, `seconds` after its message was taken."""
    metrics.of(metrics.deliveries, platform, outcome).inc()
    if outcome == "sent":
        metrics.of(metrics.delivery_seconds, platform).observe(max(0.0, seconds))  # clocks are set
