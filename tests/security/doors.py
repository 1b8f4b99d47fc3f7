"""Calls of every kind of caller for every kind of object, on a running service."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from standardwebhooks import Webhook

from app.api.signed import ID, SIGNATURE, TIMESTAMP
from app.api.webhook import SECRET_HEADER
from app.storage import deliveries
from app.storage.deliveries import Target
from tests.api.line import SECRET
from tests.api.service import ADMIN, BOT, INTERNAL, Service, said
from tests.security.authorisation import Row

METRICS = "metrics-0123456789abcdefghijklmnopq"
WRONG = "wrong-0123456789abcdefghijklmnopqrs"
SIGNING = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # pragma: allowlist secret
STRANGE = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="  # pragma: allowlist secret
SETTINGS: dict[str, Any] = {
    "metrics_api_key": METRICS,
    "telegram_webhook_secret": SECRET,
    "internal_webhook_secret": SIGNING,
}
USERS = {"internal": "engineer-1", "telegram": "71"}  # who signed in to Plume, if anybody did
ABSENT = "0" * 32
SOAK = bool(os.environ.get("SOAK"))
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call. `status` is what it must get."""

    caller: str
    status: int
    headers: Headers = field(default_factory=list)
    query: str = ""
    more: dict[str, Any] = field(default_factory=dict)  # fields of the body
    signing: str = ""


def authorised(*values: str | bytes) -> Headers:
    return [
        (b"Authorization", value.encode() if isinstance(value, str) else value) for value in values
    ]


KEYS = {"internal": INTERNAL, "bot": BOT, "admin": ADMIN, "metrics": METRICS}
# Who shows something that is no key, where keys are shown.
STRANGERS: dict[str, Headers] = {
    "wrong key": authorised(f"Bearer {WRONG}"),
    "no key": authorised("Bearer"),
    "empty header": authorised(""),
    "longer key": authorised(f"Bearer {INTERNAL}x"),
    "shorter key": authorised(f"Bearer {INTERNAL[:-1]}"),
    "key in capitals": authorised(f"Bearer {ADMIN.upper()}"),
    "blank before the key": authorised(f"Bearer  {INTERNAL}"),
    "non-ASCII key": authorised("Bearer schlüssel-ключ-密钥".encode()),
    "key of 8 KB": authorised("Bearer " + "a" * 8192),
    "SQL for a key": authorised("Bearer ' OR '1'='1' --"),
    "two headers": authorised(f"Bearer {INTERNAL}", f"Bearer {INTERNAL}"),
    "two keys": authorised(f"Bearer {WRONG}", f"Bearer {ADMIN}"),
    "two keys in one": authorised(f"Bearer {INTERNAL}, Bearer {ADMIN}"),
    "wrong scheme": authorised(f"Basic {INTERNAL}"),
    "no scheme": authorised(INTERNAL),
    "webhook secret as a key": authorised(f"Bearer {SECRET}"),
    "signing secret as a key": authorised(f"Bearer {SIGNING}"),
}
# Who shows a key where none is looked for, or a wrong secret: as good as nobody.
MISPLACED: dict[str, Headers] = {
    "key in a cookie": [(b"Cookie", f"authorization=Bearer {ADMIN}".encode())],
    "key in other headers": [
        (b"X-API-Key", ADMIN.encode()),
        (b"Proxy-Authorization", f"Bearer {ADMIN}".encode()),
        (b"X-Forwarded-Authorization", f"Bearer {ADMIN}".encode()),
    ],
}


def cells(table: Sequence[Row], *, whole: bool = SOAK) -> list[tuple[Row, Attempt]]:
    """Return every kind of caller for every row; but `whole`, strangers for one row of a route."""
    found, met = [], set()
    for row in table:
        strangers = whole or row.route not in met
        met.add(row.route)
        found += [
            (row, each) for each in attempts(row) if strangers or each.caller not in STRANGERS
        ]
    return found


def attempts(row: Row) -> Iterator[Attempt]:
    """Yield every kind of caller for a row, with what it gets."""
    nobody = row.status("nobody")
    yield Attempt("nobody", nobody)
    for caller, key in KEYS.items():
        yield Attempt(caller, row.status(caller), authorised(f"Bearer {key}"))
    yield Attempt("scheme in capitals", row.status("admin"), authorised(f"BEARER {ADMIN}"))
    yield Attempt("secret", row.status("secret"), [(SECRET_HEADER.encode(), SECRET.encode())])
    yield Attempt("signed", row.status("signed"), signing=SIGNING)
    yield Attempt("signed by a stranger", nobody, signing=STRANGE)
    # Only at that door is the secret looked at.
    yield Attempt("wrong secret", nobody, [(SECRET_HEADER.encode(), WRONG.encode())])
    query = f"key={ADMIN}&authorization=Bearer+{ADMIN}&access_token={ADMIN}"
    yield Attempt("key in the query", nobody, query=query)
    yield Attempt("key in the body", nobody, more={"auth_token": ADMIN, "is_admin": True})
    for caller, headers in MISPLACED.items():
        yield Attempt(caller, nobody, headers)
    for caller, headers in STRANGERS.items():
        yield Attempt(caller, nobody if row.open else 401, headers)


_NUMBERS = count(1)


async def heard(service: Service, row: Row, attempt: Attempt) -> int:
    """Make a call and return its status. What it is about is made before."""
    method, path = row.route.split(" ")
    number = next(_NUMBERS)
    if "{session_id}" in path:
        path = path.format(session_id=await session_of(service, row.object, f"u{number}"))
    elif "{delivery_id}" in path:
        path = path.format(delivery_id=await delivery_of(service, row.object))
    path = path.replace("{platform}", row.object)
    raw = json.dumps(_body(path, row.object, number) | attempt.more).encode()
    headers = [*attempt.headers, (b"Content-Type", b"application/json")]
    if attempt.signing:
        headers += signed(raw, attempt.signing, service.parts.processor.clock(), f"msg_{number}")
    url = f"{path}?{_query(path, row.object)}&{attempt.query}"
    # The stream of deliveries has no end, so nothing is read.
    async with service.http.stream(method, url, headers=headers, content=raw) as answer:
        return answer.status_code


def signed(body: bytes, secret: str, now: float, webhook_id: str) -> Headers:
    at = datetime.fromtimestamp(now, UTC)
    signature = Webhook(secret).sign(webhook_id, at, body.decode())
    pairs = ((ID, webhook_id), (TIMESTAMP, f"{int(now)}"), (SIGNATURE, signature))
    return [(name.encode(), value.encode()) for name, value in pairs]


def _query(path: str, thing: str) -> str:
    if path.startswith("/network/"):
        return f"user_id={USERS.get(thing, 'nobody-at-all')}"
    about = path in {"/sessions", "/admin/clear-sessions"} and thing != "any"
    return f"platform={thing}" if about else ""


def _body(path: str, thing: str, number: int) -> dict[str, Any]:
    if path == "/webhook/telegram":
        return {"update_id": number}
    if path.endswith("/ack"):
        return {"outcome": "later", "retry_after": 3600}
    if path in {"/message", f"/webhook/{thing}"}:
        return said("/help", platform=thing, user_id=f"u{number}", chat_id=f"c{number}")
    return {}


async def session_of(service: Service, platform: str, user: str) -> str:
    if platform not in USERS:
        return ABSENT
    key = INTERNAL if platform == "internal" else BOT
    found = await service.post(said("/help", platform=platform, user_id=user), key)
    public_id: str = found.json()["data"]["session_id"]
    return public_id


async def delivery_of(service: Service, platform: str) -> int:
    if platform not in USERS:
        return 999_999_999
    sealer, now = service.parts.memory.sealer, service.parts.processor.clock()
    target = Target(platform, "c", None, None, "u")
    return await service.parts.memory.store.run(lambda db: deliveries.add(db, sealer, target, now))
