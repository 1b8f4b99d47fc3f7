"""What a single setting may be. No error quotes the value: it may be a secret in the wrong line."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from limits import parse
from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.llm.catalogue import parse_aliases, parse_replacements
from app.logs import size

LEAST_SECRET = 32  # characters
# Different characters in a secret. Not 16: of 64 hexadecimal digits, which `make env` and
# `openssl rand -hex 32` write, one of the sixteen is missing in every fourth key.
LEAST_VARIETY = 10
MOST_WEBHOOK_SECRETS = 2
LEAST_WEBHOOK_BYTES = 24
PLACEHOLDERS = ("changeme", "your_", "your-", "example", "secret_here", "xxxx")
# What a browser sends as `Origin`: never a path, never a capital letter.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


def _listed(value: object) -> object:
    if isinstance(value, str):
        return tuple(item for item in (part.strip() for part in value.split(",")) if item)
    return value


def _numeric(value: object) -> object:
    found = _listed(value)
    if isinstance(found, tuple) and any(not re.fullmatch("[0-9]+", str(each)) for each in found):
        raise ValueError("must be numeric ids, by comma; a name can pass to somebody else")
    return found


def _strong(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < LEAST_SECRET:
        raise ValueError(f"needs at least {LEAST_SECRET} characters")
    if any(word in text.lower() for word in PLACEHOLDERS) or len(set(text)) < LEAST_VARIETY:
        raise ValueError("is a placeholder or too simple")
    return _sendable(value)


def _sendable(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    # A client library would put all of a header that it refuses into the text of its error.
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be printable ASCII without blanks")
    return value


def _reads(read: Callable[[str], object], form: str) -> AfterValidator:
    """Return a check that the text can be read; what `read` says would quote the value."""

    def check(value: str) -> str:
        try:
            read(value)
        except ValueError:
            raise ValueError(f"must be {form}") from None
        return value

    return AfterValidator(check)


def _rate(value: str) -> None:
    if parse(value).amount < 1:
        raise ValueError


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    if any(each != "*" and not ORIGIN.fullmatch(each) for each in value):
        raise ValueError("must be origins such as https://noc.example.org, without a path")
    return value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        try:
            everybody = each == "*" or ipaddress.ip_network(each).prefixlen == 0
        except ValueError:
            raise ValueError("must be addresses, or networks such as 10.0.0.0/8") from None
        if everybody:
            raise ValueError("all would let anybody choose their address; name them")
    return value


def _existing(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("there is no such file")
    return value


def _without_login(value: HttpUrl) -> HttpUrl:
    if value.username or value.password:
        raise ValueError("must not hold a user or password")
    return value


def _store(value: SecretStr) -> SecretStr:
    try:
        url = make_url(value.get_secret_value())
    except (ArgumentError, ValueError):
        raise ValueError("is no database URL such as sqlite:///data/arash.db") from None
    kind = url.get_backend_name()
    if kind == "sqlite" and url.drivername == "sqlite" and not url.host:
        return value
    if kind in {"postgresql", "postgres"} and url.database:
        return value
    raise ValueError("must begin with sqlite:/// or postgresql://, and name a database")


def _redis(value: SecretStr | None) -> SecretStr | None:
    if value is None:
        return None
    url = urlsplit(value.get_secret_value())
    if url.scheme not in {"redis", "rediss", "unix"} or not (url.hostname or url.path):
        raise ValueError("must begin with redis:// or rediss://, and name a host")
    return value


def _webhook_secrets(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if len(value) > MOST_WEBHOOK_SECRETS:
        raise ValueError("two at most, while one replaces the other")
    for secret in value:
        text = secret.get_secret_value()
        try:
            key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            key = b""
        if not text.startswith("whsec_") or len(key) < LEAST_WEBHOOK_BYTES:
            raise ValueError("must be whsec_ and at least 24 bytes in base64")
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
NumericIds = Annotated[tuple[Annotated[int, Field(gt=0)], ...], NoDecode, BeforeValidator(_numeric)]
Key = Annotated[SecretStr, AfterValidator(_strong)]
OptionalKey = Annotated[Key | None, BeforeValidator(_none_if_empty)]
Sendable = Annotated[SecretStr, AfterValidator(_sendable)]
OptionalSecret = Annotated[Sendable | None, BeforeValidator(_none_if_empty)]
Rate = Annotated[str, _reads(_rate, "a rate such as 120/minute")]
Text = Annotated[str, Field(min_length=1)]
PerMinute = Annotated[int, Field(ge=1, le=100_000)]
EmptyIsNone = BeforeValidator(_none_if_empty)
Origins = Annotated[Names, AfterValidator(_origins)]
Networks = Annotated[Names, AfterValidator(_networks)]
RotationSize = Annotated[str, _reads(size, "a size such as 10 MB")]
Aliases = Annotated[str, _reads(parse_aliases, "name=model, by comma")]
Replacements = Annotated[str, _reads(parse_replacements, "old=new or old=new+web_search, by comma")]
ExistingFile = Annotated[Path, AfterValidator(_existing)]
ServiceUrl = Annotated[HttpUrl, AfterValidator(_without_login)]
StoreUrl = Annotated[SecretStr, AfterValidator(_store)]
RedisUrl = Annotated[SecretStr | None, BeforeValidator(_none_if_empty), AfterValidator(_redis)]
WebhookSecrets = Annotated[
    tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_webhook_secrets)
]
