"""What the last contacts with Plume Cloud showed, for `/health` and the operator."""

from collections import Counter
from dataclasses import dataclass, field

from app.plume.refusal import Refusal


@dataclass(slots=True)
class Watch:
    """`trouble` is a word, empty when all is well. Times are Unix seconds, None before the first.

    What Plume says of one customer or of one's credentials is an answer and no trouble.
    """

    trouble: str = ""
    answered_at: float | None = None
    failed_at: dict[str, float] = field(default_factory=dict)
    """When each cause was last met; the causes are words of ours, some thirty."""
    answers: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def answered(self, now: float) -> None:
        self.trouble = ""
        self.answered_at = now
        self.answers += 1

    def failed(self, refusal: Refusal, now: float) -> None:
        self.failures[refusal.cause] += 1
        self.failed_at[refusal.cause] = now
        if refusal.kind.retryable:
            self.trouble = refusal.cause
