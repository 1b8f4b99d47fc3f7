import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request

from app.api import body as body_module
from app.api.body import MAX_DEPTH, MAX_MEMBERS, client_gone, model_of, parse_json, read_json
from app.errors import (
    BadRequest,
    BodyTooLarge,
    InvalidBody,
    InvalidJson,
    UnsupportedMedia,
    UrlNotSupported,
)
from wire.message import Message

IDS = {"platform": "internal", "user_id": "u", "chat_id": "c", "message_id": "m"}
JSON = (b"content-type", b"application/json")


def request(chunks: Sequence[bytes | None], *headers: tuple[bytes, bytes]) -> Request:
    """Make a request whose body comes in `chunks`; None is the client leaving."""
    left: Iterator[bytes | None] = iter(chunks)
    count = len(chunks)

    async def receive() -> dict[str, Any]:
        nonlocal count
        count -= 1
        chunk = next(left)
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": count > 0}

    return Request({"type": "http", "headers": list(headers)}, receive)


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"0" + b"}" * depth


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b' \r\n\t{"a": [1, -2.5, 1e3, true, null]} ', {"a": [1, -2.5, 1000.0, True, None]}),
        (b'{"a": -0}', {"a": 0}),
        (b'{"a": 9007199254740992}', {"a": 2**53}),
        (b'{"a": -9007199254740992}', {"a": -(2**53)}),
        (b'{"a": "\\ud83d\\ude00 \\u0641"}', {"a": "\U0001f600 \u0641"}),
        (b'{"a": "\\\\ud800 \\\\u0000"}', {"a": "\\ud800 \\u0000"}),
        ('{"سلام": "\u202e"}'.encode(), {"سلام": "\u202e"}),
        (b'{"a": "' + b"9" * 60 + b'"}', {"a": "9" * 60}),
        (b'{"a": "' + b"[{" * 600 + b"," * 2000 + b'"}', {"a": "[{" * 600 + "," * 2000}),
        (b'{"a": 0.' + b"1" * 39 + b"}", {"a": float("0." + "1" * 39)}),
        (b'{"a": {"a": 1}, "b": {"a": 1}}', {"a": {"a": 1}, "b": {"a": 1}}),
    ],
)
def test_ordinary_json_is_taken_as_it_is(raw: bytes, value: object) -> None:
    parsed = parse_json(raw)

    assert parsed == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" \n",
        b"\xff{}",
        b'{"a": "\xe2\x28"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xc0\x80"}',
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-16-le"),
        '{"a": 1}'.encode("utf-32"),
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": 1',
        b'{"a": "b',
        b'{"a": "b\\',
        b'{"a":',
        b"{} {}",
        b"{}]",
        b'{"a": 1,}',
        b"{'a': 1}",
        b"{a: 1}",
        b'{"a": 1 // one\n}',
        b'{"a": /* */ 1}',
        b'{"a": 01}',
        b'{"a": +1}',
        b'{"a": .5}',
        b'{"a": 1.}',
        b'{"a": 0x10}',
        b'{"a": True}',
        b'{"a": "\n"}',
        b'{"a": "\\x41"}',
        b'{"a": "\x00"}',
        b'{"a": 1, "a": 1}',
        b'{"b": [{"c": {"a": 1, "\\u0061": 2}}]}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": -1e999}',
        b'{"a": ' + b"1" * 41 + b"}",
        b'{"a": 0.' + b"1" * 41 + b"}",
        b'{"a": ' + b"1" * 5000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"a": "\\udc00\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": ["\\u0000"]}',
        b'["\\ud800"]',
        b'{"a": 9007199254740993',
        b'{"a": 9007199254740993, "b": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[]" * 100_000,
        b'"' + b'\\"' * 200_000,
    ],
)
def test_json_that_readers_disagree_about_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidJson):
        parse_json(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"null",
        b"[]",
        b'[{"a": 1}]',
        b'"text"',
        b"1",
        b"true",
        b'{"a": 9007199254740993}',
        b'{"a": [{"b": -9007199254740993}]}',
        b'{"a": 18446744073709551616}',
    ],
)
def test_json_that_is_no_object_of_safe_numbers_is_an_invalid_body(raw: bytes) -> None:
    with pytest.raises(InvalidBody):
        parse_json(raw)


def test_depth_is_counted_outside_of_texts() -> None:
    assert parse_json(nested(MAX_DEPTH))
    assert parse_json(b'{"a": [[], [], {"b": ["[[[[{{{{", "]]"]}]' + b', "c": []' + b"}")
    with pytest.raises(InvalidJson, match="levels"):
        parse_json(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize("item", [b"1", b'"a,b"', b"[]", b"{ }", b'"\\",\\""'])
def test_members_are_fields_and_items_at_every_depth(item: bytes) -> None:
    def holding(count: int) -> bytes:
        return b'{"a": [' + b",".join([item] * (count - 2)) + b'], "b": 0}'

    assert parse_json(holding(MAX_MEMBERS))
    with pytest.raises(InvalidJson, match="fields and items"):
        parse_json(holding(MAX_MEMBERS + 1))


def test_members_of_many_objects_are_added_up() -> None:
    raw = b'{"a": [' + b",".join([b'{"a": 1, "b": 2}'] * 400) + b"]}"

    with pytest.raises(InvalidJson, match="fields and items"):
        parse_json(raw)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abc"), VALUES, max_size=4), st.booleans())
def test_what_the_standard_library_writes_is_read_back(value: Any, ascii_only: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=60) | st.text('{}[]",:\\u0d8 1e-N', max_size=60).map(str.encode))
def test_no_bytes_end_in_another_error(raw: bytes) -> None:
    try:
        value = parse_json(raw)
    except (InvalidJson, InvalidBody):
        return

    assert isinstance(value, dict)


@pytest.mark.parametrize(
    "kind",
    [
        b"application/json",
        b"Application/JSON",
        b"application/json; charset=utf-8",
        b'application/json;charset="UTF-8"',
    ],
)
async def test_plain_json_is_read(kind: bytes) -> None:
    value = await read_json(request([b'{"a"', b": 1}"], (b"content-type", kind)), cap=8)

    assert value == {"a": 1}


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"")],
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"application/x-www-form-urlencoded")],
        [(b"content-type", b"multipart/form-data; boundary=x")],
        [(b"content-type", b"application/json; charset=utf-16")],
        [(b"content-type", b"application/json; charset=bogus")],
        [(b"content-type", b"application/json, text/plain")],
        [(b"content-type", b"application/jsonx")],
        [(b"content-type", b"application/json; \xff")],
        [JSON, JSON],
        [JSON, (b"content-encoding", b"gzip")],
        [JSON, (b"content-encoding", b"identity, br")],
        [JSON, (b"content-encoding", b"zstd")],
    ],
)
async def test_other_media_are_refused_unread(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(UnsupportedMedia):
        await read_json(request([], *headers), cap=8)


async def test_no_encoding_may_be_named() -> None:
    value = await read_json(request([b"{}"], JSON, (b"content-encoding", b"Identity")), cap=8)

    assert value == {}


async def test_an_announced_length_over_the_cap_is_refused_unread() -> None:
    with pytest.raises(BodyTooLarge):
        await read_json(request([], JSON, (b"content-length", b"9")), cap=8)


async def test_a_body_is_counted_while_it_is_read() -> None:
    with pytest.raises(BodyTooLarge):
        await read_json(request([b'{"a"', b":   ", b"1"], JSON), cap=8)


async def test_a_body_as_long_as_the_cap_is_taken() -> None:
    value = await read_json(request([b'{"a": 1}'], JSON, (b"content-length", b"8")), cap=8)

    assert value == {"a": 1}


async def test_a_client_that_leaves_in_the_middle_gives_no_value() -> None:
    with pytest.raises(ClientDisconnect):
        await read_json(request([b"{}", None], JSON), cap=8)


async def test_a_client_that_left_is_answered_into_the_void() -> None:
    reply = await client_gone(request([]), ClientDisconnect())

    assert (reply.status_code, reply.body) == (400, b"")


@pytest.fixture
async def threads(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    seen: list[str] = []
    parse = body_module.parse_json

    def watched(raw: bytes) -> object:
        seen.append(threading.current_thread().name)
        return parse(raw)

    # The thread that parses shows nowhere outside.
    monkeypatch.setattr(body_module, "parse_json", watched)
    yield seen
    monkeypatch.undo()


async def test_only_large_bodies_leave_the_loop(threads: list[str]) -> None:
    large = b'{"a": "' + b"x" * 70_000 + b'"}'

    await read_json(request([b"{}"], JSON), cap=100_000)
    await read_json(request([large], JSON), cap=100_000)

    assert [name == threading.main_thread().name for name in threads] == [True, False]


def test_a_message_is_made_of_its_fields() -> None:
    message = model_of(Message, {**IDS, "text": "hi"})

    assert (message.user_id, message.text) == ("u", "hi")


SECRET = "Basic c2VjcmV0"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"user_id": None}, ["user_id"]),
        ({"user_id": 5, "text": {"x": SECRET}}, ["user_id", "text"]),
        ({"text": [SECRET]}, ["text"]),
        ({SECRET: 1}, ["Unknown field in the body"]),
        ({"auth_token": SECRET}, ["Unknown field in the body"]),
        ({"attachments": [{"type": "image", SECRET: 1}]}, ["Unknown field in attachments[0]"]),
        ({"attachments": [{"type": SECRET}]}, ["attachments[0].type"]),
        ({"attachments": [{}]}, ["Missing: attachments[0].type"]),
        ({"attachments": {SECRET: 1}}, ["attachments"]),
        ({"type": SECRET}, ["type"]),
        ({"timestamp": SECRET}, ["timestamp"]),
        ({"metadata": [SECRET]}, ["metadata"]),
        ({"user_name": SECRET * 100}, ["user_name"]),
    ],
)
def test_a_wrong_message_is_told_by_the_names_of_its_fields(
    change: dict[str, object], named: list[str]
) -> None:
    with pytest.raises(InvalidBody) as caught:
        model_of(Message, {**IDS, **change})

    sentence = str(caught.value)
    assert [name for name in named if name not in sentence] == []
    assert SECRET not in sentence
    assert "auth_token" not in sentence
    assert len(sentence) < 300


def test_names_inside_a_free_field_are_not_repeated() -> None:
    class Free(BaseModel):
        counts: dict[str, int]

    with pytest.raises(InvalidBody) as caught:
        model_of(Free, {"counts": {SECRET: "x"}})

    assert str(caught.value) == "Not as documented: counts."


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidBody, match=r"^Missing: platform, user_id, chat_id, message_id\.$"):
        model_of(Message, {})


def test_a_thousand_faults_make_one_short_sentence() -> None:
    with pytest.raises(InvalidBody) as caught:
        model_of(Message, dict.fromkeys(map(str, range(1000)), SECRET))

    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", ["https://a/b.png", 5, None])
def test_a_picture_by_address_gets_its_own_answer(value: object) -> None:
    attachment = {"type": "image", "url": value}

    with pytest.raises(UrlNotSupported):
        model_of(Message, {**IDS, "attachments": [attachment]})


def test_errors_keep_nothing_of_the_body() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_json(b'{"a": "' + SECRET.encode() + b'"')

    assert caught.value.__suppress_context__
    assert SECRET not in str(caught.value)
