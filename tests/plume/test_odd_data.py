"""Odd data and hostile names: read as far as they go, and no secret among them."""

import asyncio
import base64
import io
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from loguru import logger

from app.errors import AppError
from simulator.plume import ALWAYS, PARTNER, PlumeWorld
from tests.plume.clouds import Bench
from tests.plume.test_client import CALLS

Ids = tuple[str, str, str]


@pytest.fixture
def ids(world: PlumeWorld) -> Ids:
    home = world.place("pppoe")
    return home.customer.id, home.id, "GW1" + home.id[-4:]


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    sink = io.StringIO()
    number = logger.add(
        sink, format="{message} {extra}\n{exception}", level=0, backtrace=True, diagnose=True
    )
    yield sink
    logger.remove(number)


async def read_all(bench: Bench, ids: Ids) -> dict[str, Any]:
    gateway = (await bench.account().nodes(ids[0], ids[1], fresh=True)).value[0].key or ""
    found = await asyncio.gather(
        *(call(bench.account(), ids[0], ids[1], gateway) for _, call in CALLS.values()),
        return_exceptions=True,
    )
    return dict(zip(CALLS, found, strict=True))


@pytest.mark.parametrize(
    ("switch", "value"),
    [
        ("holes", 0.5),
        ("timestamps", "milliseconds_text"),
        ("timestamps", "offset"),
        ("timestamps", "seconds"),
        ("alerts", "strings"),
        ("alerts", "names"),
        ("service_level", "string"),
        ("service_level", "empty"),
        ("channels", "strings"),
        ("health_words", "upper"),
        ("health_words", "unknown"),
        ("range_form", "lists"),
        ("online_words", "booleans"),
        ("online_words", "numbers"),
        ("wan_rows", "nulls"),
        ("enable_key", "enabled"),
        ("summary", False),
        ("hostile_names", True),
        ("hostile_ssids", 300),
    ],
)
async def test_every_call_survives_every_oddity(
    bench: Bench, ids: Ids, switch: str, value: Any
) -> None:
    bench.world.switches.set(switch, value)

    found = await read_all(bench, ids)

    assert [each for each in found.values() if isinstance(each, BaseException)] == []


@pytest.mark.parametrize("timestamps", ["iso", "offset", "seconds", "milliseconds_text"])
async def test_times_are_the_same_however_they_are_written(
    bench: Bench, ids: Ids, timestamps: str
) -> None:
    plain = (await bench.account().nodes(ids[0], ids[1])).value
    bench.world.switches.set("timestamps", timestamps)

    found = (await bench.account().nodes(ids[0], ids[1], fresh=True)).value

    assert [node.boot_at for node in found] == [node.boot_at for node in plain]


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("connectionState", "connected"),
        ("nodes.health", "health"),
        ("backhaulType", "backhaul_type"),
        ("alerts", "alerts"),
        ("leafToRoot", "leaf_to_root"),
        ("connectedDeviceCount", "connected_device_count"),
    ],
)
@pytest.mark.parametrize("how", ["nulls", "missing"])
async def test_what_is_not_told_of_a_node_is_unknown(
    bench: Bench, ids: Ids, how: str, key: str, field: str
) -> None:
    told = (await bench.account().nodes(ids[0], ids[1])).value
    bench.world.switches.set(how, frozenset({key}))

    nodes = (await bench.account().nodes(ids[0], ids[1], fresh=True)).value

    unknown = () if key == "alerts" else None
    assert [getattr(node, field) for node in nodes] == [unknown] * len(told)
    assert key == "alerts" or getattr(told[0], field) is not None


async def test_names_arrive_as_they_are(bench: Bench) -> None:
    names = {}
    for scenario in ("hostile_markup", "hostile_html", "hostile_rtl", "hostile_emoji"):
        place = bench.world.place(scenario)
        found = await bench.account().nodes(place.customer.id, place.id)
        names[scenario] = found.value[0].nickname

    assert "*[West]*" in str(names["hostile_markup"])
    assert "<script>" in str(names["hostile_html"])
    assert "\u202e" in str(names["hostile_rtl"])
    assert "\N{HOUSE WITH GARDEN}" in str(names["hostile_emoji"])


# -- secrets ------------------------------------------------------------------------------


def spellings(secret: str) -> set[str]:
    raw = secret.encode()
    return {
        secret, quote(secret, safe=""), raw.hex(), base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }  # fmt: skip


def leaks(world: PlumeWorld, text: str) -> list[str]:
    assert len(world.secrets()) >= 6
    forms = {form for secret in world.secrets() for form in spellings(secret)}
    return sorted({form for form in {*forms, "CANARY"} if form in text})


async def test_no_answer_holds_a_secret(bench: Bench, ids: Ids, logged: io.StringIO) -> None:
    # What tells its passwords most freely, read as an answer of ours.
    found = await read_all(bench, ids)
    shown = repr(found) + repr(bench.plume.__dict__) + repr(vars(bench.plume._tokens))
    shown += "".join(each.value.model_dump_json() for each in (found["location"],))

    assert bench.world.secrets()
    assert any("CANARY" in secret for secret in bench.world.secrets()[6:])
    assert leaks(bench.world, shown + logged.getvalue()) == []


@pytest.mark.parametrize(
    "fault", ["reset", "cut", "half", "gzip", "redirect", "unauthorized", "error_200", "types"]
)
@pytest.mark.parametrize("where", ["*/nodes", "/oauth2/*"])
async def test_no_error_holds_a_secret(
    bench: Bench, ids: Ids, logged: io.StringIO, fault: str, where: str
) -> None:
    bench.world.fail(where, fault, ALWAYS)
    shown = ""

    try:
        await bench.account().nodes(ids[0], ids[1])
    except AppError as error:
        logger.opt(exception=error).warning("seen")
        shown = "".join(traceback.format_exception(error)) + repr(error)

    assert leaks(bench.world, shown + logged.getvalue() + repr(bench.plume)) == []


async def test_the_search_for_leaks_finds_them(bench: Bench, ids: Ids) -> None:
    await read_all(bench, ids)

    for form in spellings(PARTNER.client_secret):
        assert leaks(bench.world, f"... {form} ...")


async def test_logs_tell_the_call_and_nothing_of_whom(
    bench: Bench, ids: Ids, logged: io.StringIO
) -> None:
    await read_all(bench, ids)
    await bench.account().search("Tara Dialler", "name", exact=True)

    text = logged.getvalue()
    assert "'call': 'search'" in text
    assert "'call': 'nodes'" in text
    for personal in (ids[0], ids[1], "Tara", "example.net", "http", "Bearer"):
        assert personal not in text
