from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chain.stack import Chain, Person
from tests.chain.traces import leaving_nothing


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chain]:
    """One chain for all: to start it takes seconds. Every test has people of its own."""
    async with leaving_nothing(tmp_path_factory.mktemp("chain")) as chain:
        yield chain


@pytest_asyncio.fixture(loop_scope="package")
async def nora(chain: Chain) -> Person:
    """Somebody new."""
    return await chain.join()
