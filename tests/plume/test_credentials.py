import base64
import copy
import json
import pickle
import traceback
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from app.errors import InvalidCredentials
from app.plume.credentials import (
    Credentials,
    Secret,
    parse_authorization,
    parse_partner_id,
)
from tests.plume.clouds import UNHURRIED

PAIR = "0oaMADEUP0001:CANARY-of-a-made-up-client-1+/?"  # pragma: allowlist secret
CODE = base64.b64encode(PAIR.encode()).decode()
HEADER = f"Basic {CODE}"
PARTNER = "5f0c0ffee0000000000000a1"
SPELLINGS = (PAIR, PAIR.partition(":")[2], CODE, CODE.rstrip("="), PAIR.encode().hex())


def made() -> Credentials:
    return Credentials(parse_authorization(HEADER), PARTNER)


@pytest.mark.parametrize(
    "said",
    [
        HEADER,
        CODE,
        f"  {HEADER}\n",
        f"basic {CODE}",
        f"BASIC\t{CODE}",
        f"Basic: {CODE}",
        f'"{HEADER}"',
        f"'{HEADER}'",
        f"`{HEADER}`",
        f"\N{LEFT DOUBLE QUOTATION MARK}{HEADER}\N{RIGHT DOUBLE QUOTATION MARK}",
        f"Authorization: {HEADER}",
        f"authorization:{HEADER}",
        f'"Authorization": "{HEADER}",',
        f"-H 'Authorization: {HEADER}'",
        f"Authorization={CODE}",
        f"Basic {CODE[:20]}\r\n{CODE[20:]}",
        CODE.rstrip("="),
        base64.urlsafe_b64encode(PAIR.encode()).decode(),
    ],
)
def test_a_header_is_read_however_it_was_copied(said: str) -> None:
    assert parse_authorization(said).get_secret_value() == HEADER


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Basic",
        "Basic ",
        "hello",
        PAIR,
        f"Basic {PAIR}",
        f"Basic {base64.b64encode(b'no colon in this one').decode()}",
        f"Basic {base64.b64encode(b':only a secret').decode()}",
        f"Basic {base64.b64encode(b'only-an-id:').decode()}",
        f"Basic {base64.b64encode(PAIR.encode() + bytes([10])).decode()}",
        f"Basic {base64.b64encode(b'id:sec' + bytes([0]) + b'ret').decode()}",
        f"Basic {base64.b64encode('id:gehéim'.encode()).decode()}",
        f"Basic {base64.b64encode(bytes([255]) + b'id:secret').decode()}",
        f"Basic {CODE[:-3]}",
        f"Basic {CODE}é",
        f"Digest {CODE}",
        f"{HEADER} {'x' * 3_000}",
        "a" * 1_000_000,
        "\ud800",
    ],
)
def test_what_is_no_header_is_refused_with_the_next_step(said: str) -> None:
    with pytest.raises(InvalidCredentials, match="Copy it from the partner portal") as caught:
        parse_authorization(said)

    assert (caught.value.status, caught.value.code) == (422, "invalid_credentials")
    _is_clean(caught.value)


@pytest.mark.parametrize(
    "said", [f"Bearer {CODE}", f"Authorization: Bearer {CODE}", "eyJhbGciOi.x"]
)
def test_a_token_in_its_place_is_told_apart(said: str) -> None:
    with pytest.raises(InvalidCredentials, match="access token"):
        parse_authorization(said)


@pytest.mark.parametrize(
    "said",
    [PARTNER, f" {PARTNER}\n", PARTNER.upper(), f'"{PARTNER}"', f"partnerId:{PARTNER}",
     f"Partner ID = {PARTNER}"],
)  # fmt: skip
def test_a_partner_id_is_read_however_it_was_copied(said: str) -> None:
    assert parse_partner_id(said) == PARTNER


@pytest.mark.parametrize(
    "said", ["", PARTNER[:-1], f"{PARTNER}0", f"{PARTNER[:-1]}g", HEADER, "é" * 24]
)
def test_what_is_no_partner_id_is_refused_with_the_next_step(said: str) -> None:
    with pytest.raises(InvalidCredentials, match=r"24 characters.*paste it again") as caught:
        parse_partner_id(said)

    _is_clean(caught.value)


@UNHURRIED
@given(st.text() | st.binary().map(base64.b64encode).map(bytes.decode))
def test_whatever_is_pasted_the_answer_is_a_header_or_a_refusal(said: str) -> None:
    try:
        found = parse_authorization(said).get_secret_value()
    except InvalidCredentials:
        return
    assert found.isascii()
    assert found.isprintable()


def test_credentials_print_nowhere() -> None:
    class Holder(BaseModel):
        held: Secret

    mine = made()
    holder = Holder(held=mine.authorization)
    shown = [
        repr(mine), str(mine), f"{mine}", repr(mine.authorization), str(mine.authorization),
        repr(asdict(mine)["authorization"]), repr(holder), holder.model_dump_json(),
        repr(holder.model_dump()), TypeAdapter(Credentials).dump_json(mine).decode(),
        mine.fingerprint, json.dumps(vars(holder), default=str), repr(copy.deepcopy(mine)),
    ]  # fmt: skip

    assert not [text for text in shown for spelling in SPELLINGS if spelling in text]
    assert PARTNER not in repr(mine)


@pytest.mark.parametrize("what", [made(), made().authorization])
def test_credentials_are_not_pickled(what: object) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(what)


def test_what_is_stored_comes_back() -> None:
    mine = made()

    again = Credentials.load(mine.dump())

    assert again == mine
    assert again.fingerprint == mine.fingerprint
    assert again.client_id == "0oaMADEUP0001"


@pytest.mark.parametrize(
    "stored", [b"", b"{}", b"[1]", b"\xff", HEADER.encode(), b'{"authorization":1}']
)
def test_what_was_stored_wrong_is_refused(stored: bytes) -> None:
    with pytest.raises(InvalidCredentials) as caught:
        Credentials.load(stored)

    _is_clean(caught.value)


def test_fingerprints_tell_sign_ins_apart_and_not_what_they_are() -> None:
    mine = made()
    others = [
        Credentials(mine.authorization, "5f0c0ffee0000000000000b2"),
        Credentials(parse_authorization(base64.b64encode(b"0oa:another").decode()), PARTNER),
    ]

    assert made().fingerprint == mine.fingerprint
    assert len({mine.fingerprint, *(each.fingerprint for each in others)}) == 3
    assert len(mine.fingerprint) == 24


def _is_clean(error: Exception) -> None:
    whole = "".join(traceback.format_exception(error.__context__ or error)) + repr(error)
    text = "\n".join(line for line in whole.splitlines() if not line.lstrip().startswith("parse"))
    assert not [spelling for spelling in SPELLINGS if spelling in text]
