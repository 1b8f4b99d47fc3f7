"""Requests whose body is announced wrongly, cannot be read, or says the wrong thing."""

import base64
import json
from typing import Any

from tests.corpus.endpoints import Endpoint
from tests.corpus.requests import CANARY, Bad, body_says, usual

_JSON = b"Content-Type: application/json"
_PIXEL = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
).decode()


def _kind(name: str, line: bytes | None, *more: bytes) -> Bad:
    return Bad(
        name,
        lambda endpoint: endpoint.request(*more, body=endpoint.message(), kind=line),
        body_says(415),
    )


def _good_kind(name: str, line: bytes, *more: bytes) -> Bad:
    return Bad(name, lambda endpoint: endpoint.request(*more, kind=line), usual)


def _raw(name: str, body: bytes, status: int = 400) -> Bad:
    return Bad(name, lambda endpoint: endpoint.request(body=body), body_says(status))


def _value(name: str, value: bytes, status: int = 400) -> Bad:
    """Make a case of a good message with `value` in its metadata."""

    def raw(endpoint: Endpoint) -> bytes:
        body = endpoint.message(metadata={"a": "@"}).replace(b'"@"', value)
        return endpoint.request(body=body)

    return Bad(f"value {name}", raw, body_says(status))


def _cut(name: str, last: int) -> Bad:
    return Bad(
        name, lambda endpoint: endpoint.request(body=endpoint.message()[:last]), body_says(400)
    )


def _coded(name: str, encoding: str) -> Bad:
    return Bad(
        name,
        lambda endpoint: endpoint.request(body=endpoint.message().decode().encode(encoding)),
        body_says(400),
    )


def _around(name: str, before: bytes, after: bytes) -> Bad:
    return Bad(
        name,
        lambda endpoint: endpoint.request(body=before + endpoint.message() + after),
        body_says(400),
    )


def _says(name: str, /, status: int = 422, **change: Any) -> Bad:
    return Bad(
        f"message with {name}",
        lambda endpoint: endpoint.request(body=endpoint.message(**change)),
        body_says(status),
        fits=lambda endpoint: endpoint.route == "/message",
    )


def _field(form: str, field: str, value: Any) -> Bad:
    change: dict[str, Any] = {field: value}
    return _says(form.format(field), 422, **change)


def _lacks(field: str) -> Bad:
    def raw(endpoint: Endpoint) -> bytes:
        message = json.loads(endpoint.message())
        del message[field]
        return endpoint.request(body=json.dumps(message).encode())

    return Bad(
        f"message without {field}",
        raw,
        body_says(422),
        fits=lambda endpoint: endpoint.route == "/message",
    )


def _attached(name: str, *attachments: Any, status: int = 422) -> Bad:
    return _says(f"an attachment: {name}", status, attachments=attachments)


def _nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"0" + b"}" * depth


KINDS = (
    _kind("no type", None),
    _kind("an empty type", b"Content-Type:"),
    _kind("text", b"Content-Type: text/plain"),
    _kind("a form", b"Content-Type: application/x-www-form-urlencoded"),
    _kind("a form of parts", b"Content-Type: multipart/form-data; boundary=x"),
    _kind("XML", b"Content-Type: application/xml"),
    _kind("JSON as text", b"Content-Type: text/json"),
    _kind("a type like JSON", b"Content-Type: application/jsonp"),
    _kind("a kind of JSON", b"Content-Type: application/problem+json"),
    _kind("any type", b"Content-Type: */*"),
    _kind("two types in one line", b"Content-Type: application/json, text/plain"),
    _kind("two types", _JSON, b"Content-Type: text/plain"),
    _kind("JSON twice", _JSON, _JSON),
    _kind("UTF-16 announced", b"Content-Type: application/json; charset=utf-16"),
    _kind("an unknown charset", b"Content-Type: application/json; charset=bogus"),
    _kind("two charsets", b"Content-Type: application/json; charset=utf-8; charset=utf-7"),
    _kind("a raw byte in the type", b"Content-Type: application/json; \xff"),
    _kind("gzip", _JSON, b"Content-Encoding: gzip"),
    _kind("br", _JSON, b"Content-Encoding: br"),
    _kind("zstd", _JSON, b"Content-Encoding: zstd"),
    _kind("deflate", _JSON, b"Content-Encoding: deflate"),
    _kind("identity and gzip", _JSON, b"Content-Encoding: identity, gzip"),
    _good_kind("JSON in UTF-8", b"Content-Type: application/json; charset=utf-8"),
    _good_kind("JSON in capitals", b'Content-Type: Application/JSON;charset="UTF-8"'),
    _good_kind("identity as the encoding", _JSON, b"Content-Encoding: identity"),
)

SIZES = (
    Bad(
        "a terabyte announced",
        lambda endpoint: endpoint.request(
            _JSON, b"Content-Length: 1099511627776", body=b"", kind=None, length=False
        ),
        body_says(413),
    ),
    Bad(
        "a terabyte announced as text",
        lambda endpoint: endpoint.request(
            b"Content-Length: 1099511627776", body=b"", kind=None, length=False
        ),
        body_says(415),
    ),
)

JSON = (
    _raw("nothing", b""),
    _raw("blanks", b" \r\n\t"),
    _raw("null", b"null", 422),
    _raw("a list", b"[]", 422),
    _raw("a list of objects", b"[{}]", 422),
    _raw("a text", b'"text"', 422),
    _raw("a number", b"5", 422),
    _raw("true", b"true", 422),
    _raw("a word", b"undefined"),
    _raw("NaN alone", b"NaN"),
    _raw("a form's words", b"text=hi&user_id=1"),
    _raw("XML for JSON", b'<?xml version="1.0"?><a>&b;</a>'),
    _raw("bytes", bytes(range(128, 256))),
    _raw("zeros for JSON", b"\0" * 100),
    _raw("gzip unannounced", b"\x1f\x8b\x08\0\0\0\0\0\0\xff"),
    _raw("an overlong slash", b'{"text": "\xc0\xaf"}'),
    _raw("a raw surrogate", b'{"text": "\xed\xa0\x80"}'),
    _raw("half a character", b'{"text": "\xe2\x82"}'),
    _raw("beyond Unicode", b'{"text": "\xf5\x80\x80\x80"}'),
    _raw("single quotes", b"{'text': 'hi'}"),
    _raw("a name without quotes", b'{text: "hi"}'),
    _raw("a comma too much", b'{"text": "hi",}'),
    _raw("no comma", b'{"text": "hi" "a": 1}'),
    _raw("a line comment", b'{"text": "hi"} // so'),
    _raw("a block comment", b'{/* so */"text": "hi"}'),
    _raw("a number for a name", b"{1: 2}"),
    _raw("a line end in a text", b'{"text": "a\nb"}'),
    _raw("an unknown escape", b'{"text": "\\x41"}'),
    _raw("half an escape", b'{"text": "\\u12"}'),
    _raw("depth 33", _nested(33)),
    _raw("depth 100,000", b"[" * 100_000),
    _raw("depth 20,000 of objects", b'{"a":' * 20_000),
    _raw("1,001 members", b'{"a": [' + b",".join([b"1"] * 1000) + b"]}"),
    _raw("50,000 empty lists", b'{"a": [' + b",".join([b"[]"] * 50_000) + b"]}"),
    _cut("the last brace is missing", -1),
    _cut("half a message", 40),
    _cut("one brace", 1),
    _coded("UTF-16", "utf-16"),
    _coded("UTF-16 without a mark", "utf-16-le"),
    _coded("UTF-32", "utf-32"),
    _coded("a byte order mark", "utf-8-sig"),
    _around("two messages", b"", b"{}"),
    _around("a brace too much", b"", b"}"),
    _around("words behind JSON", b"", b" and more"),
    _around("a zero behind JSON", b"", b"\0"),
    _around("a guard before JSON", b")]}',\n", b""),
)

VALUES = (
    _value("NaN", b"NaN"),
    _value("Infinity", b"Infinity"),
    _value("-Infinity", b"-Infinity"),
    _value("1e999", b"1e999"),
    _value("-1e999", b"-1e999"),
    _value("of 41 digits", b"1" * 41),
    _value("of 5,000 digits", b"1" * 5000),
    _value("of 41 digits behind the point", b"0." + b"1" * 41),
    _value("2^53 + 1", b"9007199254740993", 422),
    _value("-2^53 - 1", b"-9007199254740993", 422),
    _value("2^64", b"18446744073709551616", 422),
    _value("01", b"01"),
    _value("+1", b"+1"),
    _value(".5", b".5"),
    _value("1.", b"1."),
    _value("0x10", b"0x10"),
    _value("1_000", b"1_000"),
    _value("True", b"True"),
    _value("a lone surrogate", b'"\\ud800"'),
    _value("a surrogate pair the wrong way", b'"\\udc00\\ud800"'),
    _value("a lone surrogate deep inside", b'[[{"b": ["x\\udfffx"]}]]'),
    _value("a lone surrogate in a name", b'{"\\ud800": 1}'),
    _value("a zero", b'"a\\u0000b"'),
    _value("a name twice", b'{"b": 1, "b": 2}'),
    _value("a name twice, once escaped", b'{"b": 1, "\\u0062": 2}'),
    _value("a name twice deep inside", b'[{"c": [{"b": 1, "b": 1}]}]'),
    Bad(
        "the platform twice",
        lambda endpoint: endpoint.request(
            body=endpoint.message()[:-1] + b', "platform": "telegram"}'
        ),
        body_says(400),
    ),
    Bad(
        "a lone surrogate as the text",
        lambda endpoint: endpoint.request(body=endpoint.message(text="\ud800")),
        body_says(400),
    ),
    Bad(
        "a lone surrogate as the user",
        lambda endpoint: endpoint.request(body=endpoint.message(user_id="\udfff")),
        body_says(400),
    ),
    Bad(
        "a zero in the text",
        lambda endpoint: endpoint.request(body=endpoint.message(text="a\0b")),
        body_says(400),
    ),
)

_IDS = ("user_id", "chat_id", "message_id")

MESSAGES = (
    *map(_lacks, ("platform", *_IDS)),
    *(_field("an empty {}", field, "") for field in _IDS),
    *(_field("129 letters of {}", field, "a" * 129) for field in _IDS),
    *(_field("a number for {}", field, 5) for field in _IDS),
    *(_field("null for {}", field, None) for field in ("platform", *_IDS, "text")),
    *(_field("a line end in {}", field, "a\nb") for field in _IDS),
    *(_field("a blank before {}", field, " a") for field in _IDS),
    _says("a direction mark in user_id", user_id="a\u202eb"),
    _says("an escape in chat_id", chat_id="\x1b[31m"),
    _says("a list for user_id", user_id=[CANARY]),
    _says("an object for chat_id", chat_id={"$ne": CANARY}),
    _says("true for message_id", message_id=True),
    _says("the platform in capitals", platform="INTERNAL"),
    _says("blanks around the platform", platform=" internal "),
    _says("an empty platform", platform=""),
    _says("a path for a platform", platform="../internal"),
    _says("another platform", 403, platform="telegram"),
    _says("an unknown platform", 422, platform="nowhere"),
    _says("a number for a text", text=5),
    _says("a list for a text", text=[CANARY]),
    _says("no text", text=""),
    _says("only blanks", text=" \t\n "),
    _says("only invisible characters", text="\u200b\u200d\ufeff"),
    _says("a long text", 413, text="a" * 8001),
    _says("a token", auth_token=CANARY),
    _says("its own rights", is_admin=True),
    _says("a session of its choice", session_id=CANARY),
    _field("an unknown field", CANARY, 1),
    _says("a class", __class__=CANARY),
    _says("an unknown type", type="hologram"),
    _says("an unknown chat type", chat_type="channel"),
    _says("a time that is none", timestamp="yesterday"),
    _says("a list for metadata", metadata=[1]),
    _says("metadata of 5 KB", metadata={"a": "a" * 5000}),
    _says("a language that is none", language="../../etc"),
    _says("a long user name", user_name="a" * 257),
    _says("an object for attachments", attachments={"type": "image"}),
    _attached("a text", CANARY),
    _attached("null", None),
    _attached("no type", {}),
    _attached("an unknown type", {"type": "hologram", "data": _PIXEL}),
    _attached("an unknown field", {"type": "image", "data": _PIXEL, CANARY: 1}),
    _attached("an address", {"type": "image", "url": f"https://evil.example/{CANARY}"}),
    _attached("a file's address", {"type": "image", "url": "file:///etc/passwd"}),
    _attached("a size in words", {"type": "image", "data": _PIXEL, "file_size": "big"}),
    _attached("a size below zero", {"type": "image", "data": _PIXEL, "file_size": -1}),
    _attached("bytes as numbers", {"type": "image", "data": [137, 80]}),
    _attached("no base64", {"type": "image", "data": "é" * 40}),
    _attached("base64 that breaks off", {"type": "image", "data": "A==="}),
    _attached("five of them", *[{"type": "image", "data": _PIXEL}] * 5),
)

CASES = (*KINDS, *SIZES, *JSON, *VALUES, *MESSAGES)
