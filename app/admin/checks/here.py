"""This machine: settings, files, room on the disk."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from app import starting
from app.admin.findings import Case, Finding, broken, doubtful, fine

READABLE_BY_OTHERS = 0o007
LEAST_FREE, LITTLE_FREE = 200 * 1024**2, 1024**3  # bytes
MEGABYTE = 1024 * 1024
_SETTING = re.compile("[A-Z_, ]+: ")
_AGAIN = "mend that, then run doctor again"


def refused(reason: str) -> Finding:
    """Turn a reason not to start into what was found. It says what to do after the last `;`."""
    what, _, todo = reason.rpartition("; ")
    if _SETTING.match(reason):
        mend = f"mend it in .env, where .env.example explains it{f'; {todo}' if what else ''}"
        return broken("settings", what or reason, mend)
    if " cannot be used: " in reason:
        return broken("storage", reason, "restore it: `python -m app restore <backup> --replace`")
    piece = "storage" if "database" in reason or "folder" in reason or ".db" in reason else "files"
    return broken(piece, what or reason, todo if what else _AGAIN)


async def settings(case: Case) -> list[Finding]:
    found = [
        doubtful("settings", warning, "see .env.example")
        for warning in starting.warnings(case.settings)
    ]
    mode = case.env_file.stat().st_mode if case.env_file.is_file() else 0
    if os.name == "posix" and mode & READABLE_BY_OTHERS:
        others = "others may read .env, which holds keys"
        found.append(broken("files", others, "`chmod 600 .env`"))
    models, telegram = case.settings.models, case.settings.telegram
    if models.daily_spend_limit_usd is None and models.openrouter_api_key is not None:
        limit = "AI answers may cost any amount in a day"
        found.append(doubtful("settings", limit, "set DAILY_SPEND_LIMIT_USD"))
    if telegram.telegram_bot_token is not None and not telegram.telegram_admin_users:
        nobody = "nobody is told of what only an operator can mend"
        found.append(doubtful("settings", nobody, "put your numeric id into TELEGRAM_ADMIN_USERS"))
    return [fine("settings", "they fit together, and the files are private"), *found]


async def disk(case: Case) -> list[Finding]:
    found, least = [], None
    for name, folder in _folders(case):
        free = case.free(folder)
        least = free if least is None else min(least, free)
        left = f"{free // MEGABYTE} MB are free for {name}"
        todo = "make room: old logs, old backups; then look at what grows"
        if free < LEAST_FREE:
            found.append(broken("disk", left, todo))
        elif free < LITTLE_FREE:
            found.append(doubtful("disk", left, todo))
    if found or least is None:
        return found
    return [fine("disk", f"{least // MEGABYTE} MB are free")]


def _folders(case: Case) -> Iterator[tuple[str, Path]]:
    url = make_url(case.settings.storage.database_url.get_secret_value())
    if url.get_backend_name() == "sqlite":
        yield "the database", _there(Path(str(url.database)).parent)
    if (log := case.settings.log.log_file) is not None:
        yield "the log", _there(log.parent)


def _there(folder: Path) -> Path:
    """Return the folder, or the nearest above it that exists."""
    return next(each for each in (folder, *folder.resolve().parents) if each.is_dir())


async def clocks(case: Case) -> list[Finding]:
    """Compare ours with the others'; for the end, when all of them were heard."""
    ahead = case.clocks.ahead
    off = {whose: by for whose, by in ahead.items() if abs(by) > MOST_SKEW}
    if not off:
        return [fine("clocks", f"within {MOST_SKEW:g} s of {_listed(ahead)}")] if ahead else []
    if len(off) == len(ahead) and len({by > 0 for by in off.values()}) == 1:
        by = min(off.values(), key=abs)
        way = "behind" if by > 0 else "ahead of"
        ours = f"ours is {abs(by):.0f} s {way} {_listed(off)}"
        return [doubtful("clocks", ours, "let NTP set it: `timedatectl set-ntp true`")]
    return [
        doubtful(
            "clocks",
            f"that of {whose} is {abs(by):.0f} s {'ahead of' if by > 0 else 'behind'} ours",
            "find out which of the two is wrong: `timedatectl`",
        )
        for whose, by in off.items()
    ]


MOST_SKEW = 2.0  # seconds


def _listed(names: dict[str, float]) -> str:
    return ", ".join(names)
