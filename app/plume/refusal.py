"""A failure as a value: several may wait for one call, and each of them raises its own error.

An error that is made outside of any handler carries no foreign exception: those of the
transport print the headers of the request, and the token with them.
"""

from dataclasses import dataclass
from typing import Self

from app.errors import PlumeError


@dataclass(frozen=True, slots=True)
class Refusal:
    kind: type[PlumeError]
    sentence: str | None = None
    wait: float | None = None
    cause: str = ""

    @classmethod
    def of(cls, error: PlumeError) -> Self:
        return cls(type(error), str(error), error.retry_after, error.cause)

    def error(self) -> PlumeError:
        return self.kind(self.sentence, retry_after=self.wait, cause=self.cause)
