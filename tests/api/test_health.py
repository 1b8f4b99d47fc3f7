"""Is it well, and what is the matter."""

import asyncio
from typing import Any

import pytest

from simulator.openrouter import OpenRouterWorld
from tests.api.service import BOT, Clock, Place, Service, bearer, said, storage_away, until


async def health(service: Service, **headers: str) -> dict[str, Any]:
    heard = await service.http.get("/health", headers=headers)
    assert heard.status_code == 200
    found: dict[str, Any] = heard.json()
    return found


async def test_all_is_well_and_nobody_hears_more_without_a_key(service: Service) -> None:
    assert await health(service) == {
        "status": "healthy",
        "components": {
            "api": "healthy",
            "storage": "healthy",
            "openrouter": "healthy",
            "plume": "healthy",
        },
    }


async def test_a_key_hears_which_models_are_gone_and_what_stands_in(place: Place) -> None:
    async with place.running(wires={"clock": Clock()}) as service:
        heard = await health(service, **bearer(BOT))

    assert heard["detail"] == {
        "openrouter": None,
        "plume": None,
        "models_known": True,
        "models_gone": {
            "openai/gpt-5-chat": "openai/gpt-5.4",
            "google/gemini-2.0-flash-001": "google/gemini-2.5-flash-lite",
            "google/gemma-3-1b-it": "google/gemma-3-4b-it",
            "openai/gpt-4o-search-preview": "openai/gpt-4.1",
            "x-ai/grok-4": "x-ai/grok-4.3",
        },
    }


async def test_the_trouble_of_the_provider_shows_until_it_is_over(
    service: Service, world: OpenRouterWorld
) -> None:
    world.next("http-402-credit")
    await service.post(said("hello"))

    during, detail = await health(service), await health(service, **bearer(BOT))
    ready = await service.http.get("/health/ready")
    await service.say("hello")
    after = await health(service)

    assert (during["status"], during["components"]["openrouter"]) == ("degraded", "degraded")
    assert detail["detail"]["openrouter"] == "credit"
    assert ready.status_code == 200
    assert after["status"] == "healthy"


async def test_a_question_that_the_provider_refuses_is_no_trouble(
    service: Service, world: OpenRouterWorld
) -> None:
    world.next("http-422")
    await service.post(said("hello"))

    assert (await health(service))["status"] == "healthy"


async def test_without_a_key_of_the_provider_the_rest_works_and_says_so(place: Place) -> None:
    async with place.running(openrouter_api_key=None) as service:
        asked, command = await service.post(said("hello")), await service.say("/help")
        told = await health(service)

    assert (asked.status_code, asked.json()["error"]) == (503, "llm_config")
    assert "AI answers are off" in asked.json()["response"]
    assert "/help" in command
    assert (told["status"], told["components"]["openrouter"]) == ("healthy", "off")


async def test_it_is_live_and_ready(service: Service) -> None:
    live, ready = [await service.http.get(f"/health/{name}") for name in ("live", "ready")]

    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_without_storage_it_is_alive_but_not_ready(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.health.FRESH_SECONDS", 0.0)
    async with storage_away(service):
        live, ready, message = (
            await service.http.get("/health/live"),
            await service.http.get("/health/ready"),
            await service.post(said("hello")),
        )
        during = await health(service)

    after = await service.http.get("/health/ready")
    assert during["components"]["storage"] == "degraded"
    assert live.status_code == 200
    assert (ready.status_code, ready.json()["error"]) == (503, "not_ready")
    assert ready.headers["Retry-After"] == "1"
    assert (message.status_code, message.json()["error"]) == (503, "storage_unavailable")
    assert message.headers["Retry-After"] == "1"
    assert after.status_code == 200


async def test_while_it_stops_it_is_not_ready(service: Service) -> None:
    service.parts.health.draining = True

    ready = await service.http.get("/health/ready")

    assert ready.status_code == 503
    assert (await health(service))["components"]["api"] == "degraded"


async def test_looking_often_costs_one_look_a_second_and_no_call_outside(
    service: Service, world: OpenRouterWorld
) -> None:
    await until(lambda: world.requests)
    before = len(world.requests)
    looks = 0
    run = service.parts.memory.store.run

    async def counted(work: Any) -> Any:
        nonlocal looks
        looks += 1
        return await run(work)

    service.parts.health.store.run = counted  # type: ignore[method-assign]

    await asyncio.gather(*(health(service) for _ in range(50)))

    assert looks <= 1 + 2  # and what looks for turns once a second
    assert len(world.requests) == before


async def test_what_only_the_operator_can_mend_is_logged_once_until_all_is_well(
    service: Service, world: OpenRouterWorld, logged: list[str]
) -> None:
    world.next("http-401", 2)
    for _ in range(2):
        await service.post(said("hello"))
    await service.say("hello")
    world.next("http-401")
    await service.post(said("hello"))

    assert logged.count("llm.operator_must_act") == 2
