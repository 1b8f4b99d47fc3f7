"""What can be wrong on the machine of the service, and what `doctor` says of it."""

from typing import NamedTuple

from tests.admin import mishaps
from tests.admin.mishaps import HOOK, Change, env, in_the_database

NOBODY = "http://127.0.0.1:9"  # the port of `discard`
SAME = "same-0123456789abcdefghijklmnop-"  # pragma: allowlist secret
ANOTHER = "another-0123456789abcdefghijklmno"  # pragma: allowlist secret
PASSWORD = "hush-hush-hush"
DEAD_LETTER = """
INSERT INTO deliveries
(platform, chat_id, user_id, state, edits, reason, not_before, created_at, changed)
VALUES ('telegram', '1', '1', 'refused', '[]', 'blocked', 0, 0, 0)
"""


class Trouble(NamedTuple):
    """How it is made, the piece, and what stands in the line about it and in the next step."""

    name: str
    change: Change
    piece: str
    what: str
    todo: str


HERE = [
    Trouble("no bot key", env(BOT_API_KEY=""), "settings", "BOT_API_KEY: ", "mend it in .env"),
    Trouble(
        "a typing error",
        env(TELEGRAM_RATELIMIT="3"),
        "settings",
        "TELEGRAM_RATELIMIT",
        ".env.example",
    ),
    Trouble(
        "equal keys",
        env(ADMIN_API_KEY=SAME, METRICS_API_KEY=SAME),
        "settings",
        "equal",
        "a value of its own",
    ),
    Trouble("no number", env(API_PORT="many"), "settings", "API_PORT", "mend it in .env"),
    Trouble(
        "a webhook without secret",
        env(TELEGRAM_WEBHOOK_URL=HOOK),
        "settings",
        "WEBHOOK_SECRET",
        "mend",
    ),
    Trouble(
        "no key file", env(ENCRYPTION_KEY_FILE="nowhere"), "settings", "ENCRYPTION_KEY_FILE", "mend"
    ),
    Trouble(
        "a key file for all",
        mishaps.readable_key,
        "files",
        "others may read the key file",
        "chmod 600",
    ),
    Trouble(
        "the key beside the data",
        mishaps.key_beside_the_data,
        "settings",
        "ENCRYPTION_KEY_FILE",
        "elsewhere",
    ),
    Trouble(
        "another key file",
        mishaps.others_key,
        "encryption key",
        "does not open",
        "put back the key file",
    ),
    Trouble(".env for all", mishaps.readable_env, "files", "others may read .env", "chmod 600"),
    Trouble(
        "a folder for all", mishaps.open_folder, "storage", "others may read the folder", "chmod o="
    ),
    Trouble(
        "a database for all", mishaps.readable_database, "storage", "others may read", "chmod o="
    ),
    Trouble("a damaged database", mishaps.damaged, "storage", "copy.db", "restore"),
    Trouble(
        "a newer database",
        in_the_database("UPDATE alembic_version SET version_num = '9999'"),
        "storage",
        "newer",
        "run that",
    ),
    Trouble(
        "an older database",
        in_the_database("UPDATE alembic_version SET version_num = '0001'"),
        "storage",
        "migration is pending",
        "next start",
    ),
    Trouble(
        "no database",
        env(DATABASE_URL="sqlite:////tmp/nowhere-at-all/a.db"),
        "storage",
        "no database yet",
        "start",
    ),
    Trouble(
        "PostgreSQL is away",
        env(DATABASE_URL="postgresql://me:" + PASSWORD + "@127.0.0.1:9/arash"),
        "storage",
        "does not answer",
        "DATABASE_URL",
    ),
    Trouble(
        "a dead letter",
        in_the_database(DEAD_LETTER),
        "deliveries",
        "1 were refused",
        "dead-letters",
    ),
    Trouble(
        "a turn that nobody takes",
        in_the_database("UPDATE turns SET state = 'waiting', accepted_at = 1"),
        "storage",
        "has waited for",
        "log",
    ),
    Trouble("no service", env(API_PORT="9"), "service", "does not run", "run_service.py"),
    Trouble("another program", mishaps.other_program, "service", "another program", "API_PORT"),
    Trouble(
        "another admin key",
        env(ADMIN_API_KEY=ANOTHER),
        "service",
        "does not take ADMIN_API_KEY",
        "restart",
    ),
    Trouble(
        "another internal key",
        env(INTERNAL_API_KEY=ANOTHER),
        "service",
        "does not take INTERNAL_API_KEY",
        "restart",
    ),
    Trouble(
        "another bot key", env(BOT_API_KEY=ANOTHER), "way of the bot", "BOT_API_KEY", "the same"
    ),
    Trouble(
        "a wrong SERVICE_URL",
        env(SERVICE_URL=NOBODY),
        "way of the bot",
        "nobody answers",
        "SERVICE_URL",
    ),
    Trouble(
        "nonsense as SERVICE_URL",
        env(SERVICE_URL="localhost:8001"),
        "way of the bot",
        "nobody",
        "SERVICE_URL",
    ),
    Trouble(
        "no spend limit",
        env(DAILY_SPEND_LIMIT_USD=""),
        "settings",
        "any amount",
        "DAILY_SPEND_LIMIT_USD",
    ),
    Trouble(
        "nobody is told",
        env(TELEGRAM_ADMIN_USERS=""),
        "settings",
        "nobody is told",
        "TELEGRAM_ADMIN_USERS",
    ),
    Trouble("a wrong clock", mishaps.clock_fast, "clocks", "ours is 60 s ahead of", "timedatectl"),
    Trouble("a full disk", mishaps.disk_full, "disk", "50 MB are free", "make room"),
    Trouble("a disk that fills", mishaps.disk_nearly_full, "disk", "500 MB are free", "make room"),
    Trouble("a folder as log", env(LOG_FILE="/"), "settings", "LOG_FILE", "mend"),
]
