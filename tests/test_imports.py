"""Who may import whom: the table of docs/architecture.md, enforced."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EVERYWHERE = {"pydantic", "loguru"}
STORAGE_LIBRARIES = {"sqlalchemy", "alembic", "asyncpg", "cryptography"}

# package -> what it may import besides itself, the standard library and EVERYWHERE
ALLOWED: dict[str, set[str]] = {
    "wire": set(),
    "simulator": {"starlette", "fastapi", "httpx", "PIL", "uvicorn", "httptools"},
    "panoptes_bot": {"wire", "httpx", "telegram", "markdown_it", "pydantic_settings"},
    "app.llm": {"app.bell", "app.errors", "app.http", "httpx", "aiohttp", "orjson"},
    "app.storage": {"app.errors", "orjson", *STORAGE_LIBRARIES},
    "app.sessions": {"app.storage", "app.errors", "orjson", *STORAGE_LIBRARIES},
    "app.platforms": {"app.errors", "app.http", "wire"},
    "app.plume": {"app.errors", "app.http", "httpx", "aiohttp", "orjson"},
    "app.sharing": {
        "app.bell",
        "app.chat.limits",
        "app.plume.budget",
        "redis",
    },  # the ports that it fills
    "app.network": {"app.plume.models", "matplotlib"},
    "app.panoptes": {
        "app.sessions",
        "app.storage",
        "app.plume",
        "app.network",
        "app.drawing",
        "app.bell",
        "app.errors",
        "sqlalchemy",
    },
    "app.commands": {
        "app.sessions",
        "app.platforms",
        "app.llm.base",
        "app.llm.catalogue",  # names and abilities of models: data, no waiting
        "app.panoptes",
        "app.plume",
        "app.network",
        "app.texts",
        "app.words",
        "app.errors",
        "wire",
    },
    "app.chat": {
        "app.commands",
        "app.sessions",
        "app.platforms",
        "app.storage",
        "app.llm.base",
        "app.llm.catalogue",
        "app.llm.prompts",
        "app.images",
        "app.redaction",
        "app.texts",
        "app.bell",
        "app.errors",
        "wire",
        "orjson",
        "sqlalchemy",
    },
    "app.api": {
        "app",
        "app.chat",
        "app.panoptes",
        "app.network",
        "app.plume.watch",
        "app.sessions",
        "app.platforms",
        "app.storage.backlog",
        "app.storage.store",
        "app.llm.catalogue",
        "app.llm.watched",
        "app.errors",
        "wire",
        "fastapi",
        "slowapi",
        "standardwebhooks",
        "limits",
        "starlette",
        "uvicorn",
        "httptools",
        "orjson",
        "sqlalchemy",
    },
}
# What every part of `app` may use to tell what it does.
TELLING = {"app.metrics", "app.tracing"}
# Modules that stand for themselves at the top of `app`.
ALONE: dict[str, set[str]] = {
    "app.metrics": {"prometheus_client"},
    "app.tracing": {"opentelemetry"},
    "app.errors": set(),
    "app.bell": set(),
    "app.http": {"aiohttp", "httpx", "httpx_aiohttp"},
    "app.texts": set(),
    "app.words": set(),
    "app.redaction": set(),
    "app.logs": set(),
    "app.images": {"app.decoding", "app.errors", "app.llm.base", "PIL"},
    "app.decoding": {"app.errors", "PIL"},
    "app.drawing": {"app.network.pictures"},
    # It asks whoever will read a setting whether they can.
    "app.checks": {"app.llm.catalogue", "app.logs", "limits", "pydantic_settings", "sqlalchemy"},
    "app.contradictions": {"sqlalchemy"},
    "app.settings": {
        "app.checks",
        "app.contradictions",
        "pydantic_settings",
        "dotenv",
        "sqlalchemy",
        "wire.supervisor",
    },
    "app.starting": {"app.contradictions", "app.settings", "app.storage", "sqlalchemy"},
    **{f"app.{name}": {"app.admin"} for name in ("__main__", "backup", "doctor", "restore")},
    "app.serving": {
        "app.api.parts",
        "app.api.protocol",
        "app.errors",
        "app.main",
        "app.settings",
        "app.starting",
        "app.storage.store",
        "fastapi",
        "uvicorn",
        "wire",
    },
}
EVERYTHING = {"app.main", "app.configured", "app.background", "app.admin"}


def _files() -> Iterator[tuple[str, Path]]:
    for top, folder in (
        ("wire", ROOT / "wire"),
        ("app", ROOT / "app"),
        ("simulator", ROOT / "simulator"),
        ("panoptes_bot", ROOT / "telegram" / "panoptes_bot"),
    ):
        for file in folder.rglob("*.py"):
            parts = file.relative_to(folder).with_suffix("").parts
            yield ".".join((top, *(part for part in parts if part != "__init__"))), file


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide who imports whom"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _within(name: str, packages: set[str]) -> bool:
    # `app` alone is its version; everything else is meant with what is below it.
    below = packages - {"app"}
    return name == "app.__version__" or any(
        name == package or name.startswith(f"{package}.") for package in below
    )


def _owner(module: str) -> tuple[str, set[str]] | None:
    """Return the row of a module: its package and what that may import."""
    if module == "app" or _within(module, EVERYTHING):
        return None
    if module in ALONE:
        return module, ALONE[module]
    package = next((each for each in ALLOWED if _within(module, {each})), None)
    assert package is not None, f"{module} has no row in the table"
    return package, ALLOWED[package]


def violations(module: str, source: str) -> list[str]:
    row = _owner(module)
    if row is None:
        return []
    package, allowed = row
    fine = allowed | {package} | (set() if package == "wire" else {"loguru"}) | {"pydantic"}
    if package.startswith("app."):
        fine |= TELLING
    return [
        name
        for name in _imports(source)
        if name.partition(".")[0] not in sys.stdlib_module_names and not _within(name, fine)
    ]


@pytest.mark.parametrize(("module", "file"), sorted(_files()), ids=str)
def test_imports_keep_to_the_table(module: str, file: Path) -> None:
    assert violations(module, file.read_text()) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("wire.message", "from loguru import logger"),
        ("simulator.demo", "from app.settings import read_settings"),
        ("panoptes_bot.main", "import app.errors"),
        ("app.commands.start", "from app.llm.openrouter import OpenRouter"),
        ("app.storage.turns", "def late() -> None:\n    from app.sessions import sessions"),
        ("app.chat.processor", "import fastapi"),
    ],
)
def test_the_table_catches_a_planted_import(module: str, source: str) -> None:
    assert violations(module, source) != []
