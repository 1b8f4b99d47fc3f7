"""What the routes work with. `app.main` puts it together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.api.auth import Keys
from app.api.health import Health
from app.api.signed import Signatures
from app.chat.inbox import Inbox
from app.chat.memory import Memory
from app.chat.outbox import Outbox
from app.chat.processor import Processor
from app.errors import Stopping
from app.panoptes.panoptes import Panoptes
from app.platforms.platform import Platform

RESTART_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Parts:
    processor: Processor
    memory: Memory
    platforms: Mapping[str, Platform]
    keys: Keys
    health: Health
    open_stats: bool
    open_sessions: bool
    open_metrics: bool  # to who is on this machine
    body_cap: int  # bytes
    inbox: Inbox
    outbox: Outbox
    panoptes: Panoptes | None = None  # None: no networks here
    webhook_secret: str = ""  # empty: Telegram does not call by itself
    signatures: Signatures | None = None  # None: nobody signs

    def drain(self) -> None:
        """Take nothing new from now on, and finish what was begun."""
        self.health.draining = True
        self.processor.lanes.draining = True

    def check_open(self) -> None:
        """Look whether anything new is taken.

        Raises:
            Stopping: not by this process.
        """
        if self.health.draining:
            raise Stopping(retry_after=RESTART_SECONDS)


async def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


CurrentParts = Annotated[Parts, Depends(parts_of)]
