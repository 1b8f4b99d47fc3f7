from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redises import Server, server


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    """A Redis of the test's own, which it may kill and freeze."""
    with server(tmp_path) as started:
        yield started
