"""What an operator sets, read once at the start. Upper-case names; `.env.example` lists them.

Each group belongs to one part of the service. `read_settings` collects every reason not to
start, so that nobody mends a `.env` one line at a time.
"""

import ipaddress
import math
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.llm.catalogue import parse_aliases, parse_replacements

LEAST_SECRET = 32  # characters
LEAST_VARIETY = 10  # different characters in a secret
PLACEHOLDERS = ("changeme", "your_", "your-", "example", "secret_here", "xxxx")


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
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be printable ASCII without blanks")
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a number")
    return value


def _readable_aliases(value: str) -> str:
    parse_aliases(value)
    return value


def _readable_replacements(value: str) -> str:
    parse_replacements(value)
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Key = Annotated[SecretStr, AfterValidator(_strong)]
OptionalKey = Annotated[Key | None, BeforeValidator(_none_if_empty)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_none_if_empty)]
PerMinute = Annotated[int, Field(ge=1, le=100_000)]


class Group(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class ServiceSettings(Group):
    """How the service is reached."""

    environment: Literal["development", "production"] = Field(
        "development", description="production refuses what is only fit for one's own machine"
    )
    api_host: str = Field("127.0.0.1", description="address to listen on")
    api_port: int = Field(8001, ge=0, le=65_535, description="port to listen on")
    enable_api_docs: Annotated[bool | None, BeforeValidator(_none_if_empty)] = Field(
        None, description="/docs, /redoc, /openapi.json; empty: on in development only"
    )
    cors_origins: Names = Field((), description="web pages that may call the API, by comma")
    trusted_proxies: Names = Field(
        (), description="addresses whose X-Forwarded-For is believed, by comma"
    )
    http_rate_limit: str = Field("120/minute", description="requests without a key, per address")
    login_rate_limit: str = Field("10/minute", description="wrong keys, per address")
    public_stats: Annotated[bool | None, BeforeValidator(_none_if_empty)] = Field(
        None, description="GET /stats without a key; empty: in development only"
    )
    drain_seconds: int = Field(25, ge=1, le=600, description="to finish answers when stopped")

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def docs(self) -> bool:
        return not self.production if self.enable_api_docs is None else self.enable_api_docs

    @property
    def open_stats(self) -> bool:
        return not self.production if self.public_stats is None else self.public_stats


class LogSettings(Group):
    """What is written down."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_file: Annotated[Path | None, BeforeValidator(_none_if_empty)] = Field(
        Path("logs/arash_bot_service.log"), description="empty: none"
    )
    log_format: Literal["text", "json"] = Field("text", description="text or json")
    log_rotation: str = Field("10 MB", description="size or time at which a new file begins")


class KeySettings(Group):
    """Who may call. `make env` makes all of them."""

    internal_api_key: Key = Field(description="key of the internal platform")
    bot_api_key: Key = Field(description="key by which the Telegram bot proves itself")
    admin_api_key: OptionalKey = Field(
        None, description="key of the admin calls; empty: INTERNAL_API_KEY has that scope"
    )
    encryption_key_file: Path = Field(
        Path("secrets/encryption.key"), description="file with the key that seals stored text"
    )

    def secrets(self) -> dict[str, str]:
        """Return the values by name, for the start check and the log net only."""
        found = {
            "INTERNAL_API_KEY": self.internal_api_key,
            "BOT_API_KEY": self.bot_api_key,
            "ADMIN_API_KEY": self.admin_api_key,
        }
        return {name: key.get_secret_value() for name, key in found.items() if key is not None}


class ModelSettings(Group):
    """The AI provider and the models."""

    openrouter_service_url: HttpUrl = Field(
        HttpUrl("https://openrouter.ai/api/v1"), description="base URL of the provider"
    )
    openrouter_api_key: OptionalSecret = Field(
        None, description="key of the provider; empty: no AI answers"
    )
    openrouter_dialect: Literal["openrouter", "openai"] = Field(
        "openrouter", description="openai for any compatible gateway"
    )
    max_tokens: int = Field(1500, ge=16, le=200_000, description="of one answer")
    model_aliases: Annotated[str, AfterValidator(_readable_aliases)] = Field(
        "", description="more short names: name=model, by comma"
    )
    model_replacements: Annotated[str, AfterValidator(_readable_replacements)] = Field(
        "", description="for models that are gone: old=new or old=new+web_search, by comma"
    )
    replacement_max_price: Annotated[Decimal, Field(gt=0, le=10_000)] = Field(
        Decimal(20), description="USD per million output tokens; dearer ones never replace"
    )


class PlatformSettings(Group):
    """What each platform may do."""

    telegram_model: str = Field("google/gemini-2.0-flash-001", description="the one model")
    telegram_rate_limit: PerMinute = Field(20, description="messages per person and minute")
    telegram_max_history: int = Field(10, ge=0, le=200, description="messages remembered")
    telegram_commands: Names = Field(
        ("start", "help", "status", "translate"), description="commands that are on, by comma"
    )
    internal_default_model: str = Field("openai/gpt-5-chat", description="where none is chosen")
    internal_models: Names = Field((), description="by comma; empty: the default list")
    internal_rate_limit: PerMinute = Field(60, description="messages per person and minute")
    internal_max_history: int = Field(30, ge=0, le=200, description="messages remembered")
    session_timeout_minutes: Annotated[float, AfterValidator(_finite)] = Field(
        30, gt=0, le=43_200, description="a conversation is forgotten after so long in silence"
    )


class ImageSettings(Group):
    enable_image_processing: bool = Field(default=True, description="take pictures at all")
    max_image_size_mb: int = Field(20, ge=1, le=100, description="of one message, decoded")


class StorageSettings(Group):
    database_url: str = Field("sqlite:///data/arash.db", description="where everything is kept")


class Settings(BaseModel):
    """All groups."""

    service: ServiceSettings
    log: LogSettings
    keys: KeySettings
    models: ModelSettings
    platforms: PlatformSettings
    images: ImageSettings
    storage: StorageSettings

    def secrets(self) -> list[str]:
        """Return every secret value, for the log net only."""
        provider = self.models.openrouter_api_key
        found = list(self.keys.secrets().values())
        return [*found, provider.get_secret_value()] if provider else found


GROUPS: dict[str, type[Group]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Group)
}
# The bot reads its own from the same file.
ELSEWHERE = frozenset({"SERVICE_URL", "TELEGRAM_BOT_TOKEN"})


class SettingsRefused(Exception):
    """The service must not start so. `reasons` are lines without any value in them."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def names() -> list[str]:
    """Return the name of every setting, in the order of their groups."""
    return [field.upper() for group in GROUPS.values() for field in group.model_fields]


def read_settings(env_file: Path | None = Path(".env"), **given: Any) -> Settings:
    """Return the settings of the environment, before those of `env_file`, before the defaults.

    `given` is for tests and goes before all.

    Raises:
        SettingsRefused: with every reason, one line each.
    """
    reasons: list[str] = []
    groups: dict[str, Group] = {}
    present = env_file if env_file is not None and env_file.is_file() else None
    if present is not None:
        known = {*names(), *ELSEWHERE}
        strangers = sorted(set(dotenv_values(present)) - known)
        reasons += [f"{name}: no such setting; see .env.example" for name in strangers]
    for name, group in GROUPS.items():
        mine = {key: value for key, value in given.items() if key in group.model_fields}
        try:
            groups[name] = group(_env_file=present, **mine)
        except ValidationError as error:
            reasons += [_reason(detail) for detail in error.errors(include_input=False)]
    if not reasons:
        settings = Settings(**groups)
        reasons = _contradictions(settings)
    if reasons:
        raise SettingsRefused(reasons)
    return settings


def _reason(detail: Mapping[str, Any]) -> str:
    name = str(detail["loc"][0]).upper() if detail["loc"] else "settings"
    if detail["type"] == "missing":
        return f"{name}: is not set"
    return f"{name}: {str(detail['msg']).removeprefix('Value error, ')}"


def _contradictions(settings: Settings) -> list[str]:
    """Return what each setting allows alone but not with the others."""
    service, keys, models = settings.service, settings.keys, settings.models
    reasons = []
    if "*" in service.cors_origins and service.production:
        reasons.append("CORS_ORIGINS: * is not for production; name the pages")
    if "*" in service.trusted_proxies:
        reasons.append("TRUSTED_PROXIES: * would let anybody choose their address; name them")
    if not service.production and not _loopback(service.api_host):
        reasons.append("API_HOST: listening beyond this machine needs ENVIRONMENT=production")
    values = keys.secrets()
    if len(set(values.values())) < len(values):
        reasons.append(f"{', '.join(values)}: two of them are equal; `make env` makes new ones")
    url = models.openrouter_service_url
    if url.username or url.password:
        reasons.append("OPENROUTER_SERVICE_URL: must not hold a user or password")
    if url.scheme != "https" and (service.production or not _loopback(url.host or "")):
        reasons.append("OPENROUTER_SERVICE_URL: must be https")
    try:
        if make_url(settings.storage.database_url).get_backend_name() != "sqlite":
            reasons.append("DATABASE_URL: must begin with sqlite:///")
    except ArgumentError:
        reasons.append("DATABASE_URL: is no database URL such as sqlite:///data/arash.db")
    if not keys.encryption_key_file.is_file():
        reasons.append("ENCRYPTION_KEY_FILE: there is no such file")
    return reasons


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def example() -> str:
    """Return the text of `.env.example`: every setting, its default and one line of it."""
    lines = ["# Copy to .env, or let `make env` write one with fresh keys.", ""]
    for group in GROUPS.values():
        if group.__doc__ and group.__doc__ != Group.__doc__:
            lines += [f"# ---- {group.__doc__.splitlines()[0]}", ""]
        for name, field in group.model_fields.items():
            default = "" if field.is_required() else _shown(field.default)
            lines += [f"# {field.description}", f"{name.upper()}={default}", ""]
    return "\n".join(lines).rstrip() + os.linesep


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(str(item) for item in default)
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None else str(default)
