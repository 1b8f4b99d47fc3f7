"""The real service, the real bot and their outside world, as processes that may be killed."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path

import httpx

from app.storage.sealed import Sealer, new_key, read_keys
from simulator.ports import free_port

ROOT = Path(__file__).parents[1]
READY_SECONDS = 60.0
MOST = "100000"  # messages of a person in a minute: the largest that the settings take
PLENTY = "1000000/minute"


class Program:
    """One of the project's programs on one folder; every start has the same settings."""

    def __init__(self, script: str, folder: Path, **settings: str) -> None:
        self._script = script
        self.folder = folder
        self._log = folder / f"{Path(script).name}.log"
        self._environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status; None while it runs."""
        assert self._process is not None
        return self._process.returncode

    async def start(self) -> None:
        """Start the process, which is not ready yet."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(ROOT / f"{self._script}.py")),
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        """End it as the system does when memory runs out: at once, wherever it is."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end; return its exit status."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
        return await self._process.wait()


class Service(Program):
    """`run_service.py` with keys, a port and data of its own."""

    script = "run_service"

    def __init__(self, folder: Path, provider: str, **settings: str) -> None:
        self.key = secrets.token_urlsafe(32)
        self.admin_key = secrets.token_urlsafe(32)
        self.bot_key = secrets.token_urlsafe(32)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        sqlite = f"sqlite:///{folder / 'data' / 'soak.db'}"
        self.url = settings.get("DATABASE_URL", sqlite)
        self._key_file = folder / "encryption.key"
        self._key_file.touch(0o600)
        self._key_file.write_text(new_key())
        own = {
            "API_PORT": str(self.port),
            "INTERNAL_API_KEY": self.key,
            "ADMIN_API_KEY": self.admin_key,
            "BOT_API_KEY": self.bot_key,
            "ENCRYPTION_KEY_FILE": str(self._key_file),
            "DATABASE_URL": self.url,
            "LOG_FILE": "",
            "OPENROUTER_SERVICE_URL": provider,
            "OPENROUTER_API_KEY": "sk-or-v1-simulated",
            "INTERNAL_RATE_LIMIT": MOST,
            "HTTP_RATE_LIMIT": PLENTY,
            "LOGIN_RATE_LIMIT": PLENTY,
        }
        super().__init__(self.script, folder, **(own | settings))

    @property
    def sealer(self) -> Sealer:
        return Sealer(read_keys(self._key_file))

    def beside(self, folder: Path, **settings: str) -> "Service":
        """Return another instance: its keys and settings, but for `settings` and the port."""
        made = copy(self)
        made.port = free_port()
        made.base = f"http://127.0.0.1:{made.port}"
        own = self._environment | {"API_PORT": str(made.port)} | settings
        Program.__init__(made, self.script, folder, **own)
        return made

    async def ready(self) -> None:
        """Wait until it takes messages.

        Raises:
            RuntimeError: it ended; its output says why.
            TimeoutError: it takes longer than `READY_SECONDS`.
        """
        async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient() as http:
            while True:
                if self.status is not None:
                    raise RuntimeError(self.log[-2000:])
                try:
                    if (await http.get(f"{self.base}/health/ready")).is_success:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.02)


class TelegramBot(Program):
    """`run_telegram_bot.py` between a service and a Telegram."""

    def __init__(
        self, folder: Path, service: Service, telegram: str, token: str, **settings: str
    ) -> None:
        own = {
            "TELEGRAM_BOT_TOKEN": token,
            "TELEGRAM_API_BASE": telegram,
            "BOT_API_KEY": service.bot_key,
            "SERVICE_URL": service.base,
            "TELEGRAM_LOG_FILE": "",
        }
        super().__init__("run_telegram_bot", folder, **(own | settings))


@asynccontextmanager
async def program(*command: str | Path) -> AsyncIterator[str]:
    """Run a module that prints its base URL first; yield that."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *_texts(command), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().split()[-1]
    finally:
        process.kill()
        await process.wait()


def _texts(command: Sequence[str | Path]) -> list[str]:
    return [str(part) for part in command]
