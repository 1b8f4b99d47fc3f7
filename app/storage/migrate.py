"""Bringing a database to the form this program knows."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from app.storage.tables import metadata

SCRIPTS = Path(__file__).parent / "migrations"


class NewerDatabase(Exception):
    """A newer program wrote this database."""


def migrate(db: Connection) -> None:
    """Apply the migrations that are missing, all or none, in the transaction of `db`.

    Raises:
        NewerDatabase: the database holds a migration that this program does not have.
    """
    # Alembic costs 11 MB and a tenth of a second. It is for databases of earlier versions.
    newest, there = max(versions()), inspect(db).get_table_names()
    if not there:
        _make(db, newest)
        return
    if "alembic_version" in there and _version(db) == newest:
        return
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = db
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise NewerDatabase("a newer version wrote this database; run that one") from error


def versions() -> list[str]:
    """Return the migrations that this program has, by their numbers."""
    return [script.stem[:4] for script in SCRIPTS.glob("versions/[0-9]*.py")]


def version_of(db: sqlite3.Connection) -> str | None:
    """Return the last migration of an SQLite file, None where it has none of our tables."""
    table = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    if db.execute(table).fetchone() is None:
        return None
    found = db.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if found is None else str(found[0])


def _make(db: Connection, version: str) -> None:
    metadata.create_all(db)
    db.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    db.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})


def _version(db: Connection) -> str | None:
    return db.execute(text("SELECT version_num FROM alembic_version")).scalar()
