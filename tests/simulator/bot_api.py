"""A bare client of the Bot API, and its published description as a judge of shapes."""

import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from simulator.telegram import TelegramWorld, Upload, create_telegram
from tests.servers import serve

Json = dict[str, Any]
SPEC = Path(__file__).resolve().parents[3] / "shared" / "specs" / "telegram-bot-api.json"
USER = 1001
NUMBER = (int, float)
SCALARS: dict[str, type | tuple[type, ...]] = {
    "Integer": int, "String": str, "Boolean": bool, "Float": NUMBER, "True": bool,
}  # fmt: skip


class Clock:
    """Is told the time."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Bot:
    """Calls methods and keeps nothing."""

    http: httpx.AsyncClient
    url: str
    token: str

    async def call(self, method: str, **parameters: Any) -> httpx.Response:
        url = f"{self.url}/bot{self.token}/{method}"
        return await self.http.post(url, json=parameters)

    async def do(self, method: str, **parameters: Any) -> Any:
        """Return the result of a call that has to work."""
        reply = (await self.call(method, **parameters)).json()
        assert reply["ok"], reply
        return reply["result"]

    async def refused(self, method: str, **parameters: Any) -> tuple[int, str]:
        """Return the status and the words of a call that has to fail."""
        reply = await self.call(method, **parameters)
        told = reply.json()
        assert told["ok"] is False
        assert told["error_code"] == reply.status_code
        return reply.status_code, told["description"]

    async def updates(self, **parameters: Any) -> list[Json]:
        found: list[Json] = await self.do("getUpdates", **parameters)
        return found


@asynccontextmanager
async def talking(world: TelegramWorld) -> AsyncIterator[Bot]:
    async with (
        serve(create_telegram(world)) as url,
        httpx.AsyncClient(timeout=10, trust_env=False) as http,
    ):
        yield Bot(http, url, world.token)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def telegram(clock: Clock) -> TelegramWorld:
    return TelegramWorld(clock=clock, pace=False)


@pytest.fixture
async def bot(telegram: TelegramWorld) -> AsyncIterator[Bot]:
    async with talking(telegram) as bot:
        yield bot


def picture(width: int = 40, height: int = 30, name: str = "red.png") -> Upload:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (220, 30, 30)).save(file, "PNG")
    return Upload(name, "image/png", file.getvalue())


@pytest.fixture(scope="session")
def spec() -> Json:
    if not SPEC.exists():
        pytest.skip("the Bot API's description is not beside the checkout")
    found: Json = json.loads(SPEC.read_text())
    return found


def faults(spec: Json, value: Any, kinds: list[str], at: str = "it") -> list[str]:
    """Return what is wrong with a value that should be one of `kinds`; nothing if it is right."""
    tried = [list(_wrong(spec, value, kind, at)) for kind in kinds]
    return min(tried, key=len)


def _wrong(spec: Json, value: Any, kind: str, at: str) -> Iterator[str]:
    if kind.startswith("Array of "):
        yield from _wrong_list(spec, value, kind.removeprefix("Array of "), at)
    elif kind in SCALARS:
        if not isinstance(value, SCALARS[kind]) or (kind == "Integer") & isinstance(value, bool):
            yield f"{at}: {value!r} is no {kind}"
    elif subtypes := spec["types"][kind].get("subtypes"):
        yield from faults(spec, value, subtypes, at)
    elif not isinstance(value, dict):
        yield f"{at}: no {kind}"
    else:
        yield from _wrong_object(spec, value, kind, at)


def _wrong_list(spec: Json, value: Any, kind: str, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{at}: no list"
        return
    for number, item in enumerate(value):
        yield from _wrong(spec, item, kind, f"{at}[{number}]")


def _wrong_object(spec: Json, value: Json, kind: str, at: str) -> Iterator[str]:
    fields = {field["name"]: field for field in spec["types"][kind].get("fields", [])}
    yield from (f"{at}: unknown {name}" for name in value.keys() - fields.keys())
    for name, field in fields.items():
        if name in value:
            yield from faults(spec, value[name], field["types"], f"{at}.{name}")
        elif field["required"]:
            yield f"{at}: lacks {name}"


def faults_of_call(spec: Json, method: str, parameters: Json, result: Any) -> list[str]:
    """Return what is wrong with the parameters of a call and with what came of it."""
    told = spec["methods"][method]
    fields = {field["name"]: field for field in told.get("fields", [])}
    wrong = [f"{method}: unknown {name}" for name in parameters.keys() - fields.keys()]
    return wrong + faults(spec, result, told["returns"], method)
