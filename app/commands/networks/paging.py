"""Lists of buttons, a page at a time. What a button sends, a person could type."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from app import words
from wire.reply import Button

PER_PAGE = 8
T = TypeVar("T")
_PAGE = re.compile(r"(?i)(.*?)\s*\bpage\s+([0-9]{1,4})\s*", re.DOTALL)


class Asked(NamedTuple):
    """What was asked for, and which page of it, from 1."""

    words: str
    page: int


def asked(text: str) -> Asked:
    found = _PAGE.fullmatch(text)
    return Asked(text, 1) if found is None else Asked(found[1].strip(), max(1, int(found[2])))


def paged(
    items: Sequence[T], page: int, show: Callable[[T], Button], send: str
) -> tuple[tuple[Button, ...], ...]:
    """Return a page of buttons, one a row, and the way to its neighbours: `send`, page n.

    A page that is none is the last one: lists grow shorter behind old buttons.
    """
    last = max(1, -(-len(items) // PER_PAGE))
    page = min(page, last)
    start = (page - 1) * PER_PAGE
    rows = [(show(item),) for item in items[start : start + PER_PAGE]]
    turns = []
    for word, to in ((words.PAGE_BEFORE, page - 1), (words.PAGE_AFTER, page + 1)):
        if 1 <= to <= last:
            turns.append(Button(label=word.format(page=to, last=last), send=f"{send} page {to}"))
    return (*rows, tuple(turns)) if turns else tuple(rows)
