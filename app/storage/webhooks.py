"""Signed calls, each once: whoever says one again, or recorded it, changes nothing."""

from typing import Final

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from app.storage.tables import webhooks

KEPT_SECONDS: Final = 86_400.0  # a signature is good for five minutes


def first_status(
    db: Connection, platform: str, webhook_id: str, status: int, now: float
) -> int | None:
    """Note a call that is answered by `status`; return how it was answered before, None if new."""
    values = {"platform": platform, "webhook_id": webhook_id, "status": status, "received_at": now}
    if db.execute(insert(webhooks).on_conflict_do_nothing(), values).rowcount == 1:
        return None
    mine = (webhooks.c.platform == platform, webhooks.c.webhook_id == webhook_id)
    found: int = db.execute(select(webhooks.c.status).where(*mine)).scalar_one()
    return found


def sweep(db: Connection, now: float) -> None:
    db.execute(delete(webhooks).where(webhooks.c.received_at <= now - KEPT_SECONDS))
