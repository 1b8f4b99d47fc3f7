"""Every fault that the simulated cloud knows: what is told, and how often it was asked."""

import asyncio
import io
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from loguru import logger

from app.errors import (
    PlumeBadReply,
    PlumeBusy,
    PlumeError,
    PlumeNotFound,
    PlumeNotOffered,
    PlumeNotYours,
    PlumeSignInRefused,
    PlumeTimeout,
    PlumeUnreachable,
)
from simulator.plume import ALWAYS, FAULTS, PlumeWorld
from tests.plume.clouds import Bench, open_bench

PATIENT = 10.0
HASTY = 0.6  # for what is meant to take too long


@dataclass(frozen=True)
class Row:
    """`error` None: there is an answer. `asked` and `signed_in` are how often."""

    error: type[PlumeError] | None
    asked: int = 1
    signed_in: int = 1
    cause: str = ""
    patience: float = PATIENT
    wait: float | None = None


BAD = Row(PlumeBadReply)
DOWN = Row(PlumeUnreachable, 3)
LATE = Row(PlumeTimeout, 1, cause="total", patience=HASTY)
FINE = Row(None)

CALL = {
    "unauthorized": Row(PlumeNotYours, 2, 2, "http_401"),
    "forbidden": Row(PlumeNotYours, cause="http_403"),
    "firewall": Row(PlumeBusy, cause="firewall", wait=300),
    "firewall_empty": Row(PlumeBusy, cause="firewall", wait=300),
    "missing": Row(PlumeNotFound),
    "conflict": Row(PlumeError, cause="http_409"),
    "invalid": Row(PlumeError, cause="http_422"),
    "too_many": Row(PlumeBusy, wait=30),
    "too_many:60": Row(PlumeBusy, wait=60),
    "too_many:date": Row(PlumeBusy),
    "error:400": Row(PlumeError, cause="http_400"),
    "error:423": Row(PlumeError, cause="http_423"),
    "error:500": DOWN,
    "error:501": Row(PlumeNotOffered),
    "error:503": DOWN,
    "page:502": DOWN,
    "redirect": Row(PlumeBadReply, cause="http_302"),
    "html": Row(PlumeBadReply, cause="html"),
    "nothing": Row(PlumeBadReply, cause="no_body"),
    "blank": Row(PlumeBadReply, cause="no_body"),
    "words": Row(PlumeBadReply, cause="bad_json"),
    "half": Row(PlumeBadReply, cause="bad_json"),
    "null": Row(PlumeBadReply, cause="shape"),
    "scalar": Row(PlumeBadReply, cause="shape"),
    "error_200": Row(PlumeBadReply, cause="error_in_success"),
    "types": FINE,
    "types:lists": Row(PlumeBadReply, cause="shape"),
    "nan": Row(PlumeBadReply, cause="bad_json"),
    "overflow": Row(PlumeBadReply, cause="bad_json"),
    "deep": Row(PlumeBadReply, cause="bad_json"),
    "gzip": Row(PlumeBadReply, cause="encoded"),
    "bomb": Row(PlumeBadReply, cause="encoded"),
    "huge": Row(PlumeBadReply, cause="too_large"),
    "drip": LATE,
    "cut": Row(PlumeBadReply, 3),
    "reset": DOWN,
    "reset_half": Row(PlumeBadReply, 3),
    "reset_after": DOWN,
    "silence": LATE,
    "silence_half": LATE,
    "delay:0.01": FINE,
}

SIGN_IN = {
    "unauthorized": Row(PlumeSignInRefused, 0, 1, "invalid_client"),
    "forbidden": Row(PlumeSignInRefused, 0, 1, "access_denied"),
    "firewall": Row(PlumeBadReply, 0, 1, "sign_in_403"),
    "firewall_empty": Row(PlumeBadReply, 0, 1, "sign_in_403"),
    "missing": Row(PlumeError, 0, 1, "sign_in_404"),
    "conflict": Row(PlumeBadReply, 0, 1, "sign_in_409"),
    "too_many:60": Row(PlumeBusy, 0, 1, "sign_in_busy", wait=60),
    "too_many": Row(PlumeBusy, 0, 1, "sign_in_busy", wait=30),
    "error:500": Row(PlumeUnreachable, 0, 2, "sign_in_500"),
    "error:503": Row(PlumeUnreachable, 0, 2, "sign_in_503"),
    "page:502": Row(PlumeUnreachable, 0, 2, "sign_in_502"),
    "page:400": Row(PlumeBadReply, 0, 1, "sign_in_400"),
    "oauth:invalid_client": Row(PlumeSignInRefused, 0, 1, "invalid_client"),
    "oauth:invalid_grant": Row(PlumeSignInRefused, 0, 1, "invalid_grant"),
    "oauth:invalid_request": Row(PlumeSignInRefused, 0, 1, "invalid_request"),
    "oauth:invalid_scope": Row(PlumeSignInRefused, 0, 1, "invalid_scope"),
    "oauth:unsupported_grant_type": Row(PlumeSignInRefused, 0, 1, "unsupported_grant_type"),
    "oauth:something_new": Row(PlumeSignInRefused, 0, 1, "sign_in_refused"),
    "token:missing": Row(PlumeBadReply, 0, 1, "unusable_token"),
    "token:control": Row(PlumeBadReply, 0, 1, "unusable_token"),
    "token:number": Row(PlumeBadReply, 0, 1, "unusable_token"),
    "token:list": Row(PlumeBadReply, 0, 1, "unusable_token"),
    "token:useless": Row(PlumeNotYours, 2, 2, "http_401"),
    "token:no_lifetime": FINE,
    "token:text": FINE,
    "token:short": FINE,
    "token:negative": FINE,
    "redirect": Row(PlumeBadReply, 0, 1, "sign_in_302"),
    "html": Row(PlumeBadReply, 0, 1, "html"),
    "nothing": Row(PlumeBadReply, 0, 1, "no_body"),
    "blank": Row(PlumeBadReply, 0, 1, "no_body"),
    "words": Row(PlumeBadReply, 0, 1, "bad_json"),
    "half": Row(PlumeBadReply, 0, 1, "bad_json"),
    "null": Row(PlumeBadReply, 0, 1, "unusable_token"),
    "scalar": Row(PlumeBadReply, 0, 1, "unusable_token"),
    "error_200": Row(PlumeBadReply, 0, 1, "error_in_success"),
    "deep": Row(PlumeBadReply, 0, 1, "bad_json"),
    "gzip": Row(PlumeBadReply, 0, 1, "encoded"),
    "bomb": Row(PlumeBadReply, 0, 1, "encoded"),
    "huge": Row(PlumeBadReply, 0, 1, "too_large"),
    "drip": Row(PlumeTimeout, 0, 1, "sign_in_timeout", HASTY),
    "cut": Row(PlumeUnreachable, 0, 2),
    "reset": Row(PlumeUnreachable, 0, 2),
    "silence": Row(PlumeTimeout, 0, 1, "sign_in_timeout", HASTY),
    "silence_half": Row(PlumeTimeout, 0, 1, "sign_in_timeout", HASTY),
}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    sink = io.StringIO()
    number = logger.add(sink, format="{message} {extra}\n{exception}", level=0, backtrace=False)
    yield sink
    logger.remove(number)


async def ask(bench: Bench) -> PlumeError | None:
    home = bench.world.place("pod_down")
    try:
        nodes = await bench.account().nodes(home.customer.id, home.id)
    except PlumeError as error:
        return error
    assert len(nodes.value) == 3
    return None


def meets(row: Row, error: PlumeError | None, world: PlumeWorld) -> None:
    assert type(error) is (row.error or type(None))
    asked, signed_in = len(world.of("*/nodes")), world.sign_ins
    assert (asked, signed_in) == (row.asked, row.signed_in)
    if error is None:
        return
    assert row.cause in {"", error.cause}
    assert error.__context__ is error.__cause__ is None
    if row.wait is not None:
        assert error.retry_after == row.wait


def test_every_fault_has_its_row() -> None:
    assert {name.partition(":")[0] for name in {**CALL, **SIGN_IN}} == set(FAULTS)


@pytest.mark.parametrize("fault", CALL)
async def test_a_call_that_goes_wrong(fault: str, world: PlumeWorld, logged: io.StringIO) -> None:
    row = CALL[fault]
    world.fail("*/nodes", fault, ALWAYS)

    async with open_bench(world, api=row.patience) as bench:
        error = await ask(bench)
        await asyncio.sleep(0)
        trouble = bench.plume.watch.trouble

    meets(row, error, world)
    if error is not None:
        assert trouble == (error.cause if error.retryable else "")
        assert "plume.refused" in logged.getvalue()
    assert [secret for secret in world.secrets() if secret in logged.getvalue()] == []


@pytest.mark.parametrize("fault", SIGN_IN)
async def test_a_sign_in_that_goes_wrong(
    fault: str, world: PlumeWorld, logged: io.StringIO
) -> None:
    row = SIGN_IN[fault]
    world.fail("/oauth2/*", fault, ALWAYS)

    async with open_bench(world, sign_in=row.patience) as bench:
        error = await ask(bench)
        asked, signed_in = len(world.of("*/nodes")), world.sign_ins
        world.faults.clear()
        # What failed has cost nothing: the credentials are as good as before.
        assert await ask(bench) is None or "busy" in fault

    world.calls.clear()
    assert type(error) is (row.error or type(None))
    assert (asked, signed_in) == (row.asked, row.signed_in)
    if error is not None:
        assert row.cause in {"", error.cause}
        assert row.wait in {None, error.retry_after}
        assert error.__context__ is error.__cause__ is None
        assert "/setup" in str(error) or not isinstance(error, PlumeSignInRefused)
    assert [secret for secret in world.secrets() if secret in logged.getvalue()] == []
