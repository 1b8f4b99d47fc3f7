"""What the operator sets for the bot: the `.env` of the service, and a few names more."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

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


class BotSettings(BaseSettings):
    """How the bot reaches Telegram and the service."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

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


def read_settings(env_file: Path | None = Path(".env"), **given: Any) -> BotSettings:
    """Return the settings of the environment, before those of `env_file`, before the defaults.

    `given` is for tests and goes before all.

    Raises:
        SettingsRefused: with every reason, one line each.
    """
    try:
        settings = BotSettings(_env_file=env_file, **given)
    except ValidationError as error:
        raise SettingsRefused([_reason(detail) for detail in error.errors()]) from None
    except (SettingsError, OSError, UnicodeDecodeError):
        raise SettingsRefused([f"{env_file}: cannot be read as UTF-8 text"]) from None
    if reasons := _contradictions(settings):
        raise SettingsRefused(reasons)
    return settings


def _reason(detail: Mapping[str, Any]) -> str:
    name = str(detail["loc"][0]).upper() if detail["loc"] else "settings"
    if detail["type"] == "missing":
        return f"{name}: is not set"
    return f"{name}: {str(detail['msg']).removeprefix('Value error, ')}"


def _contradictions(settings: BotSettings) -> list[str]:
    reasons = []
    if settings.environment == "production" and _in_the_open(settings.service_url):
        reasons.append("SERVICE_URL: must be https beyond this machine")
    # The token is part of every URL there.
    if _in_the_open(settings.telegram_api_base):
        reasons.append("TELEGRAM_API_BASE: must be https beyond this machine")
    hook = settings.telegram_webhook_url
    if hook is not None and hook.scheme != "https":
        reasons.append("TELEGRAM_WEBHOOK_URL: must be https")
    if hook is not None and settings.telegram_webhook_secret is None:
        reasons.append("TELEGRAM_WEBHOOK_SECRET: is needed with TELEGRAM_WEBHOOK_URL")
    return reasons


def _in_the_open(url: HttpUrl) -> bool:
    return url.scheme != "https" and not loopback(url)


def loopback(url: HttpUrl) -> bool:
    host = url.host or ""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
