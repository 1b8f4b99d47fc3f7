"""A whole that is well: service, database, and the outside world, for `doctor` to look at."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.admin.doctor import diagnose
from app.admin.findings import Clocks, Finding
from app.api.parts import Parts
from app.main import create_app
from app.panoptes.panoptes import no_picture
from app.plume.credentials import Credentials, parse_authorization, parse_partner_id
from app.sessions import connections
from app.sessions.connections import Person
from app.settings import read_settings
from app.storage.sealed import new_key
from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.openrouter.world import KEY
from simulator.plume import PARTNER, PlumeWorld, addresses, create_plume
from simulator.telegram import TelegramWorld, create_telegram
from tests.api.service import ADMIN, BOT, INTERNAL, Service, until
from tests.servers import serve

MODEL = "openai/gpt-4o-mini"
OWNER = Person("telegram", "1001")
PLENTY = 50 * 1024**3  # bytes
SECONDS = 5.0


@dataclass
class Clinic:
    """Everything is well. `env` is what stands in `.env`; worlds and files may be mistreated."""

    folder: Path
    env: dict[str, str]
    service: Service
    openrouter: OpenRouterWorld
    telegram: TelegramWorld
    plume: PlumeWorld
    fast: float = 0.0  # seconds by which this machine's clock is ahead
    free: int = PLENTY
    seconds: float = SECONDS
    rights: int = 0o600
    changed: dict[str, str] = field(default_factory=dict)

    @property
    def key_file(self) -> Path:
        return Path(self.env["ENCRYPTION_KEY_FILE"])

    @property
    def database(self) -> Path:
        return self.folder / "data" / "service.db"

    def copied(self, place: Path) -> Path:
        """Let DATABASE_URL name a copy of the database, which may be spoilt."""
        place.mkdir(mode=0o700)
        copy = place / "copy.db"
        with closing(sqlite3.connect(self.database)) as db, closing(sqlite3.connect(copy)) as to:
            db.backup(to)
        copy.chmod(0o600)
        self.changed["DATABASE_URL"] = f"sqlite:///{copy}"
        return copy

    def other_key(self, place: Path, key: str = "") -> Path:
        """Let ENCRYPTION_KEY_FILE name another file."""
        file = place / "other.key"
        file.touch(0o600)
        file.write_text(key or new_key())
        self.changed["ENCRYPTION_KEY_FILE"] = str(file)
        return file

    async def visit(self, place: Path) -> list[Finding]:
        """Let the doctor look at it, as it is now."""
        file = place / ".env"
        file.touch(0o600)
        lines = (self.env | self.changed).items()
        file.write_text("".join(f"{name}={value}\n" for name, value in lines))
        file.chmod(self.rights)
        clocks = Clocks(lambda: time.time() + self.fast)
        return await diagnose(
            file, seconds=self.seconds, clocks=clocks, free=lambda _: self.free, environment={}
        )

    def secrets(self) -> list[str]:
        header = PARTNER.header.partition(" ")[2]
        keys = [INTERNAL, BOT, ADMIN, KEY, self.telegram.token, PARTNER.client_secret, header]
        return [*keys, *self.key_file.read_text().split()]


def dated(app: ASGIApp) -> ASGIApp:
    """Let an app tell the time with its answers, as every server outside does."""

    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(usegmt=True).encode()
                message["headers"] = [*message.get("headers", ()), (b"date", date)]
            await send(message)

        await app(scope, receive, with_date)

    return tell


@asynccontextmanager
async def clinic(folder: Path) -> AsyncIterator[Clinic]:
    openrouter = OpenRouterWorld(index_delay=0.0, drip=0.0, pause=0.0)
    telegram, plume = TelegramWorld(), PlumeWorld(customers=10)
    (folder / "data").mkdir(mode=0o700)
    key_file = folder / "encryption.key"
    key_file.touch(0o600)
    key_file.write_text(new_key())
    async with (
        serve(dated(create_openrouter(openrouter))) as ai,
        serve(dated(create_telegram(telegram))) as chat,
        serve(create_plume(plume)) as cloud,
    ):
        where = addresses(cloud)
        env = {
            "INTERNAL_API_KEY": INTERNAL,
            "BOT_API_KEY": BOT,
            "ADMIN_API_KEY": ADMIN,
            "ENCRYPTION_KEY_FILE": str(key_file),
            "DATABASE_URL": f"sqlite:///{folder / 'data' / 'service.db'}",
            "LOG_FILE": str(folder / "logs" / "service.log"),
            "LOGIN_RATE_LIMIT": "100000/minute",
            "OPENROUTER_SERVICE_URL": f"{ai}/api/v1",
            "OPENROUTER_API_KEY": KEY,
            "DAILY_SPEND_LIMIT_USD": "10",
            "TELEGRAM_BOT_TOKEN": telegram.token,
            "TELEGRAM_API_BASE": chat,
            "TELEGRAM_MODEL": MODEL,
            "TELEGRAM_ADMIN_USERS": "1001",
            "INTERNAL_DEFAULT_MODEL": MODEL,
            "INTERNAL_MODELS": MODEL,
            "PLUME_SSO_URL": where.sso,
            "PLUME_API_BASE": where.api,
            "PLUME_REPORTS_BASE": where.reports,
        }
        async with _running(env) as service:
            await _lived_in(service)
            env |= {"API_PORT": service.url.rpartition(":")[2], "SERVICE_URL": service.url}
            yield Clinic(folder, env, service, openrouter, telegram, plume)


@asynccontextmanager
async def _running(env: dict[str, str]) -> AsyncIterator[Service]:
    app = create_app(
        read_settings(None, **{name.lower(): value for name, value in env.items()}),
        draw=no_picture,
    )
    async with serve(app) as url, httpx.AsyncClient(base_url=url, timeout=10) as http:
        parts: Parts = app.state.parts
        await until(lambda: parts.health.catalogue.is_live)
        yield Service(app, url, http)


async def _lived_in(service: Service) -> None:
    """Let somebody talk, and sign in to Plume."""
    await service.say("Hello!")
    memory = service.parts.memory
    mine = Credentials(parse_authorization(PARTNER.header), parse_partner_id(PARTNER.id))
    await memory.store.run(
        lambda db: connections.keep(db, memory.sealer, OWNER, mine.dump(), time.time())
    )


def made_well(clinic: Clinic) -> None:
    """Undo what a test did."""
    clinic.fast, clinic.free, clinic.seconds, clinic.rights = 0.0, PLENTY, SECONDS, 0o600
    clinic.changed.clear()
    clinic.openrouter.keys = {KEY}
    clinic.openrouter.credits = 1000.0
    clinic.openrouter.catalogue = dict(OpenRouterWorld().catalogue)
    clinic.openrouter.retired = dict(OpenRouterWorld().retired)
    clinic.openrouter.faults.clear()
    clinic.telegram.revoked = False
    clinic.telegram.faults.clear()
    clinic.telegram.updates.waiting.clear()
    clinic.telegram.webhook.stop()
    clinic.telegram.webhook.last_error = ""
    clinic.plume.faults.clear()
