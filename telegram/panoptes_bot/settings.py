"""What the operator sets for the bot: the `.env` of the service, and a few names more."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    create_model,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from wire.supervisor import CredentialUnreadable, credentials

ROOT = 0  # the user id
LEAST_SECRET = 32  # characters, as in the service: both read the same key
LEAST_VARIETY = 10  # different characters in a secret
PLACEHOLDERS = ("changeme", "your_", "your-", "example", "secret_here", "xxxx")
TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{8,100}", re.ASCII)
WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)


def _token(value: SecretStr) -> SecretStr:
    if not TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("is no bot token; @BotFather gives one of the form number:letters")
    return value


def _strong(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < LEAST_SECRET:
        raise ValueError(f"needs at least {LEAST_SECRET} characters")
    if any(word in text.lower() for word in PLACEHOLDERS) or len(set(text)) < LEAST_VARIETY:
        raise ValueError("is a placeholder or too simple")
    # A client library would put all of a header that it refuses into the text of its error.
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be printable ASCII without blanks")
    return value


def _showable(value: SecretStr) -> SecretStr:
    if not WEBHOOK_SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("may hold only letters, digits, _ and -")
    return value


def _without_login(value: HttpUrl) -> HttpUrl:
    if value.username or value.password:
        raise ValueError("must not hold a user or password")
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Url = Annotated[HttpUrl, AfterValidator(_without_login)]
Key = Annotated[SecretStr, AfterValidator(_strong)]
EmptyIsNone = BeforeValidator(_none_if_empty)


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class BotSettings(_Settings):
    """How the bot reaches Telegram and the service."""

    environment: Literal["development", "production"] = "development"
    telegram_bot_token: Annotated[SecretStr, AfterValidator(_token)]
    bot_api_key: Key
    service_url: Url = HttpUrl("http://127.0.0.1:8001")
    telegram_api_base: Url = HttpUrl("https://api.telegram.org")
    telegram_webhook_url: Annotated[Url | None, EmptyIsNone] = Field(
        None, description="where Telegram calls POST /webhook/telegram; empty: the bot asks"
    )
    telegram_webhook_secret: Annotated[
        Annotated[Key, AfterValidator(_showable)] | None, EmptyIsNone
    ] = None
    telegram_log_file: Annotated[Path | None, EmptyIsNone] = Path("logs/panoptes_bot.log")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    service_network_is_private: bool = False
    allow_root: bool = False

    def secrets(self) -> list[str]:
        """Return every secret value, for the log net only."""
        found = (self.telegram_bot_token, self.bot_api_key, self.telegram_webhook_secret)
        return [secret.get_secret_value() for secret in found if secret is not None]


class SettingsRefused(Exception):
    """The bot must not start so. `reasons` are lines without any value in them."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def names() -> list[str]:
    return [field.upper() for field in BotSettings.model_fields]


def read_settings(
    env_file: Path | None = Path(".env"), *, user: int | None = None, **given: Any
) -> BotSettings:
    """Return the settings, of the first place that has each.

    These are the files of `$CREDENTIALS_DIRECTORY`, the environment, `env_file`, the defaults.
    `given` is for tests and goes before all. `user` is who runs the bot, where that matters.

    Raises:
        SettingsRefused: with every reason, one line each.
    """
    reasons: list[str] = []
    known: dict[str, Any] = {}
    settings: BotSettings | None = None
    try:
        given = credentials(names()) | given
    except CredentialUnreadable as error:
        reasons.append(str(error))
    try:
        settings = BotSettings(_env_file=env_file, **given)
        known = dict(settings)
    except ValidationError as error:
        details = error.errors()
        reasons += [_reason(detail) for detail in details]
        known = _rest({str(detail["loc"][0]) for detail in details}, env_file, given)
    except (SettingsError, OSError, UnicodeDecodeError):
        raise SettingsRefused([f"{env_file}: cannot be read as UTF-8 text"]) from None
    reasons += _contradictions(known, user)
    if reasons or settings is None:
        raise SettingsRefused(reasons)
    return settings


def _rest(bad: set[str], env_file: Path | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings but for the `bad` ones: there may be more to say of them."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in BotSettings.model_fields.items()
        if name not in bad
    }
    fine = {name: value for name, value in given.items() if name not in bad}
    rest = create_model("BotSettings", __base__=_Settings, **fields)
    return dict(rest(_env_file=env_file, **fine))


def _reason(detail: Mapping[str, Any]) -> str:
    name = str(detail["loc"][0]).upper() if detail["loc"] else "settings"
    if detail["type"] == "missing":
        return f"{name}: is not set"
    return f"{name}: {str(detail['msg']).removeprefix('Value error, ')}"


def _contradictions(known: Mapping[str, Any], user: int | None) -> Iterator[str]:
    """Yield what each setting allows alone, of those that are fine by themselves."""
    production = known.get("environment") == "production"
    if production and user == ROOT and not known.get("allow_root"):
        yield (
            "ALLOW_ROOT: the bot runs as root; run it as a user of its own, or set "
            "ALLOW_ROOT=true where a container maps root to somebody else"
        )
    private = not production or known.get("service_network_is_private", True)
    if not private and _in_the_open(known.get("service_url")):
        yield (
            "SERVICE_URL: must be https beyond this machine, or set "
            "SERVICE_NETWORK_IS_PRIVATE=true where nobody else is on that network"
        )
    # The token is part of every URL there.
    if _in_the_open(known.get("telegram_api_base")):
        yield "TELEGRAM_API_BASE: must be https beyond this machine"
    secret = known.get("telegram_webhook_secret")
    if (hook := known.get("telegram_webhook_url")) is not None:
        if hook.scheme != "https":
            yield "TELEGRAM_WEBHOOK_URL: must be https"
        if _holds_token(str(hook), known.get("telegram_bot_token")):
            yield "TELEGRAM_WEBHOOK_URL: must not hold the token; logs of proxies hold addresses"
        if secret is None and "telegram_webhook_secret" in known:
            yield "TELEGRAM_WEBHOOK_SECRET: is needed with TELEGRAM_WEBHOOK_URL"
    if secret is not None and secret == known.get("bot_api_key"):
        yield (
            "BOT_API_KEY, TELEGRAM_WEBHOOK_SECRET: two of them are equal; "
            "give each a value of its own"
        )


def _holds_token(url: str, token: SecretStr | None) -> bool:
    return token is not None and token.get_secret_value().partition(":")[2] in url


def _in_the_open(url: HttpUrl | None) -> bool:
    return url is not None and url.scheme != "https" and not loopback(url)


def loopback(url: HttpUrl) -> bool:
    host = url.host or ""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
