"""What each setting allows alone, but not with the others or not in production.

Every function takes the settings that are fine by themselves, by name, and says nothing of those
that are not there: somebody else has refused them.
"""

import ipaddress
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy.engine import make_url

Known = Mapping[str, Any]

SECRETS = (
    "internal_api_key",
    "bot_api_key",
    "admin_api_key",
    "metrics_api_key",
    "openrouter_api_key",
    "telegram_bot_token",
    "telegram_webhook_secret",
    "internal_webhook_secret",
)
URLS_WITH_PASSWORDS = ("database_url", "redis_url")
# What asyncpg reads by itself: a server may be reached without a password in its URL.
SIGN_IN_ELSEWHERE = ("PGPASSWORD", "PGPASSFILE", "PGSSLCERT")
UPSTREAMS = ("openrouter_service_url", "plume_sso_url", "plume_api_base", "plume_reports_base")


def contradictions(known: Known) -> list[str]:
    """Return a line for each, without any value in it."""
    found = [*_doors(known), *_equal(known), *_upstreams(known), *_webhook(known)]
    if _production(known):
        found += [*_passwords(known), *_spending(known)]
    return found


def _production(known: Known) -> bool:
    return known.get("environment") == "production"


def _doors(known: Known) -> Iterator[str]:
    if "environment" not in known:
        return
    production = _production(known)
    if production and "*" in known.get("cors_origins", ()):
        yield "CORS_ORIGINS: * is not for production; name the pages"
    if is_loopback(known.get("api_host", "localhost")):
        return
    if not production:
        yield "API_HOST: listening beyond this machine needs ENVIRONMENT=production"
    elif not known.get("tls_ends_at", "here"):
        yield (
            "TLS_ENDS_AT: listening beyond this machine is without TLS; "
            "name the proxy that ends it, or set API_HOST=127.0.0.1"
        )


def _equal(known: Known) -> Iterator[str]:
    names = defaultdict(list)
    for name in SECRETS:
        for value in _texts(known.get(name)):
            names[value].append(name.upper())
    for same in names.values():
        if len(same) > 1:
            equal = ", ".join(dict.fromkeys(same))
            yield f"{equal}: two of them are equal; give each a value of its own"


def _upstreams(known: Known) -> Iterator[str]:
    for name in UPSTREAMS:
        url = known.get(name)
        if url is None or url.scheme == "https":
            continue
        if _production(known) or not is_loopback(url.host or ""):
            yield f"{name.upper()}: must be https"
    # One's own Bot API server is on this machine in production too, and has no TLS.
    telegram = known.get("telegram_api_base")
    if telegram is not None and telegram.scheme != "https":  # noqa: SIM102 - as above
        if not is_loopback(telegram.host or ""):
            yield "TELEGRAM_API_BASE: must be https beyond this machine; the token is part of it"


def _webhook(known: Known) -> Iterator[str]:
    url = known.get("telegram_webhook_url", "")
    if not url:
        return
    if not url.startswith("https://") or not _host(url):
        yield "TELEGRAM_WEBHOOK_URL: must be https, and name a host"
    if any(_within(token, url) for token in _texts(known.get("telegram_bot_token"))):
        yield "TELEGRAM_WEBHOOK_URL: must not hold the token; logs of proxies hold addresses"
    if known.get("telegram_webhook_secret", "") is None:
        yield "TELEGRAM_WEBHOOK_SECRET: is needed with TELEGRAM_WEBHOOK_URL"


def _within(token: str, url: str) -> bool:
    return token in url or token.partition(":")[2] in url


def _passwords(known: Known) -> Iterator[str]:
    for name in URLS_WITH_PASSWORDS:
        for text in _texts(known.get(name)):
            url = make_url(text)
            # A socket of this machine has no host, or a folder as one.
            if not url.host or is_loopback(url.host) or url.password:
                continue
            if name == "redis_url":
                yield "REDIS_URL: needs a password beyond this machine; Redis calls it requirepass"
            elif not any(os.environ.get(each) for each in SIGN_IN_ELSEWHERE):
                yield (
                    "DATABASE_URL: needs a password beyond this machine, "
                    "or a client certificate in PGSSLCERT"
                )


def _spending(known: Known) -> Iterator[str]:
    wanted = ("openrouter_api_key", "openrouter_dialect", "daily_spend_limit_usd")
    if not {*wanted, "unlimited_spend"} <= set(known):
        return
    key, dialect, limit = (known[name] for name in wanted)
    # What a gateway of one's own costs is not known here.
    if key and dialect == "openrouter" and limit is None and not known["unlimited_spend"]:
        yield (
            "DAILY_SPEND_LIMIT_USD: a key that costs money needs a limit in production, "
            "or UNLIMITED_SPEND=yes-i-mean-it"
        )


def _texts(given: SecretStr | Sequence[SecretStr] | None) -> list[str]:
    if given is None:
        return []
    return [
        each.get_secret_value() for each in ([given] if isinstance(given, SecretStr) else given)
    ]


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
