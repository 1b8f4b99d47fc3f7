"""What the settings say, as the values of the parts: nothing is opened, nothing waits."""

from collections.abc import Mapping

from app.api.auth import Caller
from app.api.signed import Signatures
from app.llm import defaults
from app.llm.catalogue import Catalogue, parse_aliases, parse_replacements
from app.platforms.platform import Platform, models_of
from app.platforms.telegram import Bot
from app.settings import (
    KeySettings,
    ModelSettings,
    PlatformSettings,
    PlumeSettings,
    TelegramSettings,
)


def callers_of(keys: KeySettings) -> Mapping[str, Caller]:
    admin = keys.admin_api_key
    callers = {
        keys.internal_api_key.get_secret_value(): Caller("internal", admin=admin is None),
        keys.bot_api_key.get_secret_value(): Caller("telegram"),
    }
    if admin is not None:
        callers[admin.get_secret_value()] = Caller("", admin=True)
    if keys.metrics_api_key is not None:
        callers[keys.metrics_api_key.get_secret_value()] = Caller("", metrics=True)
    return callers


def platforms_of(
    settings: PlatformSettings, telegram: TelegramSettings, plume: PlumeSettings
) -> Mapping[str, Platform]:
    return {
        "telegram": Platform(
            name="telegram",
            networks=plume.plume_enabled,
            networks_in_groups=plume.network_in_groups,
            public=True,
            models=(settings.telegram_model,),
            rate_limit=settings.telegram_rate_limit,
            max_history=settings.telegram_max_history,
            commands=frozenset(settings.telegram_commands),
            daily_turns=telegram.telegram_daily_turns,
            allowed_users=frozenset(map(str, telegram.telegram_allowed_users)),
            admins=frozenset(map(str, telegram.telegram_admin_users)),
        ),
        "internal": Platform(
            name="internal",
            networks=plume.plume_enabled,
            networks_in_groups=plume.network_in_groups,
            public=False,
            models=models_of(
                settings.internal_default_model, settings.internal_models or defaults.MODELS
            ),
            rate_limit=settings.internal_rate_limit,
            max_history=settings.internal_max_history,
            admins=frozenset(settings.internal_admin_users),
        ),
    }


def catalogue_of(models: ModelSettings, platforms: PlatformSettings) -> Catalogue:
    return Catalogue(
        models=models_of(
            platforms.internal_default_model,
            [*(platforms.internal_models or defaults.MODELS), platforms.telegram_model],
        ),
        aliases=parse_aliases(defaults.ALIASES) | parse_aliases(models.model_aliases),
        replacements=parse_replacements(defaults.REPLACEMENTS)
        | parse_replacements(models.model_replacements),
        max_price=models.replacement_max_price,
    )


def webhook_secret_of(settings: TelegramSettings) -> str:
    secret = settings.telegram_webhook_secret
    return secret.get_secret_value() if secret is not None else ""


def signatures_of(settings: PlatformSettings) -> Signatures | None:
    secrets = [secret.get_secret_value() for secret in settings.internal_webhook_secret]
    return Signatures(secrets) if secrets else None


def bot_of(settings: TelegramSettings) -> Bot:
    """Return who the bot is, as far as its token says; Telegram tells the name."""
    token = settings.telegram_bot_token
    if token is None:
        return Bot()
    return Bot(token.get_secret_value().partition(":")[0], asked=True)
