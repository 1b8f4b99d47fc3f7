"""Is it well: known without asking anybody outside."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from app.chat.spending import Spending, Today
from app.errors import AppError
from app.llm.catalogue import Catalogue
from app.llm.watched import Watched
from app.plume.watch import Watch
from app.storage.store import Store, ask

FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 2.0


@dataclass(slots=True)
class Health:
    store: Store
    catalogue: Catalogue
    model: Watched
    plume: Watch | None = None  # None: networks are off
    spending: Spending | None = None
    draining: bool = False
    began: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)
    _storage_ok: bool = True
    _spent: Today | None = None
    _looked_at: float = field(default=float("-inf"))

    async def components(self) -> dict[str, str]:
        """Return `healthy`, `degraded` or `off` per component."""
        now = time.monotonic()
        if now - self._looked_at > FRESH_SECONDS:
            self._looked_at = now
            self._storage_ok = await _answers(self.store)
            if self.spending is not None and self.spending.limit and self._storage_ok:
                self._spent = await self._today(self.spending)
        used_up = self.spending is not None and self.spending.used_up
        provider = "degraded" if self.model.trouble or used_up else "healthy"
        return {
            "api": "degraded" if self.draining else "healthy",
            "storage": "healthy" if self._storage_ok else "degraded",
            "openrouter": provider if self.model.configured else "off",
            "plume": self._plume(),
        }

    def detail(self) -> dict[str, Any]:
        """Return what an operator asks next: the trouble by name, and the models that are gone."""
        gone = {
            model: self.catalogue.serving(model)
            for model in self.catalogue.models
            if self.catalogue.is_gone(model)
        }
        found: dict[str, Any] = {
            "openrouter": self.model.trouble or None,
            "plume": (self.plume.trouble or None) if self.plume else None,
            "models_known": self.catalogue.is_live,
            "models_gone": gone,
        }
        if self.spending is not None and self._spent is not None:
            found["spend"] = {
                "spent_usd": round(self._spent.spent, 6),
                "held_usd": round(self._spent.held, 6),
                "limit_usd": self._spent.limit,
                "used_up": self.spending.used_up,
            }
        return found

    @staticmethod
    async def _today(spending: Spending) -> Today | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await spending.today()
        except (AppError, TimeoutError):
            return None

    def _plume(self) -> str:
        if self.plume is None:
            return "off"
        return "degraded" if self.plume.trouble else "healthy"

    async def ready(self) -> bool:
        found = await self.components()
        return found["api"] == found["storage"] == "healthy"


async def _answers(store: Store) -> bool:
    try:
        await ask(store, PATIENCE_SECONDS)
    except (AppError, TimeoutError):
        return False
    return True
