"""What an operator sets, read once at the start. Upper-case names; `.env.example` lists them.

Each group belongs to one part of the service. `read_settings` collects every reason not to
start, so that nobody mends a `.env` one line at a time.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, Field, HttpUrl, SecretStr, ValidationError, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

from app.checks import (
    Aliases,
    EmptyIsNone,
    ExistingFile,
    Key,
    Names,
    Networks,
    NumericIds,
    OptionalKey,
    OptionalSecret,
    Origins,
    PerMinute,
    Rate,
    RedisUrl,
    Replacements,
    RotationSize,
    ServiceUrl,
    StoreUrl,
    Text,
    WebhookSecrets,
)
from app.contradictions import Known, contradictions
from wire.supervisor import CredentialUnreadable, credentials


class Group(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class ServiceSettings(Group):
    """How the service is reached."""

    environment: Literal["development", "production"] = Field(
        "development", description="production refuses what is only fit for one's own machine"
    )
    api_host: Text = Field("127.0.0.1", description="address to listen on")
    api_port: int = Field(8001, ge=0, le=65_535, description="port to listen on")
    enable_api_docs: Annotated[bool | None, EmptyIsNone] = Field(
        None, description="/docs, /redoc, /openapi.json; empty: on in development only"
    )
    cors_origins: Origins = Field((), description="web pages that may call the API, by comma")
    trusted_proxies: Networks = Field(
        (), description="addresses whose X-Forwarded-For is believed, by comma"
    )
    http_rate_limit: Rate = Field("120/minute", description="requests without a key, per address")
    login_rate_limit: Rate = Field("10/minute", description="wrong keys, per address")
    public_stats: Annotated[bool | None, EmptyIsNone] = Field(
        None, description="GET /stats without a key; empty: in development only"
    )
    drain_seconds: int = Field(25, ge=1, le=600, description="to finish answers when stopped")
    tls_ends_at: str = Field(
        "", description="the proxy that ends TLS; needed to listen beyond this machine"
    )
    allow_root: bool = Field(
        default=False, description="run as root, where a container maps it to somebody else"
    )
    otel_exporter_otlp_endpoint: str = Field(
        "", description="where traces are sent, by OTLP over HTTP; empty: none are made"
    )

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
    log_file: Annotated[Path | None, EmptyIsNone] = Field(
        Path("logs/arash_bot_service.log"), description="empty: none"
    )
    log_format: Literal["text", "json"] = Field("text", description="text or json")
    log_rotation: RotationSize = Field("10 MB", description="size at which a new file begins")


class KeySettings(Group):
    """Who may call. `make env` makes all of them."""

    internal_api_key: Key = Field(description="key of the internal platform")
    bot_api_key: Key = Field(description="key by which the Telegram bot proves itself")
    admin_api_key: OptionalKey = Field(
        None, description="key of the admin calls; empty: INTERNAL_API_KEY has that scope"
    )
    metrics_api_key: OptionalKey = Field(
        None, description="key that reads /metrics alone; empty: the admin key does"
    )
    encryption_key_file: ExistingFile = Field(
        Path("secrets/encryption.key"), description="file with the key that seals stored text"
    )

    def secrets(self) -> dict[str, str]:
        """Return the values by name, for the start check and the log net only."""
        found = {
            "INTERNAL_API_KEY": self.internal_api_key,
            "BOT_API_KEY": self.bot_api_key,
            "ADMIN_API_KEY": self.admin_api_key,
            "METRICS_API_KEY": self.metrics_api_key,
        }
        return {name: key.get_secret_value() for name, key in found.items() if key is not None}


class ModelSettings(Group):
    """The AI provider and the models."""

    openrouter_service_url: ServiceUrl = Field(
        HttpUrl("https://openrouter.ai/api/v1"), description="base URL of the provider"
    )
    openrouter_api_key: OptionalSecret = Field(
        None, description="key of the provider; empty: no AI answers"
    )
    openrouter_dialect: Literal["openrouter", "openai"] = Field(
        "openrouter", description="openai for any compatible gateway"
    )
    max_tokens: int = Field(1500, ge=16, le=200_000, description="of one answer")
    model_aliases: Aliases = Field("", description="more short names: name=model, by comma")
    model_replacements: Replacements = Field(
        "", description="for models that are gone: old=new or old=new+web_search, by comma"
    )
    replacement_max_price: Annotated[Decimal, Field(gt=0, le=10_000)] = Field(
        Decimal(20), description="USD per million output tokens; dearer ones never replace"
    )
    daily_spend_limit_usd: Annotated[Decimal | None, EmptyIsNone] = Field(
        None, gt=0, le=1_000_000, description="of all AI answers in a day, by UTC; empty: no limit"
    )
    unlimited_spend: Literal["", "yes-i-mean-it"] = Field(
        "", description="yes-i-mean-it: production without DAILY_SPEND_LIMIT_USD"
    )


class PlatformSettings(Group):
    """What each platform may do."""

    telegram_model: Text = Field("google/gemini-2.0-flash-001", description="the one model")
    telegram_rate_limit: PerMinute = Field(20, description="messages per person and minute")
    telegram_max_history: int = Field(10, ge=0, le=200, description="messages remembered")
    telegram_commands: Names = Field(
        ("start", "help", "status", "translate"), description="commands that are on, by comma"
    )
    internal_default_model: Text = Field("openai/gpt-5-chat", description="where none is chosen")
    internal_models: Names = Field((), description="by comma; empty: the default list")
    internal_rate_limit: PerMinute = Field(60, description="messages per person and minute")
    internal_max_history: int = Field(30, ge=0, le=200, description="messages remembered")
    internal_admin_users: Names = Field(
        (), description="user ids, by comma, who may share their sign-in to Plume"
    )
    internal_webhook_secret: WebhookSecrets = Field(
        (), description="whsec_ and base64; two by comma while one replaces the other"
    )
    session_timeout_minutes: float = Field(
        30, gt=0, le=43_200, description="a conversation is forgotten after so long in silence"
    )


class TelegramSettings(Group):
    """The bot, as far as the service knows it."""

    telegram_bot_token: OptionalSecret = Field(
        None, description="of the bot; the service needs it to fetch pictures"
    )
    telegram_api_base: ServiceUrl = Field(
        HttpUrl("https://api.telegram.org"), description="where Telegram's Bot API is"
    )
    telegram_webhook_url: str = Field(
        "", description="public address of /webhook/telegram; empty: the bot polls"
    )
    telegram_webhook_secret: OptionalKey = Field(
        None, description="that Telegram shows with each update; needed with a webhook"
    )
    telegram_admin_users: NumericIds = Field((), description="numeric ids, by comma")
    telegram_allowed_users: NumericIds = Field(
        (), description="numeric ids, by comma; empty: everybody"
    )
    telegram_daily_turns: Annotated[int | None, EmptyIsNone] = Field(
        None, ge=1, description="messages per person and day; empty: no limit"
    )


class PlumeSettings(Group):
    """Plume Cloud, whose networks are looked at."""

    plume_enabled: bool = Field(default=True, description="look at networks at all")
    plume_sso_url: ServiceUrl = Field(
        HttpUrl("https://external.sso.plume.com/oauth2/ausc034rgdEZKz75I357/v1/token"),
        description="where partners sign in; each Plume cloud has its own",
    )
    plume_api_base: ServiceUrl = Field(
        HttpUrl("https://piranha-gamma.prod.us-west-2.aws.plumenet.io/api/"),
        description="the Customer API of that cloud",
    )
    plume_reports_base: ServiceUrl = Field(
        HttpUrl("https://piranha-gamma.prod.us-west-2.aws.plumenet.io/reports/"),
        description="the Reports API of that cloud",
    )
    plume_reports_client_id: bool = Field(
        default=False, description="send the client id with reports, where they answer 401 without"
    )
    plume_calls_per_second: int = Field(
        6, ge=2, le=10_000, description="of all who share a Redis; Plume advises 6 per address"
    )
    network_in_groups: bool = Field(
        default=False, description="answer network commands in groups too, where all can read"
    )


class ImageSettings(Group):
    enable_image_processing: bool = Field(default=True, description="take pictures at all")
    max_image_size_mb: int = Field(20, ge=1, le=100, description="of one message, decoded")


class StorageSettings(Group):
    """Where everything is kept, and what several instances share."""

    database_url: StoreUrl = Field(
        SecretStr("sqlite:///data/arash.db"),
        description="sqlite:///a/file, or postgresql:// with user, password, host and database",
    )
    redis_url: RedisUrl = Field(
        None, description="redis:// or rediss://; needed where several instances share a database"
    )

    def passwords(self) -> list[str]:
        """Return those within the URLs, for the log net only."""
        urls = [self.database_url, *([self.redis_url] if self.redis_url else [])]
        found = (make_url(url.get_secret_value()).password for url in urls)
        return [str(password) for password in found if password]


class Settings(BaseModel):
    """All groups."""

    service: ServiceSettings
    log: LogSettings
    keys: KeySettings
    models: ModelSettings
    platforms: PlatformSettings
    telegram: TelegramSettings
    plume: PlumeSettings
    images: ImageSettings
    storage: StorageSettings

    def by_name(self) -> Known:
        """Return all settings without their groups, by their names in lower case."""
        return {name: value for _, group in self for name, value in group}

    def secrets(self) -> list[str]:
        """Return every secret value, for the log net only."""
        others = (
            self.models.openrouter_api_key,
            self.telegram.telegram_bot_token,
            self.telegram.telegram_webhook_secret,
            *self.platforms.internal_webhook_secret,
        )
        given = (secret.get_secret_value() for secret in others if secret is not None)
        return [*self.keys.secrets().values(), *given, *self.storage.passwords()]


GROUPS: dict[str, type[Group]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Group)
}
# The bot reads its own from the same file: each name, its default and one line of it.
ELSEWHERE = {
    "SERVICE_URL": ("http://127.0.0.1:8001", "where the bot reaches the service"),
    "TELEGRAM_LOG_FILE": ("logs/panoptes_bot.log", "empty: none"),
    "SERVICE_NETWORK_IS_PRIVATE": (
        "false",
        "true: nobody else is on the network to SERVICE_URL (Compose, Kubernetes), so http will do",
    ),
}


class SettingsRefused(Exception):
    """The service must not start so. `reasons` are lines without any value in them.

    `known` are the settings that are fine by themselves, by name.
    """

    def __init__(self, reasons: list[str], known: Known | None = None) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
        self.known = known or {}


def names() -> list[str]:
    """Return the name of every setting, in the order of their groups."""
    return [field.upper() for group in GROUPS.values() for field in group.model_fields]


def read_settings(env_file: Path | None = Path(".env"), **given: Any) -> Settings:
    """Return the settings, of the first place that has each.

    These are the files of `$CREDENTIALS_DIRECTORY`, the environment, `env_file`, the defaults.
    `given` is for tests and goes before all.

    Raises:
        SettingsRefused: with every reason, one line each.
    """
    reasons: list[str] = []
    groups: dict[str, Any] = {}
    known: dict[str, Any] = {}
    present = env_file if env_file is not None and env_file.is_file() else None
    if present is not None:
        reasons += [f"{name}: no such setting; see .env.example" for name in _strangers(present)]
    # Before the environment: a file was handed to this process alone, while an empty line of a
    # copied .env.example would switch the setting off.
    try:
        given = credentials(names()) | given
    except CredentialUnreadable as error:
        reasons.append(str(error))
    for name, group in GROUPS.items():
        mine = {key: value for key, value in given.items() if key in group.model_fields}
        try:
            groups[name] = group(_env_file=present, **mine)
            known |= dict(groups[name])
        except ValidationError as error:
            details = error.errors(include_input=False)
            reasons += dict.fromkeys(_reason(detail) for detail in details)
            bad = {str(detail["loc"][0]) for detail in details}
            known |= _rest(group, bad, mine | {"_env_file": present})
    reasons += contradictions(known)
    if reasons:
        raise SettingsRefused(reasons, known)
    return Settings(**groups)


def _rest(group: type[Group], bad: set[str], given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a group but for the `bad` ones: there may be more to say of them."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in group.model_fields.items()
        if name not in bad
    }
    fine = {name: value for name, value in given.items() if name not in bad}
    return dict(create_model(group.__name__, __base__=Group, **fields)(**fine))


def _strangers(file: Path) -> list[str]:
    try:
        found = dotenv_values(file)
    except (OSError, UnicodeDecodeError):
        raise SettingsRefused([f"{file}: cannot be read as UTF-8 text"]) from None
    return sorted(set(found) - {*names(), *ELSEWHERE})


def _reason(detail: Mapping[str, Any]) -> str:
    name = str(detail["loc"][0]).upper() if detail["loc"] else "settings"
    if detail["type"] == "missing":
        return f"{name}: is not set"
    return f"{name}: {str(detail['msg']).removeprefix('Value error, ')}"


def example() -> str:
    """Return the text of `.env.example`: every setting, its default and one line of it."""
    lines = ["# Copy to .env, or let `make env` write one with fresh keys.", ""]
    for group in GROUPS.values():
        if group.__doc__ and group.__doc__ != Group.__doc__:
            lines += [f"# ---- {group.__doc__.splitlines()[0]}", ""]
        for name, field in group.model_fields.items():
            default = "" if field.is_required() else shown_default(field.default)
            lines += [f"# {field.description}", f"{name.upper()}={default}", ""]
    lines += ["# ---- What the bot reads besides.", ""]
    for name, (default, description) in ELSEWHERE.items():
        lines += [f"# {description}", f"{name}={default}", ""]
    return "\n".join(lines).rstrip() + "\n"


def shown_default(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(str(item) for item in default)
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, SecretStr):  # none of ours is a secret
        return default.get_secret_value()
    return "" if default is None else str(default)
