"""Bringing a database to the form this program knows."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

SCRIPTS = Path(__file__).parent / "migrations"


class NewerDatabase(Exception):
    """A newer program wrote this database."""


def migrate(engine: Engine) -> None:
    """Apply the migrations that are missing, all or none.

    Raises:
        NewerDatabase: the database holds a migration that this program does not have.
    """
    if _version(engine) == max(script.stem[:4] for script in SCRIPTS.glob("versions/[0-9]*.py")):
        return  # Alembic costs 11 MB and a tenth of a second, and has nothing to do
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    with engine.begin() as db:
        config.attributes["connection"] = db
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise NewerDatabase("a newer version wrote this database; run that one") from error


def _version(engine: Engine) -> str | None:
    with engine.connect() as db:
        if not inspect(db).has_table("alembic_version"):
            return None
        return db.execute(text("SELECT version_num FROM alembic_version")).scalar()
