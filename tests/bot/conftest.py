from collections.abc import AsyncIterator

import pytest

from tests.bot.stage import Stage, stage


@pytest.fixture
async def on_stage() -> AsyncIterator[Stage]:
    async with stage() as made:
        yield made
