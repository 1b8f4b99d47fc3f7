"""Customers and their locations, made from the seed at the moment somebody asks for them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from simulator.plume import ids
from simulator.plume.dice import chance, number, pick
from simulator.plume.ids import Spot
from simulator.plume.partners import PARTNER, Partner
from simulator.plume.plans import Plan, drawn
from simulator.plume.scenarios import SCENARIOS, Scenario
from simulator.plume.zones import CITIES, City

FIRST = 1_577_836_800.0  # 2020-01-01; customer 0 came then, the others one each nine hours
STEP = 9 * 3600.0
LABELS = ("Cabin", "Office", "Grandma's", "Garage", "Shop")
GIVEN = (
    "Ada", "Ahmad", "Aiko", "Amir", "Ana", "Anders", "Asha", "Bram", "Carla", "Chidi", "Daan",
    "Daria", "Diego", "Elif", "Emma", "Farid", "Finn", "Goran", "Hana", "Igor", "Ingrid", "Iris",
    "Jamal", "Jonas", "Julia", "Kaya", "Lars", "Leila", "Liam", "Linh", "Lucía", "Mads", "Maria",
    "Mei", "Mina", "Nadia", "Nils", "Noor", "Olga", "Omar", "Paulo", "Priya", "Quentin", "Rosa",
    "Sara", "Sven", "Tariq", "Tess", "Uwe", "Vera", "Wim", "Yara", "Yusuf", "Zoë", "آرش", "Ирина",
)  # fmt: skip
FAMILY = (
    "Abbott", "Andersen", "Bakker", "Becker", "Bianchi", "Brown", "Castillo", "Chen", "Costa",
    "Dahl", "de Vries", "Diaz", "Dubois", "Evans", "Farahani", "Fischer", "Garcia", "Haddad",
    "Hansen", "Hughes", "Ivanova", "Jansen", "Kaur", "Khan", "Kim", "Kovač", "Kowalska", "Larsen",
    "Lopez", "Meyer", "Miller", "Mohammadi", "Moreau", "Murphy", "Müller", "Nguyen", "Novak",
    "O'Brien", "Okafor", "Olsen", "Park", "Patel", "Petrova", "Rahimi", "Rossi", "Santos", "Sato",
    "Schmidt", "Silva", "Singh", "Smit", "Smith", "Sørensen", "Tanaka", "Taylor", "van Dijk",
    "Visser", "Weber", "Wójcik", "Şahin", "Zhang", "رحیمی",
)  # fmt: skip


@dataclass(frozen=True)
class Customer:
    """One customer. `email` may be one that Plume made up (`null+…`)."""

    seed: int
    partner: Partner
    index: int
    id: str
    account: str
    name: str
    email: str
    plans: tuple[Plan, ...]
    scenario: str | None = None

    @property
    def created_at(self) -> float:
        return FIRST + self.index * STEP

    def place(self, number: int) -> "Place":
        return Place(self, number)

    @property
    def places(self) -> list["Place"]:
        return [self.place(each) for each in range(len(self.plans))]


@dataclass(frozen=True)
class Place:
    """One location of a customer."""

    customer: Customer
    number: int

    @cached_property
    def spot(self) -> Spot:
        return Spot(self.customer.partner.number, self.customer.index, self.number)

    @cached_property
    def id(self) -> str:
        return ids.location_id(self.spot)

    @property
    def plan(self) -> Plan:
        return self.customer.plans[self.number]

    @property
    def service_id(self) -> str:
        return f"SVC-{self.customer.partner.number}{self.customer.index:06}{self.number:03}"

    @cached_property
    def key(self) -> tuple[int, str]:
        """What every chance at this location begins with."""
        return self.customer.seed, self.id

    @cached_property
    def city(self) -> City:
        zone = self.plan.zone
        return CITIES[zone] if zone is not None else pick(CITIES, *self.key, "city")

    def secret(self, kind: str) -> str:
        """Return a recognisable password; it opens nothing."""
        return f"CANARY-{kind}-{number(*self.key, kind):016x}"

    def item(self, item: int) -> Spot:
        return self.spot._replace(item=item)


class People:
    """The customers of one partner: the named scenarios first, where it has them."""

    def __init__(self, seed: int, partner: Partner, ordinary: int) -> None:
        self.partner = partner
        self._seed = seed
        self._named = len(SCENARIOS) if partner is PARTNER else 0
        self.count = self._named + ordinary

    def customer(self, index: int) -> Customer | None:
        if not 0 <= index < self.count:
            return None
        return _customer(self._seed, self.partner, index, index < self._named)

    def __iter__(self) -> Iterator[Customer]:
        for index in range(self.count):
            if customer := self.customer(index):
                yield customer

    def by_id(self, said: str) -> Customer | None:
        spot = ids.customer_spot(said)
        return self._at(spot)

    def place_at(self, spot: Spot | None) -> Place | None:
        customer = self._at(spot)
        if spot is None or customer is None or spot.place >= len(customer.plans):
            return None
        return customer.place(spot.place)

    def _at(self, spot: Spot | None) -> Customer | None:
        if spot is None or spot.partner != self.partner.number:
            return None
        return self.customer(spot.customer)

    @cached_property
    def index(self) -> list[tuple[int, str, str, str]]:
        """Return (index, account, name, e-mail) of all, in lower case: what a search reads."""
        found = []
        for at in range(self.count):
            account, name, email = self._identity(at)
            found.append((at, account.lower(), name.lower(), email.lower()))
        return found

    def _identity(self, index: int) -> tuple[str, str, str]:
        return _identity(self._seed, self.partner, index, index < self._named)


@lru_cache(maxsize=8192)
def _customer(seed: int, partner: Partner, index: int, named: bool) -> Customer:  # noqa: FBT001
    own = ids.customer_id(Spot(partner.number, index))
    account, name, email = _identity(seed, partner, index, named)
    scenario = _scenario(index) if named else None
    plans = scenario.plans if scenario else _plans((seed, own))
    title = scenario.name if scenario else None
    return Customer(seed, partner, index, own, account, name, email, plans, title)


def _identity(seed: int, partner: Partner, index: int, named: bool) -> tuple[str, str, str]:  # noqa: FBT001
    """Return account, name and e-mail."""
    if named:
        scenario = _scenario(index)
        email = scenario.email or f"{scenario.customer.split()[0].lower()}@example.net"
        return f"CRM-{10_000 + index}", scenario.customer, email
    key = (seed, ids.customer_id(Spot(partner.number, index)))
    name = f"{pick(GIVEN, *key, 'given')} {pick(FAMILY, *key, 'family')}"
    return _account(key, index), name, _email(key, index)


def _scenario(index: int) -> Scenario:
    return list(SCENARIOS.values())[index]


def _account(key: tuple[int, str], index: int) -> str:
    if chance(*key, "crm") > 0.03:  # noqa: PLR2004
        return f"CRM-{10_000 + index}"
    # The provider gave none, so Plume made one up.
    bits = f"{number(*key, 'uuid'):016x}{number(*key, 'more'):016x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"


def _email(key: tuple[int, str], index: int) -> str:
    if chance(*key, "mail") < 0.08:  # noqa: PLR2004
        return f"null+{number(*key, 'null') >> 24:010x}@plume.com"
    return f"customer{index}@example.net"


def _plans(key: tuple[int, str]) -> tuple[Plan, ...]:
    draw = chance(*key, "places")
    many = 1 + (draw > 0.9) + (draw > 0.98)  # noqa: PLR2004
    return tuple(
        replace(drawn(*key, each), label=pick(LABELS, *key, each) if each else "Home")
        for each in range(many)
    )
