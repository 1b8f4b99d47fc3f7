"""What the corpus is sent to, and how a good request to it looks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal
from uuid import uuid4

from app.panoptes.reports import REPORTS

Door = Literal["open", "optional", "key", "admin"]
"""Who may come in. At an optional door a key shows more, so a wrong one is not overlooked."""

# Every endpoint stands here with its door and the status of a good request. One that is new
# in the schema and missing here stops the corpus: somebody has to say who may come in.
KNOWN: Mapping[str, tuple[Door, int]] = {
    "GET /": ("open", 200),
    "GET /health": ("optional", 200),
    "GET /health/live": ("open", 200),
    "GET /health/ready": ("open", 200),
    "GET /platforms": ("open", 200),
    "POST /message": ("key", 200),
    "GET /sessions": ("optional", 200),
    "GET /session/{session_id}": ("key", 404),
    "DELETE /session/{session_id}": ("admin", 404),
    "GET /stats": ("optional", 200),
    "POST /admin/clear-sessions": ("admin", 200),
    "POST /webhook/{platform}": ("key", 202),
    "GET /deliveries": ("key", 200),
    "GET /admin/deliveries": ("admin", 200),
    "POST /admin/redrive": ("admin", 200),
    # Nobody of the corpus is signed in to Plume.
    **{f"GET /network/{name}": ("key", 409) for name in REPORTS},
}
# Two take other bodies than a message; `tests/api/test_webhook.py` sends them what is bad. One is
# open to this machine and refuses the key of a platform; `tests/security` knocks at it.
ELSEWHERE = frozenset(
    {"POST /webhook/telegram", "POST /deliveries/{delivery_id}/ack", "GET /metrics"}
)

_NUMBERS = count()
_RUN = uuid4().hex[:8]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a running service, and the platform that `key` belongs to."""

    key: str
    admin: str
    platform: str = "internal"


@dataclass(frozen=True, slots=True)
class Endpoint:
    method: str
    route: str
    methods: frozenset[str]  # all that the route takes
    door: Door
    ok: int
    wants_body: bool
    keys: Keys

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def path(self) -> str:
        return self.route.format(session_id="absent", platform="internal", delivery_id="999999999")

    @property
    def query(self) -> str:
        return "user_id=corpus" if self.route.startswith("/network/") else ""

    @property
    def target(self) -> str:
        """What a good request asks for."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def key(self) -> str:
        return self.keys.admin if self.door == "admin" else self.keys.key

    def request(
        self,
        *headers: bytes,
        body: bytes | None = None,
        method: str | None = None,
        path: str | None = None,
        version: str = "HTTP/1.1",
        host: bytes | None = b"Host: localhost",
        key: bytes | None = None,
        kind: bytes | None = b"Content-Type: application/json",
        length: bool = True,
    ) -> bytes:
        """Make a good request, but for what is said otherwise.

        Every argument but `body`, `method` and `path` is a whole header line; an empty `key`
        leaves the key out. The body is a good one where the endpoint takes one.
        """
        if body is None and self.wants_body:
            body = self.message()
        lines = [f"{method or self.method} {path or self.target} {version}".encode("latin-1")]
        if host is not None:
            lines.append(host)
        if key is None and self.door != "open":
            key = b"Authorization: Bearer " + self.key.encode()
        if key:
            lines.append(key)
        if body is not None:
            if kind is not None:
                lines.append(kind)
            if length:
                lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, *headers, b"", body or b""])

    def message(self, **change: Any) -> bytes:
        """Make a message that nobody sent before, by somebody who never sent one."""
        number = next(_NUMBERS)
        message = {
            "platform": self.keys.platform,
            "user_id": f"corpus-{_RUN}-{number}",
            "chat_id": f"corpus-{_RUN}-{number}",
            "message_id": f"corpus-{_RUN}-{number}",
            "text": "/help",
        }
        return json.dumps(message | change).encode()


def endpoints(schema: Mapping[str, Any], keys: Keys) -> list[Endpoint]:
    """List the endpoints of an OpenAPI schema.

    Raises:
        KeyError: one of them is not in `KNOWN`.
    """
    found = []
    for route, operations in schema["paths"].items():
        methods = frozenset(method.upper() for method in operations)
        for method, operation in operations.items():
            if f"{method.upper()} {route}" in ELSEWHERE:
                continue
            door, ok = KNOWN[f"{method.upper()} {route}"]
            found.append(
                Endpoint(
                    method=method.upper(),
                    route=route,
                    methods=methods,
                    door=door,
                    ok=ok,
                    wants_body="requestBody" in operation,
                    keys=keys,
                )
            )
    return found
