"""From the Markdown of an answer to what Telegram draws: text and entities, no marks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markdown_it.common.normalize_url import normalizeLink
from markdown_it.token import Token

from panoptes_bot.markdown import kept, read
from panoptes_bot.split import MOST_UNITS, Text, parts, seen, units
from panoptes_bot.tables import columns
from panoptes_bot.writer import Writer

MOST_PARTS = 3  # of an answer; a longer one is a file
_LONGEST = 32_768  # characters of Markdown that are drawn
WAITING = "…"
NOTE = "… The whole answer is in the file."

_STYLES = {"em_open": "italic", "strong_open": "bold", "s_open": "strikethrough"}
_STYLE_ENDS = {"em_close", "strong_close", "s_close"}
_RULE = "———"
_TASK = re.compile(r"\[([ xX])\] ")
_LANGUAGE = re.compile(r"[\w+#.-]{1,32}", re.ASCII)
_INDENT = "   "
_MOST_INDENTS = 6  # more leave no room on a phone
# Telegram refuses a whole message for one URL that it cannot read.
_WEB = re.compile(r"(?ia)https?://([\w.-]+)(?::(\d{1,5}))?(?:[/?#][^\x00-\x20\x7f]*)?")
_OWN = re.compile(r"(?ia)tg:(?://)?[\w.-]+(?:[/?#][^\x00-\x20\x7f]*)?")
_HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Drawing:
    """What stands for an answer: its messages, never none, and a file if they are not all."""

    parts: list[Text]
    document: bytes | None = None


def render(markdown: str) -> Text:
    """Return the text of an answer without the marks, and its entities.

    No blanks at its ends, no control characters: it is what Telegram keeps, and the entities are
    parted as Telegram parts them. Empty if there is nothing to see. Never raises. No word is lost
    but the names of link definitions that are used, and the URL of a picture that is a link.
    """
    source = kept(markdown)
    writer = Writer()
    _Blocks(writer, source).write(read(source))
    text = writer.text()
    return text if seen(text.text) else Text("")


def grown(markdown: str) -> list[Text]:
    """Return the messages of an answer that is still being written: one to `MOST_PARTS`.

    What is longer waits for the end. All but the last stay as they are while the text grows.
    """
    return parts(render(markdown[:_LONGEST]))[:MOST_PARTS] or [Text(WAITING)]


def drawn(markdown: str, keep: int = 1, note: str = NOTE) -> Drawing:
    """Return what an answer that is ready becomes.

    More than `MOST_PARTS` messages go as a file, its Markdown in UTF-8. Its first `keep` (one to
    `MOST_PARTS`) messages stay, and the last of them ends in the note that says so.
    """
    whole = parts(render(markdown[:_LONGEST]))
    if len(whole) <= MOST_PARTS and len(markdown) <= _LONGEST:
        return Drawing(whole or [Text(WAITING)])
    *before, last = whole[:keep] or [Text("")]
    ending = f"\n\n{note}"
    shorter = parts(last, MOST_UNITS - units(ending)) or [last]
    noted = Text(f"{shorter[0].text}{ending}".strip(), shorter[0].entities)
    return Drawing([*before, noted], markdown.encode("utf-8", "replace"))


class _Blocks:
    """Writes what stands in lines of its own; blank lines are where the source has them."""

    def __init__(self, writer: Writer, source: str) -> None:
        self.writer = writer
        self.lines = source.split("\n")
        self.line = -1  # where the last block began
        self.numbers: list[int] = []  # of the lists around, the next one each
        self.quotes = 0
        self.lists_outside = 0  # of the quote
        self.table: list[list[str]] | None = None
        self.aligned: list[str] = []

    def write(self, tokens: Sequence[Token]) -> None:
        for index, token in enumerate(tokens):
            if token.map and token.map[0] != self.line:
                self.line = token.map[0]
                above = self.lines[self.line - 1] if self.line else ""
                self.writer.want(1 if above.strip(" \t>") else 2)
            if token.type == "inline":
                self._inline(token.children or [])
            elif token.type == "list_item_open":
                self._item(token, tokens[index + 2 : index + 3])
            elif token.nesting == 1:
                self._begin(token)
            elif token.nesting == -1:
                self._end(token)
            else:
                self._leaf(token)

    def _leaf(self, token: Token) -> None:
        if token.type == "hr":
            self.writer.add(_RULE)
        elif token.type == "raw":
            self.writer.add(token.content)
        else:
            self._code(token.info.strip(), token.content.expandtabs(4).rstrip("\n"))

    def _code(self, info: str, code: str) -> None:
        if not code.strip():
            self.writer.block(info)
            return
        found = _LANGUAGE.match(info)
        language = found[0] if found else None
        if said := info.removeprefix(language or "").strip():
            self.writer.add(said)  # the name of a file, as a rule
        self.writer.block(code, language)

    def _begin(self, token: Token) -> None:
        match token.type:
            case "heading_open":
                self.writer.open("bold")
            case "blockquote_open":
                self._quote(1)
            case "bullet_list_open" | "ordered_list_open":
                self.numbers.append(int(token.attrGet("start") or 0))
            case "table_open":
                self.table, self.aligned = [], []
            case "tr_open" if self.table is not None:
                self.table.append([])
            case "th_open":
                style = str(token.attrGet("style") or "")
                self.aligned.append(style.removeprefix("text-align:"))

    def _end(self, token: Token) -> None:
        match token.type:
            case "heading_close":
                self.writer.close()
            case "blockquote_close":
                self._quote(-1)
            case "bullet_list_close" | "ordered_list_close":
                self.numbers.pop()
                self._indent()
            case "list_item_close":
                self.writer.end_line()
            case "table_close":
                self.writer.block(columns(self.table or [], self.aligned))
                self.table = None

    def _quote(self, step: int) -> None:
        # Telegram knows no quote in a quote.
        self.quotes += step
        if self.quotes == 1 and step == 1:
            self.writer.end_line()
            self.lists_outside = len(self.numbers)
            self._indent()
            self.writer.open("blockquote")
        elif self.quotes == 0:
            self.writer.close()
            self.lists_outside = 0
            self._indent()

    def _indent(self, less: int = 0) -> None:
        level = len(self.numbers) - self.lists_outside - less
        self.writer.indent = _INDENT * min(level, _MOST_INDENTS)

    def _item(self, item: Token, first: Sequence[Token]) -> None:
        marker = "•"
        if item.info:
            # Numbers that are all 1 are counted, those with gaps stay.
            number = max(self.numbers[-1], int(item.info))
            self.numbers[-1] = number + 1
            marker = f"{number}{item.markup}"
        children = first[0].children if first else None
        task = _TASK.match(children[0].content) if children else None
        if task and children and children[0].type == "text":
            children[0].content = children[0].content[task.end() :]
            box = "☐" if task[1] == " " else "☑"
            marker = f"{marker} {box}" if item.info else box
        self._indent(less=1)
        self.writer.mark(marker)
        self._indent()

    def _inline(self, tokens: Sequence[Token]) -> None:
        if self.table is None:
            _Words(self.writer).write(tokens)
            return
        self.table[-1].append(_plain(tokens))


class _Link(NamedTuple):
    place: int
    aside: str  # what a reader would not see otherwise
    instead: str  # of a text, if there is none


class _Words:
    """Writes what is within a paragraph."""

    def __init__(self, writer: Writer, *, links: bool = True) -> None:
        self.writer = writer
        self.links = links  # where there can be none the URL has to stand
        self.link = _Link(0, "", "")

    def write(self, tokens: Sequence[Token]) -> None:
        writer = self.writer
        for token in tokens:
            kind = token.type
            if kind == "text":
                writer.add(token.content)
            elif kind in {"softbreak", "hardbreak"}:
                writer.want(1)
            elif kind == "code_inline":
                writer.code(token.content)
            elif kind in _STYLES:
                writer.open(_STYLES[kind])
            elif kind in _STYLE_ENDS:
                writer.close()
            elif kind == "link_open":
                self._open_link(token, "href")
            elif kind == "link_close":
                self._close_link()
            elif kind == "image":
                self._image(token)
            else:
                writer.add(token.content)

    def _image(self, token: Token) -> None:
        if self.writer.within("text_link"):
            self.writer.add(_plain(token.children or []))
            return
        around = self.link
        self._open_link(token, "src")
        self.writer.add(_plain(token.children or []))
        self._close_link()
        self.link = around

    def _open_link(self, token: Token, attribute: str) -> None:
        href, title = (str(token.attrGet(name) or "") for name in (attribute, "title"))
        url = _linkable(href) if self.links else None
        self.writer.open("text_link" if url else None, url=url)
        # Nobody reads a picture's bytes.
        shown = "" if href.startswith("data:") else href.removeprefix("mailto:")
        aside = title if url else f"{shown} {title}".strip()
        self.link = _Link(self.writer.place(), aside, f"{shown} {title}".strip())

    def _close_link(self) -> None:
        said = self.writer.since(self.link.place)
        if not said:
            self.writer.add(self.link.instead)
        self.writer.close()
        if said and self.link.aside not in {"", said}:
            self.writer.add(f" ({self.link.aside})")


def _plain(tokens: Sequence[Token]) -> str:
    """Return one line that can hold no entities: URLs stand in it."""
    if not tokens:
        return ""
    writer = Writer()
    _Words(writer, links=False).write(tokens)
    return writer.text().text.replace("\n", " ")


def _linkable(href: str) -> str | None:
    """Return the URL if Telegram takes it, in ASCII if it does not otherwise."""
    if _is_linkable(href):
        return href
    encoded = normalizeLink(href)
    return encoded if _is_linkable(encoded) else None


def _is_linkable(href: str) -> bool:
    if _OWN.fullmatch(href):
        return True
    web = _WEB.fullmatch(href)
    if web is None or "." not in web[1].strip("."):
        return False
    return web[2] is None or 1 <= int(web[2]) <= _HIGHEST_PORT
