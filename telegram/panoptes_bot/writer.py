"""Text that is appended to, and where its entities are."""

from panoptes_bot.markdown import kept
from panoptes_bot.split import Entity, Text, trimmed, units

STYLES = frozenset({"bold", "italic", "strikethrough"})


class _Open:
    """An entity whose end has not come. It begins with the next text; None is no entity."""

    __slots__ = ("begin", "language", "type", "url")

    def __init__(self, kind: str | None, url: str | None, language: str | None) -> None:
        self.type, self.url, self.language = kind, url, language
        self.begin: int | None = None


class Writer:
    """Newlines and blanks between things are written with the thing that follows.

    So none end a line, an entity or the text. Styles are parted where another entity begins or a
    link or code ends, as Telegram does it: what is counted is what Telegram counts.
    """

    def __init__(self) -> None:
        self.indent = ""
        self._written: list[str] = []
        self._length = 0  # UTF-16 units
        self._lines = 0
        self._marked = False
        self._open: list[_Open] = []
        self._entities: list[Entity] = []

    def text(self) -> Text:
        entities = sorted(self._entities, key=lambda each: (each.offset, -each.length))
        return trimmed(Text("".join(self._written), tuple(entities)))

    def want(self, lines: int) -> None:
        """Have at least so many newlines before the next text, unless a marker is before it."""
        if not self._marked:
            self._lines = max(self._lines, lines)

    def mark(self, marker: str) -> None:
        """Write what an item begins with; the next text follows it in its line."""
        self.add(marker)
        self._marked = True

    def end_line(self) -> None:
        """Have the next text begin a line, even after a marker."""
        self._marked = False
        self.want(1)

    def add(self, text: str, *, styled: bool = True) -> None:
        if not text:
            return
        if not text.isprintable():
            text = kept(text).replace("\t", " ")
        if self._marked:
            self._append(" ")
        elif self._lines and self._length:
            self._append("\n" * self._lines + self.indent)
        self._lines, self._marked = 0, False
        for each in self._open:
            if each.begin is None and (styled or each.type not in STYLES):
                each.begin = self._length
        self._append(text)

    def code(self, text: str) -> None:
        """Write code within a line. Telegram takes a link or code, not both: then the link."""
        if self.within("text_link"):
            self.add(text)
            return
        self.open("code")
        self.add(text, styled=False)
        self.close()

    def block(self, text: str, language: str | None = None) -> None:
        """Write lines of code, which are not indented."""
        self.end_line()
        indent, self.indent = self.indent, ""
        self.open("pre", language=language)
        self.add(text)
        self.close()
        self.indent = indent
        self.want(1)

    def open(
        self, kind: str | None, *, url: str | None = None, language: str | None = None
    ) -> None:
        """Begin an entity; within one of its type it is none, and None never is."""
        if kind is not None and self.within(kind):
            kind = None
        if kind is not None:
            self._part_styles()
        self._open.append(_Open(kind, url, language))

    def close(self) -> None:
        ended = self._open.pop()
        if ended.type is not None and ended.type not in STYLES:
            self._part_styles()
        self._keep(ended)

    def within(self, kind: str) -> bool:
        return any(each.type == kind for each in self._open)

    def place(self) -> int:
        """Return a place for `since`."""
        return len(self._written)

    def since(self, place: int) -> str:
        return "".join(self._written[place:]).strip()

    def _append(self, text: str) -> None:
        self._written.append(text)
        self._length += units(text)

    def _part_styles(self) -> None:
        for each in self._open:
            if each.type in STYLES:
                self._keep(each)
                each.begin = None

    def _keep(self, ended: _Open) -> None:
        if ended.type is not None and ended.begin is not None and self._length > ended.begin:
            length = self._length - ended.begin
            entity = Entity(ended.type, ended.begin, length, ended.url, ended.language)
            self._entities.append(entity)
