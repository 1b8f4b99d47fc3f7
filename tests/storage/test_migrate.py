import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import make_url

from app.storage import migrate as migrating
from app.storage.migrate import migrate
from app.storage.sqlite import _engine
from app.storage.tables import metadata

FAILS_HALFWAY = """
from alembic import op

revision = "9999"
down_revision = "0003"
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


def run(engine: Engine, step: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrating.SCRIPTS))
    with engine.begin() as db:
        config.attributes["connection"] = db
        {"up": command.upgrade, "down": command.downgrade}[step](
            config, {"up": "head", "down": "base"}[step]
        )


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def schema(db: Connection) -> set[str]:
    return set(db.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).scalars())


def test_the_migrations_make_what_the_tables_say(engine: Engine) -> None:
    migrate(engine)

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
    migrate(engine)
    with made.begin() as db:
        metadata.create_all(db)
        expected = {mark: sum(mark in sql for sql in schema(db)) for mark in marks}
    made.dispose()

    with engine.connect() as db:
        found = {mark: sum(mark in sql for sql in schema(db)) for mark in marks}

    assert found == expected
    assert all(found.values())


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
        assert db.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0003"
