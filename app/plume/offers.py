"""What a cloud turned out not to offer, so that it is not asked for again and again."""

from collections.abc import Callable
from typing import Final

ASK_AGAIN: Final = 6 * 3_600.0  # seconds; clouds are upgraded


class Offers:
    """By sign-in: rights differ. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._refused: dict[tuple[str, str], float] = {}
        self._seen: set[tuple[str, str]] = set()

    def refuses(self, account: str, what: str) -> bool:
        until = self._refused.get((account, what))
        return until is not None and self._clock() < until

    def was_refused(self, account: str, what: str) -> None:
        """Take note of a refusal. Once it was had, a refusal is about one location alone."""
        if (account, what) not in self._seen:
            self._refused[account, what] = self._clock() + ASK_AGAIN

    def was_had(self, account: str, what: str) -> None:
        self._seen.add((account, what))
        self._refused.pop((account, what), None)
