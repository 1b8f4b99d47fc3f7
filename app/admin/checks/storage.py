"""The database, and the key that seals what is in it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.admin import sealing
from app.admin.findings import Case, Finding, Stored, broken, doubtful, fine
from app.admin.threads import in_thread
from app.storage.driver import FAILURES, HOPELESS, OLDEST, by_asyncpg, sqlstate
from app.storage.migrate import versions
from app.storage.sealed import Sealer
from app.storage.tables import OPEN, deliveries, turns

CONNECT_SECONDS = 5.0
LONG_WAIT = 300.0  # seconds: an answer takes two minutes at the most
NEWER = "a newer version wrote this database"
T = TypeVar("T")


async def storage(case: Case) -> list[Finding]:
    """Look into the database, beside the service, and tell the others what is in it."""
    url = make_url(case.settings.storage.database_url.get_secret_value())
    stored: Stored | None = None
    try:
        if url.get_backend_name() == "sqlite":
            stored = await in_thread(lambda: _in_file(url, lambda db: _look(db, case.sealer)))
            if stored is None:
                return [doubtful("storage", "no database yet", "the first start makes it")]
        else:
            stored = await _on_server(url, lambda db: _look(db, case.sealer))
    except (SQLAlchemyError, *FAILURES) as error:
        return [_unusable(url, error)]
    finally:
        case.stored.set_result(stored)
    if stored.now is not None:
        case.clocks.note("the database", stored.now)
    return list(_judged(stored))


def _judged(stored: Stored) -> list[Finding]:
    found = []
    if stored.server and stored.server < OLDEST:
        found.append(broken("storage", "this PostgreSQL is too old", "use version 13 or newer"))
    if stored.replica:
        found.append(
            broken("storage", "this database can only be read", "name its primary in DATABASE_URL")
        )
    ours = max(versions())
    if stored.version is None or stored.version < ours:
        what = "the tables are not made yet" if stored.version is None else "a migration is pending"
        if stored.may_create:
            found.append(doubtful("storage", what, "the next start of the service does it"))
        else:
            todo = "as its owner: GRANT CREATE ON SCHEMA public TO the user of DATABASE_URL"
            found.append(broken("storage", f"{what}, and this user may not make tables", todo))
        return found
    if stored.version > ours:
        return [broken("storage", NEWER, "run that version, or restore an older backup")]
    if stored.dead:
        todo = "`python -m app dead-letters` lists them, `redrive` sends them again"
        found.append(doubtful("deliveries", f"{stored.dead} were refused for good", todo))
    if stored.oldest_wait > LONG_WAIT:
        waits = f"a message has waited for {stored.oldest_wait / 60:.0f} minutes"
        found.append(broken("storage", waits, "is the service running? look into its log"))
    if stored.opens is False:
        todo = "put back the key file of then, ENCRYPTION_KEY_FILE; no other opens it"
        found.append(broken("encryption key", "it does not open what is stored", todo))
    opened = "it opens what is stored" if stored.opens else "nothing is stored yet"
    return [
        *([] if any(it.piece == "storage" for it in found) else [fine("storage", "it answers")]),
        *([] if stored.opens is False else [fine("encryption key", opened)]),
        *found,
    ]


def _look(db: Connection, sealer: Sealer | None) -> Stored:
    stored = Stored()
    if db.dialect.name == "postgresql":
        said = "SELECT current_setting('server_version_num')::int, pg_is_in_recovery()"
        said += " OR current_setting('transaction_read_only')::bool"
        said += ", has_schema_privilege(current_schema(), 'CREATE')"
        said += ", extract(epoch FROM clock_timestamp())::float"
        row = db.execute(text(said)).one()
        stored.server, stored.replica, stored.may_create, stored.now = row
    if not inspect(db).has_table("alembic_version"):
        return stored
    stored.version = db.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if stored.version != max(versions()):
        return stored
    refused = deliveries.c.state == "refused"
    stored.dead = db.execute(select(func.count()).where(refused)).scalar_one()
    oldest = db.execute(select(func.min(turns.c.accepted_at)).where(OPEN)).scalar()
    stored.oldest_wait = 0.0 if oldest is None else time.time() - oldest
    if sealer is not None:
        stored.opens = sealing.opens(db, sealer)
        stored.sign_ins = [
            (person.platform, person.user_id, way.credentials if way else None)
            for person, way in sealing.sign_ins(db, sealer)
        ]
    return stored


def _in_file(url: URL, work: Callable[[Connection], T]) -> T | None:
    file = Path(str(url.database))
    if not file.is_file():
        return None
    name = f"{file.resolve().as_uri()}?mode=ro&uri=true"
    engine = create_engine(f"sqlite:///{name}", poolclass=NullPool, hide_parameters=True)
    try:
        with engine.connect() as db:
            return work(db)
    finally:
        engine.dispose()


async def _on_server(url: URL, work: Callable[[Connection], T]) -> T:
    connect = {"timeout": CONNECT_SECONDS, "command_timeout": 2 * CONNECT_SECONDS}
    engine = create_async_engine(
        by_asyncpg(url), poolclass=NullPool, hide_parameters=True, connect_args=connect
    )
    try:
        async with engine.connect() as db:
            return await db.run_sync(work)
    finally:
        await engine.dispose()


def _unusable(url: URL, error: Exception) -> Finding:
    if url.get_backend_name() == "sqlite":
        return broken("storage", "the database cannot be read", "restore it from a backup")
    state = sqlstate(error)
    reason = HOPELESS.get(state, "the database does not answer")
    mend = "check host, port and network of DATABASE_URL, and that PostgreSQL runs"
    if state in HOPELESS:
        mend = "mend user, password or database in DATABASE_URL, or on the server"
    return broken("storage", reason, mend)
