import asyncio
import base64
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from app.sessions import connections
from app.settings import SettingsRefused, example, read_settings
from app.storage.sealed import KeyRefused, Sealer, new_key, read_keys
from app.storage.sqlite import StorageRefused, open_sqlite

KEYS = ("INTERNAL_API_KEY", "BOT_API_KEY", "ADMIN_API_KEY")
KEY_BYTES = 32

cli = typer.Typer(no_args_is_help=True, add_completion=False)


@cli.callback()
def admin() -> None:
    """Look after an Arash Panoptes service."""


@cli.command()
def env(
    folder: Annotated[Path, typer.Option(help="Where to write .env and secrets/.")] = Path(),
) -> None:
    """Write a .env with fresh keys, and the key that seals what is stored."""
    file = folder / ".env"
    key_file = folder / "secrets" / "encryption.key"
    for present in (file, key_file):
        if present.exists():
            # A new sealing key would make everything stored unreadable.
            typer.echo(f"{present} is there already and was left alone.", err=True)
            raise typer.Exit(1)
    key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(key_file, new_key() + "\n")
    lines = []
    for line in example().splitlines():
        name = line.partition("=")[0]
        if name in KEYS:
            # Hexadecimal: it never holds by chance what the start takes for a placeholder.
            line = f"{name}={secrets.token_hex(KEY_BYTES)}"  # noqa: PLW2901 - a filled line
        elif name == "ENCRYPTION_KEY_FILE":
            line = f"{name}={key_file if folder == Path() else key_file.resolve()}"  # noqa: PLW2901 - as above
        lines.append(line)
    _write(file, "\n".join(lines) + "\n")
    typer.echo(f"{file} and {key_file} are written. Put your OPENROUTER_API_KEY into {file},")
    typer.echo("then: python run_service.py")


@cli.command()
def rotate_keys() -> None:
    """Seal with a fresh key from now on, and seal the Plume sign-ins anew. Stop the service first.

    The older keys stay in the file: what people said before is read with them until it expires.
    """
    try:
        settings = read_settings()
    except SettingsRefused as refused:
        for reason in refused.reasons:
            typer.echo(reason, err=True)
        raise typer.Exit(1) from None
    file = settings.keys.encryption_key_file
    try:
        with open_sqlite(make_url(settings.storage.database_url)) as store:
            older = read_keys(file)
            fresh = new_key()
            _replace(file, "\n".join([fresh, *(_coded(key) for key in older)]) + "\n")
            sealer = Sealer(read_keys(file))
            resealed = asyncio.run(store.run(lambda db: connections.reseal(db, sealer)))
    except (StorageRefused, KeyRefused) as refused:
        typer.echo(f"Nothing was changed: {refused}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{file} has a new key; {resealed} Plume sign-ins are sealed with it.")


def _coded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _replace(file: Path, text: str) -> None:
    """Write beside the file, then put it in its place: it is never half a key file."""
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)
    _write(beside, text)
    beside.replace(file)


def _write(file: Path, text: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as opened:
        opened.write(text)


if __name__ == "__main__":
    cli()
