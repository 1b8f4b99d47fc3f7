"""Reads an event stream as its bytes arrive."""

from typing import Final

BOM: Final = b"\xef\xbb\xbf"


class TooLong(ValueError):
    """One event holds more bytes than may be kept."""


class EventParser:
    """Turns pieces of a byte stream into the `data` of its events.

    How the stream was cut into pieces makes no difference. Bytes are not decoded here, so a
    character that arrives in two pieces stays whole. Lines end in LF, CR or CRLF; several
    `data` lines of one event are joined by LF; comments, other fields and events without data
    are left out.

    Source: the event stream format of the HTML standard, 9.2.6.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._line: list[bytes] = []
        self._line_size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._at_start = True
        self._after_cr = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the data of the events that this piece completes.

        Raises:
            TooLong: a line or an event grew over `limit` bytes. The parser is spent then.
        """
        if b"\r" in piece or self._after_cr:
            piece = self._only_lf(piece)
        if b"\n" not in piece:
            self._keep(piece)
            return []
        lines = piece.split(b"\n")
        rest = lines.pop()
        lines[0] = self._whole_line(lines[0])
        events: list[bytes] = []
        for line in lines:
            if line:
                self._read(line)
            elif self._data:
                events.append(self._event())
        if rest:
            self._keep(rest)
        return events

    def end(self) -> list[bytes]:
        """Return what the last event holds though no blank line closed it.

        The standard drops such an event, but gateways leave the last blank line out.
        """
        if line := self._whole_line(b""):
            self._read(line)
        return [self._event()] if self._data else []

    def _only_lf(self, piece: bytes) -> bytes:
        # A CR ends its line at once: waiting for a possible LF would hold back the event. The
        # LF of a CRLF that was cut in two is then dropped here.
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
            self._after_cr = False
        if piece:
            self._after_cr = piece.endswith(b"\r")
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _keep(self, part: bytes) -> None:
        # Parts are joined once, when the line ends: joining as they come takes quadratic time.
        self._line_size += len(part)
        if self._line_size > self._limit:
            raise TooLong
        self._line.append(part)

    def _whole_line(self, end: bytes) -> bytes:
        if self._line:
            self._line.append(end)
            end = b"".join(self._line)
            self._line.clear()
            self._line_size = 0
        if self._at_start:
            self._at_start = False
            end = end.removeprefix(BOM)
        return end

    def _event(self) -> bytes:
        """Close the event whose lines of data were read."""
        data, self._data = self._data, []
        self._data_size = 0
        return data[0] if len(data) == 1 else b"\n".join(data)

    def _read(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            value = line[6:] if line.startswith(b"data: ") else line[5:]
        elif line == b"data":
            value = b""
        else:
            return
        self._data_size += len(value) + 1
        if self._data_size > self._limit:
            raise TooLong
        self._data.append(value)


class WholeBody:
    """Stands in for the parser where one JSON body comes instead of a stream."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Keep the piece; nothing is complete before the end.

        Raises:
            TooLong: the body grew over `limit` bytes.
        """
        self._size += len(piece)
        if self._size > self._limit:
            raise TooLong
        self._parts.append(piece)
        return []

    def end(self) -> list[bytes]:
        return [b"".join(self._parts).removeprefix(BOM)]
