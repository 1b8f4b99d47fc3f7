"""What a request may cost at most, what it did cost, and that every request is paid for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

import pytest

from app.errors import AppError, ModelError, SpendLimitReached
from app.llm.base import Ask, Picture, Tokens, Turn
from app.llm.cards import read_cards
from app.llm.catalogue import Catalogue
from app.llm.meter import PICTURE_USD, SEARCH_TOKENS, SEARCH_USD, Meter
from app.llm.openrouter import OpenRouter, open_http
from app.llm.patience import Patience
from simulator.openrouter import FAULTS, OpenRouterWorld, create_openrouter
from simulator.openrouter.catalogue import CATALOGUE
from simulator.openrouter.world import KEY
from tests.api.service import until
from tests.llm.upstream import upstream
from tests.servers import serve

ASK = Ask(
    model="openai/gpt-4o-mini",
    system="Be short.",
    turns=(Turn("user", "Hello"),),
    max_tokens=800,
    user="u",
    conversation="c",
)
PATIENCE = Patience(connect=5.0, first_token=5.0, gap=5.0, total=20.0)
# For what is meant to take too long.
HASTY = replace(PATIENCE, first_token=0.12, gap=0.1)
HASTIEST = replace(PATIENCE, total=0.4)
UNKNOWN = Decimal(20)
MILLION = 1_000_000


@dataclass
class Wallet:
    """A purse that remembers. `left` is how many holds it still grants."""

    left: int = 1_000
    held: dict[str, float] = field(default_factory=dict)
    settled: dict[str, float | None] = field(default_factory=dict)

    async def hold(self, most: float) -> str:
        if len(self.held) >= self.left:
            raise SpendLimitReached
        name = f"{len(self.held)}"
        self.held[name] = most
        return name

    async def settle(self, hold: str, cost: float | None) -> None:
        assert hold not in self.settled
        self.settled[hold] = cost

    @property
    def costs(self) -> list[float | None]:
        return list(self.settled.values())


def known(**pricing: object) -> Catalogue:
    catalogue = Catalogue(["m"], {}, {}, UNKNOWN)
    catalogue.learn(read_cards({"data": [{"id": "m", "pricing": pricing}]}), date.min)
    return catalogue


def most(ask: Ask, max_tokens: int = 0, **pricing: object) -> float:
    return Meter(Wallet(), known(**pricing), UNKNOWN).most(replace(ask, model="m"), max_tokens)


def cost(tokens: Tokens | None, pricing: dict[str, str], ask: Ask = ASK) -> float | None:
    return Meter(Wallet(), known(**pricing), UNKNOWN).cost(replace(ask, model="m"), tokens)


@pytest.mark.parametrize("text", ["", "Hello", "سلام" * 900, "👩‍👩‍👧" * 50, "a" * 8_000])
def test_each_byte_may_be_a_token(text: str) -> None:
    found = most(replace(ASK, system="", turns=(Turn("user", text),)), prompt="1", completion="0")

    assert len(text.encode()) < found <= len(text.encode()) + 200


def test_the_whole_of_max_tokens_may_be_written() -> None:
    assert most(ASK, 800, prompt="0", completion="0.000015") == pytest.approx(800 * 15 / MILLION)


def test_the_worst_of_several_prices_counts() -> None:
    dear = {
        "prompt": "1",
        "input_cache_write": "2",
        "completion": "3",
        "internal_reasoning": "4",
        "request": "5",
        "image": "6",
        "overrides": [
            {"min_prompt_tokens": 200_000, "prompt": "10", "completion": "20"},
            {"utc_start": "0800", "request": "50", "image": "-1"},
            "nonsense",
        ],
    }
    (card,) = read_cards({"data": [{"id": "m", "pricing": dear}]})

    assert card.price_out == 3 * MILLION  # what a replacement is judged by
    worst = (card.price_in, card.dearest_out, card.price_call, card.price_picture)
    assert worst == tuple(map(Decimal, (10 * MILLION, 20 * MILLION, 50, 6)))


def test_a_picture_is_never_cheap_and_never_free_of_tokens() -> None:
    seen = Turn("user", "", (Picture("image/jpeg", b""),) * 2)

    cheap = most(replace(ASK, turns=(seen,)), prompt="0.0000001", completion="0")
    dear = most(replace(ASK, turns=(seen,)), prompt="0.001", completion="0", image="7")

    assert cheap == pytest.approx(2 * PICTURE_USD, rel=0.01)
    assert dear > 2 * 7 + 2 * 10
    assert most(replace(ASK, turns=(seen,)), prompt="0", completion="0") == 0


def test_searches_are_paid_and_read_again_and_again() -> None:
    once = most(ASK, 800, prompt="0.001", completion="0.01")

    searching = most(replace(ASK, web_search=True), 800, prompt="0.001", completion="0.01")

    assert searching == pytest.approx(3 * once + 3 * SEARCH_TOKENS * 0.001 + 2 * SEARCH_USD)


@pytest.mark.parametrize(
    ("pricing", "used_in", "used_out"),
    [
        ({}, 20, 20),
        ({"prompt": "-1", "completion": "-1"}, 20, 20),
        ({"prompt": "0", "completion": "0"}, 0, 0),
        ({"completion": "0.000008"}, 8, 8),
    ],
)
def test_what_has_no_price_is_taken_to_be_dear(
    pricing: dict[str, str], used_in: int, used_out: int
) -> None:
    found = [cost(Tokens(*counts), pricing) for counts in ((MILLION, 0), (0, MILLION))]

    assert found == [pytest.approx(used_in), pytest.approx(used_out)]


@pytest.mark.parametrize(
    ("tokens", "searching", "expected"),
    [
        (Tokens(10, 10, 20, 0.25), False, 0.25),
        (Tokens(10, 10, 20, 0.25), True, 0.25),
        (Tokens(10, 10, 20, 0.0), False, 0.0),
        (Tokens(10, 10), False, 30.0),
        (Tokens(10, 10), True, None),  # nobody says how often it searched
        (Tokens(10, None), False, None),
        (Tokens(None, 10), False, None),
        (None, False, None),
    ],
)
def test_what_was_reported_counts_then_the_tokens_then_nothing(
    tokens: Tokens | None, *, searching: bool, expected: float | None
) -> None:
    ask = replace(ASK, web_search=searching)

    assert cost(tokens, {"prompt": "1", "completion": "2"}, ask) == expected


@dataclass
class Bench:
    world: OpenRouterWorld
    wallet: Wallet
    model: OpenRouter


async def no_sleep(_seconds: float) -> None: ...


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    world = OpenRouterWorld(index_delay=0.0, drip=0.01, pause=0.0)
    async with serve(create_openrouter(world)) as url, open_http(f"{url}/api/v1", KEY) as http:
        wallet = Wallet()
        catalogue = Catalogue(list(CATALOGUE), {}, {}, UNKNOWN)
        meter = Meter(wallet, catalogue, UNKNOWN)
        client = OpenRouter(http, patience=PATIENCE, sleep=no_sleep, meter=meter)
        catalogue.learn(await client.models(), date.min)
        yield Bench(world, wallet, client)


async def test_an_answer_costs_what_is_reported_and_less_than_was_held(bench: Bench) -> None:
    said = await bench.model.complete(ASK)

    assert said.tokens is not None
    assert bench.wallet.costs == [said.tokens.cost_usd]
    assert 0 < (said.tokens.cost_usd or 0) < bench.wallet.held["0"]


SLOW = {"silence": HASTY, "comments-forever": HASTY, "slow-drip": HASTIEST}
# None: all that was held.
COSTS: dict[str, list[float | None]] = {
    "http-401": [0.0],
    "http-402-credit": [0.0],
    "http-429-hour": [0.0],
    "http-500": [0.0, 0.0, 0.0],
    "http-404-deprecated": [0.0],
    "http-504": [None, None, None],
    "http-408": [None, None, None],
    "http-524-html": [None, None, None],
    "redirect-307": [0.0],
    "ok-error": [0.0, 0.0, 0.0],
    "silence": [None, None],
    "reset-before-head": [None, None, None],
    "close-before-head": [None, None, None],
    "comments-forever": [None],
    "cut-short": [None],
    "cut-long": [None],
    "eof-short": [None],
    "gzip": [None],
    "slow-drip": [],  # the deadline ends it: never settled, and so spent when it is over
}


@pytest.mark.parametrize("fault", COSTS)
async def test_what_became_of_a_request_says_what_it_cost(bench: Bench, fault: str) -> None:
    bench.model._patience = SLOW.get(fault, PATIENCE)
    bench.world.next(fault, 3)

    with suppress(ModelError):
        await bench.model.complete(ASK)

    assert bench.wallet.costs == COSTS[fault]
    assert len(bench.wallet.held) == max(1, len(COSTS[fault]))


async def test_no_request_leaves_without_its_money(bench: Bench) -> None:
    bench.world.drip = 0.002
    bench.model._patience = replace(HASTY, total=0.4)
    for fault in sorted(FAULTS):
        bench.world.next(fault, 3)
        with suppress(ModelError):
            await bench.model.complete(ASK)
        assert len(bench.wallet.held) >= len(bench.world.chats()), fault
        bench.world.faults.clear()
        if fault == "long-text":
            bench.wallet.settled.popitem()  # no provider writes more than `max_tokens`

    assert len(bench.wallet.held) > len(FAULTS)
    for name, paid in bench.wallet.settled.items():
        assert paid is None or 0 <= paid <= bench.wallet.held[name]


async def test_a_search_may_be_charged_whatever_became_of_the_answer(bench: Bench) -> None:
    bench.world.next("http-500", 3)

    with suppress(ModelError):
        await bench.model.complete(replace(ASK, web_search=True))

    assert bench.wallet.costs == [None, None, None]


async def test_what_was_never_sent_costs_nothing() -> None:
    async with upstream(()) as told:
        url = told.url
    wallet = Wallet()
    meter = Meter(wallet, known(), UNKNOWN)
    async with open_http(url, KEY) as http:
        client = OpenRouter(http, patience=PATIENCE, sleep=no_sleep, meter=meter)
        with suppress(ModelError):
            await client.complete(ASK)

    assert wallet.costs == [0.0, 0.0, 0.0]


async def test_an_answer_that_is_broken_off_is_never_settled(bench: Bench) -> None:
    bench.world.first_token = 10.0
    asking = asyncio.create_task(bench.model.complete(ASK))
    await until(bench.world.chats)

    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert (len(bench.wallet.held), bench.wallet.costs) == (1, [])


@pytest.mark.parametrize("left", [0, 1])
async def test_without_money_nothing_is_asked_not_even_again(bench: Bench, left: int) -> None:
    bench.wallet.left = left
    bench.world.next("http-500", 3)

    with pytest.raises(AppError) as refused:
        await bench.model.complete(ASK)

    assert isinstance(refused.value, SpendLimitReached)
    assert len(bench.world.chats()) == left


async def test_a_request_that_is_made_smaller_holds_less(bench: Bench) -> None:
    bench.world.next("http-402-afford", 2)

    await bench.model.complete(ASK)

    first, second = bench.wallet.held.values()
    assert second < first
