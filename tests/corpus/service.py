"""The service as its own process, with the doors opened as wide as the corpus needs."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.storage.sealed import new_key
from simulator.ports import free_port
from tests.corpus.raw import NOTHING, send_raw

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Running:
    base: str
    key: str
    admin_key: str
    log: Path
    process: asyncio.subprocess.Process


@asynccontextmanager
async def running(folder: Path, **settings: str) -> AsyncIterator[Running]:
    """Start `run_service.py` with its data in `folder`, and end it afterwards.

    Raises:
        RuntimeError: it does not become ready; its output says why.
    """
    sealing = folder / "encryption.key"
    sealing.touch(0o600)
    sealing.write_text(new_key())
    key, admin_key, port = secrets.token_hex(32), secrets.token_hex(32), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "API_PORT": str(port),
        "INTERNAL_API_KEY": key,
        "ADMIN_API_KEY": admin_key,
        "BOT_API_KEY": secrets.token_hex(32),
        "ENCRYPTION_KEY_FILE": str(sealing),
        "DATABASE_URL": f"sqlite:///{folder / 'data' / 'corpus.db'}",
        "LOG_FILE": "",
        "ENABLE_API_DOCS": "true",
        "HTTP_RATE_LIMIT": "1000000/minute",
        "LOGIN_RATE_LIMIT": "1000000/minute",
        **settings,
    }
    log = folder / "output.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "run_service.py"),
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        if not await _ready(process, port):
            raise RuntimeError(await asyncio.to_thread(log.read_text))
        yield Running(f"http://127.0.0.1:{port}", key, admin_key, log, process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready(process: asyncio.subprocess.Process, port: int) -> bool:
    for _ in range(300):
        try:
            heard = await send_raw("127.0.0.1", port, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        except OSError:
            heard = NOTHING
        if heard.status == 200 or process.returncode is not None:
            return heard.status == 200
        await asyncio.sleep(0.1)
    return False
