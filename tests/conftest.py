from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.storage.sealed import Sealer
from app.storage.sqlite import open_sqlite
from app.storage.store import Store

KEY = bytes(range(32))


@pytest.fixture
def sealer() -> Sealer:
    return Sealer([KEY])


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """A name in a folder of its own; nothing is there yet."""
    return tmp_path / "data" / "arash.db"


# Another kind of database is another parameter: what uses `store` then runs on both.
@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, sqlite_file: Path) -> Iterator[Store]:
    """An empty database, migrated, on the disk."""
    assert request.param == "sqlite"
    with open_sqlite(make_url(f"sqlite:///{sqlite_file}")) as store:
        yield store
