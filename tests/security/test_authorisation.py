"""Every route, every kind of caller, every kind of object: the table of authorisation.py."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.api.auth import admin_caller, known_caller
from app.panoptes.panoptes import no_picture
from simulator.plume import PlumeWorld, addresses, create_plume
from tests.api.service import ADMIN, BOT, INTERNAL, Clock, Place, Service, bearer, said
from tests.networks.conftest import NOW
from tests.networks.engineer import Engineer, Telegrammer
from tests.security.authorisation import CALLERS, HIDDEN, Row, rows
from tests.security.doors import (
    SETTINGS,
    SOAK,
    STRANGERS,
    USERS,
    Attempt,
    cells,
    heard,
    session_of,
)
from tests.servers import serve

# The provider has to be https there, so these run without one.
PRODUCTION: dict[str, Any] = {
    "environment": "production",
    "openrouter_service_url": "https://localhost:1",
    "openrouter_api_key": None,
}


@asynccontextmanager
async def running(place: Place) -> AsyncIterator[Service]:
    """Start a service at which somebody of each platform is signed in to Plume."""
    clock = Clock(NOW)
    plume = PlumeWorld(now=clock)
    async with serve(create_plume(plume)) as cloud:
        where = addresses(cloud)
        plume_settings = {
            "plume_sso_url": where.sso,
            "plume_api_base": where.api,
            "plume_reports_base": where.reports,
            "plume_calls_per_second": 1_000,
        }
        wires = {"clock": clock, "draw": no_picture}
        async with place.running(wires=wires, **SETTINGS, **plume_settings) as service:
            people = Engineer(service, USERS["internal"]), Telegrammer(service, USERS["telegram"])
            for person in people:
                await person.sign_in()
                await person.choose(plume, "pppoe")
            yield service


@pytest.fixture
async def service(place: Place) -> AsyncIterator[Service]:
    async with place.running(**SETTINGS) as service:
        yield service


def routes_of(service: Service) -> set[str]:
    paths = service.app.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def unlisted(service: Service, table: Sequence[Row]) -> list[str]:
    """Return the routes without a row, and the rows without a route."""
    listed = {row.route for row in table} - HIDDEN
    return [f"{route}: not as in the table" for route in sorted(routes_of(service) ^ listed)]


async def deviations(service: Service, tried: Sequence[tuple[Row, Attempt]]) -> list[str]:
    found = []
    for row, attempt in tried:
        status = await heard(service, row, attempt)
        if status != attempt.status:
            found.append(
                f"{row.route} of {row.object}, {attempt.caller}: {status}, not {attempt.status}"
            )
    return found


async def test_every_route_answers_every_caller_as_in_the_table(place: Place) -> None:
    table = rows()
    tried = cells(table)

    async with running(place) as service:
        found = unlisted(service, table) + await deviations(service, tried)

    print(f"\n{len(tried)} cells, {len(found)} deviations")  # noqa: T201 - the figure
    assert found == []
    assert len(tried) > (1900 if SOAK else 1400)


async def test_production_answers_as_in_its_table(place: Place) -> None:
    loose = {(row.route, row.object): row.statuses for row in rows()}
    table = [
        row
        for row in rows(production=True)
        # Plume has to be https there too, so nobody is signed in.
        if not (row.route.startswith("GET /network/") and row.object != "absent")
    ]
    tried = [
        (row, attempt)
        for row, attempt in cells(table)
        # Where nothing is stricter, those who hold a key are enough.
        if SOAK or attempt.caller in CALLERS or row.statuses != loose[row.route, row.object]
    ]

    async with place.running(**SETTINGS, **PRODUCTION) as service:
        found = await deviations(service, tried)

    print(f"\n{len(tried)} cells, {len(found)} deviations")  # noqa: T201 - the figure
    assert found == []
    assert len(tried) > 400


async def test_the_table_sees_a_door_that_was_left_open(service: Service) -> None:
    service.app.dependency_overrides[admin_caller] = known_caller
    routes = {"POST /admin/clear-sessions", "DELETE /session/{session_id}"}

    found = await deviations(service, cells([row for row in rows() if row.route in routes]))

    assert {line.split(",")[0] for line in found} >= {
        "POST /admin/clear-sessions of any",
        "DELETE /session/{session_id} of absent",
    }


async def test_the_table_sees_a_route_that_is_not_in_it(service: Service) -> None:
    service.app.get("/planted")(lambda: "hello")

    assert unlisted(service, rows()) == ["GET /planted: not as in the table"]


async def test_the_table_sees_a_row_without_a_route(service: Service) -> None:
    more = [*rows(), Row("GET /gone", "any", [200] * 7)]

    assert unlisted(service, more) == ["GET /gone: not as in the table"]


async def test_without_an_admin_key_the_internal_key_administers(place: Place) -> None:
    async with place.running(admin_api_key=None) as service:
        theirs = await session_of(service, "telegram", "ben")
        answers = [
            await service.http.delete(f"/session/{theirs}", headers=bearer(key))
            for key in (BOT, ADMIN, INTERNAL)
        ]
        spoken = await service.post(said("/help"))

    assert [each.status_code for each in answers] == [403, 401, 200]
    assert spoken.status_code == 200


async def test_all_strangers_hear_the_same(service: Service) -> None:
    answers = [
        await service.http.get("/session/x", headers=headers) for headers in STRANGERS.values()
    ]

    told = [each.json() | {"request_id": ""} for each in answers]
    assert told.count(told[0]) == len(STRANGERS)
    assert told[0]["error"] == "not_authenticated"
    assert told[0]["response"] == "A valid key is needed: send `Authorization: Bearer <key>`."
    assert {each.status_code for each in answers} == {401}
    assert {each.headers["WWW-Authenticate"] for each in answers} == {"Bearer"}


async def test_a_foreign_session_is_told_apart_from_an_absent_one_by_nothing(
    service: Service,
) -> None:
    theirs = await session_of(service, "telegram", "ben")

    answers = [
        await service.http.get(f"/session/{each}", headers=bearer(INTERNAL))
        for each in (theirs, "0" * 32, theirs.upper(), "x" * 2000)
    ]

    told = [each.json() | {"request_id": ""} for each in answers]
    assert [each.status_code for each in answers] == [404] * 4
    assert told.count(told[0]) == 4


async def test_who_set_it_so_sees_the_pages_and_the_numbers(place: Place) -> None:
    opened: dict[str, Any] = {"enable_api_docs": True, "public_stats": True}
    async with place.running(**PRODUCTION, **opened) as service:
        answers = [await service.http.get(path) for path in ("/docs", "/stats")]

    assert [each.status_code for each in answers] == [200, 200]


async def test_a_key_in_an_address_is_told_to_the_operator(
    service: Service, logged: list[str]
) -> None:
    paths = (f"/stats?key={ADMIN}", f"/session/x?authorization=Bearer+{BOT}", "/session/x?key=%ff")
    answers = [await service.http.get(path) for path in paths]

    assert [each.status_code for each in answers] == [200, 401, 401]
    assert logged.count("auth.key_in_address") == 1
