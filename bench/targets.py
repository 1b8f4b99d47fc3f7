"""What is measured against each other, and how each is started and asked."""

import json
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.storage.sealed import new_key
from bench.processes import Start

ROOT = Path(__file__).parents[1]
TEXT = "Tell me something about foxes and dogs, please."
MOST = "100000"  # messages of a person in a minute: the largest that the settings take
PLENTY = "1000000/minute"


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

    def start(self, folder: Path, model: str, port: int, upstream: str) -> Start:
        command = [part.replace("{port}", str(port)) for part in self.command]
        return Start(command, _surroundings(UPSTREAM=upstream), folder)

    def headers(self, *, stream: bool) -> dict[str, str]:
        return {}

    def body(self, model: str, *, stream: bool) -> str:
        asked = {"model": model, "messages": [{"role": "user", "content": TEXT}]}
        return json.dumps(asked | ({"stream": True} if stream else {}), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Service:
    """`run_service.py` as it is, everything on, the limits as high as they go."""

    name: str = "service"
    path: str = "/message"
    method: str = "POST"
    per_model: bool = True
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def start(self, folder: Path, model: str, port: int, upstream: str) -> Start:
        sealing = folder / "encryption.key"
        if not sealing.exists():
            sealing.touch(0o600)
            sealing.write_text(new_key())
        environment = _surroundings(
            API_PORT=str(port),
            INTERNAL_API_KEY=self.key,
            BOT_API_KEY=secrets.token_urlsafe(32),
            ADMIN_API_KEY=secrets.token_urlsafe(32),
            ENCRYPTION_KEY_FILE=str(sealing),
            DATABASE_URL=f"sqlite:///{folder / 'data' / 'bench.db'}",
            LOG_FILE=str(folder / "logs" / "service.log"),
            OPENROUTER_SERVICE_URL=f"{upstream}/v1",
            OPENROUTER_API_KEY="bench",
            INTERNAL_DEFAULT_MODEL=model,
            INTERNAL_RATE_LIMIT=MOST,
            HTTP_RATE_LIMIT=PLENTY,
            LOGIN_RATE_LIMIT=PLENTY,
        )
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


def _surroundings(**more: str) -> dict[str, str]:
    # Not the rest of the caller's: its settings are not those that are measured.
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **more}


DIRECT = Proxied("direct", (sys.executable, "-m", "bench.upstream", "--port", "{port}"))
BARE = Proxied(
    "bare",
    (
        *(sys.executable, "-m", "uvicorn", "bench.bare:app", "--port", "{port}"),
        *("--no-access-log", "--log-level", "warning"),
    ),
)


def targets() -> tuple[Target, ...]:
    return DIRECT, BARE, Service()
