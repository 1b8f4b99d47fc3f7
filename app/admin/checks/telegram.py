"""Telegram: the token, and whether updates come by the way that is configured."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from app.admin.checks.outside import Unreachable, ask
from app.admin.findings import Case, Finding, broken, doubtful, fine
from app.admin.screen import shown
from app.http import open_client

OK = 200
REFUSED = frozenset({401, 403, 404})
MANY_WAIT = 100
RECENT = 3600.0  # seconds
LONGEST_REASON = 100  # characters
PIECE = "Telegram"


async def telegram(case: Case) -> list[Finding]:
    settings = case.settings.telegram
    token = settings.telegram_bot_token
    if token is None:
        todo = "for a bot: a token of @BotFather into TELEGRAM_BOT_TOKEN"
        return [doubtful(PIECE, "it is off: there is no token", todo)]
    base = f"{str(settings.telegram_api_base).rstrip('/')}/bot{token.get_secret_value()}"
    async with open_client() as http:
        case.clocks.listen(http, PIECE)
        try:
            me = await ask(http, "POST", f"{base}/getMe")
            if me.status in REFUSED:
                todo = "copy the token again from @BotFather into TELEGRAM_BOT_TOKEN"
                return [broken(PIECE, "the token is refused", todo)]
            told = await ask(http, "POST", f"{base}/getWebhookInfo")
        except Unreachable:
            todo = "check the network, DNS, and TELEGRAM_API_BASE"
            return [broken(PIECE, "it does not answer", todo)]
    info = told.body.get("result")
    if me.status != OK or told.status != OK or not isinstance(info, dict):
        what = f"it answers with {max(me.status, told.status)}"
        return [broken(PIECE, what, "try again later; if it stays so, check TELEGRAM_API_BASE")]
    found = list(_webhook(info, settings.telegram_webhook_url))
    way = "by webhook" if settings.telegram_webhook_url else "by polling"
    return found or [fine(PIECE, f"the token is taken, updates come {way}")]


def _webhook(info: Mapping[str, Any], wanted: str) -> Iterator[Finding]:
    url = str(info.get("url") or "")
    if url and not wanted:
        yield broken(
            PIECE,
            "a webhook is set, so a polling bot hears nothing",
            "start the bot, which removes it; or set TELEGRAM_WEBHOOK_URL",
        )
    elif wanted and not url:
        yield broken(PIECE, "no webhook is set there", "start the bot, which sets it")
    elif url != wanted:
        yield broken(
            PIECE,
            "the webhook that is set is not TELEGRAM_WEBHOOK_URL",
            "restart the bot, which sets it; does another program use this token?",
        )
    at = info.get("last_error_date")
    if url and isinstance(at, int | float) and time.time() - at < RECENT:
        reason = shown(info.get("last_error_message", ""))[:LONGEST_REASON]
        yield broken(
            PIECE,
            f"it could not call the webhook within the last hour: {reason}",
            "check the proxy, its certificate and TELEGRAM_WEBHOOK_SECRET",
        )
    waiting = info.get("pending_update_count")
    if isinstance(waiting, int) and waiting > MANY_WAIT:
        yield doubtful(
            PIECE, f"{waiting} updates wait to be fetched", "is the bot running? look into its log"
        )
