"""Every secret of the settings, looked for in everything that service and bot write or say."""

import contextlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy.engine import URL

from app.storage.tables import metadata
from tests import postgres, redises
from tests.api.service import bearer, said, until
from tests.chain.stack import Chain, Person, running
from tests.networks.test_canary import leaks
from tests.processes import Program, Service
from tests.security.doors import signed

FAULTS = ("http-401", "http-403", "http-500")


def secret(name: str) -> str:
    return f"CANARY{name}{secrets.token_hex(20)}"


@dataclass(frozen=True)
class Scene:
    chain: Chain
    database: URL
    redis: redises.Server
    secrets: dict[str, str]

    async def tables(self) -> bytes:
        async with postgres.connected(self.database) as db:
            rows = [
                await db.fetch(f"SELECT t::text FROM {table.name} t")
                for table in metadata.sorted_tables
            ]
        assert sum(map(len, rows)) > len(FAULTS)
        return "\n".join(str(tuple(row)) for each in rows for row in each).encode()

    async def cache(self) -> bytes:
        client = Redis.from_url(self.secrets["redis_url"])
        found = []
        async for key in client.scan_iter("*"):
            found += [key, await client.dump(key) or b""]
        await client.aclose()
        return b"\n".join(found)


@contextlib.asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    """Start everything on PostgreSQL and Redis, both with a password."""
    if reason := postgres.missing():
        pytest.skip(reason)
    known = {name: secret(name) for name in ("metrics", "webhook", "database", "redis")}
    signing = ["whsec_" + secrets.token_hex(32) for _ in range(2)]
    with (
        postgres.migrated() as url,
        redises.server(folder, "--requirepass", known["redis"]) as redis,
    ):
        database = url.set(password=known["database"])
        redis_url = redis.url.replace("redis://", f"redis://:{known['redis']}@")
        settings = {
            "DATABASE_URL": database.render_as_string(hide_password=False),
            "REDIS_URL": redis_url,
            "METRICS_API_KEY": known["metrics"],
            "TELEGRAM_WEBHOOK_SECRET": known["webhook"],
            "INTERNAL_WEBHOOK_SECRET": ",".join(signing),
            "LOG_FORMAT": "json",
        }
        async with running(folder, **settings) as chain:
            names = ("token", "provider", "internal", "admin", "bot")
            known |= dict(zip(names, chain.canaries, strict=True))
            known["token_tail"] = known["token"].partition(":")[2]
            known |= {f"signing_{n}": each.removeprefix("whsec_") for n, each in enumerate(signing)}
            known["encryption"] = (folder / "encryption.key").read_text().strip()
            yield Scene(chain, database, redis, known | {"redis_url": redis_url})


async def say_everything(on: Scene) -> list[str]:
    """Use all doors well and badly, with the right keys and with wrong ones; return all replies."""
    chain, heard, person = on.chain, list[str](), await on.chain.join()
    service = chain.service
    async with httpx.AsyncClient(base_url=service.base, timeout=30) as http:

        async def ask(method: str, path: str, key: str = "", **what: Any) -> None:
            headers = what.pop("headers", {}) | (bearer(key) if key else {})
            answer = await http.request(method, path, headers=headers, **what)
            heard.append(f"{answer.headers} {answer.text}")

        for key in (
            service.key,
            service.admin_key,
            on.secrets["metrics"],
            on.secrets["webhook"],
            "",
        ):
            for path in (
                "/health",
                "/stats",
                "/metrics",
                "/sessions",
                "/admin/deliveries",
                "/nowhere",
            ):
                await ask("GET", path, key)
                await ask("GET", f"{path}?key={on.secrets['admin']}", f"{key}x")
        for fault in FAULTS:
            await ask("POST", "/message", service.key, json=said(f"hi [[fault:{fault}]]"))
        body = json.dumps(said("/help")).encode()
        for name in ("signing_0", "signing_1", "metrics"):
            proof = (
                signed(body, "whsec_" + on.secrets[name], time.time(), name)
                if "sign" in name
                else []
            )
            kind = (b"Content-Type", b"application/json")
            await ask("POST", "/webhook/internal", content=body, headers=dict([*proof, kind]))
        # What a person pastes into a chat may be one of them.
        for name in ("internal", "token", "provider"):
            await ask("POST", "/message", service.key, json={name: on.secrets[name]})
        await _talk(person)
    return heard


async def _talk(person: Person) -> None:
    await person.ask("/start")
    await person.ask("Hello")
    await person.ask("hi [[fault:http-401]]")


async def trouble(on: Scene) -> None:
    """Take the database away for a moment, and Redis for good."""
    on.redis.kill()
    service, name = on.chain.service, on.database.database
    async with postgres.connected() as db:
        await db.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        try:
            async with httpx.AsyncClient(base_url=service.base, timeout=30) as http:
                answer = await http.post(
                    "/message", json=said("/help"), headers=bearer(service.key)
                )
        finally:
            await db.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE


async def test_no_secret_of_the_settings_is_found_anywhere(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        replies = await say_everything(on)
        places = {"tables": await on.tables(), "Redis": await on.cache()}
        await trouble(on)
        programs: tuple[Program, ...] = (on.chain.service, on.chain.bot)
        for program in programs:
            places[f"command line {program.pid}"] = cmdline(program)
        known = on.secrets
    places |= {
        "replies": "\n".join(replies).encode(),
        "chats": repr([chat.messages for chat in on.chain.telegram.chats.values()]).encode(),
        "the model": repr([ask.body for ask in on.chain.openrouter.requests]).encode(),
        **files(tmp_path),
    }

    assert leaks(list(known.values()), places) == []
    for event in (b"storage.failed", b"sharing.away", b"llm.operator_must_act"):
        assert event in places["service.log"]
    assert {"service.log", "bot.log", "run_service.log", "run_telegram_bot.log"} <= places.keys()
    assert min(len(places[name]) for name in ("service.log", "tables", "replies")) > 3000


def cmdline(program: Program) -> bytes:
    return Path(f"/proc/{program.pid}/cmdline").read_bytes()


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".key"]
    return {path.name: path.read_bytes() for path in found}


@pytest.mark.parametrize("closed", ["DATABASE_URL", "REDIS_URL"])
async def test_a_server_that_is_away_is_told_without_its_password(
    tmp_path: Path, closed: str
) -> None:
    password = secret("away")
    kind = "postgresql" if closed == "DATABASE_URL" else "redis"
    url = kind + "://somebody:" + password + "@127.0.0.1:1/0"
    service = Service(tmp_path, "http://127.0.0.1:1", LOG_LEVEL="DEBUG", **{closed: url})
    await service.start()
    try:
        await until(lambda: service.status is not None or "WARNING" in service.log, 20)
    finally:
        await service.kill()

    assert "WARNING" in service.log
    assert leaks([password], files(tmp_path)) == []


def test_the_search_finds_each_secret_where_it_is_planted() -> None:
    one = secret("x")

    assert leaks([one], {"a log": f"url=redis://:{one}@host".encode()}) == ["CANARY… in a log"]
