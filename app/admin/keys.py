"""Making keys, and changing the one that seals what is stored."""

import base64
import os
import secrets
from pathlib import Path

from sqlalchemy.engine import make_url

from app.admin import postgres
from app.admin.refusal import Refused
from app.sessions import connections
from app.settings import Settings, example
from app.storage.opening import open_store
from app.storage.sealed import Sealer, new_key, read_keys

KEYS = ("INTERNAL_API_KEY", "BOT_API_KEY", "ADMIN_API_KEY")
KEY_BYTES = 32


def make(folder: Path) -> tuple[Path, Path]:
    """Write a `.env` and the key that seals what is stored; return both files.

    Raises:
        Refused: one of them is there already.
    """
    file = folder / ".env"
    key_file = folder / "secrets" / "encryption.key"
    for present in (file, key_file):
        if present.exists():
            # A new sealing key would make everything stored unreadable.
            raise Refused(f"{present} is there already and was left alone.")
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
    return file, key_file


async def rotate(settings: Settings) -> int:
    """Seal with a fresh key from now on; return how many Plume sign-ins were sealed anew.

    Raises:
        Refused, StorageRefused, KeyRefused: the service runs, or one of the two cannot be read.
    """
    file = settings.keys.encryption_key_file
    database = settings.storage.database_url.get_secret_value()
    url = make_url(database)
    if url.get_backend_name() != "sqlite":  # whose lock tells the same
        async with postgres.connected(url) as db:
            await postgres.check_alone(db)
    async with open_store(database) as store:
        older = read_keys(file)
        _replace(file, "\n".join([new_key(), *(_coded(key) for key in older)]) + "\n")
        sealer = Sealer(read_keys(file))
        return await store.run(lambda db: connections.reseal(db, sealer))


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
