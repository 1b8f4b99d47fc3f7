"""The corpus has to catch a fault before its silence means anything."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.protocol import Limits, protocol
from tests.corpus.endpoints import KNOWN
from tests.corpus.planted import ADMIN, FAULTS, KEY, build
from tests.corpus.requests import Bad
from tests.corpus.run import CASES, Deviation, run_corpus
from tests.servers import serve

pytestmark = pytest.mark.alone


async def deviations(
    fault: str = "",
    *,
    http: type[asyncio.Protocol] | None = None,
    cases: Sequence[Bad] = CASES,
) -> list[Deviation]:
    async with serve(build(fault), http=http or protocol(Limits())) as base:
        return await run_corpus(base, KEY, ADMIN, cases=cases, patience=1.0)


def test_the_corpus_is_large_and_names_each_case_once() -> None:
    names = Counter(case.name for case in CASES)

    assert len(names) >= 350
    assert [name for name, count in names.items() if count > 1] == []


async def test_a_service_without_a_fault_passes() -> None:
    assert await deviations() == []


@pytest.mark.parametrize(("fault", "word"), FAULTS.items())
async def test_a_planted_fault_is_caught(fault: str, word: str) -> None:
    cases = [case for case in CASES if word in case.name]

    found = await deviations(fault, cases=cases)

    assert found != []
    assert await deviations(cases=cases) == []


async def test_a_server_without_limits_is_caught() -> None:
    found = {deviation.case for deviation in await deviations(http=HttpToolsProtocol)}

    assert found >= {"no host", "two hosts", "65 headers", "a header of 2 MB", "chunks in HTTP/1.0"}


async def test_an_endpoint_that_nobody_described_stops_the_corpus() -> None:
    app = build()
    app.get("/new")(lambda: None)

    async with serve(app, http=protocol(Limits())) as base:
        with pytest.raises(KeyError, match="GET /new"):
            await run_corpus(base, KEY, ADMIN)


async def test_the_small_service_has_an_endpoint_behind_every_kind_of_door() -> None:
    paths = build().openapi()["paths"]
    small = {f"{method.upper()} {path}" for path, ways in paths.items() for method in ways}

    assert small <= set(KNOWN)
    assert {KNOWN[endpoint][0] for endpoint in small} == {door for door, _ in KNOWN.values()}
