import pytest

from tests.platforms.telling import Ear
from tests.simulator.bot_api import spec

__all__ = ["spec"]


@pytest.fixture
def ear() -> Ear:
    return Ear()
