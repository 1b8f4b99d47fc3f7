"""Looking at sessions, and deleting them."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from slowapi import Limiter
from sqlalchemy import Connection

from app.api.auth import AdminCaller, Caller, KnownCaller, RequiredCaller, has_key
from app.api.docs import problems
from app.api.parts import CurrentParts, Parts
from app.api.public import Kind, PlatformState, kind_of, platform_state
from app.errors import InvalidBody, NotAuthenticated, NotFound
from app.sessions import profiles, sessions
from app.sessions.profiles import Profile

MOST_ROWS = 100
Name = Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
PublicId = Annotated[str, Path(description="`data.session_id` of an answer")]


class SessionRow(BaseModel):
    """The ids only for the key of the platform."""

    session_id: str | None = None
    platform: str
    type: Kind
    message_count: int
    started_at: datetime
    active_at: datetime
    user_id: str | None = None
    chat_id: str | None = None
    history_length: int | None = None


class Sessions(BaseModel):
    total: int
    authenticated: bool
    sessions: list[SessionRow]


class SessionState(SessionRow):
    thread_id: str | None
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    uptime_seconds: float
    platform_config: PlatformState


class Deleted(BaseModel):
    success: bool = True
    message: str


class Cleared(Deleted):
    cleared: int


def sessions_router(limiter: Limiter, rate: str) -> APIRouter:
    router = APIRouter(tags=["sessions"], responses=problems(429, 503))

    @router.get(
        "/sessions",
        summary="The sessions that did not expire",
        response_model_exclude_none=True,
        responses=problems(401, 422),
    )
    @limiter.limit(rate, exempt_when=has_key)
    async def listed(
        request: Request,
        parts: CurrentParts,
        caller: KnownCaller,
        platform: Name = None,
        type: Annotated[Kind | None, Query()] = None,  # noqa: A002 - the documented name
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 20,
    ) -> Sessions:
        """Without a key, anonymous rows; with one, the ids of its own platform as well."""
        if caller is None and not parts.open_sessions:
            raise NotAuthenticated
        names = [
            name
            for name, each in parts.platforms.items()
            if platform in {None, name}
            and type in {None, kind_of(each)}
            and (caller is None or caller.may_see(name))
        ]
        total, rows = await parts.memory.store.run(
            lambda db: _page(db, names, _alive_since(parts), offset, limit)
        )
        return Sessions(
            total=total,
            authenticated=caller is not None,
            sessions=[_row(row, parts, named=caller is not None) for row in rows],
        )

    @router.get(
        "/session/{session_id}",
        summary="One session, without what was said",
        responses=problems(401, 404),
    )
    async def one(
        session_id: PublicId, caller: RequiredCaller, parts: CurrentParts
    ) -> SessionState:
        found = await _found(session_id, caller, parts)
        place = found.session.place
        profile = await parts.memory.store.run(
            lambda db: profiles.of(db, place.platform, place.user_id)
        )
        return _state(found, profile, parts)

    @router.delete(
        "/session/{session_id}",
        summary="Delete a session and what was said in it",
        responses=problems(401, 403, 404),
    )
    async def delete(session_id: PublicId, caller: AdminCaller, parts: CurrentParts) -> Deleted:
        found = await _found(session_id, caller, parts)
        await parts.memory.store.run(lambda db: sessions.forget(db, found.session.id))
        return Deleted(message="The session is deleted.")

    @router.post(
        "/admin/clear-sessions",
        summary="Delete all sessions, or those of one platform",
        responses=problems(401, 403, 422),
    )
    async def clear(_caller: AdminCaller, parts: CurrentParts, platform: Name = None) -> Cleared:
        if platform is not None and platform not in parts.platforms:
            raise InvalidBody("platform: there is no such platform; see GET /platforms.")
        cleared = await parts.memory.store.run(lambda db: sessions.clear(db, platform))
        return Cleared(cleared=cleared, message=f"{cleared} sessions are deleted.")

    return router


async def _found(public_id: str, caller: Caller, parts: Parts) -> sessions.Row:
    """Return a session that the caller may see; to others it does not exist."""
    found = await parts.memory.store.run(lambda db: sessions.find(db, public_id))
    if found is None or found.session.active_at <= _alive_since(parts):
        raise NotFound
    if not caller.may_see(found.session.place.platform):
        raise NotFound
    return found


def _page(
    db: Connection, names: list[str], alive_since: float, offset: int, limit: int
) -> tuple[int, list[sessions.Row]]:
    alive = {row.platform: row.sessions for row in sessions.census(db, alive_since, alive_since)}
    total = sum(alive.get(name, 0) for name in names)
    return total, sessions.page(db, names, alive_since, offset, limit)


def _alive_since(parts: Parts) -> float:
    return parts.processor.clock() - parts.memory.lifetime


def _row(row: sessions.Row, parts: Parts, *, named: bool) -> SessionRow:
    session = row.session
    return SessionRow(
        session_id=session.public_id if named else None,
        platform=session.place.platform,
        type=kind_of(parts.platforms[session.place.platform]),
        message_count=session.message_count,
        started_at=datetime.fromtimestamp(session.started_at, UTC),
        active_at=datetime.fromtimestamp(session.active_at, UTC),
        user_id=session.place.user_id if named else None,
        chat_id=session.place.chat_id if named else None,
        history_length=row.history_length if named else None,
    )


def _state(row: sessions.Row, profile: Profile, parts: Parts) -> SessionState:
    session = row.session
    platform = parts.platforms[session.place.platform]
    return SessionState(
        **_row(row, parts, named=True).model_dump(),
        thread_id=session.place.thread_id or None,
        model=platform.model_for(profile.model),
        prompt_tokens=session.prompt_tokens,
        completion_tokens=session.completion_tokens,
        cost_usd=session.cost_usd,
        uptime_seconds=round(parts.processor.clock() - session.started_at, 3),
        platform_config=platform_state(platform, parts),
    )
