"""Reading what Plume sends, whose fields nobody documents.

Whatever cannot be read is None, which means unknown: never zero, never "offline". Only an answer
as a whole that has an unknown shape is an error.
"""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

ENVELOPES = ("data", "items", "results")
FRAME = frozenset({"statsDateRange", "id"})  # what comes around the rows of a report
MOST_LEVELS = 2
LEAST_MILLISECONDS = 1e11  # a number above this is milliseconds, below it seconds
COUNTED = re.compile(r"[0-9]{9,16}(\.[0-9]{1,9})?")  # shorter ones are dates: 20261120
LONGEST_TEXT = 512  # characters; names are shorter, and nobody reads more of them


class UnexpectedShape(ValueError):
    """An answer that is none of the shapes we know. Its text holds nothing of the answer."""


def unwrap(body: object, *keys: str) -> list[Any]:
    """Return the list in `body`: bare, or under one of `keys` or a usual envelope.

    Raises:
        UnexpectedShape: there is no list within two levels.
    """
    for _ in range(MOST_LEVELS + 1):
        if isinstance(body, list):
            return body
        if not isinstance(body, Mapping):
            break
        known = (body.get(key) for key in (*keys, *ENVELOPES))
        inside = next((found for found in known if found is not None), None)
        if inside is None:
            break
        body = inside
    raise UnexpectedShape(f"no list of {keys[0] if keys else 'items'}")


def objects(body: object, *keys: str) -> tuple[Mapping[str, Any], ...]:
    """Return the objects of the list in `body`; whatever else is in it is left out.

    Raises:
        UnexpectedShape: there is no list, or nothing in it is an object.
    """
    listed = unwrap(body, *keys)
    found = rows(listed)
    if listed and not found:
        raise UnexpectedShape(f"no objects in the list of {keys[0] if keys else 'items'}")
    return found


def series(body: object, *keys: str) -> tuple[Mapping[str, Any], ...]:
    """Return the rows of a report. One that has only its frame has no readings, and is no error.

    Raises:
        UnexpectedShape: see `objects`.
    """
    if isinstance(body, Mapping) and all(
        value is None or name in FRAME for name, value in body.items()
    ):
        return ()
    return objects(body, *keys)


def unwrap_one(body: object, *keys: str) -> Mapping[str, Any]:
    """Return the object in `body`: itself, or under one of `keys` or a usual envelope.

    Raises:
        UnexpectedShape: it is no object.
    """
    for _ in range(MOST_LEVELS):
        if not isinstance(body, Mapping):
            break
        inside = next(
            (
                body[key]
                for key in (*keys, "data", "item", "result")
                if isinstance(body.get(key), Mapping)
            ),
            None,
        )
        if inside is None or "id" in body:
            return body
        body = inside
    if isinstance(body, Mapping):
        return body
    raise UnexpectedShape(f"no {keys[0] if keys else 'object'}")


def moment(value: object) -> datetime | None:
    """Return a time as aware UTC: ISO 8601, UTC where it has no offset, or a number of s or ms."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _counted(value)
    if not isinstance(value, str):
        return None
    if COUNTED.fullmatch(value.strip()):
        return _counted(float(value))
    try:
        found = datetime.fromisoformat(value.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _counted(value: float) -> datetime | None:
    if not math.isfinite(value) or value <= 0:
        return None
    seconds = value / 1000 if value > LEAST_MILLISECONDS else value
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return None


def number(value: object) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def count(value: object) -> int | None:
    found = number(value)
    return int(found) if found is not None and found >= 0 and abs(found) < 2**53 else None


def text(value: object) -> str | None:
    """Return a text that says something; numbers are taken as their digits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return value.strip()[:LONGEST_TEXT] or None


def word(value: object) -> str | None:
    """Return a word of a vocabulary, in lower case."""
    found = text(value)
    return found.lower() if found else None


def flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}.get(word(value) or "")


def state(value: object) -> bool | None:
    """Return whether something is connected; None for a word that we do not know."""
    found = word(value)
    if found in {"connected", "online", "up"}:
        return True
    return False if found in {"disconnected", "offline", "down", "not_connected"} else None


def rows(value: object) -> tuple[Mapping[str, Any], ...]:
    """Return the objects of a list, without whatever else is in it."""
    if not isinstance(value, Iterable) or isinstance(value, str | Mapping):
        return ()
    return tuple(row for row in value if isinstance(row, Mapping))


def hops(value: object) -> object:
    """Return the way to the gateway as objects; None where it says nothing that can be read.

    An empty way is that of the gateway itself, so nothing else may become one.
    """
    if not isinstance(value, list):
        return None
    found = [{"id": each} if isinstance(each, str) else each for each in value]
    known = rows(found)
    return known if known or not value else None


def alert_types(value: object) -> tuple[str, ...]:
    """Return the types of alerts, which come as words or as objects."""
    if not isinstance(value, list | tuple):
        return ()
    found = (
        text(each.get("type") or each.get("name")) if isinstance(each, Mapping) else text(each)
        for each in value
    )
    return tuple(each for each in found if each)


def _object(value: object) -> object:
    return value if isinstance(value, Mapping) else None


Moment = Annotated[datetime | None, BeforeValidator(moment)]
Number = Annotated[float | None, BeforeValidator(number)]
Count = Annotated[int | None, BeforeValidator(count)]
Text = Annotated[str | None, BeforeValidator(text)]
Word = Annotated[str | None, BeforeValidator(word)]
Flag = Annotated[bool | None, BeforeValidator(flag)]
State = Annotated[bool | None, BeforeValidator(state)]
Alerts = Annotated[tuple[str, ...], BeforeValidator(alert_types)]
Rows = BeforeValidator(rows)
Object = BeforeValidator(_object)
Way = BeforeValidator(hops)


class Part(BaseModel):
    """A piece of an answer. Fields we do not use are ignored; every other may be missing."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        defer_build=True,  # until it is read: many services have no networks
    )

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        # A null under one name must not hide what is said under another.
        if not isinstance(value, Mapping):
            return value
        return {name: inner for name, inner in value.items() if inner is not None}
