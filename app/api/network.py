"""The reports on networks as JSON: the same that the chat words."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.api.auth import RequiredCaller
from app.api.docs import problems
from app.api.parts import CurrentParts, Parts
from app.errors import InvalidBody, NotFound, PlatformNotAllowed
from app.network.report import Report
from app.panoptes.access import Sight
from app.panoptes.panoptes import Panoptes
from app.panoptes.reports import REPORTS, Reports
from app.sessions.connections import Person
from app.sessions.places import Chosen

Id = Annotated[str | None, Query(pattern="^[0-9a-fA-F]{24}$")]


async def looked_at(
    caller: RequiredCaller,
    parts: CurrentParts,
    user_id: Annotated[str, Query(min_length=1, max_length=128)],
    customer: Id = None,
    location: Id = None,
) -> tuple[Reports, Sight, Chosen]:
    """Return what a caller asks about: a location that is named, or the chosen one of a user."""
    if not caller.platform:
        raise PlatformNotAllowed
    panoptes = _panoptes(parts, caller.platform)
    if (customer is None) != (location is None):
        raise InvalidBody("customer, location: name both, or none for the chosen location.")
    person = Person(caller.platform, user_id)
    sight = await panoptes.access.sight(person)
    if customer is not None and location is not None:
        return panoptes.reports, sight, Chosen(customer.lower(), location.lower())
    return panoptes.reports, sight, await panoptes.access.chosen(person)


LookedAt = Annotated[tuple[Reports, Sight, Chosen], Depends(looked_at)]


def network_router() -> APIRouter:
    """Return a route per report, each with the schema of its own."""
    router = APIRouter(prefix="/network", tags=["networks"])
    for name, (summary, model, ask) in REPORTS.items():
        router.add_api_route(
            f"/{name}",
            _route(ask),
            methods=["GET"],
            response_model=model,
            summary=summary,
            operation_id=f"network_{name}",
            responses=problems(401, 403, 404, 409, 422, 502, 503, 504),
        )
    return router


def _route(
    ask: Callable[[Reports, Sight, Chosen], Awaitable[Report]],
) -> Callable[[LookedAt], Awaitable[Report]]:
    async def report(looked: LookedAt) -> Report:
        reports, sight, place = looked
        return await ask(reports, sight, place)

    return report


def _panoptes(parts: Parts, platform: str) -> Panoptes:
    if parts.panoptes is None or not parts.platforms[platform].networks:
        raise NotFound
    return parts.panoptes
