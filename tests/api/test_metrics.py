"""`GET /metrics`: what it tells, to whom, and what it never tells."""

import math
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from app import metrics
from app.chat import counting
from simulator.openrouter import OpenRouterWorld
from tests.api.service import ADMIN, BOT, INTERNAL, Place, Service, bearer, said, storage_away
from tests.scraping import Scrape, grown

NUMBERS = "numbers-0123456789abcdefghijklmnop"
MODEL = "openai/gpt-5.4"  # it stands in for the default one, which is gone


@pytest.fixture
async def service(place: Place) -> AsyncIterator[Service]:
    async with place.running(metrics_api_key=NUMBERS) as service:
        yield service


async def scraped(service: Service) -> Scrape:
    heard = await service.http.get("/metrics", headers=bearer(NUMBERS))
    assert heard.status_code == 200, heard.text
    return Scrape(heard.text)


async def test_a_message_is_counted_with_its_time_tokens_and_cost(service: Service) -> None:
    before = await scraped(service)
    await service.say("6 * 7")
    await service.say("/nonsense")
    after = await scraped(service)

    def more(name: str, **labels: str) -> float:
        return grown(before, after, name, **labels)

    assert more("arash_messages_total", platform="internal", outcome="answered") == 1
    assert more("arash_messages_total", platform="internal", outcome="refused") == 1
    assert more("arash_answer_seconds_count", platform="internal") == 2
    assert 0 < more("arash_answer_seconds_sum", platform="internal") < 10
    assert more("arash_first_token_seconds_count", model=MODEL) == 1
    for kind in ("prompt", "completion"):
        assert more("arash_tokens_total", platform="internal", model=MODEL, kind=kind) > 0
    assert more("arash_cost_usd_total", platform="internal", model=MODEL) > 0
    assert more("arash_storage_unit_seconds_count") >= 4


async def test_a_failure_of_the_provider_is_counted_by_its_kind(
    service: Service, world: OpenRouterWorld
) -> None:
    world.next("http-502", 3)
    before = await scraped(service)
    heard = await service.post(said("hello"))
    after = await scraped(service)

    assert heard.status_code >= 500
    kind = heard.json()["error"]
    assert grown(before, after, "arash_upstream_errors_total", kind=kind, model=MODEL) == 1
    failed = {"platform": "internal", "outcome": "failed"}
    assert grown(before, after, "arash_messages_total", **failed) == 1


async def test_requests_are_counted_by_template_and_class(service: Service) -> None:
    before = await scraped(service)
    await service.http.get("/session/0123456789abcdef0123456789abcdef", headers=bearer(INTERNAL))
    await service.http.get("/nowhere/at/all")
    await service.http.request("PURGE", "/health/live")
    await service.http.get("/health/live")
    after = await scraped(service)

    def more(route: str, method: str, status: str) -> float:
        labels = {"route": route, "method": method, "status": status}
        return grown(before, after, "arash_http_requests_total", **labels)

    assert more("/session/{session_id}", "GET", "4xx") == 1
    assert more("other", "GET", "4xx") == 1
    assert more("/health/live", "other", "4xx") == 1
    assert more("/health/live", "GET", "2xx") == 1
    # Its own reading would stand above all else on a quiet day.
    assert "/metrics" not in after.labels("arash_http_requests_total")


async def test_nothing_names_a_person_a_chat_or_a_path(service: Service) -> None:
    marks = {"user_id": "heliotrope", "chat_id": "amaranth", "message_id": "zinnia"}
    await service.post(said("crocus", **marks))
    await service.http.get("/tulip")
    await service.http.get("/network/status?user_id=heliotrope", headers=bearer(INTERNAL))
    page = (await scraped(service)).text

    assert "arash_messages_total" in page
    assert not [mark for mark in (*marks.values(), "crocus", "tulip") if mark in page]


@pytest.mark.parametrize(("name", "label"), [(MODEL, MODEL), ("who/knows", "other"), ("", "other")])
def test_a_model_that_nobody_configured_is_an_other_one(name: str, label: str) -> None:
    metrics.know("1", [MODEL], [])

    assert metrics.model(name) == label


async def test_limits_that_were_hit_are_counted(place: Place) -> None:
    rates: dict[str, Any] = {"login_rate_limit": "2/minute", "http_rate_limit": "2/minute"}
    async with place.running(internal_rate_limit=1, metrics_api_key=NUMBERS, **rates) as service:
        before = await scraped(service)
        for _ in range(2):
            await service.post(said("/help"))
        for _ in range(3):
            await service.http.get("/")
            await service.http.get("/stats", headers=bearer("x" * 32))
        after = await scraped(service)

    hit = {
        kind: grown(before, after, "arash_limits_hit_total", kind=kind)
        for kind in ("person", "login", "door", "day", "spend", "budget")
    }
    assert hit == {"person": 1, "login": 1, "door": 1, "day": 0, "spend": 0, "budget": 0}


class TestWhoMayRead:
    async def test_its_key_opens_nothing_else(self, service: Service) -> None:
        doors = ["/stats", "/health", "/sessions", "/session/x", "/deliveries", "/admin/deliveries"]
        heard = [await service.http.get(door, headers=bearer(NUMBERS)) for door in doors]
        spoken = await service.post(said("/help"), NUMBERS)

        assert {each.status_code for each in (*heard, spoken)} == {403}

    async def test_in_production_a_key_is_needed(self, place: Place) -> None:
        production: dict[str, Any] = {
            "environment": "production",
            "openrouter_service_url": "https://localhost:1",
            "openrouter_api_key": None,
            "metrics_api_key": NUMBERS,
        }
        async with place.running(**production) as service:
            heard = [
                await service.http.get("/metrics", headers=headers)
                for headers in ({}, *map(bearer, (NUMBERS, ADMIN, INTERNAL, BOT, "x" * 32)))
            ]

        assert [each.status_code for each in heard] == [401, 200, 200, 403, 403, 401]

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
    async def test_who_comes_through_a_proxy_on_this_machine_needs_a_key(
        self, service: Service, header: str
    ) -> None:
        heard = await service.http.get("/metrics", headers={header: "203.0.113.7"})

        assert heard.status_code == 401

    async def test_without_an_admin_key_the_internal_key_reads(self, place: Place) -> None:
        async with place.running(admin_api_key=None) as service:
            heard = [await service.http.get("/metrics", headers=bearer(k)) for k in (INTERNAL, BOT)]

        assert [each.status_code for each in heard] == [200, 403]


class TestForms:
    async def test_openmetrics_comes_to_who_asks_for_it(self, service: Service) -> None:
        # As Prometheus 2.42 asks.
        accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
        heard = await service.http.get("/metrics", headers={"Accept": accept})

        assert heard.headers["content-type"].startswith("application/openmetrics-text; version=1")
        assert heard.text.endswith("# EOF\n")
        assert "# TYPE arash_messages counter" in heard.text
        read = text_string_to_metric_families(heard.text)  # type: ignore[no-untyped-call]
        assert "arash_messages" in {family.name for family in read}

    @pytest.mark.parametrize(
        "accept", ["", "*/*", "text/plain;version=x", "text/plain; version=1.0.0; escaping=\xe9"]
    )
    async def test_any_other_wish_gets_text(self, service: Service, accept: str) -> None:
        heard = await service.http.get("/metrics", headers=[(b"Accept", accept.encode("latin-1"))])

        assert heard.status_code == 200
        assert heard.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_without_the_database_the_rest_comes_within_a_second(service: Service) -> None:
    whole = await scraped(service)
    async with storage_away(service):
        began = time.monotonic()
        page = await scraped(service)
        took = time.monotonic() - began

    assert (whole.get("arash_storage_up"), whole.get("arash_ready")) == (1, 1)
    assert took < 1
    assert (page.get("arash_storage_up"), page.get("arash_ready")) == (0, 0)
    assert page.get("arash_queue_depth", platform="internal", queue="waiting") is None
    assert page.get("arash_messages_total", platform="internal", outcome="answered") is not None


async def test_a_database_that_hangs_is_not_waited_for(
    service: Service,
) -> None:
    await service.parts.memory.store.run(
        lambda db: db.exec_driver_sql("PRAGMA busy_timeout=3000").close()
    )
    file = await service.parts.memory.store.run(lambda db: db.engine.url.database)
    with closing(sqlite3.connect(str(file), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        page = await scraped(service)
        took = time.monotonic() - began
        other.execute("ROLLBACK")

    assert took < 1
    assert page.get("arash_storage_up") == 0


async def test_who_follows_the_deliveries_is_counted(service: Service) -> None:
    def readers(page: Scrape) -> float | None:
        return page.get("arash_delivery_readers", platform="telegram")

    before = await scraped(service)
    async with service.http.stream("GET", "/deliveries", headers=bearer(BOT)) as stream:
        heard = stream.aiter_bytes()
        await anext(heard)
        during = await scraped(service)

    assert (readers(before), readers(during)) == (0, 1)


async def test_what_waits_to_be_delivered_is_told_with_its_age(service: Service) -> None:
    before = await scraped(service)
    message = said("/help", platform="internal")
    await service.http.post("/webhook/internal", json=message, headers=bearer(INTERNAL))
    page = before
    async with httpx.AsyncClient(base_url=service.url) as http:
        for _ in range(200):
            page = Scrape((await http.get("/metrics", headers=bearer(ADMIN))).text)
            if page.get("arash_queue_depth", platform="internal", queue="deliveries"):
                break

    queue = {"platform": "internal", "queue": "deliveries"}
    assert page.get("arash_queue_depth", **queue) == 1
    assert 0 < (page.get("arash_queue_oldest_age_seconds", **queue) or 0) < 10
    await service.http.post("/deliveries/1/ack", json={"outcome": "sent"}, headers=bearer(INTERNAL))
    after = await scraped(service)
    sent = {"platform": "internal", "outcome": "sent"}
    assert grown(page, after, "arash_deliveries_total", **sent) == 1
    assert grown(page, after, "arash_delivery_seconds_count", platform="internal") == 1
    assert after.get("arash_queue_depth", **queue) == 0


def test_what_is_not_here_is_not_zero() -> None:
    metrics.spending(1.5, 0.5, None)
    metrics.watch_redis(None)
    page = Scrape(metrics.page("")[0].decode())
    assert page.get("arash_spend_usd") == 1.5
    assert math.isnan(page.get("arash_spend_limit_usd") or 0)
    assert math.isnan(page.get("arash_redis_up") or 0)

    metrics.spending(1.5, 0.5, 20.0)
    metrics.watch_redis(lambda: False)
    page = Scrape(metrics.page("")[0].decode())
    assert (page.get("arash_spend_limit_usd"), page.get("arash_redis_up")) == (20, 0)
    metrics.watch_redis(None)
    metrics.spending(math.nan, math.nan, None)


async def test_the_spending_of_the_day_is_told_with_its_limit(place: Place) -> None:
    async with place.running(daily_spend_limit_usd="20", metrics_api_key=NUMBERS) as service:
        await service.say("6 * 7")
        page = await scraped(service)

    assert 0 < (page.get("arash_spend_usd") or 0) < 1
    assert (page.get("arash_spend_held_usd"), page.get("arash_spend_limit_usd")) == (0, 20)


async def test_an_answer_that_may_cost_too_much_is_a_limit_hit(place: Place) -> None:
    async with place.running(daily_spend_limit_usd="0.000001", metrics_api_key=NUMBERS) as service:
        before = await scraped(service)
        await service.post(said("6 * 7"))
        after = await scraped(service)

    assert grown(before, after, "arash_limits_hit_total", kind="spend") == 1


def test_a_clock_that_was_set_back_takes_nothing_from_a_sum() -> None:
    summed = metrics.of(metrics.delivery_seconds, "telegram")._sum
    before = summed.get()

    counting.acknowledged("telegram", "sent", -5.0)

    assert summed.get() == before
