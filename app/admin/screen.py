"""What the commands print: tables and colours on a terminal, plain lines anywhere else."""

import os
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

LONGEST = 200  # characters of what somebody outside named or said


def fancy() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def shown(said: object) -> str:
    """Return what others said as one harmless line: a terminal obeys what it is sent."""
    text = "".join(
        sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in str(said)
    )
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def say(text: str = "", style: str = "") -> None:
    if fancy():
        # As `Text`, so that no bracket of it is taken for markup.
        Console(highlight=False).print(Text(text, style=style), soft_wrap=True)
    else:
        print(_sayable(text))  # noqa: T201 - this is a command


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows; not on a terminal with tabs between, for `cut` and its like."""
    if not fancy():
        for row in (columns, *rows):
            say("\t".join(shown(cell) for cell in row))
        return
    drawn = Table(*columns)
    for row in rows:
        drawn.add_row(*(Text(shown(cell)) for cell in row))
    Console().print(drawn)


def _sayable(text: str) -> str:
    """Return what this output can take: a pipe of Windows has no check marks."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
