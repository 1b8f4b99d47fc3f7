"""From the bytes of a request to checked values.

The standard parser takes what later breaks something else: NaN and huge numbers, which no
reply can hold; lone surrogates, which no database stores; two keys of the same name, of which
a proxy may have seen the other one. Errors say what is wrong and never repeat the input.
"""

import asyncio
import json
import math
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.errors import BodyTooLarge, InvalidBody, InvalidJson, UnsupportedMedia, UrlNotSupported

MAX_DEPTH = 32
MAX_MEMBERS = 1000
MAX_DIGITS = 40
# Whole numbers beyond this change silently in every reader that keeps numbers as doubles.
MAX_INTEGER = 2**53
# Parsing this much takes about as long as answering one message.
_IN_A_THREAD = 64 * 1024
_NAMED_FIELDS = 5

_JSON_TYPE = re.compile(r'application/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE)
# Strings, also one that never ends: the pattern must not look twice at a byte.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
# Only an escape can bring these in: UTF-8 has no surrogates, and raw NUL is no JSON.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_EMPTY = re.compile(rb"\[\s*\]|\{\s*\}")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

M = TypeVar("M", bound=BaseModel)


async def read_json(request: Request, *, cap: int) -> object:
    """Return the JSON object of `request`, of at most `cap` bytes.

    Raises:
        UnsupportedMedia, BodyTooLarge, ClientDisconnect: see `read_bytes`.
        InvalidJson, InvalidBody: see `parse_json`.
    """
    return await json_of(await read_bytes(request, cap=cap))


async def json_of(body: bytes) -> object:
    """Parse one JSON object without holding up others; see `parse_json`."""
    if len(body) > _IN_A_THREAD:
        return await asyncio.to_thread(parse_json, body)
    return parse_json(body)


async def read_bytes(request: Request, *, cap: int) -> bytes:
    """Return the body of `request`, which says that it is JSON, of at most `cap` bytes.

    Nothing of it is read before its announced type and length are found good.

    Raises:
        UnsupportedMedia: it is not announced as plain JSON in UTF-8.
        BodyTooLarge: it is longer than `cap`, by its header or in truth.
        ClientDisconnect: the client left; see `client_gone`.
    """
    _check_headers(request, cap)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > cap:
            raise _too_large(cap)
        chunks.append(chunk)
    return b"".join(chunks)


async def client_gone(_: Request, __: Exception) -> Response:
    """Handle `ClientDisconnect`: nobody is there to hear of it, and nothing went wrong here."""
    return Response(status_code=400)


def _check_headers(request: Request, cap: int) -> None:
    kinds = []
    length = 0
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            kinds.append(value)
        elif name == b"content-encoding" and value.strip().lower() not in {b"", b"identity"}:
            raise UnsupportedMedia
        elif name == b"content-length":
            length = int(value)
    if kinds != [b"application/json"] and not (
        len(kinds) == 1 and _JSON_TYPE.fullmatch(kinds[0].decode("latin-1"))
    ):
        raise UnsupportedMedia
    if length > cap:
        raise _too_large(cap)


def _too_large(cap: int) -> BodyTooLarge:
    return BodyTooLarge(f"This body is larger than {cap // 1024} KB. Send less.")


def parse_json(body: bytes) -> object:
    """Parse one JSON object, strictly.

    Whole numbers stay whole, others become doubles. At most 32 levels, 1,000 members of
    objects and arrays together, 40 digits in a number.

    Raises:
        InvalidJson: no JSON in UTF-8, or JSON that readers understand differently.
        InvalidBody: no object, or a whole number beyond 2**53 either way.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise InvalidJson("The body is not UTF-8. Send JSON in UTF-8.") from None
    if not text or text.isspace():
        raise InvalidJson("The body is empty. Send a JSON object.")
    _measure(body)
    try:
        value = _STRICT.decode(text)
    except json.JSONDecodeError:
        raise InvalidJson("The body is not valid JSON. Send one complete JSON object.") from None
    except _OutOfRange:
        _check_syntax(text)
        raise InvalidBody(
            "A whole number is beyond 2^53, so readers disagree about it. Send it as text."
        ) from None
    if _SUSPECT.search(body):
        _check_text(value)
    if not isinstance(value, dict):
        raise InvalidBody("The body is not a JSON object. Send an object: {...}.")
    return value


def _measure(body: bytes) -> None:
    openers = body.count(b"{") + body.count(b"[")
    commas = body.count(b",")
    if openers <= MAX_DEPTH and openers + commas <= MAX_MEMBERS:
        return  # even if none of them stands inside a string
    bones = _STRING.sub(b"0", body)
    brackets = bones.translate(None, _NOT_BRACKETS)
    openers = brackets.count(b"{") + brackets.count(b"[")
    members = bones.count(b",") + openers - len(_EMPTY.findall(bones))
    if members > MAX_MEMBERS or openers > MAX_MEMBERS + 1:
        raise InvalidJson(f"The body has more than {MAX_MEMBERS} fields and items. Send fewer.")
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise InvalidJson(f"The body is nested deeper than {MAX_DEPTH} levels.")


class _OutOfRange(Exception):
    pass


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise InvalidJson("An object of the body has the same key twice. Send each key once.")
    return made


def _count_digits(text: str) -> None:
    # The length comes first: it is enough for nearly every number.
    if len(text) > MAX_DIGITS and sum(map(str.isdigit, text)) > MAX_DIGITS:
        raise InvalidJson(f"A number of the body has more than {MAX_DIGITS} digits.")


def _unbounded(text: str) -> int:
    _count_digits(text)
    return int(text)


def _integer(text: str) -> int:
    value = _unbounded(text)
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise _OutOfRange
    return value


def _real(text: str) -> float:
    _count_digits(text)
    value = float(text)
    if math.isinf(value):
        raise InvalidJson("A number of the body is too large.")
    return value


def _constant(_: str) -> NoReturn:
    raise InvalidJson("JSON knows no NaN and no Infinity. Leave the field out, or send null.")


_STRICT = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant
)
_SYNTAX = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_unbounded, parse_float=_real, parse_constant=_constant
)


def _check_syntax(text: str) -> None:
    """Look past a number out of range: broken syntax behind it comes first."""
    try:
        value = _SYNTAX.decode(text)
    except json.JSONDecodeError:
        raise InvalidJson("The body is not valid JSON. Send one complete JSON object.") from None
    _check_text(value)


def _check_text(value: object) -> None:
    left = [value]
    while left:
        match left.pop():
            case str(text):
                if "\0" in text or not _has_characters_only(text):
                    raise InvalidJson("A text of the body holds NUL or half a surrogate pair.")
            case dict(fields):
                left.extend(fields)
                left.extend(fields.values())
            case list(items):
                left.extend(items)


def _has_characters_only(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def model_of(kind: type[M], data: object) -> M:
    """Check `data` against `kind`.

    Raises:
        UrlNotSupported: an attachment has a `url`.
        InvalidBody: anything else. The sentence names fields of `kind` only: names that the
            caller made up may hold anything, and so may values.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
    known = _field_names(kind)
    missing, unknown, wrong = [], [], []
    for fault in faults:
        place = fault["loc"]
        if fault["type"] == "missing":
            missing.append(_name(place, known))
        elif fault["type"] == "extra_forbidden":
            if place[0] == "attachments" and place[-1] == "url":
                raise UrlNotSupported
            unknown.append(_name(place[:-1], known))
        else:
            wrong.append(_name(place, known))
    parts = (
        [f"Missing: {_list(missing)}."] if missing else [],
        [f"Not as documented: {_list(wrong)}."] if wrong else [],
        [f"Unknown field in {_list(unknown)}."] if unknown else [],
    )
    raise InvalidBody(" ".join(sentence for part in parts for sentence in part))


@cache
def _field_names(kind: type[BaseModel]) -> frozenset[str]:
    schema = kind.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for model in models for name in model.get("properties", ()))


def _name(place: Sequence[int | str], known: frozenset[str]) -> str:
    name = ""
    for step in place:
        if isinstance(step, int):
            name += f"[{step}]"
        elif step in known:
            name += f".{step}"
        else:
            break
    return name.lstrip(".") or "the body"


def _list(names: Iterable[str]) -> str:
    told = list(dict.fromkeys(names))
    more = " and more" if len(told) > _NAMED_FIELDS else ""
    return ", ".join(told[:_NAMED_FIELDS]) + more
