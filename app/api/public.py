"""What anyone may ask. The door counts: see HTTP_RATE_LIMIT."""

import time
from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from slowapi import Limiter

from app import __version__
from app.api.auth import KnownCaller, has_key
from app.api.docs import problems
from app.api.parts import CurrentParts, Parts
from app.errors import NotAuthenticated, NotReady
from app.platforms.platform import Platform
from app.sessions import sessions, usage

SERVICE = "Arash Panoptes"
ACTIVE_SECONDS = 300.0
Kind = Literal["public", "private"]


class Root(BaseModel):
    service: str
    version: str
    status: str
    platforms: list[str]
    active_sessions: int
    timestamp: datetime


class HealthState(BaseModel):
    status: Literal["healthy", "degraded"]
    components: dict[str, str]
    detail: dict[str, Any] | None = None


class Features(BaseModel):
    model_switching: bool
    requires_auth: bool


class MenuEntry(BaseModel):
    name: str
    summary: str
    groups: bool  # for groups too


class PlatformState(BaseModel):
    type: Kind
    model: str | None = None
    default_model: str | None = None
    available_models: list[str] | None = None
    rate_limit: int
    commands: list[str]
    menu: list[MenuEntry]
    max_history: int
    features: Features


class PlatformUse(BaseModel):
    sessions: int
    active: int
    messages: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


class Stats(BaseModel):
    total_sessions: int
    active_sessions: int
    total_messages: int
    platforms: dict[str, PlatformUse]
    models: dict[str, int]
    uptime_seconds: float
    started_at: datetime


def public_router(limiter: Limiter, rate: str) -> APIRouter:
    """Return the routes, each with `rate` per address for callers without a key."""
    router = APIRouter(tags=["service"], responses=problems(429, 503))
    door = limiter.limit(rate, exempt_when=has_key)

    @router.get("/", summary="What this is")
    @door
    async def root(request: Request, parts: CurrentParts) -> Root:
        census = await _census(parts)
        return Root(
            service=SERVICE,
            version=__version__,
            status="running",
            platforms=list(parts.platforms),
            active_sessions=sum(row.sessions for row in census),
            timestamp=datetime.now(UTC),
        )

    @router.get(
        "/health",
        summary="Is it well",
        response_model_exclude_none=True,
        responses=problems(401),
    )
    @door
    async def health(request: Request, parts: CurrentParts, caller: KnownCaller) -> HealthState:
        """Status and component names; with a key, what is the matter."""
        components = await parts.health.components()
        return HealthState(
            status="degraded" if "degraded" in components.values() else "healthy",
            components=components,
            detail=parts.health.detail() if caller else None,
        )

    @router.get("/health/live", summary="Does the process answer")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/ready", summary="May it be sent messages")
    async def ready(parts: CurrentParts) -> dict[str, str]:
        if not await parts.health.ready():
            raise NotReady(retry_after=1)
        return {"status": "ready"}

    @router.get("/platforms", summary="What each platform may do", response_model_exclude_none=True)
    @door
    async def platforms(request: Request, parts: CurrentParts) -> dict[str, PlatformState]:
        return {name: platform_state(platform, parts) for name, platform in parts.platforms.items()}

    @router.get("/stats", summary="The service in numbers", responses=problems(401))
    @door
    async def stats(request: Request, parts: CurrentParts, caller: KnownCaller) -> Stats:
        if caller is None and not parts.open_stats:
            raise NotAuthenticated
        return await _stats(parts)

    return router


def platform_state(platform: Platform, parts: Parts) -> PlatformState:
    fixed = not platform.model_switching
    services = parts.processor.conversation.services
    allowed, shared = services.allowed(platform), services.allowed(platform, private=False)
    return PlatformState(
        type=kind_of(platform),
        model=platform.default_model if fixed else None,
        default_model=None if fixed else platform.default_model,
        available_models=None if fixed else list(platform.models),
        rate_limit=platform.rate_limit,
        commands=[command.name for command in allowed],
        menu=[
            MenuEntry(name=command.name, summary=command.summary, groups=command in shared)
            for command in allowed
        ],
        max_history=platform.max_history,
        features=Features(model_switching=not fixed, requires_auth=not platform.public),
    )


def kind_of(platform: Platform) -> Kind:
    return "public" if platform.public else "private"


async def _census(parts: Parts) -> list[sessions.Census]:
    now = parts.processor.clock()
    return await parts.memory.store.run(
        lambda db: sessions.census(db, now - parts.memory.lifetime, now - ACTIVE_SECONDS)
    )


async def _stats(parts: Parts) -> Stats:
    census = {row.platform: row for row in await _census(parts)}
    used = await parts.memory.store.run(usage.totals)
    nobody = sessions.Census("", 0, 0)
    platforms = {}
    for name in parts.platforms:
        mine = [use for use in used if use.platform == name]
        here = census.get(name, nobody)
        platforms[name] = PlatformUse(
            sessions=here.sessions,
            active=here.active,
            messages=sum(use.messages for use in mine),
            prompt_tokens=sum(use.prompt_tokens for use in mine),
            completion_tokens=sum(use.completion_tokens for use in mine),
            cost_usd=sum(use.cost_usd for use in mine),
        )
    models: dict[str, int] = {}
    for use in used:
        if use.model:
            models[use.model] = models.get(use.model, 0) + use.messages
    return Stats(
        total_sessions=sum(use.sessions for use in platforms.values()),
        active_sessions=sum(use.active for use in platforms.values()),
        total_messages=sum(use.messages for use in platforms.values()),
        platforms=platforms,
        models=models,
        uptime_seconds=round(time.monotonic() - parts.health.began, 3),
        started_at=datetime.fromtimestamp(parts.health.started_at, UTC),
    )
