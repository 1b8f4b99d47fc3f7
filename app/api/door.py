"""How many connections there are, and who goes when there are too many."""

from collections import Counter
from typing import Protocol

from app import metrics


class Guest(Protocol):
    def make_room(self) -> None:
        """Go at once; the door has forgotten it."""
        ...


class Door:
    """Counts the connections of one service.

    Who has said nothing whole yet may be half-open, of which an attacker has as many as it likes;
    so they are the ones that go when nobody else can come in, the oldest first. An honest client
    speaks at once, and is such a one for a moment.
    """

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._inside: Counter[str | None] = Counter()
        self._total = 0
        self._silent: dict[str | None, dict[Guest, None]] = {}  # in the order of their coming
        self.lingering = 0

    def enter(self, guest: Guest, address: str | None) -> bool:
        """Tell whether there is room, and take it. A unix socket has no address: None."""
        if address is not None and self._inside[address] >= self._most_per_address:
            if not self._turn_out(address):
                return False
        elif self._total >= self._most and not self._turn_out(self._most_silent()):
            return False
        self._total += 1
        metrics.connections.inc()
        self._inside[address] += 1
        self._silent.setdefault(address, {})[guest] = None
        return True

    def heard(self, guest: Guest, address: str | None) -> None:
        """Note that something whole was said: from now on nobody takes this place."""
        silent = self._silent.get(address)
        if silent is not None and guest in silent:
            del silent[guest]
            if not silent:
                del self._silent[address]

    def leave(self, guest: Guest, address: str | None) -> None:
        self.heard(guest, address)
        self._total -= 1
        metrics.connections.dec()
        self._inside[address] -= 1
        if not self._inside[address]:
            del self._inside[address]

    def _most_silent(self) -> str | None:
        # Whoever holds most of them: of a newcomer's own few, none has to go for it.
        return max(self._silent, key=lambda address: len(self._silent[address]), default=None)

    def _turn_out(self, address: str | None) -> bool:
        """Make the oldest silent one of an address go; False where there is none."""
        guest = next(iter(self._silent.get(address, ())), None)
        if guest is None:
            return False
        self.leave(guest, address)
        guest.make_room()
        return True
