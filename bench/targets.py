"""What is measured against each other, and how each is started and asked."""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.storage.sealed import new_key
from bench.processes import Start
from bench.scenarios import SCENARIOS

ROOT = Path(__file__).parents[1]
TEXT = "Tell me something about foxes and dogs, please."
MOST = "100000"  # messages of a person in a minute: the largest that the settings take
PLENTY = "1000000/minute"


MODELS = sorted({scenario.model for scenario in SCENARIOS})
LITELLM_MODEL = (
    "  - {{model_name: {model}, litellm_params: {{model: openai/{model}, "
    "api_base: '{{upstream}}/v1', api_key: sk-bench}}}}\n"
)
LITELLM = (
    "general_settings: {master_key: sk-0123456789abcdef0123456789abcdef0123456789abcdef}\n"
    "litellm_settings: {callbacks: [], num_retries: 0, request_timeout: 120, telemetry: false}\n"
)
LM_PROXY = """
host = "127.0.0.1"
port = {port}
api_key_check = "lm_proxy.api_key_check.AllowAll"
[connections.mock]
api_type = "open_ai"
api_base = "{upstream}/v1"
api_key = "sk-bench"
[routing]
"*" = "mock.*"
[groups.default]
"""


class Target(Protocol):
    """`per_model`: it is told the model at its start, not with each request."""

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def method(self) -> str: ...

    @property
    def per_model(self) -> bool: ...

    def start(self, folder: Path, model: str, port: int, upstream: str) -> Start: ...

    def headers(self, *, stream: bool) -> dict[str, str]: ...

    def body(self, model: str, *, stream: bool) -> str: ...


@dataclass(frozen=True, slots=True)
class Proxied:
    """Something that takes the upstream's own requests."""

    name: str
    command: Sequence[str]  # `{port}` is filled in
    path: str = "/v1/chat/completions"
    method: str = "POST"
    per_model: bool = False

    key: str = field(default="", repr=False)
    streams: bool = True
    file: tuple[str, str] = ("", "")  # its name and text; `{upstream}` is filled in

    def start(self, folder: Path, model: str, port: int, upstream: str) -> Start:
        filled = {"{port}": str(port), "{upstream}": upstream, "{folder}": str(folder)}
        name, text = self.file
        if name:
            (folder / name).write_text(_filled(text, filled))
        command = [_filled(part, filled) for part in self.command]
        file = str(folder / "bench.db")
        return Start(command, _surroundings(UPSTREAM=upstream, FILE=file, HOME=str(folder)), folder)

    def headers(self, *, stream: bool) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def body(self, model: str, *, stream: bool) -> str:
        asked = {"model": model, "messages": [{"role": "user", "content": TEXT}]}
        return json.dumps(asked | ({"stream": True} if stream else {}), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Service:
    """`run_service.py` as it is, everything on, the limits as high as they go.

    `shared` are the URLs of a database and a Redis for its `instances`; None: SQLite, alone.
    """

    name: str = "service"
    shared: tuple[str, str] | None = None
    instances: int = 1
    path: str = "/message"
    method: str = "POST"
    per_model: bool = True
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    bot_key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def start(self, folder: Path, model: str, port: int, upstream: str) -> Start:
        # The same for all who share a database, and for those who do so later.
        sealing = folder.parent / "encryption.key"
        if not sealing.exists():
            sealing.touch(0o600)
            sealing.write_text(new_key())
        environment = _surroundings(
            API_PORT=str(port),
            INTERNAL_API_KEY=self.key,
            BOT_API_KEY=self.bot_key,
            ADMIN_API_KEY=secrets.token_urlsafe(32),
            ENCRYPTION_KEY_FILE=str(sealing),
            DATABASE_URL=f"sqlite:///{folder / 'data' / 'bench.db'}",
            LOG_FILE=str(folder / "logs" / f"service-{port}.log"),
            OPENROUTER_SERVICE_URL=f"{upstream}/v1",
            OPENROUTER_API_KEY="bench",
            INTERNAL_DEFAULT_MODEL=model,
            INTERNAL_RATE_LIMIT=MOST,
            HTTP_RATE_LIMIT=PLENTY,
            LOGIN_RATE_LIMIT=PLENTY,
        )
        if self.shared is not None:
            environment["DATABASE_URL"], environment["REDIS_URL"] = self.shared
        return Start([sys.executable, str(ROOT / "run_service.py")], environment, folder)

    def headers(self, *, stream: bool) -> dict[str, str]:
        bearer = {"Authorization": f"Bearer {self.key}"}
        return bearer | ({"Accept": "text/event-stream"} if stream else {})

    def body(self, model: str, *, stream: bool) -> str:
        said = {
            "platform": "internal",
            "user_id": "u{who}",
            "chat_id": "c{who}",
            "message_id": "m{what}",
            "text": TEXT,
        }
        return json.dumps(said, separators=(",", ":"))


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _surroundings(**more: str) -> dict[str, str]:
    # Not the rest of the caller's: its settings are not those that are measured.
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **more}


def _uvicorn(app: str) -> tuple[str, ...]:
    quiet = ("--no-access-log", "--log-level", "warning")
    return (sys.executable, "-m", "uvicorn", app, "--port", "{port}", *quiet)


DIRECT = Proxied("direct", (sys.executable, "-m", "bench.upstream", "--port", "{port}"))
BARE = Proxied("bare", _uvicorn("bench.bare:app"))


@dataclass(frozen=True, slots=True)
class Kept(Proxied):
    """A `Proxied` that keeps a session: it is told who speaks."""

    def body(self, model: str, *, stream: bool) -> str:
        said = {"model": model, "user_id": "{who}", "text": TEXT}
        return json.dumps(said, separators=(",", ":"))


DURABLE = Kept("durable", _uvicorn("bench.durable:app"), path="/message", streams=False)


def peers() -> list[Target]:
    """Return those that are installed: `litellm` and `lm-proxy`, found on the PATH."""
    key = "sk-0123456789abcdef0123456789abcdef0123456789abcdef"
    found: list[Target] = []
    if litellm := shutil.which("litellm"):
        models = "".join(LITELLM_MODEL.format(model=model) for model in MODELS)
        command = [litellm, "--config", "{folder}/litellm.yaml", "--port", "{port}"]
        command += ["--host", "127.0.0.1", "--num_workers", "1"]
        text = f"model_list:\n{models}{LITELLM}"
        found.append(Proxied("litellm", command, key=key, file=("litellm.yaml", text)))
    if lm_proxy := shutil.which("lm-proxy"):
        command = [lm_proxy, "--config", "{folder}/lm-proxy.toml"]
        found.append(Proxied("lm-proxy", command, key="any", file=("lm-proxy.toml", LM_PROXY)))
    return found


def targets(shared: tuple[str, str] | None = None) -> tuple[Target, ...]:
    """Return what is measured: `shared` adds the service on PostgreSQL and Redis, once and twice.

    Other gateways are there if their commands are.
    """
    ours: list[Target] = [DIRECT, BARE, DURABLE, Service()]
    if shared is not None:
        ours += [Service("shared", shared), Service("two", shared, instances=2)]
    return *ours, *peers()
