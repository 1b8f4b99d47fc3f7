"""From what an answer says to how it is written: envelopes, timestamps, holes."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from simulator.plume.dice import chance, number
from simulator.plume.failure import Json
from simulator.plume.switches import Order, Rows, Switches

CHANNELS = frozenset(
    {"channel", "backhaulChannel", "2gChannel", "5gChannel", "5glChannel", "5guChannel"}
)
_WEST = timezone(timedelta(hours=-7))
_NUMBERS: dict[str, Callable[[float], int | str]] = {
    "seconds": int,
    "milliseconds": lambda at: int(at * 1000),
    "milliseconds_text": lambda at: str(int(at * 1000)),
}


class At(float):
    """A moment in Unix seconds; how it is written is a switch."""


class Milliseconds(float):
    """A moment that is always epoch milliseconds."""


def shaped(answer: Any, switches: Switches) -> Any:
    """Return `answer` as JSON values, with everything the switches do to single values."""
    return _Shaper(switches).value(answer, "", "")


class _Shaper:
    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def value(self, value: Any, key: str, way: str) -> Any:
        switches = self._switches
        if isinstance(value, dict):
            return dict(self._members(value, key, way))
        if isinstance(value, list):
            items = enumerate(value)
            return [self.value(item, key, f"{way}/{at}") for at, item in items]
        if isinstance(value, At):
            return written(value, switches)
        if isinstance(value, Milliseconds):
            return int(value * 1000)
        if key in CHANNELS and switches.channels == "strings":
            return str(value)
        return value

    def _members(self, it: Json, parent: str, way: str) -> Iterator[tuple[str, Any]]:
        switches = self._switches
        for key, value in it.items():
            paths = {key, f"{parent}.{key}"}
            here = f"{way}/{key}"
            if not switches.missing.isdisjoint(paths):
                continue
            if not switches.nulls.isdisjoint(paths):
                yield key, None
            elif self._falls_out(key, value, here):
                if number(here, "kind") % 2:
                    yield key, None
            else:
                yield key, self.value(value, key, here)

    def _falls_out(self, key: str, value: Any, here: str) -> bool:
        holes = self._switches.holes
        if not holes or key == "id" or isinstance(value, dict | list):
            return False
        return chance(here, "hole") < holes


def written(at: float, switches: Switches) -> Any:
    """Return a moment in one of the forms that Plume's services use."""
    form = switches.timestamps
    if form in _NUMBERS:
        return _NUMBERS[form](at)
    then = datetime.fromtimestamp(at, _WEST if form.startswith("offset") else UTC)
    fraction = f".{then.microsecond // 1000:03}" if form in {"iso", "offset"} else ""
    end = {"offset": "-0700", "offset_colon": "-07:00"}.get(form, "Z")
    return f"{then.replace(microsecond=0, tzinfo=None).isoformat()}{fraction}{end}"


def enveloped(name: str, rows: list[Json], switches: Switches) -> Any:
    """Return a list in the envelope that is switched on."""
    if switches.envelope == "bare":
        return rows
    if switches.envelope == "nested":
        return {name: {name: rows}}
    return {name if switches.envelope == "named" else switches.envelope: rows}


def date_range(start: float, end: float, switches: Switches, key: str = "statsDateRange") -> Json:
    """Return `statsDateRange` in one of its three known forms."""
    forms: Json = {
        "object": {"start": At(start), "end": At(end)},
        "lists": [{"start": [At(start)], "end": [At(end)]}],
        "start_at": {"startAt": At(start), "endAt": At(end)},
    }
    return {key: forms[switches.range_form]}


def listed(key: str, rows: Iterable[Json], kept: Rows, order: Order) -> Json:
    """Return `{key: rows}`: ordered, and with as many rows as are switched on.

    `rows` come oldest first, each with `timestamp`.
    """
    if kept == "keyless":
        return {}
    if kept == "empty":
        return {key: []}
    found = list(rows)
    if kept == "eighty":
        # Holes in the middle too: a client that counts rows alone sees nothing wrong.
        found = [row for at, row in enumerate(found) if at % 6]
    if kept == "nulls":
        found = [_hollow(row) if at % 7 == 3 else row for at, row in enumerate(found)]  # noqa: PLR2004
    return {key: ordered(found, order)}


def ordered(rows: list[Json], order: Order) -> list[Json]:
    if order == "newest":
        return rows[::-1]
    if order == "shuffled":
        return sorted(rows, key=lambda row: number(row["timestamp"]))
    return rows


def _hollow(row: Json) -> Json:
    return {key: value if key == "timestamp" else None for key, value in row.items()}
