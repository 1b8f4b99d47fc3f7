"""Dead letters, and the money of today: asked of the running service, which owns them.

Its database is locked while it runs, and while it does not nothing could be delivered anyway.
"""

from typing import Any

from app.admin.checks.outside import Unreachable, ask
from app.admin.checks.service import OK, UNAUTHORIZED, address, admin_key
from app.admin.refusal import Refused
from app.http import open_client
from app.settings import Settings


async def dead(settings: Settings) -> tuple[list[dict[str, Any]], int]:
    """Return the dead letters, the latest first, and how many updates nobody could read.

    Raises:
        Refused: the service does not answer, or not to us.
    """
    told = await _asked(settings, "GET", "/admin/deliveries")
    return list(told.get("refused") or ()), int(told.get("unreadable_updates") or 0)


async def redrive(settings: Settings, number: int | None) -> int:
    """Open one dead letter again, or all of them; return how many.

    Raises:
        Refused: the service does not answer, or not to us.
    """
    query = "" if number is None else f"?delivery_id={number}"
    told = await _asked(settings, "POST", f"/admin/redrive{query}")
    return int(told.get("redriven") or 0)


async def spend(settings: Settings) -> dict[str, Any] | None:
    """Return what AI answers cost today, None where there is no limit.

    Raises:
        Refused: the service does not answer, or not to us.
    """
    told = await _asked(settings, "GET", "/health")
    found: dict[str, Any] | None = (told.get("detail") or {}).get("spend")
    return found


async def _asked(settings: Settings, method: str, path: str) -> Any:
    base = address(settings.service)
    async with open_client() as http:
        try:
            said = await ask(http, method, f"{base}{path}", admin_key(settings.keys))
        except Unreachable:
            raise Refused(f"No service answers at {base}; start it first.") from None
    if said.status == UNAUTHORIZED:
        raise Refused(f"The service at {base} does not take ADMIN_API_KEY; restart it.")
    if said.status != OK:
        raise Refused(f"The service at {base} refused ({said.status}): {said.body.get('response')}")
    return said.body
