"""What a partner signs in with. It is parsed into types that never print before anyone sees it."""

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Final, NoReturn, Self

import orjson
from pydantic import SecretStr

from app.errors import InvalidCredentials

# What surrounds a header where people copy it from.
_WRAPPING: Final = " \t\r\n\"'`<>,;\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
_NAME: Final = re.compile(r"\A(?:-H\s*)?[\"'`]?authorization[\"'`]?\s*[:=]", re.IGNORECASE)
_SCHEME: Final = re.compile(r"\Abasic(?:\s+|\s*:\s*)", re.IGNORECASE)
_TOKEN: Final = re.compile(r"bearer\b|eyJ", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_PARTNER: Final = re.compile(r"[0-9a-f]{24}")
_PARTNER_NAME: Final = re.compile(r"\Apartner[ _-]?id\s*[:=]?", re.IGNORECASE)
_URL_SAFE: Final = str.maketrans("-_", "+/")
_LONGEST: Final = 2_048  # characters
_FINGERPRINT_KEY: Final = secrets.token_bytes(32)

_NO_HEADER: Final = (
    "This does not look like Plume's authorization header. Copy it from the partner portal as it "
    "stands there, `Basic` and a long code, and paste it again."
)
_ENDS_SOON: Final = (
    "This is an access token, which ends soon. Paste the authorization header instead: `Basic` "
    "and a long code, from the partner portal."
)
_NO_PARTNER: Final = (
    "This does not look like a partner id: it has 24 characters, digits and the letters a to f. "
    "Copy it from the partner portal and paste it again."
)


class Secret(SecretStr):
    """A text that neither prints nor pickles. Copies are the same object."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A sign-in: `authorization` is the whole header value, `Basic` and a code."""

    authorization: Secret
    partner_id: str
    fingerprint: str = field(init=False, compare=False)
    """Tells equal credentials of this process. It says nothing of what they are."""

    def __post_init__(self) -> None:
        whole = f"{self.authorization.get_secret_value()}\n{self.partner_id}".encode()
        found = hashlib.blake2b(whole, key=_FINGERPRINT_KEY, digest_size=12).hexdigest()
        object.__setattr__(self, "fingerprint", found)

    def __repr__(self) -> str:
        return f"Credentials({self.fingerprint})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("credentials are not pickled")

    def __deepcopy__(self, memo: object) -> Self:
        return self

    @property
    def client_id(self) -> str:
        """The first half of the decoded header, which is no secret."""
        code = self.authorization.get_secret_value().partition(" ")[2]
        return base64.b64decode(code).decode().partition(":")[0]

    def dump(self) -> bytes:
        """Return what `load` takes. It is in clear: only a sealed column may hold it."""
        return orjson.dumps(
            {"authorization": self.authorization.get_secret_value(), "partner_id": self.partner_id}
        )

    @classmethod
    def load(cls, stored: bytes) -> Self:
        """Return what `dump` was of.

        Raises:
            InvalidCredentials: it is not what `dump` returned.
        """
        try:
            kept = orjson.loads(stored)
        except orjson.JSONDecodeError:
            kept = None
        if not isinstance(kept, dict):
            kept = {}
        return cls(
            parse_authorization(str(kept.get("authorization", ""))),
            parse_partner_id(str(kept.get("partner_id", ""))),
        )


def parse_authorization(text: str) -> Secret:
    """Return the header value `Basic …` of what a person pasted.

    Taken are the header with or without its name, the scheme, quotes and line breaks, and the
    bare base64 of `id:secret`.

    Raises:
        InvalidCredentials: it is none of these.
    """
    said = _NAME.sub("", text[:_LONGEST].strip(_WRAPPING), count=1).strip(_WRAPPING)
    if _TOKEN.match(said):
        raise InvalidCredentials(_ENDS_SOON, cause="token")
    code = "".join(_SCHEME.sub("", said, count=1).split()).strip(_WRAPPING).translate(_URL_SAFE)
    pair = _decoded(code)
    if len(text) > _LONGEST or not _is_pair(pair):
        raise InvalidCredentials(_NO_HEADER, cause="header")
    return Secret(f"Basic {base64.b64encode(pair).decode()}")


def _decoded(code: str) -> bytes:
    bare = code.rstrip("=")
    padded = bare + "=" * (-len(bare) % 4)
    if not _BASE64.fullmatch(padded):
        return b""
    try:
        return binascii.a2b_base64(padded)
    except binascii.Error:
        return b""


def _is_pair(pair: bytes) -> bool:
    client, colon, secret = pair.partition(b":")
    return bool(client and colon and secret) and pair.isascii() and pair.decode().isprintable()


def parse_partner_id(text: str) -> str:
    """Return a partner id, 24 hex digits in lower case.

    Raises:
        InvalidCredentials: it is none.
    """
    said = _PARTNER_NAME.sub("", text[:_LONGEST].strip(_WRAPPING), count=1)
    found = said.strip(_WRAPPING).lower()
    if len(text) > _LONGEST or not _PARTNER.fullmatch(found):
        raise InvalidCredentials(_NO_PARTNER, cause="partner_id")
    return found
