"""Long lists, a page at a time. What a button sends, a person could type."""

import re
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from app import words
from wire.reply import Button

PER_PAGE = 8
T = TypeVar("T")
_PAGE = re.compile(r"(?i)(.*?)\s*\bpage\s+([0-9]{1,4})\s*", re.DOTALL)


class Asked(NamedTuple):
    """What was asked for, and which page of it, from 1."""

    words: str
    page: int


class Page(NamedTuple, Generic[T]):
    """A page of a list, and the way to its neighbours, no buttons where it is the only one."""

    items: Sequence[T]
    number: int
    last: int
    turns: tuple[tuple[Button, ...], ...]


def asked(text: str) -> Asked:
    found = _PAGE.fullmatch(text)
    return Asked(text, 1) if found is None else Asked(found[1].strip(), max(1, int(found[2])))


def page_of(items: Sequence[T], number: int, send: str, per_page: int = PER_PAGE) -> Page[T]:
    """Return a page of a list, whose neighbours are `send`, page n.

    A page that is none is the last one: lists grow shorter behind old buttons.
    """
    last = max(1, -(-len(items) // per_page))
    number = min(number, last)
    start = (number - 1) * per_page
    turns = tuple(
        Button(label=word.format(page=to, last=last), send=f"{send} page {to}")
        for word, to in ((words.PAGE_BEFORE, number - 1), (words.PAGE_AFTER, number + 1))
        if 1 <= to <= last
    )
    return Page(items[start : start + per_page], number, last, (turns,) if turns else ())


def paged(
    items: Sequence[T], page: int, show: Callable[[T], Button], send: str
) -> tuple[tuple[Button, ...], ...]:
    """Return a page of buttons, one a row, and the way to its neighbours."""
    found = page_of(items, page, send)
    return (*((show(item),) for item in found.items), *found.turns)
