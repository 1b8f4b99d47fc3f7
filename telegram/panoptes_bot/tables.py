"""Tables, for a font in which every character has one width or two."""

import unicodedata
from collections.abc import Sequence

_WIDEST_COLUMN = 40  # one long cell would pad every row


def columns(rows: Sequence[Sequence[str]], aligned: Sequence[str]) -> str:
    """Return the rows of a table, the first its head, as lines that stand in columns.

    `aligned` says of each column `right`, `center` or anything else. Rows may differ in length.
    """
    most = max(map(len, rows), default=0)
    widths = [0] * most
    for row in rows:
        for column, cell in enumerate(row):
            widths[column] = min(_WIDEST_COLUMN, max(widths[column], _width(cell)))
    sides = [*aligned, *[""] * most]
    lines = []
    for row in rows:
        filled = max((index for index, cell in enumerate(row, 1) if cell), default=0)
        cells = map(_padded, row[:filled], widths, sides)
        lines.append(" | ".join(cells).rstrip(" "))
    lines.insert(1, "-+-".join("-" * width for width in widths))
    return "\n".join(lines)


def _padded(cell: str, width: int, side: str) -> str:
    missing = max(0, width - _width(cell))
    if side == "right":
        return " " * missing + cell
    before = missing // 2 if side == "center" else 0
    return " " * before + cell + " " * (missing - before)


def _width(text: str) -> int:
    """Return how many cells of a screen a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(each) in {"Mn", "Me", "Cf"}
        else 2 if unicodedata.east_asian_width(each) in "WF"
        else 1
        for each in text
    )  # fmt: skip
