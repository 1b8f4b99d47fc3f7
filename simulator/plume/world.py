"""The state of one simulated Plume Cloud: its partners, what was asked, what goes wrong."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from simulator.plume import ids
from simulator.plume.faults import Faults
from simulator.plume.ids import Spot
from simulator.plume.partners import OTHER_PARTNER, PARTNER, Partner
from simulator.plume.people import Customer, People, Place
from simulator.plume.scenarios import SCENARIOS
from simulator.plume.speedtests import SpeedTest
from simulator.plume.switches import Switches
from simulator.plume.tokens import Tokens

SLOT = 900  # seconds: Plume's readings are of quarters of an hour
CALLS_KEPT = 100_000
WINDOW = 300.0  # seconds in which the firewall counts


@dataclass
class Call:
    """One call. `path` begins with `/api`, `/reports`, `/lteservice` or `/oauth2`.

    Headers are not kept, and of the sign-in's form nothing. `at` is the world's clock in
    seconds; `status` the HTTP status, 0 while it runs or where the connection broke instead.
    """

    method: str
    path: str
    query: dict[str, str]
    at: float
    body: Any = None
    status: int = 0


@dataclass
class PlumeWorld:
    """Everything a test may set or look at. Times are seconds, `now` is the clock.

    `customers` are the first partner's ordinary ones, beside the named `SCENARIOS`. `lifetime`
    is that of tokens. `latency` comes before every answer of the API, `sso_latency` before those
    of the sign-in. `firewall` is how many calls an address has in five minutes (Plume: 2000).
    A reboot takes `reboot_seconds`, a speed test `test_seconds`.
    """

    seed: int = 1
    now: Callable[[], float] = time.time
    customers: int = 5_000
    lifetime: int = 600
    latency: float = 0.0
    sso_latency: float = 0.0
    firewall: int | None = None
    reboot_seconds: float = 90.0
    test_seconds: float = 40.0
    drip: float = 0.25
    redirect_to: str = "http://elsewhere.invalid"
    shift: float = 0.0
    switches: Switches = field(default_factory=Switches)
    faults: Faults = field(default_factory=Faults)
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    reboots: dict[str, list[float]] = field(default_factory=dict)
    tests: dict[str, list[SpeedTest]] = field(default_factory=dict)
    snoozed: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began = self.time() // SLOT * SLOT
        self.tokens = Tokens(self.time)
        self.in_flight = 0
        self.most_at_once = 0
        self._people = {
            PARTNER.number: People(self.seed, PARTNER, self.customers),
            OTHER_PARTNER.number: People(self.seed, OTHER_PARTNER, max(50, self.customers // 20)),
        }
        self._windows: dict[str, tuple[float, int]] = {}
        self._handed_out: set[str] = set()

    def time(self) -> float:
        """Return the world's time, Unix seconds: the clock's, moved by `shift`."""
        return self.now() + self.shift

    # -- people ---------------------------------------------------------------------------

    @property
    def partners(self) -> list[Partner]:
        return [people.partner for people in self._people.values()]

    def people(self, partner: Partner) -> People:
        return self._people[partner.number]

    def scenario(self, name: str) -> Customer:
        """Return a named customer of the first partner.

        Raises:
            KeyError: there is no such name in `SCENARIOS`.
        """
        index = list(SCENARIOS).index(name) if name in SCENARIOS else None
        customer = None if index is None else self._people[PARTNER.number].customer(index)
        if customer is None:
            raise KeyError(name)
        return customer

    def place(self, name: str, number: int = 0) -> Place:
        """Return a location of a named customer."""
        return self.scenario(name).place(number)

    def customer(self, said: str) -> Customer | None:
        """Return the customer of an id, whoever's partner it is."""
        spot = ids.customer_spot(said)
        people = self._people.get(spot.partner) if spot else None
        return people.by_id(said) if people else None

    def place_at(self, spot: Spot | None) -> Place | None:
        people = self._people.get(spot.partner) if spot else None
        return people.place_at(spot) if people else None

    # -- calls ----------------------------------------------------------------------------

    def of(self, pattern: str, method: str | None = None) -> list[Call]:
        """Return the recorded calls of a path pattern such as `*/nodes`, case ignored."""
        return [
            it
            for it in self.calls
            if method in {None, it.method} and fnmatchcase(it.path.lower(), pattern.lower())
        ]

    @property
    def writes(self) -> list[Call]:
        """Return what was asked to be changed: every call that is neither a read nor a sign-in."""
        return [
            it
            for it in self.calls
            if it.method not in {"GET", "HEAD"} and not it.path.startswith("/oauth2")
        ]

    @property
    def sign_ins(self) -> int:
        """How many token calls came, whatever the answer."""
        return len(self.of("/oauth2/*/token"))

    def fail(self, pattern: str, fault: str, times: int = 1) -> None:
        """Let the next `times` calls of a path pattern fail so; see `Faults.add`."""
        self.faults.add(pattern, fault, times)

    def lets_in(self, address: str) -> bool:
        """Count a call of an address, and tell whether the firewall lets it pass."""
        if self.firewall is None:
            return True
        window = self.time() // WINDOW
        last, count = self._windows.get(address, (window, 0))
        count = count + 1 if last == window else 1
        self._windows[address] = window, count
        return count <= self.firewall

    # -- secrets --------------------------------------------------------------------------

    def hand_out(self, secret: str) -> str:
        """Note that a secret leaves in an answer, so that `secrets` lists it."""
        self._handed_out.add(secret)
        return secret

    def secrets(self) -> list[str]:
        """Return all that must never be seen again: credentials, tokens, passwords told so far.

        Passwords and client secrets begin with `CANARY`, so those never asked for are found too.
        """
        found = [
            it for each in self.partners for it in (each.header, each.pair, each.client_secret)
        ]
        return [*found, *self.tokens.issued, *sorted(self._handed_out)]

    def forget(self) -> None:
        """Forget calls, faults, writes and tokens. Settings and switches stay."""
        for memory in (self.calls, self.reboots, self.tests, self.snoozed, self._windows):
            memory.clear()
        self.faults.clear()
        self.tokens.revoke()
        self.most_at_once = self.in_flight
