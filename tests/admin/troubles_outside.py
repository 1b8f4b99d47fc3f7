"""What can be wrong with those that the service depends on, and what `doctor` says of it."""

from tests.admin import mishaps
from tests.admin.clinic import MODEL
from tests.admin.mishaps import HOOK, WEBHOOK, env, webhook
from tests.admin.troubles import NOBODY, PASSWORD, Trouble

BLIND = "deepseek/deepseek-chat-v3-0324"

OUTSIDE = [
    Trouble(
        "no OpenRouter key",
        env(OPENROUTER_API_KEY=""),
        "OpenRouter",
        "no key",
        "OPENROUTER_API_KEY",
    ),
    Trouble(
        "a refused OpenRouter key",
        mishaps.key_withdrawn,
        "OpenRouter",
        "key is refused",
        "OPENROUTER_API_KEY",
    ),
    Trouble("no credit", mishaps.no_credit, "OpenRouter", "used up", "add credit"),
    Trouble(
        "little credit", mishaps.little_credit, "OpenRouter", "little credit is left", "add credit"
    ),
    Trouble(
        "OpenRouter is away",
        env(OPENROUTER_SERVICE_URL=NOBODY),
        "OpenRouter",
        "does not answer",
        "OPENROUTER_SERVICE_URL",
    ),
    Trouble(
        "OpenRouter is frozen",
        mishaps.frozen_provider,
        "OpenRouter",
        "no answer within 1 s",
        "frozen",
    ),
    Trouble(
        "a model without successor",
        mishaps.model_retired,
        "models",
        f"{MODEL} is gone",
        "MODEL_REPLACEMENTS",
    ),
    Trouble(
        "a model with successor",
        env(INTERNAL_MODELS="x-ai/grok-4"),
        "models",
        "x-ai/grok-4.3 answers instead",
        "setting",
    ),
    Trouble(
        "a model that is blind",
        env(TELEGRAM_MODEL=BLIND),
        "models",
        "takes no pictures",
        "TELEGRAM_MODEL",
    ),
    Trouble("no token", env(TELEGRAM_BOT_TOKEN=""), "Telegram", "off", "@BotFather"),
    Trouble("a refused token", mishaps.no_token, "Telegram", "token is refused", "@BotFather"),
    Trouble(
        "Telegram is away", env(TELEGRAM_API_BASE=NOBODY), "Telegram", "does not answer", "network"
    ),
    Trouble("Telegram fails", mishaps.telegram_fails, "Telegram", "502", "later"),
    Trouble(
        "a webhook beside polling", webhook(HOOK), "Telegram", "a webhook is set", "start the bot"
    ),
    Trouble("no webhook yet", env(**WEBHOOK), "Telegram", "no webhook is set", "start the bot"),
    Trouble(
        "a webhook elsewhere",
        mishaps.webhook_elsewhere,
        "Telegram",
        "not TELEGRAM_WEBHOOK_URL",
        "restart the bot",
    ),
    Trouble("a webhook that fails", mishaps.webhook_fails, "Telegram", "could not call", "proxy"),
    Trouble(
        "the bot is away", mishaps.bot_away, "Telegram", "120 updates wait", "is the bot running"
    ),
    Trouble(
        "a refused sign-in", mishaps.sign_in_refused, "Plume", "the sign-in is refused", "/setup"
    ),
    Trouble("Plume fails", mishaps.plume_fails, "Plume", "as it should", "PLUME_API_BASE"),
    Trouble(
        "a wrong address of Plume",
        env(PLUME_SSO_URL=f"{NOBODY}/token"),
        "Plume",
        "as it should",
        "PLUME_SSO_URL",
    ),
    Trouble(
        "Redis is away",
        env(REDIS_URL=f"redis://:{PASSWORD}@127.0.0.1:9"),
        "Redis",
        "does not answer",
        "REDIS_URL",
    ),
]
