"""The client in front of the simulated cloud, over real sockets, with a clock that is told."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, settings

from app.http import open_client
from app.plume.account import Account
from app.plume.budget import Budget, Shared
from app.plume.client import Plume
from app.plume.credentials import Credentials, parse_authorization
from app.plume.desk import Cloud
from app.plume.patience import Patience
from simulator.plume import PARTNER, Partner, PlumeWorld, addresses, create_plume
from tests.servers import serve

# A loaded machine takes its time; the examples are what counts.
UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
PATIENCE = Patience(connect=5.0, sign_in=5.0, api=10.0, reports=10.0)


class Clock:
    """Counts seconds when told, or while somebody sleeps by it."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


Sharer = Callable[[Clock], Shared | None]  # what other instances take, by that clock


@dataclass
class Bench:
    """`plume` asks `world`. Its clock and its sleep are `clock`."""

    world: PlumeWorld
    plume: Plume
    clock: Clock

    def account(self, partner: Partner = PARTNER) -> Account:
        return self.plume.account(credentials(partner))


def credentials(partner: Partner = PARTNER) -> Credentials:
    return Credentials(parse_authorization(partner.header), partner.id)


def cloud_at(base: str, *, client_id: bool = False) -> Cloud:
    where = addresses(base)
    return Cloud(where.sso, where.api, where.reports, client_id)


@asynccontextmanager
async def open_bench(
    world: PlumeWorld,
    *,
    per_second: int = 100_000,
    client_id: bool = False,
    shared: Sharer | None = None,
    **patience: float,
) -> AsyncIterator[Bench]:
    clock = Clock()
    async with serve(create_plume(world)) as base, open_client() as http:
        plume = Plume(
            http,
            cloud_at(base, client_id=client_id),
            budget=Budget(
                clock=clock,
                per_second=per_second,
                sleep=clock.sleep,
                shared=shared(clock) if shared else None,
            ),
            patience=replace(PATIENCE, **patience),  # type: ignore[arg-type]
            clock=clock,
            now=world.time,
            sleep=clock.sleep,
            rand=lambda: 1.0,
        )
        yield Bench(world, plume, clock)
