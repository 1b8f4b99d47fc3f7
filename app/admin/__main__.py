import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from app.settings import example
from app.storage.sealed import new_key

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


def _write(file: Path, text: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as opened:
        opened.write(text)


if __name__ == "__main__":
    cli()
