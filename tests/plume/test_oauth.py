"""Tokens: fetched once, renewed in time, never in a loop."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.errors import PlumeNotYours, PlumeSignInRefused, PlumeUnreachable
from app.http import open_client
from app.plume.client import Plume
from app.plume.desk import Cloud
from simulator.plume import OTHER_PARTNER, PARTNER, PlumeWorld
from tests.api.service import until
from tests.plume.clouds import Bench, Clock, credentials, open_bench
from tests.servers import serve

Fields = dict[str, Any]


class SignIn:
    """A cloud that says what it is told to at its sign-in, and counts."""

    def __init__(self) -> None:
        self.says: Fields = {"access_token": "t1", "token_type": "Bearer"}
        self.count = 0
        self.forms: list[Fields] = []
        self.shown: list[str] = []
        self.heads: list[Headers] = []

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/api/{path:path}", self._answer),
            ]
        )

    async def _token(self, request: Request) -> Response:
        self.count += 1
        form = dict(parse_qsl((await request.body()).decode()))
        self.forms.append({**form, **request.headers})
        return JSONResponse(self.says)

    async def _answer(self, request: Request) -> Response:
        self.shown.append(request.headers["authorization"])
        self.heads.append(request.headers)
        return JSONResponse({"count": 1})


@pytest.fixture
def sso() -> SignIn:
    return SignIn()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def plume(sso: SignIn, clock: Clock) -> AsyncIterator[Plume]:
    async with serve(sso.app()) as base, open_client() as http:
        cloud = Cloud(f"{base}/token", f"{base}/api", f"{base}/reports")
        yield Plume(http, cloud, clock=clock, sleep=clock.sleep)


async def ask(plume: Plume) -> None:
    await plume.account(credentials()).customer_count()


async def test_what_a_sign_in_sends(sso: SignIn, plume: Plume) -> None:
    await ask(plume)

    (form,) = sso.forms
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == f"partnerId:{PARTNER.id} role:partnerIdAdmin"
    assert form["authorization"] == PARTNER.header
    assert form["content-type"] == "application/x-www-form-urlencoded"
    assert sso.shown == ["Bearer t1"]


async def test_what_a_call_sends(sso: SignIn, plume: Plume) -> None:
    await ask(plume)

    (head,) = sso.heads
    assert head.getlist("authorization") == ["Bearer t1"]
    assert head.getlist("accept") == ["application/json"]
    assert head.getlist("accept-encoding") == ["identity"]
    assert not {"cookie", "content-type"} & set(head)


@pytest.mark.parametrize(
    ("told", "lives"),
    [
        (1800, 1740),
        (300, 270),
        (600, 540),
        (601, 541),
        (86_400, 86_340),
        ("1800", 1740),
        (1800.5, 1740.5),
        (1, 270),
        (-5, 270),
        (0, 270),
        (10_000_000, 86_340),
        (None, 540),
        (True, 540),
        ("soon", 540),
        ([1800], 540),
    ],
)
async def test_a_token_is_renewed_before_its_end(
    sso: SignIn, plume: Plume, clock: Clock, told: object, lives: float
) -> None:
    sso.says["expires_in"] = told
    await ask(plume)

    clock.time += lives - 1
    await ask(plume)
    assert sso.count == 1
    clock.time += 1
    await ask(plume)

    assert sso.count == 2


async def test_a_missing_lifetime_is_ten_minutes(sso: SignIn, plume: Plume, clock: Clock) -> None:
    await ask(plume)
    clock.time += 539
    await ask(plume)
    assert sso.count == 1
    clock.time += 1
    await ask(plume)

    assert sso.count == 2


async def test_fifty_calls_with_an_expired_token_are_one_sign_in(bench: Bench) -> None:
    world = bench.world
    customers = [it.id for it in world.people(PARTNER)][:50]
    await bench.account().customer_count()
    world.shift += 700
    bench.clock.time += 700
    world.sso_latency = 0.05

    found = await asyncio.gather(*(bench.account().customer(it) for it in customers))

    assert [each.value.id for each in found] == customers
    assert len(set(customers)) == 50
    assert world.sign_ins == 2
    assert {call.status for call in world.of("/api/customers/*")} == {200}


async def test_fifty_calls_with_a_revoked_token_are_one_sign_in(bench: Bench) -> None:
    world = bench.world
    customers = [it.id for it in world.people(PARTNER)][:50]
    await bench.account().customer_count()
    world.tokens.revoke()
    world.latency = 0.05

    found = await asyncio.gather(*(bench.account().customer(it) for it in customers))

    assert [each.value.id for each in found] == customers
    assert world.sign_ins == 2
    assert sorted(call.status for call in world.of("/api/customers/*")) == [200] * 50 + [401] * 50


async def test_an_unknown_customer_makes_no_loop(bench: Bench) -> None:
    for turn in range(3):
        with pytest.raises(PlumeNotYours):
            await bench.account().customer("64a0c0ffee01ffffc0ffffff")
        assert bench.world.sign_ins == 2 + turn
        assert len(bench.world.of("/api/customers/*")) == 2 * (turn + 1)


async def test_a_sign_in_ends_with_the_last_one_who_waits(bench: Bench) -> None:
    bench.world.fail("/oauth2/*", "silence")
    first, second = (
        asyncio.create_task(bench.account().customer(bench.world.scenario(name).id))
        for name in ("pod_down", "bridge")
    )
    await until(lambda: bench.world.in_flight == 1)

    first.cancel()
    await asyncio.wait({first})
    assert bench.world.in_flight == 1
    second.cancel()

    await until(lambda: bench.world.in_flight == 0)
    await bench.account().customer_count()
    assert bench.world.sign_ins == 2


async def test_a_failed_sign_in_is_shared_and_tried_again_by_the_next(bench: Bench) -> None:
    bench.world.fail("/oauth2/*", "error:500", times=2)
    bench.world.sso_latency = 0.05
    customers = [it.id for it in bench.world.people(PARTNER)][:10]

    found = await asyncio.gather(
        *(bench.account().customer(it) for it in customers), return_exceptions=True
    )

    assert {type(each) for each in found} == {PlumeUnreachable}
    assert bench.world.sign_ins == 2
    await bench.account().customer(customers[0])


async def test_each_sign_in_has_its_own_token(bench: Bench) -> None:
    await bench.account().customer_count()
    mine = await bench.account(OTHER_PARTNER).customer_count()

    assert mine.value == bench.world.people(OTHER_PARTNER).count
    assert bench.world.sign_ins == 2


async def test_what_is_forgotten_signs_in_anew(bench: Bench) -> None:
    await bench.account().customer_count()

    bench.plume.forget(credentials())
    await bench.account().customer_count()

    assert bench.world.sign_ins == 2


async def test_the_sentence_of_a_refusal_says_what_to_check(world: PlumeWorld) -> None:
    sentences = []
    for fault in ("invalid_client", "invalid_scope", "invalid_grant"):
        world.fail("/oauth2/*", f"oauth:{fault}")
        async with open_bench(world) as bench:
            with pytest.raises(PlumeSignInRefused) as caught:
                await bench.account().customer_count()
        sentences.append(str(caught.value))

    assert "authorization header" in sentences[0]
    assert "partner id" in sentences[1]
    assert "programs" in sentences[2]
