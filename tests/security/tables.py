"""The tables of docs/security.md that come from the code; `make docs` writes them."""

import dataclasses

from sqlalchemy import LargeBinary

from app.api.body import MAX_DEPTH, MAX_DIGITS, MAX_MEMBERS
from app.api.protocol import Limits
from app.api.signed import MOST_SIGNATURES, TOLERANCE
from app.api.webhook import SIGNED_CAP, UPDATE_CAP
from app.main import TEXT_CAP
from app.settings import ImageSettings, PlatformSettings, ServiceSettings
from app.storage.tables import metadata

FINGERPRINTS = {"turns.fingerprint", "invitations.mark"}
WORDS = {
    "header_bytes": "headers, bytes",
    "headers": "headers, number",
    "url_bytes": "address, bytes",
    "header_seconds": "headers have to be here after, seconds",
    "body_seconds": "the body after that, seconds",
    "connections": "connections",
    "connections_per_address": "connections of one address",
    "drain_bytes": "read of a body that nobody wants, bytes",
    "linger_seconds": "a refused client may read why, seconds",
}


def sealed() -> str:
    found: dict[str, list[str]] = {}
    for table in metadata.sorted_tables:
        for column in table.c:
            whole = f"{table.name}.{column.name}"
            if isinstance(column.type, LargeBinary) and whole not in FINGERPRINTS:
                found.setdefault(table.name, []).append(f"`{column.name}`")
    lines = [f"| `{table}` | {', '.join(names)} |" for table, names in sorted(found.items())]
    return "\n".join(["| table | columns |", "|---|---|", *lines])


def limits() -> str:
    found = [(WORDS[name], _number(value)) for name, value in dataclasses.asdict(Limits()).items()]
    found += [
        ("body beside its pictures, bytes", _number(TEXT_CAP)),
        ("body of a signed call without a key, bytes", _number(SIGNED_CAP)),
        ("update of Telegram, bytes", _number(UPDATE_CAP)),
        ("JSON: depth, members, digits", f"{MAX_DEPTH}, {_number(MAX_MEMBERS)}, {MAX_DIGITS}"),
        ("a signature is good for, seconds either way", _number(TOLERANCE)),
        ("signatures of a call", _number(MOST_SIGNATURES)),
        ("pictures of a message, MB", _default(ImageSettings, "max_image_size_mb")),
        ("messages of a person and minute", _default(PlatformSettings, "internal_rate_limit")),
        ("the same on Telegram", _default(PlatformSettings, "telegram_rate_limit")),
        ("wrong keys of an address", _default(ServiceSettings, "login_rate_limit")),
        ("calls of an address without a key", _default(ServiceSettings, "http_rate_limit")),
    ]
    lines = [f"| {what} | {most} |" for what, most in found]
    return "\n".join(["| what | most |", "|---|---|", *lines])


def _number(value: float) -> str:
    return f"{value:,g}" if value < 10**6 else f"{value:,.0f}"


def _default(group: type[ServiceSettings | PlatformSettings | ImageSettings], name: str) -> str:
    return f"{group.model_fields[name].default} (`{name.upper()}`)"
