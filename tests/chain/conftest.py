from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from tests.chain.stack import Chain, Person, running
from tests.chain.traces import leaks, strays


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chain]:
    """One chain for all: to start it takes seconds. Every test has people of its own."""
    async with running(tmp_path_factory.mktemp("chain")) as chain:
        yield chain
        with suppress(TimeoutError):
            await chain.until(lambda: not strays(chain))
    # Whatever the tests did, nothing may be left of it where it does not belong.
    assert leaks(chain) == []
    assert strays(chain) == []


@pytest_asyncio.fixture(loop_scope="package")
async def nora(chain: Chain) -> Person:
    """Somebody new."""
    return await chain.join()
