"""What the tests of deploy/ share: programs of the system, and files with a fault planted."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
# Some are where only root looks.
SEARCH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(found(name) is None, reason=f"{name} is not installed")


def found(name: str) -> str | None:
    return shutil.which(name, path=SEARCH)


def run(
    *command: str | Path, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a program; what it says on either channel is `stdout`."""
    name, *arguments = command
    return subprocess.run(
        [found(str(name)) or str(name), *arguments],
        cwd=cwd,
        env={"PATH": SEARCH, "LANG": "C.UTF-8", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Return `text` with the first of each old words replaced, all of which are there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def every(text: str, changes: Mapping[str, str]) -> str:
    """Return `text` with all of the old words replaced, each of which is there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def documents(text: str) -> list[Any]:
    """Return what a YAML file holds."""
    return list(yaml.safe_load_all(text))
