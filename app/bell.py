"""How any part of the service says that its operators have to act, and when that is over.

Saying so costs nothing, never fails and never waits: it may be done on any road.
"""

from typing import Final, Protocol


class Bell(Protocol):
    """`cause` is a word of `texts.ALERTS`; `about` tells several of a cause apart."""

    def raise_(self, cause: str, about: str = "") -> None:
        """Say that something is wrong, or still is, or has happened again."""
        ...

    def over(self, cause: str, about: str | None = None) -> None:
        """Say that it is well, whether it was wrong or not; None: whatever it was about."""
        ...


class Silent:
    def raise_(self, cause: str, about: str = "") -> None:
        pass

    def over(self, cause: str, about: str | None = None) -> None:
        pass


SILENT: Final = Silent()
