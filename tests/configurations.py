"""Configurations of the service: those that start, and those that are refused, with the reason.

`PLANTED` stands in every value that no line may show. A configuration is what differs from
`base`, and what is done to its folder first.
"""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

from app.storage.sealed import new_key
from app.storage.sqlite import open_sqlite

PLANTED = "planted-4711"
LOGIN = f"u:{PLANTED}"
KEYS = {
    "INTERNAL_API_KEY": "internal-0123456789abcdefghijklmnop",
    "BOT_API_KEY": "telegram-0123456789abcdefghijklmnop",
    "ADMIN_API_KEY": "operator-0123456789abcdefghijklmnop",
}
LONG = f"{PLANTED}-0123456789-abcdefghijklm"  # long and various enough for a key
TOKEN = "123456789:AAF-planted_4711_token_of_a_bot_abc"  # pragma: allowlist secret
DATABASE = Path("data/arash.db")
KEY_FILE = Path("secrets/encryption.key")
PRODUCTION = {"ENVIRONMENT": "production"}
BEYOND = {**PRODUCTION, "API_HOST": "0.0.0.0"}
PAID = {"OPENROUTER_API_KEY": "sk-or-v1-made-up", "OPENROUTER_SERVICE_URL": "https://localhost:1"}
HOOK = {
    "TELEGRAM_WEBHOOK_URL": "https://noc.example.org/webhook/telegram",
    "TELEGRAM_WEBHOOK_SECRET": "abcdefghijklmnop-0123456789_ABCDEF",
}


@dataclass(frozen=True, slots=True)
class Bad:
    """`reason` is the one line; `user` is who runs it, where that matters.

    `opening`: a start finds it no sooner than by opening the database.
    """

    reason: str
    settings: Mapping[str, str | None]
    before: Callable[[], None] = field(default=lambda: None)
    user: int | None = None
    opening: bool = False


def prepare() -> dict[str, str]:
    """Make what a start needs in the current folder; return the settings."""
    KEY_FILE.parent.mkdir(mode=0o700)
    KEY_FILE.touch(0o600)
    KEY_FILE.write_text(new_key())
    base = {"API_PORT": "0", "LOG_FILE": "", "ENCRYPTION_KEY_FILE": str(KEY_FILE)}
    return {**KEYS, **base, "DATABASE_URL": f"sqlite:///{DATABASE}"}


def made() -> None:
    with open_sqlite(make_url(f"sqlite:///{DATABASE}")):
        pass


def opened() -> None:
    DATABASE.parent.mkdir(mode=0o700)
    DATABASE.parent.chmod(0o755)


def readable() -> None:
    made()
    DATABASE.chmod(0o604)


def damaged() -> None:
    made()
    content = bytearray(DATABASE.read_bytes())
    content[4096 : 3 * 4096] = b"\xa5" * (2 * 4096)
    DATABASE.write_bytes(content)


def no_database() -> None:
    DATABASE.parent.mkdir(mode=0o700)
    DATABASE.write_text(f"{PLANTED} is no database" * 100)


def newer() -> None:
    made()
    with closing(sqlite3.connect(DATABASE)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")


def short_key() -> None:
    KEY_FILE.write_text("cGxhbnRlZC00NzEx")


def no_key() -> None:
    KEY_FILE.write_text(f"{PLANTED}!")


def mistyped() -> None:
    Path(".env").write_text(f"API_PROT={PLANTED}\n")


STRONG = "needs at least 32 characters"
SIMPLE = "is a placeholder or too simple"
PRINTABLE = "must be printable ASCII without blanks"
EQUAL = "two of them are equal; give each a value of its own"
HTTPS = "must be https"
LOGINS = "must not hold a user or password"
IDS = "must be numeric ids, by comma; a name can pass to somebody else"
NUMBER = "Input should be a valid integer, unable to parse string as an integer"
WEBHOOK_KEY = "must be whsec_ and at least 24 bytes in base64"
REDIS = "must begin with redis:// or rediss://, and name a host"
SPEND = "a key that costs money needs a limit in production, or UNLIMITED_SPEND=yes-i-mean-it"
TLS = (
    "listening beyond this machine is without TLS; name the proxy that ends it, "
    "or set API_HOST=127.0.0.1"
)
SIGN_IN = "needs a password beyond this machine, or a client certificate in PGSSLCERT"
LOGIN_REDIS = "needs a password beyond this machine; Redis calls it requirepass"
ROOT = (
    "the service runs as root; run it as a user of its own, or set ALLOW_ROOT=true where a "
    "container maps root to somebody else"
)
TOGETHER = "lies in the folder of the database, whose copy would hold both; move it elsewhere"
IN_ADDRESS = "must not hold the token; logs of proxies hold addresses"

BAD = [
    # 1: keys
    Bad("INTERNAL_API_KEY: is not set", {"INTERNAL_API_KEY": None}),
    Bad("BOT_API_KEY: is not set", {"BOT_API_KEY": None}),
    Bad(f"INTERNAL_API_KEY: {STRONG}", {"INTERNAL_API_KEY": PLANTED}),
    Bad(f"BOT_API_KEY: {STRONG}", {"BOT_API_KEY": PLANTED}),
    Bad(f"ADMIN_API_KEY: {STRONG}", {"ADMIN_API_KEY": PLANTED}),
    Bad(f"METRICS_API_KEY: {STRONG}", {"METRICS_API_KEY": PLANTED}),
    Bad(f"INTERNAL_API_KEY: {SIMPLE}", {"INTERNAL_API_KEY": "planted" * 9}),
    Bad(f"BOT_API_KEY: {SIMPLE}", {"BOT_API_KEY": f"changeme-{LONG}"}),
    Bad(f"ADMIN_API_KEY: {SIMPLE}", {"ADMIN_API_KEY": f"your_{LONG}"}),
    Bad(f"ADMIN_API_KEY: {PRINTABLE}", {"ADMIN_API_KEY": f"{LONG} {LONG}"}),
    Bad(f"ADMIN_API_KEY: {PRINTABLE}", {"ADMIN_API_KEY": f"{LONG}é"}),
    Bad(f"OPENROUTER_API_KEY: {PRINTABLE}", {"OPENROUTER_API_KEY": f"{PLANTED} {PLANTED}"}),
    Bad(f"TELEGRAM_WEBHOOK_SECRET: {STRONG}", {"TELEGRAM_WEBHOOK_SECRET": PLANTED}),
    Bad(
        f"BOT_API_KEY, ADMIN_API_KEY: {EQUAL}",
        {"BOT_API_KEY": LONG, "ADMIN_API_KEY": LONG},
    ),
    Bad(
        f"BOT_API_KEY, TELEGRAM_WEBHOOK_SECRET: {EQUAL}",
        {"BOT_API_KEY": LONG, "TELEGRAM_WEBHOOK_SECRET": LONG},
    ),
    Bad(
        f"METRICS_API_KEY, OPENROUTER_API_KEY: {EQUAL}",
        {"METRICS_API_KEY": LONG, "OPENROUTER_API_KEY": LONG},
    ),
    Bad(f"INTERNAL_WEBHOOK_SECRET: {WEBHOOK_KEY}", {"INTERNAL_WEBHOOK_SECRET": PLANTED}),
    # 2: pages of others
    Bad(
        "CORS_ORIGINS: * is not for production; name the pages", {**PRODUCTION, "CORS_ORIGINS": "*"}
    ),
    # 3: listening beyond this machine
    Bad("API_HOST: listening beyond this machine needs ENVIRONMENT=production", {"API_HOST": "::"}),
    Bad(f"TLS_ENDS_AT: {TLS}", BEYOND),
    Bad(f"TLS_ENDS_AT: {TLS}", {**PRODUCTION, "API_HOST": "::"}),
    # 4: webhooks
    Bad(
        "TELEGRAM_WEBHOOK_SECRET: is needed with TELEGRAM_WEBHOOK_URL",
        {**HOOK, "TELEGRAM_WEBHOOK_SECRET": ""},
    ),
    Bad(
        "TELEGRAM_WEBHOOK_URL: must be https, and name a host",
        {**HOOK, "TELEGRAM_WEBHOOK_URL": f"http://{PLANTED}/webhook/telegram"},
    ),
    Bad(
        "TELEGRAM_WEBHOOK_URL: must be https, and name a host",
        {**HOOK, "TELEGRAM_WEBHOOK_URL": f"https:///{PLANTED}"},
    ),
    Bad(
        f"TELEGRAM_WEBHOOK_URL: {IN_ADDRESS}",
        {
            **HOOK,
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_WEBHOOK_URL": f"https://noc.example.org/{TOKEN}",
        },
    ),
    # 6: who is believed
    Bad(
        "TRUSTED_PROXIES: all would let anybody choose their address; name them",
        {"TRUSTED_PROXIES": "*"},
    ),
    Bad(
        "TRUSTED_PROXIES: must be addresses, or networks such as 10.0.0.0/8",
        {"TRUSTED_PROXIES": PLANTED},
    ),
    # 7: the key that seals
    Bad("ENCRYPTION_KEY_FILE: there is no such file", {"ENCRYPTION_KEY_FILE": PLANTED}),
    Bad("others may read the key file; `chmod 600` it", {}, lambda: KEY_FILE.chmod(0o640)),
    Bad("others may read the key file; `chmod 600` it", {}, lambda: KEY_FILE.chmod(0o604)),
    Bad("the key file must hold keys of 32 bytes in base64, one a line", {}, short_key),
    Bad("the key file does not hold base64 keys, one a line", {}, no_key),
    Bad(f"ENCRYPTION_KEY_FILE: {TOGETHER}", {"DATABASE_URL": f"sqlite:///{KEY_FILE.parent}/x.db"}),
    # 8: where others are
    Bad(f"OPENROUTER_SERVICE_URL: {HTTPS}", {"OPENROUTER_SERVICE_URL": f"http://{PLANTED}/v1"}),
    Bad(
        f"OPENROUTER_SERVICE_URL: {HTTPS}",
        {**PRODUCTION, "OPENROUTER_SERVICE_URL": "http://127.0.0.1:1/v1"},
    ),
    Bad(f"OPENROUTER_SERVICE_URL: {LOGINS}", {"OPENROUTER_SERVICE_URL": f"https://{LOGIN}@host"}),
    Bad(f"PLUME_SSO_URL: {HTTPS}", {"PLUME_SSO_URL": f"http://{PLANTED}/token"}),
    Bad(f"PLUME_API_BASE: {HTTPS}", {"PLUME_API_BASE": f"http://{PLANTED}/api"}),
    Bad(f"PLUME_REPORTS_BASE: {HTTPS}", {"PLUME_REPORTS_BASE": f"http://{PLANTED}/r"}),
    Bad(f"PLUME_SSO_URL: {LOGINS}", {"PLUME_SSO_URL": f"https://{LOGIN}@host/token"}),
    Bad(
        "PLUME_API_BASE: Input should be a valid URL, input is empty",
        {"PLUME_API_BASE": ""},
    ),
    Bad(
        "TELEGRAM_API_BASE: must be https beyond this machine; the token is part of it",
        {"TELEGRAM_API_BASE": f"http://{PLANTED}"},
    ),
    # 9: where things are kept
    Bad("others may read the folder data; `chmod o= data`", {}, opened),
    Bad("others may read data/arash.db; `chmod o= data/arash.db`", {}, readable),
    Bad("a newer version wrote this database; run that one", {}, newer, opening=True),
    Bad("data/arash.db cannot be used: file is not a database", {}, no_database, opening=True),
    Bad("data/arash.db is damaged; restore it from a backup", {}, damaged, opening=True),
    Bad(
        "the folder /proc/nowhere cannot be written",
        {"DATABASE_URL": "sqlite:////proc/nowhere/arash.db"},
    ),
    Bad(
        "DATABASE_URL: must begin with sqlite:/// or postgresql://, and name a database",
        {"DATABASE_URL": f"mysql://{LOGIN}@host/x"},
    ),
    Bad(
        "DATABASE_URL: is no database URL such as sqlite:///data/arash.db",
        {"DATABASE_URL": PLANTED},
    ),
    Bad(f"DATABASE_URL: {SIGN_IN}", {**PRODUCTION, "DATABASE_URL": f"postgresql://{PLANTED}/x"}),
    Bad(f"REDIS_URL: {REDIS}", {"REDIS_URL": f"http://{PLANTED}"}),
    Bad(f"REDIS_URL: {LOGIN_REDIS}", {**PRODUCTION, "REDIS_URL": f"rediss://{PLANTED}/0"}),
    # 12: names and numbers
    Bad(f"TELEGRAM_ADMIN_USERS: {IDS}", {"TELEGRAM_ADMIN_USERS": f"42,@{PLANTED}"}),
    Bad(f"TELEGRAM_ALLOWED_USERS: {IDS}", {"TELEGRAM_ALLOWED_USERS": PLANTED}),
    Bad(
        "TELEGRAM_RATE_LIMIT: Input should be greater than or equal to 1",
        {"TELEGRAM_RATE_LIMIT": "0"},
    ),
    Bad(f"INTERNAL_RATE_LIMIT: {NUMBER}", {"INTERNAL_RATE_LIMIT": PLANTED}),
    Bad(
        "TELEGRAM_DAILY_TURNS: Input should be greater than or equal to 1",
        {"TELEGRAM_DAILY_TURNS": "0"},
    ),
    Bad("API_PORT: Input should be less than or equal to 65535", {"API_PORT": "65536"}),
    Bad("DRAIN_SECONDS: Input should be greater than or equal to 1", {"DRAIN_SECONDS": "0"}),
    Bad("HTTP_RATE_LIMIT: must be a rate such as 120/minute", {"HTTP_RATE_LIMIT": "0/minute"}),
    Bad("MAX_TOKENS: Input should be greater than or equal to 16", {"MAX_TOKENS": "0"}),
    Bad(
        "DAILY_SPEND_LIMIT_USD: Input should be greater than 0",
        {"DAILY_SPEND_LIMIT_USD": "0"},
    ),
    Bad("LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'", {"LOG_LEVEL": PLANTED}),
    Bad("MODEL_ALIASES: must be name=model, by comma", {"MODEL_ALIASES": PLANTED}),
    Bad(
        "API_PROT: no such setting; see .env.example",
        {},
        mistyped,
    ),
    # 13: money
    Bad(f"DAILY_SPEND_LIMIT_USD: {SPEND}", {**PRODUCTION, **PAID}),
    Bad(
        "UNLIMITED_SPEND: Input should be '' or 'yes-i-mean-it'",
        {**PRODUCTION, "UNLIMITED_SPEND": "yes"},
    ),
    # 14: who runs it
    Bad(f"ALLOW_ROOT: {ROOT}", PRODUCTION, user=0),
]

GOOD: list[Mapping[str, str]] = [
    {},
    {"PLUME_ENABLED": "false"},
    {"OPENROUTER_SERVICE_URL": "http://127.0.0.1:1/v1", "OPENROUTER_API_KEY": "sk-made-up"},
    {"OPENROUTER_SERVICE_URL": "http://127.0.0.1:1/v1", "OPENROUTER_DIALECT": "openai"},
    {"ADMIN_API_KEY": ""},
    {"METRICS_API_KEY": LONG},
    {"CORS_ORIGINS": "*"},
    {"CORS_ORIGINS": "https://noc.example.org", **PRODUCTION},
    {"TRUSTED_PROXIES": "10.0.0.0/8"},
    {"DATABASE_URL": "sqlite:///elsewhere/x.db"},
    {"LOG_FILE": "logs/service.log", "LOG_FORMAT": "json"},
    {"API_HOST": "localhost"},
    {"ENABLE_IMAGE_PROCESSING": "false", "TELEGRAM_DAILY_TURNS": "200"},
    PRODUCTION,
    {**PRODUCTION, "ALLOW_ROOT": "true", "ENABLE_API_DOCS": "true"},
    {**BEYOND, "TLS_ENDS_AT": "nginx"},
    {**PRODUCTION, **PAID, "DAILY_SPEND_LIMIT_USD": "5"},
    {**PRODUCTION, **PAID, "UNLIMITED_SPEND": "yes-i-mean-it"},
    {**PRODUCTION, **PAID, "OPENROUTER_DIALECT": "openai"},
    {**PRODUCTION, **HOOK},
    {**PRODUCTION, "REDIS_URL": f"rediss://{LOGIN}@127.0.0.1:1/0"},
    {"TELEGRAM_ADMIN_USERS": "42, 43", "TELEGRAM_BOT_TOKEN": TOKEN, **PRODUCTION}
    | {"TELEGRAM_API_BASE": "http://127.0.0.1:1"},
]
