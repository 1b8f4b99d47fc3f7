"""Web pages of other origins."""

import pytest

from tests.api.service import INTERNAL, Place, Service, bearer

PAGE = "https://panel.example.com"


def preflight(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }


async def test_no_page_may_call_unless_it_is_named(service: Service) -> None:
    heard = await service.http.get("/", headers={"Origin": PAGE})
    asked = await service.http.options("/message", headers=preflight(PAGE))

    assert "access-control-allow-origin" not in heard.headers
    assert asked.status_code == 405
    assert "access-control-allow-origin" not in asked.headers


@pytest.mark.parametrize("origin", ["https://evil.example.com", f"{PAGE}.evil.com", "null"])
async def test_a_page_that_is_not_named_may_not_call(place: Place, origin: str) -> None:
    async with place.running(cors_origins=PAGE) as service:
        heard = await service.http.get("/", headers={"Origin": origin})
        asked = await service.http.options("/message", headers=preflight(origin))

    assert "access-control-allow-origin" not in heard.headers
    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers


async def test_a_named_page_may_call_and_read_what_it_needs(place: Place) -> None:
    async with place.running(cors_origins=f"https://other.example.com,{PAGE}") as service:
        asked = await service.http.options("/message", headers=preflight(PAGE))
        refused = await service.http.get("/session/x", headers={"Origin": PAGE})
        heard = await service.http.get("/session/x", headers={"Origin": PAGE} | bearer(INTERNAL))

    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert {"POST", "GET", "DELETE"} <= set(
        asked.headers["access-control-allow-methods"].split(", ")
    )
    assert "access-control-allow-credentials" not in asked.headers
    for each in (refused, heard):
        assert each.headers["access-control-allow-origin"] == PAGE
        exposed = each.headers["access-control-expose-headers"].lower()
        assert {"x-request-id", "retry-after", "ratelimit-remaining"} <= set(exposed.split(", "))
