"""The Markdown that models write, read so that none of it is lost."""

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference, table
from markdown_it.rules_block.table import escapedSplit, getLine
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# Below this the library leaves blocks out without a word; nobody means so many levels.
_DEEPEST = 40
# Where inline marks begin or end. The library's own set also stops at characters reserved for
# extensions, which costs a quarter of the time.
_STOPS = re.compile(r"[\n!$&*<\[\\\]_`~]")
# $…$ as Pandoc reads it, so that "$5 and $10" are prices, and without marks that are not math.
# A \( ends at the next \( or \), so that many of them do not take the square of the time.
_FORMULAS = re.compile(
    r"""\\\((?:[^\\]|\\[^()])*+\\\)
    | \\\[(?:[^\\]|\\[^\[\]])*+\\\]
    | \$\$[^$]++\$\$
    | \$(?![\s$])(?:(?!\*\*)[^$`\n])+(?<!\s)\$(?!\d)""",
    re.VERBOSE,
)
_UNKEPT = re.compile("[\x00-\x08\x0b-\x1f\x7f\u2028-\u202e\u030a\u0333\u033f\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")
_REMOVED = frozenset("\u202a\u202b\u202c\u202d\u202e\u030a\u0333\u033f")
_FIRST_SURROGATE = "\ud800"


def kept(text: str) -> str:
    """Return the text as Telegram keeps it, so that what is counted is what arrives.

    Telegram makes control characters blanks, and takes out carriage returns, the marks that
    embed a direction, and three combining marks.
    """
    if text.isprintable() and not _REMOVED.intersection(text):
        return text
    if "\u030a" in text:
        text = unicodedata.normalize("NFC", text)  # the ring of å survives in one character
    return _UNKEPT.sub(_mended, _LINE_ENDS.sub("\n", text))


def _mended(found: re.Match[str]) -> str:
    if found[0] in _REMOVED:
        return ""
    return "\ufffd" if found[0] >= _FIRST_SURROGATE else " "


class _Reader(MarkdownIt):
    """Takes every URL as it is written: who draws a link decides what becomes of it."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's name
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - the library's name
        return link


def _formula(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the library's call
    """Take a formula as text: the backslashes and underscores in it mean something else."""
    if state.src[state.pos] not in "\\$":
        return False
    found = _FORMULAS.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.append_pending(found[0])
    state.pos = found.end()
    return True


def _whole_table(
    state: StateBlock,
    start: int,
    end: int,
    silent: bool,  # noqa: FBT001 - the library's call
) -> bool:
    """Read a table, and keep the cells that a row has more than the head.

    The library drops them, as GitHub does; a model that forgets to escape a | loses words.
    """
    first = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    if silent:
        return True
    read = state.tokens[first:]
    columns = sum(token.type == "th_open" for token in read)
    line, whole = start, state.tokens[:first]
    for token in read:
        if token.type == "tr_open" and token.map:
            line = token.map[0]
        elif token.type == "tr_close":
            for cell in _cells(getLine(state, line))[columns:]:
                inline = Token("inline", "", 0, content=cell, children=[])
                whole += [Token("td_open", "td", 1), inline, Token("td_close", "td", -1)]
        whole.append(token)
    state.tokens[:] = whole
    return True


def _cells(line: str) -> list[str]:
    cells = [cell.strip() for cell in escapedSplit(line.strip())]
    if cells and not cells[0]:
        del cells[0]
    if cells and not cells[-1]:
        del cells[-1]
    return cells


def _definition(
    state: StateBlock,
    start: int,
    end: int,
    silent: bool,  # noqa: FBT001 - the library's call
) -> bool:
    """Read the definition of a link, and keep it as it is written until it is known to be used."""
    if not reference(state, start, end, silent):
        return False
    if not silent:
        lines = [start, state.line]
        found = state.env.get("references", {}).items()
        label = next((label for label, at in found if at["map"] == lines), None)
        raw = state.getLines(start, state.line, state.blkIndent, keepLastLF=False).strip()
        state.tokens.append(_raw(raw, lines, label))
    return True


def _reader() -> MarkdownIt:
    options = {"maxNesting": _DEEPEST, "store_labels": True}
    reader = _Reader("commonmark", options)
    reader.enable(["table", "strikethrough"])
    reader.disable(["html_block", "html_inline"])  # <name> is text
    reader.block.ruler.at("table", _whole_table, {"alt": ["paragraph", "reference"]})
    reader.block.ruler.at("reference", _definition)
    reader.inline.ruler.before("escape", "formula", _formula)
    reader.inline.terminator_re = _STOPS
    return reader


_READER = _reader()


def read(markdown: str) -> list[Token]:
    """Return the tokens of a text that is `kept`.

    A link has the URL as it is written. What has to stay as it is written is a token `raw`: a
    definition of a link that nothing uses, and all of a text that is nested too deep.
    """
    env: dict[str, object] = {}
    tokens = _READER.parse(markdown, env)
    if any(token.level >= _DEEPEST - 1 for token in tokens):
        return [_raw(markdown.strip(), [0, 1])]
    if "references" not in env:
        return tokens
    used = {
        child.meta["label"]
        for token in tokens
        for child in token.children or ()
        if "label" in child.meta
    }
    return [token for token in tokens if token.meta.get("definition") not in used]


def _raw(text: str, lines: list[int], label: str | None = None) -> Token:
    return Token("raw", "", 0, content=text, map=lines, meta={"definition": label})
