"""From bytes to values: what is dropped, what is refused, what is borne."""

import contextlib
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import PlumeBadReply
from app.plume.exchange import Heard, read_error, read_json, without_secrets
from tests.plume.clouds import UNHURRIED


def heard(body: bytes | object, status: int = 200) -> Heard:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Heard(status, httpx.Headers(), raw)


@pytest.mark.parametrize(
    "name",
    ["encryptionKey", "wpaKey", "password", "Password", "pppoe", "keys", "key", "psk", "apiKey",
     "passphrase", "wifiPassword", "clientSecret", "access_token", "preSharedKey", "PSK",
     "userCredentials", "x" * 65],
)  # fmt: skip
def test_what_sounds_like_a_secret_comes_no_further(name: str) -> None:
    body = {"ssid": "Home", name: "CANARY", "in": [{name: {"deep": "CANARY"}, "wpaMode": "psk2"}]}

    assert read_json(heard(body)) == {"ssid": "Home", "in": [{"wpaMode": "psk2"}]}


@pytest.mark.parametrize(
    "name", ["ssid", "wpaMode", "keyId", "wpaModes", "encryption", "monkeyBar"]
)
def test_what_only_looks_like_it_stays(name: str) -> None:
    assert read_json(heard({name: 1})) == {name: 1}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb'{"ssid":"a\ud800b"}', "a\ufffdb"),
        (rb'{"ssid":"\udc00"}', "\ufffd"),
        (rb'{"ssid":"\ud83c\udfe1 \ud83c"}', "\U0001f3e1 \ufffd"),
        (rb'{"ssid":"\\ud800\ud800"}', "\\ud800\ufffd"),
        (b'\xef\xbb\xbf{"ssid":"Home"}', "Home"),
        (b'\r\n {"ssid":"Home"} \n', "Home"),
        (rb'{"ssid":"\u0000"}', "\x00"),
    ],
)
def test_a_half_character_in_a_name_costs_nothing_else(body: bytes, expected: str) -> None:
    assert read_json(heard(body)) == {"ssid": expected}


@pytest.mark.parametrize(
    ("body", "status", "cause"),
    [
        (b"", 200, "no_body"),
        (b" \n", 200, "no_body"),
        (b"{}", 204, "no_body"),
        (b" <html>", 200, "html"),
        (b"{", 200, "bad_json"),
        (b"[NaN]", 200, "bad_json"),
        (b"[1e999]", 200, "bad_json"),
        (b'{"a": Infinity}', 200, "bad_json"),
        (b'["\xff"]', 200, "bad_json"),
        (b"[" * 100_000, 200, "bad_json"),
        (b"[" * 500 + b"]" * 500, 200, "too_deep"),
        (b'{"a":' * 41 + b"1" + b"}" * 41, 200, "too_deep"),
        (b'{"error":{"statusCode":500}}', 200, "error_in_success"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_cause(body: bytes, status: int, cause: str) -> None:
    with pytest.raises(PlumeBadReply) as caught:
        read_json(heard(body, status))

    assert caught.value.cause == cause


@UNHURRIED
@given(st.binary())
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(PlumeBadReply):
        read_json(heard(body))
    assert isinstance(read_error(heard(body, 500)), dict)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@UNHURRIED
@given(_VALUES)
def test_nothing_else_is_changed(value: Any) -> None:
    assert read_json(heard({"a": value})) == {"a": without_secrets(value)}
    assert _leaves(without_secrets(value)) <= _leaves(value)


def _leaves(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(_leaves, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(_leaves, value)) if value else set()
    return {repr(value)}
