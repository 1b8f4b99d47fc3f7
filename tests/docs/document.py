"""A Markdown document, as far as the tests read it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

_READER: Final = MarkdownIt("commonmark", {"html": True}).enable("table")
_IMAGE: Final = re.compile(r"""<img\s[^>]*src="([^"]+)\"""")
_NO_ANCHOR: Final = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Document:
    """`path` is where it stands: links begin there."""

    path: Path
    text: str

    @cached_property
    def _tokens(self) -> list[Token]:
        return _READER.parse(self.text)

    @property
    def _inline(self) -> Iterator[Token]:
        for token in self._tokens:
            yield from token.children or ()

    @property
    def links(self) -> Iterator[str]:
        """Yield where its links and pictures lead."""
        for token in self._inline:
            for name in ("href", "src"):
                if (target := token.attrs.get(name)) is not None:
                    yield str(target)
        yield from _IMAGE.findall(self.text)

    @cached_property
    def anchors(self) -> set[str]:
        """The names of its headings, as GitHub makes them."""
        found: set[str] = set()
        for before, token in zip(self._tokens, self._tokens[1:], strict=False):
            if before.type == "heading_open":
                shown = "".join(child.content for child in token.children or ())
                name = _NO_ANCHOR.sub("", shown.lower()).replace(" ", "-")
                again = sum(1 for each in found if re.fullmatch(rf"{re.escape(name)}(-\d+)?", each))
                found.add(f"{name}-{again}" if again else name)
        return found

    @property
    def words(self) -> Iterator[str]:
        """Yield what stands in `code` within a line."""
        return (token.content for token in self._inline if token.type == "code_inline")

    @property
    def blocks(self) -> Iterator[str]:
        return (token.content for token in self._tokens if token.type == "fence")

    @property
    def code(self) -> str:
        """All of it that is code, a line for each piece."""
        return "\n".join([*self.words, *self.blocks])

    def rows(self, *head: str) -> list[list[str]]:
        """Return the cells of all tables with this head."""
        tables, rows = re.findall(r"(?m)(?:^\|.*\|\n)+", self.text + "\n"), []
        for table in tables:
            first, _, *others = (_cells(line) for line in table.splitlines())
            if first == list(head):
                rows += others
        return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
