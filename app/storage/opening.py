"""Which database: one file for one process, or a server that many share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.engine import make_url

from app.storage.sqlite import open_sqlite
from app.storage.store import Store


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """Open the database that `url` names, made and migrated where needed.

    Raises:
        StorageRefused, NewerDatabase: the text says why.
    """
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        with open_sqlite(made) as store:
            yield store
    else:
        # 11 MB, which a service on SQLite does without.
        from app.storage.postgres import open_postgres  # noqa: PLC0415

        async with open_postgres(made) as pooled:
            yield pooled
