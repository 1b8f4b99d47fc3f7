"""Bringing a database to the form this program knows."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine

SCRIPTS = Path(__file__).parent / "migrations"


class NewerDatabase(Exception):
    """A newer program wrote this database."""


def migrate(engine: Engine) -> None:
    """Apply the migrations that are missing, all or none.

    Raises:
        NewerDatabase: the database holds a migration that this program does not have.
    """
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    with engine.begin() as db:
        config.attributes["connection"] = db
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise NewerDatabase("a newer version wrote this database; run that one") from error
