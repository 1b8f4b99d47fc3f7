"""The tables of the documents that are made from the code; `make docs` writes them anew.

A document says where one stands: `<!-- table: errors -->`, the table, `<!-- end -->`.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final

from app import errors
from app.admin.config_table import config_table
from app.api import protocol
from app.api.problems import SENTENCES
from app.api.protocol import Refusal
from app.commands import COMMANDS
from app.commands.base import Command
from app.configured import platforms_of
from app.errors import AppError, ModelError, NotConnected, NothingSelected, PlumeError
from app.llm import defaults
from app.llm.catalogue import parse_aliases, parse_replacements
from app.platforms.platform import Platform
from app.settings import PlatformSettings, PlumeSettings, TelegramSettings
from tests.security import authorisation
from tests.security import tables as security

ROOT: Final = Path(__file__).resolve().parents[2]
IMPORTANT: Final = (
    "ENVIRONMENT",
    "API_HOST",
    "TLS_ENDS_AT",
    "TRUSTED_PROXIES",
    "OPENROUTER_API_KEY",
    "DAILY_SPEND_LIMIT_USD",
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_ADMIN_USERS",
    "TELEGRAM_ALLOWED_USERS",
    "PLUME_ENABLED",
    "DATABASE_URL",
    "REDIS_URL",
    "METRICS_API_KEY",
)
PLACE: Final = re.compile(r"<!-- table: ([a-z ]+) -->\n(.*?)<!-- end -->", re.DOTALL)
NETWORKS: Final = (PlumeError, NotConnected, NothingSelected)
VARIES: Final = "What is wrong with this request, and what is taken."
NOT: Final = "–"  # noqa: RUF001 - of who does not have a command
ADMIN: Final = "1"  # somebody's id


def important_settings() -> str:
    head, line, *rows = config_table().splitlines()
    named = {row.split("`")[1]: row for row in rows}
    return "\n".join([head, line, *(named[name] for name in IMPORTANT)])


def errors_of(wanted: Callable[[type[AppError]], bool], *more: tuple[HTTPStatus, str, str]) -> str:
    """Return a row per code of the classes that are `wanted`, and of `more`, by status."""
    said: dict[tuple[int, str], list[str]] = {}
    for error in _classes():
        if wanted(error):
            said.setdefault((int(error.status), error.code), []).extend(_meaning(error))
    for status, code, sentence in more:
        said.setdefault((int(status), code), []).append(sentence)
    rows = [
        (str(status), f"`{code}`", " Or: ".join(dict.fromkeys(texts)) or VARIES)
        for (status, code), texts in sorted(said.items())
    ]
    return table(("status", "`error`", "what it says"), rows)


def service_errors() -> str:
    """Return the errors that are neither the provider's nor Plume's, and those of routing."""
    return errors_of(
        lambda error: not issubclass(error, (ModelError, *NETWORKS)),
        *((status, code, sentence) for status, (code, sentence) in SENTENCES.items()),
        *((it.status, it.error, it.sentence) for it in _refusals()),
    )


def commands() -> str:
    """Return a row per command, and who has it where nothing else is set."""
    telegram, internal = platforms().values()
    rows = [
        (
            f"`/{command.name}{command.usage and ' '}{command.usage.strip()}`",
            command.summary,
            _who(command, telegram),
            _who(command, internal),
        )
        for command in COMMANDS
    ]
    return table(("command", "what it does", "Telegram", "internal"), rows)


def models() -> str:
    aliases, replacements = parse_aliases(defaults.ALIASES), _replacements()
    rows = []
    for model in defaults.MODELS:
        short = [f"`{name}`" for name, meant in aliases.items() if meant == model]
        rows.append((f"`{model}`", ", ".join(short), replacements.get(model, "")))
    return table(("model", "short names", "what answers when it is gone"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    first, *lines = (f"| {' | '.join(map(_cell, line))} |" for line in (head, *rows))
    return "\n".join([first, f"|{'---|' * len(head)}", *lines])


def platforms() -> Mapping[str, Platform]:
    """Return the platforms as they are by default, but that each has an administrator.

    The environment of whoever runs this is not asked.
    """
    telegram = TelegramSettings.model_construct(telegram_admin_users=(int(ADMIN),))
    settings = PlatformSettings.model_construct(internal_admin_users=(ADMIN,))
    return platforms_of(settings, telegram, PlumeSettings.model_construct())


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "settings": config_table,
    "important settings": important_settings,
    "service errors": service_errors,
    "model errors": lambda: errors_of(lambda error: issubclass(error, ModelError)),
    "network errors": lambda: errors_of(lambda error: issubclass(error, NETWORKS)),
    "commands": commands,
    "models": models,
    "authorisation": authorisation.markdown,
    "sealed": security.sealed,
    "limits": security.limits,
}


def renewed(text: str) -> str:
    """Return a document with its tables as they are to be.

    Raises:
        KeyError: there is no table of a name that it holds.
    """
    return PLACE.sub(lambda it: f"<!-- table: {it[1]} -->\n{TABLES[it[1]]()}\n<!-- end -->", text)


def documents(root: Path = ROOT) -> list[Path]:
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").glob("*.md"))]


def main() -> int:
    for file in documents():
        text = file.read_text()
        if (new := renewed(text)) != text:
            file.write_text(new)
            print(f"{file.relative_to(ROOT)} is written anew")  # noqa: T201 - a command prints
    return 0


def _classes() -> Iterator[type[AppError]]:
    for each in vars(errors).values():
        if inspect.isclass(each) and issubclass(each, AppError):
            yield each


def _refusals() -> Iterator[Refusal]:
    """Yield what the protocol refuses before the service sees it."""
    yield from (each for each in vars(protocol).values() if isinstance(each, Refusal))


def _meaning(error: type[AppError]) -> Iterator[str]:
    """Yield the sentence of a class, else what its docstring says first."""
    if "sentence" in vars(error):
        yield error.sentence
    elif error.__doc__ and "__doc__" in vars(error):
        yield inspect.cleandoc(error.__doc__).split("\n", 1)[0]


def _who(command: Command, platform: Platform) -> str:
    if not command.allowed(platform, ADMIN):
        return NOT
    if not command.allowed(platform):
        return "administrators"
    return "✓" if command.allowed(platform, private=False) else "private chats"


def _replacements() -> dict[str, str]:
    return {
        old: f"`{new.model}`{' with web search' if new.web_search else ''}"
        for old, new in parse_replacements(defaults.REPLACEMENTS).items()
    }


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
