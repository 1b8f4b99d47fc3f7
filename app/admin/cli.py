"""The commands: what they are called, what they take, and what they say."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from loguru import logger

from app import starting
from app.admin import backup as backing
from app.admin import config_table as tables
from app.admin import doctor as medicine
from app.admin import keys, letters, screen
from app.admin import restore as restoring
from app.admin.refusal import Refused
from app.settings import Settings, SettingsRefused, read_settings
from app.storage.migrate import NewerDatabase
from app.storage.sealed import KeyRefused, Sealer, read_keys
from app.storage.store import StorageRefused

NOT_CONFIGURED = 78  # EX_CONFIG of sysexits.h, as run_service.py has it

# A traceback in colours would show the values of variables, keys among them.
cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Replace = Annotated[bool, typer.Option("--replace", help="Throw away what is there.")]


def main(*command: str) -> None:
    """Run the `command`, if one is named, with what stands on the command line."""
    logger.remove()  # what a command has to say, it says itself
    cli.rich_markup_mode = "rich" if screen.fancy() else None
    cli(args=[*command, *sys.argv[1:]], prog_name="python -m app")


@cli.callback()
def admin() -> None:
    """Look after an Arash Panoptes service."""


@cli.command()
def env(
    folder: Annotated[Path, typer.Option(help="Where to write .env and secrets/.")] = Path(),
) -> None:
    """Write a .env with fresh keys, and the sealing key."""
    with _told():
        file, key_file = keys.make(folder)
    screen.say(f"{file} and {key_file} are written. Put your OPENROUTER_API_KEY into {file},")
    screen.say("then: python run_service.py")


@cli.command()
def check_config() -> None:
    """Say all that keeps the service from starting."""
    try:
        starting.read(to_start=False)
    except SettingsRefused as refused:
        for reason in refused.reasons:
            typer.echo(reason, err=True)
        raise typer.Exit(NOT_CONFIGURED) from None
    screen.say("The service can start with these settings.")


@cli.command()
def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at every piece and name what is broken.

    Each line says what to do next. The status is 1 where something is broken.
    """
    found = asyncio.run(medicine.diagnose())
    medicine.show(found, as_json=as_json)
    if not medicine.healthy(found):
        raise typer.Exit(1)


@cli.command()
def backup(
    file: Annotated[Path, typer.Argument(help="To write.")], *, replace: Replace = False
) -> None:
    """Write all that is stored into one file.

    The service may go on working meanwhile. The file holds what was committed when this began.
    """
    with _told():
        settings = read_settings()
        rows = asyncio.run(backing.backup(_database(settings), file, replace=replace))
    size = file.stat().st_size / 1024**2
    screen.say(f"{file}: {sum(rows.values())} rows, {size:.1f} MB.")
    screen.say("The key that opens it is not in it. Keep that too, and elsewhere:")
    screen.say(f"  {settings.keys.encryption_key_file}")


@cli.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")], *, replace: Replace = False
) -> None:
    """Put a backup into the database of DATABASE_URL.

    It may be of the other kind: this is the way from SQLite to PostgreSQL, and back. Stop the
    service first.
    """
    with _told():
        settings = read_settings()
        sealer = Sealer(read_keys(settings.keys.encryption_key_file))
        work = restoring.restore(file, _database(settings), sealer, replace=replace)
        rows, readable = asyncio.run(work)
    screen.say(f"{sum(rows.values())} rows of {file} are restored. Start the service.")
    if not readable:
        screen.say(
            f"{settings.keys.encryption_key_file} does not open what is in it: "
            "put back the key file of then before you start the service.",
            "bold red",
        )
        raise typer.Exit(1)


@cli.command()
def rotate_keys() -> None:
    """Seal with a fresh key from now on. Stop the service first.

    The Plume sign-ins are sealed anew. The older keys stay in the file: what people said before
    is read with them until it expires.
    """
    with _told("Nothing was changed: "):
        settings = read_settings()
        resealed = asyncio.run(keys.rotate(settings))
    file = settings.keys.encryption_key_file
    screen.say(f"{file} has a new key; {resealed} Plume sign-ins are sealed with it.")


@cli.command()
def dead_letters() -> None:
    """List what could not be delivered."""
    with _told():
        refused, unreadable = asyncio.run(letters.dead(read_settings()))
    if refused:
        rows = [
            (each.get("id"), each.get("platform"), each.get("chat_id"), _when(each), each["reason"])
            for each in refused
        ]
        screen.table(("id", "platform", "chat", "since", "reason"), rows)
    else:
        screen.say("There are no dead letters.")
    if unreadable:
        screen.say(f"Updates of Telegram that nobody could read: {unreadable}.")


@cli.command()
def redrive(
    number: Annotated[int | None, typer.Argument(min=1, help="As dead-letters lists it.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Deliver a dead letter again, or all of them."""
    if (number is None) != everything:
        raise typer.BadParameter("give the id of one, or --all")
    with _told():
        redriven = asyncio.run(letters.redrive(read_settings(), number))
    screen.say(f"{redriven} on the way again.")
    if not redriven and number is not None:
        raise typer.Exit(1)


@cli.command()
def spend() -> None:
    """Say what AI answers cost today, and may cost."""
    with _told():
        found = asyncio.run(letters.spend(read_settings()))
    if found is None:
        screen.say(
            "There is no DAILY_SPEND_LIMIT_USD, so it is not counted by day; see GET /stats."
        )
        return
    screen.say(
        f"{found['spent_usd']:.4f} USD spent and {found['held_usd']:.4f} USD held "
        f"of {found['limit_usd']:.2f} USD today, by UTC."
    )


@cli.command()
def config_table() -> None:
    """Print the table of all settings, as Markdown."""
    screen.say(tables.config_table())


@contextmanager
def _told(before: str = "") -> Iterator[None]:
    """Say why nothing was done, and end with 1."""
    try:
        yield
    except SettingsRefused as refused:
        reasons = refused.reasons
    except (Refused, StorageRefused, NewerDatabase, KeyRefused) as refused:
        reasons = [f"{before}{refused}"]
    else:
        return
    for reason in reasons:
        typer.echo(reason, err=True)
    raise typer.Exit(1)


def _database(settings: Settings) -> str:
    return settings.storage.database_url.get_secret_value()


def _when(letter: dict[str, object]) -> str:
    at = letter.get("created_at")
    if not isinstance(at, int | float):
        return ""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
