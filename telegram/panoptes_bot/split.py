"""Text as Telegram takes it, and how a long one becomes several messages."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

MOST_UNITS = 4096  # of a message; the Bot API says characters, units are the safe reading
MOST_ENTITIES = 100  # of a message; Telegram ignores the rest

# Telegram strips these two from both ends of a message; other control characters are gone
# before a text comes here.
_BLANKS = re.compile(r"[ \n]*")
_EMPTY_LINES = re.compile(r"(?: *\n)*")
_UNSEEN = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0\ufffc")  # letters by category only
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_FLAGS = range(0x1F1E6, 0x1F200)  # two of them are one flag
_SKINS = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_LEADING_JAMO, _OTHER_JAMO = range(0x1100, 0x1160), range(0x1160, 0x1200)
_SYLLABLES = range(0xAC00, 0xD7A4)
_VIRAMA = 9  # its canonical combining class
_LONGEST_GRAPHEME = 64  # code points; more marks than that on one letter may be parted


@dataclass(frozen=True, slots=True)
class Entity:
    """A `MessageEntity` of the Bot API; `offset` and `length` are UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text and its entities, in the order of their offsets, the outer before the inner."""

    text: str
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    """An entity in code points."""

    begin: int
    end: int
    entity: Entity


def units(text: str) -> int:
    """Return the length as Telegram counts it: UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def seen(text: str) -> bool:
    """Say whether a person sees anything of it; Telegram refuses a message that is not seen."""
    if text[:1].isalnum():
        return True
    return any(
        letter not in _UNSEEN and unicodedata.category(letter)[0] not in "ZCM" for letter in text
    )


def trimmed(text: Text) -> Text:
    """Return a text without what Telegram strips from its ends; empty, if that is all."""
    if text.text[:1] not in {" ", "\n"} and text.text[-1:] not in {" ", "\n"}:
        return text
    return next(iter(parts(text, len(text.text) * 2 + 2, len(text.entities))), Text(""))


def parts(text: Text, limit: int = MOST_UNITS, most: int = MOST_ENTITIES) -> list[Text]:
    """Cut a text into messages of at most `limit` (two or more) units and `most` entities.

    The parts are pieces of the text in its order. What is not in them is blanks and newlines at
    a cut or an end, which Telegram would strip, and parts of which nothing can be seen; an
    indentation within `pre` stays. No character is parted and, where its marks are at most 63,
    no grapheme. An entity that is cut goes on in the next part with its URL and language. More
    than `most` entities at one place lose the innermost. No text, no part.

    The cut is at the last blank line, newline or blank in the second half of what fits; one
    outside of `pre` goes before. It depends on nothing after it but where the `pre` around it
    ends, so a text that grows keeps its first parts.
    """
    return _Cutter(text).parts(limit, most)


class _Cutter:
    def __init__(self, text: Text) -> None:
        self.text = text.text
        self.at: Sequence[int] = range(len(self.text) + 1)  # the unit of a code point
        if units(self.text) > len(self.text):
            widths = (2 if letter > "\uffff" else 1 for letter in self.text)
            self.at = list(accumulate(widths, initial=0))
        self.spans = sorted(
            (
                _Span(
                    bisect_left(self.at, entity.offset),
                    bisect_left(self.at, entity.offset + entity.length),
                    entity,
                )
                for entity in text.entities
            ),
            key=lambda span: (span.begin, -span.end),
        )
        self.code = [span for span in self.spans if span.entity.type == "pre"]

    def parts(self, limit: int, most: int) -> list[Text]:
        found = []
        begin = self._skipped(0)
        while begin < len(self.text):
            end = self._furthest(begin, limit, most)
            if end < len(self.text):
                end = self._cut(begin, end)
            stop = begin + len(self.text[begin:end].rstrip(" \n"))
            if seen(self.text[begin:stop]):
                found.append(self._part(begin, stop, most))
            begin = self._skipped(end)
        return found

    def _skipped(self, begin: int) -> int:
        """Return where the next part begins: after the blanks, but not in an indentation."""
        end = _blanks_end(_BLANKS, self.text, begin)
        for span in self.code:
            if span.begin < end and begin < span.end:
                return _blanks_end(_EMPTY_LINES, self.text, max(begin, span.begin))
        return end

    def _furthest(self, begin: int, limit: int, most: int) -> int:
        end = max(begin + 1, bisect_right(self.at, self.at[begin] + limit) - 1)
        live = [span.begin for span in self.spans if span.end > begin and span.begin < end]
        if len(live) > most and live[most] > begin:
            return live[most]
        return end

    def _cut(self, begin: int, end: int) -> int:
        low = max(begin + 1, begin + (end - begin) // 2)
        for mark, within_code in (("\n\n", False), ("\n", False), ("\n", True), (" ", True)):
            at = self._last(mark, low, end, within_code=within_code)
            if at > 0:
                # Of several blanks in code the first parts, so that no other is lost.
                return max(begin + 1, begin + len(self.text[begin:at].rstrip(" ")))
        for at in range(end, max(begin, end - _LONGEST_GRAPHEME), -1):
            if not _joined(self.text, at):
                return at
        return end

    def _last(self, mark: str, low: int, end: int, *, within_code: bool) -> int:
        """Return the last place between `low` and `end` where a mark is; 0 if there is none."""
        at = self.text.rfind(mark, low, end + len(mark))
        while at > 0:
            around = None if within_code else self._code_around(at)
            if around is not None:
                past = around.begin
            elif mark == " " and _joined(self.text, at + 1):
                past = at - 1
            else:
                return at
            at = self.text.rfind(mark, low, past + len(mark)) if past >= low else 0
        return 0

    def _code_around(self, at: int) -> _Span | None:
        return next((span for span in self.code if span.begin < at < span.end), None)

    def _part(self, begin: int, end: int, most: int) -> Text:
        entities: list[Entity] = []
        for span in self.spans:
            first, last = max(begin, span.begin), min(end, span.end)
            if first < last and len(entities) < most:
                offset = self.at[first] - self.at[begin]
                length = self.at[last] - self.at[first]
                entities.append(replace(span.entity, offset=offset, length=length))
        return Text(self.text[begin:end], tuple(entities))


def _blanks_end(blanks: re.Pattern[str], text: str, begin: int) -> int:
    found = blanks.match(text, begin)
    return found.end() if found else begin


def _joined(text: str, at: int) -> bool:
    """Say whether the characters on both sides of a place belong together.

    The rules of Unicode's annex 29 that matter to people: marks, joiners, flags, Hangul, and
    the conjuncts of Indian scripts.
    """
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    left, right = ord(before), ord(after)
    if right in _FLAGS and left in _FLAGS:
        run = text[:at]
        while run and ord(run[-1]) in _FLAGS:
            run = run[:-1]
        return (at - len(run)) % 2 == 1
    return (
        unicodedata.category(after)[0] == "M"
        or after in {_ZWJ, _ZWNJ}
        or before == _ZWJ
        or right in _SKINS
        or right in _TAGS
        or right in _OTHER_JAMO
        or (left in _LEADING_JAMO and (right in _LEADING_JAMO or right in _SYLLABLES))
        or (unicodedata.combining(before) == _VIRAMA and after.isalpha())
    )
