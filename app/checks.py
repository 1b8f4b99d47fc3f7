"""What a single setting may be. No error quotes the value: it may be a secret in the wrong line."""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from limits import parse
from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.llm.catalogue import parse_aliases, parse_replacements
from app.logs import size

LEAST_SECRET = 32  # characters
LEAST_VARIETY = 10  # different characters in a secret
PLACEHOLDERS = ("changeme", "your_", "your-", "example", "secret_here", "xxxx")
# What a browser sends as `Origin`: never a path, never a capital letter.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


def _listed(value: object) -> object:
    if isinstance(value, str):
        return tuple(item for item in (part.strip() for part in value.split(",")) if item)
    return value


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


def _sqlite(value: str) -> str:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError("is no database URL such as sqlite:///data/arash.db") from None
    if url.drivername != "sqlite" or url.host:
        raise ValueError("must begin with sqlite:///")
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
NumericIds = Annotated[tuple[Annotated[int, Field(gt=0)], ...], NoDecode, BeforeValidator(_listed)]
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
SqliteUrl = Annotated[str, AfterValidator(_sqlite)]
