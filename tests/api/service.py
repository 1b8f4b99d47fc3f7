"""The real service on a real socket, beside a simulated provider, for the tests of its doors."""

import asyncio
import itertools
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from app.api.parts import Parts
from app.api.protocol import Limits, protocol
from app.llm.patience import Patience
from app.main import create_app
from app.settings import Settings, read_settings
from app.storage.sealed import new_key
from simulator.openrouter import OpenRouterWorld
from simulator.openrouter.world import KEY
from tests.servers import serve

INTERNAL = "internal-0123456789abcdefghijklmnop"
BOT = "telegram-0123456789abcdefghijklmnop"
ADMIN = "operator-0123456789abcdefghijklmnop"
HASTY = Patience(connect=1.0, first_token=0.9, gap=0.5, total=2.5, retries=1, max_wait=0.2)
OPEN_TURNS = "turns WHERE state IN ('waiting', 'working')"
STEP = 0.005  # seconds between two looks
_NUMBERS = itertools.count(1)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def said(text: str, **change: Any) -> dict[str, Any]:
    """Return a message with ids of its own, but for what is said otherwise."""
    message = {
        "platform": "internal",
        "user_id": "ann",
        "chat_id": "room",
        "message_id": f"m-{next(_NUMBERS)}",
        "text": text,
    }
    return message | change


@dataclass
class Clock:
    """A clock that is told the time."""

    now: float = 1_770_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    data: Any


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. Its client sends no key by itself."""

    app: FastAPI
    url: str
    http: httpx.AsyncClient

    @property
    def parts(self) -> Parts:
        parts: Parts = self.app.state.parts
        return parts

    async def post(
        self, message: Mapping[str, Any], key: str = INTERNAL, **headers: str
    ) -> httpx.Response:
        return await self.http.post("/message", json=message, headers=bearer(key) | headers)

    async def say(self, text: str, key: str = INTERNAL, **change: Any) -> str:
        """Return what is answered.

        Raises:
            AssertionError: it is an error.
        """
        heard = await self.post(said(text, **change), key)
        assert heard.status_code == 200, heard.text
        answer: str = heard.json()["response"]
        return answer

    async def sql(self, statement: str) -> Any:
        """Return the first value that a statement finds."""
        return await self.parts.memory.store.run(
            lambda db: db.exec_driver_sql(statement).scalar_one()
        )

    @asynccontextmanager
    async def stream(
        self, message: Mapping[str, Any], key: str = INTERNAL
    ) -> AsyncIterator[httpx.Response]:
        headers = bearer(key) | {"Accept": "text/event-stream"}
        async with self.http.stream("POST", "/message", json=message, headers=headers) as heard:
            yield heard

    async def events(self, message: Mapping[str, Any], key: str = INTERNAL) -> list[Event]:
        async with self.stream(message, key) as heard:
            assert heard.status_code == 200, await heard.aread()
            return events_of((await heard.aread()).decode())


def events_of(text: str) -> list[Event]:
    """Read the events of a stream. Comments are left out."""
    found = []
    for block in text.split("\n\n"):
        if block.startswith("event: "):
            name, data = block.split("\n")
            found.append(Event(name[7:], json.loads(data.removeprefix("data: "))))
    return found


@dataclass
class Place:
    """Where services run one after the other, on the same files."""

    folder: Path
    upstream: str
    world: OpenRouterWorld
    changes: dict[str, Any] = field(default_factory=dict)

    def settings(self, **changes: Any) -> Settings:
        sealing = self.folder / "encryption.key"
        if not sealing.exists():
            sealing.touch(0o600)
            sealing.write_text(new_key())
        given = {
            "internal_api_key": INTERNAL,
            "bot_api_key": BOT,
            "admin_api_key": ADMIN,
            "openrouter_service_url": f"{self.upstream}/api/v1",
            "openrouter_api_key": KEY,
            "encryption_key_file": sealing,
            "database_url": f"sqlite:///{self.folder / 'data' / 'service.db'}",
            "http_rate_limit": "100000/minute",
            "login_rate_limit": "100000/minute",
        }
        return read_settings(None, **given | self.changes | changes)

    @asynccontextmanager
    async def running(
        self, *, wires: Mapping[str, Any] | None = None, **changes: Any
    ) -> AsyncIterator[Service]:
        """Start a service; `wires` go to `create_app`, `changes` to its settings."""
        settings = self.settings(**changes)
        app = create_app(settings, **{"patience": HASTY} | dict(wires or {}))
        async with serve(app, http=protocol(Limits())) as url:
            parts: Parts = app.state.parts
            if parts.health.model.configured and settings.models.openrouter_dialect == "openrouter":
                await until(lambda: parts.health.catalogue.is_live)
            async with httpx.AsyncClient(base_url=url, timeout=10) as http:
                yield Service(app, url, http)


async def until(holds: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until `holds()` is true.

    Raises:
        TimeoutError: it never was.
    """
    for _ in range(round(seconds / STEP)):
        if holds():
            return
        await asyncio.sleep(STEP)
    raise TimeoutError


async def emptied(service: Service, rows: str, seconds: float = 5.0) -> None:
    """Wait until there are no `rows`: a table, and what may follow its name.

    Raises:
        TimeoutError: there still are.
    """
    for _ in range(round(seconds / STEP)):
        if not await service.sql(f"SELECT count(*) FROM {rows}"):
            return
        await asyncio.sleep(STEP)
    raise TimeoutError


async def settled(service: Service) -> None:
    """Wait until no turn is open."""
    await emptied(service, OPEN_TURNS)


@asynccontextmanager
async def storage_away(service: Service) -> AsyncIterator[None]:
    """Let somebody else hold the database, so that nothing can be read or written."""
    store = service.parts.memory.store
    file = await store.run(lambda db: db.engine.url.database)
    await store.run(lambda db: db.exec_driver_sql("PRAGMA busy_timeout=0").close())
    with closing(sqlite3.connect(str(file), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
