"""The running service: does it answer here, and there where the bot looks for it."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx

from app import __version__, starting
from app.admin.checks.outside import TOO_LATE, Said, Unreachable, ask
from app.admin.findings import Case, Finding, broken, doubtful, fine
from app.http import open_client
from app.settings import KeySettings, ServiceSettings
from app.starting import CannotListen

PIECE, BOT = "service", "way of the bot"
OK, UNAUTHORIZED, UNAVAILABLE = 200, 401, 503
RESTART = "restart it: it runs with other settings than these"
ANYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to reach it


def address(settings: ServiceSettings) -> str:
    """Return where a service of this machine is reached."""
    host = ANYWHERE.get(settings.api_host, settings.api_host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.api_port}"


def admin_key(keys: KeySettings) -> str:
    return (keys.admin_api_key or keys.internal_api_key).get_secret_value()


async def service(case: Case) -> list[Finding]:
    settings, keys = case.settings.service, case.settings.keys
    base = address(settings)
    async with open_client() as http:
        try:
            live = await ask(http, "GET", f"{base}/health/live")
        except Unreachable as unreachable:
            return [_away(settings, str(unreachable))]
        if live.body != {"status": "live"}:
            todo = "end it, or set another API_PORT"
            return [broken(PIECE, "another program answers on API_PORT", todo)]
        try:
            health = await ask(http, "GET", f"{base}/health", admin_key(keys))
            root = await ask(http, "GET", f"{base}/")
            refused = [name async for name in _refused(http, base, keys)]
        except Unreachable:
            return [broken(PIECE, "it broke off its answer", "look into its log")]
    found = [broken(PIECE, f"it does not take {name}", RESTART) for name in refused]
    found += _health(health)
    if root.body.get("version") not in {None, __version__}:
        found.append(doubtful(PIECE, "it runs another version than this one", "restart it"))
    return found or [fine(PIECE, "it runs, is ready, and takes the keys")]


async def bot(case: Case) -> list[Finding]:
    """Go the way of the bot, where there is one."""
    if case.settings.telegram.telegram_bot_token is None:
        return []
    url = case.elsewhere["SERVICE_URL"].rstrip("/")
    key = case.settings.keys.bot_api_key.get_secret_value()
    todo = "mend SERVICE_URL: where the bot reaches the service"
    async with open_client() as http:
        try:
            ready = await ask(http, "GET", f"{url}/health/ready")
            # The service says 200 and this, or 503.
            if ready.body != {"status": "ready"} and ready.status != UNAVAILABLE:
                return [broken(BOT, "another program answers at SERVICE_URL", todo)]
            known = await ask(http, "GET", f"{url}/health", key)
        except (Unreachable, httpx.InvalidURL, httpx.UnsupportedProtocol):
            return [broken(BOT, "nobody answers at SERVICE_URL", todo)]
    if known.status == UNAUTHORIZED:
        same = "give service and bot the same BOT_API_KEY, and restart both"
        return [broken(BOT, "the service does not take BOT_API_KEY", same)]
    if ready.status != OK:
        return [broken(BOT, "the service at SERVICE_URL is not ready", "look into its log")]
    return [fine(BOT, "the service answers at SERVICE_URL and takes BOT_API_KEY")]


def _away(settings: ServiceSettings, how: str) -> Finding:
    if how == TOO_LATE:
        todo = "if it is the service, it hangs: restart it; else set another API_PORT"
        return broken(PIECE, "what listens on API_PORT says nothing", todo)
    try:
        starting.bound(settings.api_host, settings.api_port).close()
    except CannotListen:
        todo = "end what has the port, or set another API_PORT or API_HOST"
        return broken(PIECE, "its address cannot be listened on", todo)
    return broken(PIECE, "it does not run here", "start it: `python run_service.py`, or its unit")


async def _refused(http: httpx.AsyncClient, base: str, keys: KeySettings) -> AsyncIterator[str]:
    for name, key in keys.secrets().items():
        if name == "BOT_API_KEY":
            continue  # the way of the bot tells
        path = "/metrics" if name == "METRICS_API_KEY" else "/health"
        if (await ask(http, "GET", f"{base}{path}", key)).status == UNAUTHORIZED:
            yield name


def _health(said: Said) -> Iterator[Finding]:
    parts: Mapping[str, Any] = said.body.get("components") or {}
    detail: Mapping[str, Any] = said.body.get("detail") or {}
    if parts.get("storage") == "degraded":
        yield broken(PIECE, "it cannot use its storage", "see storage and disk; look into its log")
    if parts.get("api") == "degraded":
        yield doubtful(PIECE, "it is stopping", "wait, or start it")
    if detail.get("openrouter"):
        what = f"its last AI answer failed ({detail['openrouter']})"
        yield doubtful(PIECE, what, "see OpenRouter; `grep llm. logs/…` tells more")
    if detail.get("plume"):
        what = f"its last call to Plume failed ({detail['plume']})"
        yield doubtful(PIECE, what, "see Plume; `grep plume. logs/…` tells more")
    if (detail.get("spend") or {}).get("used_up"):
        todo = "it is back at midnight UTC; sooner with a higher DAILY_SPEND_LIMIT_USD"
        yield broken("spend", "the money of today is used up, so there are no AI answers", todo)
