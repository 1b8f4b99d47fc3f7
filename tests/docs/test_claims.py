"""Whatever a document names exists; and what does not is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs import claims
from tests.docs.claims import read
from tests.docs.document import Document
from tests.docs.tables import ROOT, documents
from tests.security.authorisation import HIDDEN, TABLE
from tests.security.authorisation import read as rows_of

PATHS = [row.route.partition(" ")[2] for row in rows_of(TABLE)]
Check = Callable[[Document], list[str]]


def no_slashes(document: Document) -> list[str]:
    return claims.no_slashes(document, PATHS)


CHECKS: dict[str, tuple[Check, str, str]] = {
    # what is planted, and what is found of it
    "a file that is not there": (claims.lost_links, "[x](docs/nowhere.md)", "docs/nowhere.md"),
    "a heading that is not there": (claims.lost_links, "[x](README.md#no)", "README.md#no"),
    "a heading of its own": (claims.lost_links, "# One\n\n[x](#two)", "#two"),
    "a place outside": (claims.lost_links, "[x](../../etc/passwd)", "../../etc/passwd"),
    "a picture": (claims.lost_links, '<img src="docs/no.png" alt="">', "docs/no.png"),
    "a setting": (claims.no_settings, "set TELEGRAM_RATELIMIT to 3", "TELEGRAM_RATELIMIT"),
    "a setting of a block": (claims.no_settings, "```sh\nAPI_PROT=1\n```", "API_PROT"),
    "an admin command": (claims.no_admin_commands, "`python -m app restart`", "restart"),
    "one for systemd": (claims.no_admin_commands, "```sh\nsudo arash heal\n```", "heal"),
    "a module": (claims.no_modules, "`python -m app.admin.nothing env`", "app.admin.nothing"),
    "a target": (claims.no_targets, "```sh\nmake everything  # all\n```", "everything"),
    "a command of the chat": (no_slashes, "send `/weather Tehran`", "/weather Tehran"),
    "a path of the API": (no_slashes, "ask `/healthz`", "/healthz"),
    "a source file": (claims.no_files, "see `app/llm/magic.py`", "app/llm/magic.py"),
    "a file of deploy": (claims.no_files, "see `deploy/nginx/no.conf`", "deploy/nginx/no.conf"),
    "a file of a block": (claims.no_files, "```\nx ─▶ chat/nowhere.py\n```", "chat/nowhere.py"),
}  # fmt: skip


@pytest.mark.parametrize("fault", CHECKS)
def test_what_does_not_exist_is_found(fault: str) -> None:
    check, planted, found = CHECKS[fault]

    assert check(Document(ROOT / "planted.md", planted)) == [found]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
@pytest.mark.parametrize("check", dict.fromkeys(check for check, *_ in CHECKS.values()))
def test_all_that_a_document_names_exists(path: Path, check: Check) -> None:
    assert check(read(path)) == []


def test_a_check_looks_at_something() -> None:
    every = [read(path) for path in documents()]

    assert len(every) >= 8
    assert sum(len(list(document.links)) for document in every) > 50
    assert {name for name in claims.admin_commands() if any(name in it.code for it in every)} == (
        claims.admin_commands()
    )


def test_every_part_of_the_service_is_on_the_map() -> None:
    text = read(ROOT / "docs" / "architecture.md").code

    missing = [
        name for name in claims.parts_of_app() if f"app/{name}" not in text.replace(".", "/")
    ]

    assert missing == []


def test_the_admin_commands_are_all_explained() -> None:
    rows = read(ROOT / "docs" / "operation.md").rows("command", "what it does", "the service")

    explained = {word.strip("`").split()[0] for row in rows for word in row[0].split(", ")}
    assert explained == claims.admin_commands()


def test_the_doors_that_no_document_of_the_api_shows_are_known() -> None:
    assert {"GET /docs", "GET /redoc", "GET /openapi.json"} <= HIDDEN
