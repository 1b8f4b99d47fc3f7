import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.util import greenlet_spawn

from app.storage import migrate as migrating
from app.storage.sqlite import _engine
from app.storage.tables import metadata
from tests import postgres

FAILS_HALFWAY = """
from alembic import op

revision = "9999"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE halfway (id INTEGER)")
    op.execute("INSERT INTO halfway VALUES (1)")
    raise RuntimeError
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    file = tmp_path / "arash.db"
    engine = _engine(make_url(f"sqlite:///{file}"), file)
    yield engine
    engine.dispose()


def migrate(engine: Engine) -> None:
    with engine.begin() as db:
        migrating.migrate(db)


def configured(db: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrating.SCRIPTS))
    config.attributes["connection"] = db
    return config


def climb(db: Connection) -> None:
    command.upgrade(configured(db), "head")


def run(engine: Engine, step: str) -> None:
    with engine.begin() as db:
        if step == "up":
            climb(db)
        else:
            command.downgrade(configured(db), "base")


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def schema(db: Connection) -> set[str]:
    return set(db.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).scalars())


def form(db: Connection) -> dict[str, object]:
    """Return what the database itself tells of each table; columns in whatever order."""
    seen = inspect(db)
    return {
        table: (
            sorted(
                (each["name"], str(each["type"]), each["nullable"], each["default"])
                for each in seen.get_columns(table)
            ),
            seen.get_pk_constraint(table)["constrained_columns"],
            sorted(
                (each["name"], each["column_names"], each["unique"], each["dialect_options"])
                for each in map(_bare, seen.get_indexes(table))
            ),
            sorted(map(str, seen.get_foreign_keys(table))),
            sorted(map(str, seen.get_unique_constraints(table))),
            sorted(map(str, seen.get_check_constraints(table))),
        )
        for table in seen.get_table_names()
    }


def _bare(index: Any) -> dict[str, Any]:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": sorted(options.items())}


def test_the_migrations_make_what_the_tables_say(engine: Engine) -> None:
    run(engine, "up")

    with engine.connect() as db:
        context = MigrationContext.configure(db, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert set(metadata.tables) < tables(engine)


def test_numbers_are_given_once_and_rows_are_laid_out_as_the_tables_say(
    engine: Engine, tmp_path: Path
) -> None:
    # What the comparison of Alembic does not see: AUTOINCREMENT, WITHOUT ROWID, ON DELETE.
    marks = ("AUTOINCREMENT", "WITHOUT ROWID", "ON DELETE CASCADE", "WHERE state IN")
    made = _engine(make_url(f"sqlite:///{tmp_path / 'made.db'}"), tmp_path / "made.db")
    run(engine, "up")
    migrate(made)
    with made.begin() as db:
        expected = {mark: sum(mark in sql for sql in schema(db)) for mark in marks}
    made.dispose()

    with engine.connect() as db:
        found = {mark: sum(mark in sql for sql in schema(db)) for mark in marks}

    assert found == expected
    assert all(found.values())


def test_a_new_database_is_made_as_the_migrations_would(engine: Engine, tmp_path: Path) -> None:
    made = _engine(make_url(f"sqlite:///{tmp_path / 'made.db'}"), tmp_path / "made.db")
    run(engine, "up")
    migrate(made)

    forms = []
    for each in (engine, made):
        with each.connect() as db:
            forms.append(form(db))
            assert db.execute(text("SELECT version_num FROM alembic_version")).all() == [("0005",)]
    made.dispose()

    assert forms[0] == forms[1]
    assert set(metadata.tables) < forms[0].keys()


def test_so_it_is_on_postgresql() -> None:
    if reason := postgres.missing():
        pytest.skip(reason)

    assert asyncio.run(greenlet_spawn(_form_there, migrating.migrate)) == asyncio.run(
        greenlet_spawn(_form_there, climb)
    )


def _form_there(how: Callable[[Connection], None]) -> dict[str, object]:
    with postgres.database() as url, postgres.engine(url).begin() as db:
        how(db)
        return form(db)


def test_tables_of_somebody_else_are_migrated_and_not_taken_for_ours(engine: Engine) -> None:
    with engine.begin() as db:
        db.execute(text("CREATE TABLE theirs (id INTEGER)"))

    migrate(engine)

    assert set(metadata.tables) | {"theirs"} < tables(engine)


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as db:
        before = schema(db)

    migrate(engine)

    with engine.connect() as db:
        assert schema(db) == before


def test_every_migration_can_be_taken_back_and_applied_again(engine: Engine) -> None:
    migrate(engine)
    whole = tables(engine)

    run(engine, "down")
    assert tables(engine) <= {"alembic_version", "sqlite_sequence"}

    run(engine, "up")
    assert tables(engine) == whole


def test_a_migration_that_fails_halfway_leaves_nothing_of_itself(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(engine)
    scripts = tmp_path / "100% migrations"
    shutil.copytree(migrating.SCRIPTS, scripts)
    (scripts / "versions" / "9999_more.py").write_text(FAILS_HALFWAY)
    monkeypatch.setattr(migrating, "SCRIPTS", scripts)

    with pytest.raises(RuntimeError):
        migrate(engine)

    assert "halfway" not in tables(engine)
    with engine.connect() as db:
        assert db.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0005"
