import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings
from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url
from sqlalchemy.util import greenlet_spawn

from app.storage.batches import Batches
from app.storage.postgres import open_postgres
from app.storage.sealed import Sealer
from app.storage.sqlite import open_sqlite
from app.storage.store import Store
from tests import postgres

WHOLE = bool(os.environ.get("SOAK"))
# `make soak` tries all that a property test generates, `make test` fewer of it.
settings.register_profile("short", max_examples=15)
if not WHOLE:
    settings.load_profile("short")

# Begun first where tests run side by side: a file that waits for processes, and comes last, would
# be waited for by all others.
LONG = {"chain", "deploy", "test_run_service", "test_serving", "test_starting", "test_images"}

KEY = bytes(range(32))
DATABASES = ["sqlite", "postgresql"]


@pytest.fixture
def sealer() -> Sealer:
    return Sealer([KEY])


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """A name in a folder of its own; nothing is there yet."""
    return tmp_path / "data" / "arash.db"


@pytest.fixture(scope="session")
def postgres_migrated() -> Iterator[URL]:
    """A database for one test at a time: whoever writes there empties it."""
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.migrated() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_migrated: URL) -> Iterator[URL]:
    """The URL of an empty database, migrated."""
    yield postgres_migrated
    postgres.apart(postgres.empty(postgres_migrated))


@pytest.fixture
def batches(sqlite_file: Path) -> Iterator[Batches]:
    """An empty database, migrated, on the disk."""
    with open_sqlite(make_url(f"sqlite:///{sqlite_file}")) as store:
        yield store


@pytest.fixture(params=DATABASES)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An empty database of either kind, migrated: what promises something does so on both."""
    if request.param == "sqlite":
        yield request.getfixturevalue("batches")
        return
    async with open_postgres(request.getfixturevalue("postgres_url")) as pooled:
        yield pooled


@pytest.fixture(params=DATABASES)
def db(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A transaction in an empty database of either kind."""
    if request.param == "sqlite":
        store: Batches = request.getfixturevalue("batches")
        with store._engine.connect() as db, db.begin():
            yield db
        return
    engine = postgres.engine(request.getfixturevalue("postgres_migrated"))
    with engine.connect() as db, db.begin() as transaction:
        postgres.count_from_one(db)
        yield db
        transaction.rollback()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run what uses `db` on PostgreSQL in a greenlet, where the driver may wait as in `Store`."""
    names = getattr(item, "fixturenames", ())
    callspec = getattr(item, "callspec", None)
    if "db" not in names or callspec is None or callspec.params.get("db") != "postgresql":
        return None
    if postgres.missing():
        return None  # the fixture skips
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    asyncio.run(greenlet_spawn(runtestprotocol, item, nextitem=nextitem))
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.isdisjoint({item.path.parent.name, item.path.stem}))
