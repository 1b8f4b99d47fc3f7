"""What documents say exists, and does not. Each function returns those names."""

import importlib.util
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import typer.main

from app.admin.cli import cli
from app.commands import COMMANDS
from app.settings import ELSEWHERE, names
from tests.checks.secret_scan import files
from tests.docs.document import Document
from tests.docs.tables import ROOT

# Names in capitals that are settings of somebody else.
OTHERS: Final = frozenset(
    {
        "AI_SERVICE_URL",  # of an older service
        "CREDENTIALS_DIRECTORY",  # of systemd
        "NO_COLOR",
    }
)
# Files that a document names and nobody keeps: they are made.
MADE: Final = frozenset({"build/sbom.json", "grafana.password", "keys.env", "redis.conf"})
KEPT: Final = (".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".conf", ".json", ".service")
_SETTING: Final = re.compile(r"(?<![\w$/-])\$?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![\w-])")
_ADMIN: Final = re.compile(r"(?:python -m app|sudo arash) ([a-z][a-z-]+)")
_MODULE: Final = re.compile(r"python -m ([a-z_][a-z_.]*)")
_MAKE: Final = re.compile(r"(?m)(?:^|&& |sudo )make ([a-z][a-z-]*)")
_SLASH: Final = re.compile(r"/([a-z]+)(?:[ @].*)?")
_FILE: Final = re.compile(rf"[\w@.-]+(?:/[\w@.-]+)*(?:{'|'.join(map(re.escape, KEPT))})(?=$|:)")


def lost_links(document: Document) -> list[str]:
    """Return the links within the project that lead nowhere, or to no such heading."""
    return [link for link in document.links if not _leads(document, link)]


def _leads(document: Document, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    path, _, anchor = unquote(link).partition("#")
    there = document.path.parent / path if path else document.path
    if not there.exists() or not there.resolve().is_relative_to(ROOT):
        return False
    if not anchor:
        return True
    other = document if there == document.path else Document(there, there.read_text())
    return anchor in other.anchors


def no_settings(document: Document) -> list[str]:
    known = {*names(), *ELSEWHERE, *OTHERS}
    return [name for name in _SETTING.findall(document.text) if name not in known]


def no_admin_commands(document: Document) -> list[str]:
    return [name for name in _ADMIN.findall(document.code) if name not in admin_commands()]


def admin_commands() -> set[str]:
    return set(getattr(typer.main.get_command(cli), "commands", {}))


def no_modules(document: Document) -> list[str]:
    return [name for name in _MODULE.findall(document.code) if not _is_module(name)]


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def no_targets(document: Document) -> list[str]:
    return [name for name in _MAKE.findall(document.code) if name not in _targets()]


@cache
def _targets() -> set[str]:
    return set(re.findall(r"(?m)^([a-z][a-z-]*):", (ROOT / "Makefile").read_text()))


def no_slashes(document: Document, paths: Iterable[str] = ()) -> list[str]:
    """Return the `/words` that are neither a command of the chat nor a path of the API."""
    known = {command.name for command in COMMANDS} | {path.split("/")[1] for path in paths}
    found = (_SLASH.fullmatch(word) for word in document.words)
    return [it[0] for it in found if it and it[1] not in known]


def no_files(document: Document) -> list[str]:
    return [name for name in _named(document) if name not in MADE and not _is_kept(name)]


def _named(document: Document) -> Iterator[str]:
    for word in document.words:
        if (found := _FILE.match(word)) is not None:
            yield found[0]
    for block in document.blocks:
        yield from re.findall(r"(?<![\w./-])[\w./-]+\.py\b", block)


def _is_kept(name: str) -> bool:
    """Tell whether a file of the project has this name, or ends with it: the text said where."""
    name = name.removeprefix("/app/")  # where the image has the project
    return any(file == name or file.endswith(f"/{name}") for file in _kept())


@cache
def _kept() -> list[str]:
    return [file.relative_to(ROOT).as_posix() for file in files()]


def parts_of_app() -> Iterator[str]:
    """Yield what a map of the service has to name: its packages and modules."""
    for path in sorted((ROOT / "app").iterdir()):
        if path.suffix == ".py" or (path / "__init__.py").exists():
            name = path.stem
            if not name.startswith("__"):
                yield name


def read(path: Path) -> Document:
    return Document(path, path.read_text())
