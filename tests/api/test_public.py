"""What anyone may ask."""

from datetime import UTC, datetime, timedelta

from app.commands import COMMANDS
from app.llm import defaults
from tests.api.service import BOT, Clock, Place, Service, said


async def test_the_root_tells_what_this_is(service: Service) -> None:
    await service.say("/help")

    heard = (await service.http.get("/")).json()

    told = datetime.fromisoformat(heard.pop("timestamp"))
    assert abs(told - datetime.now(UTC)) < timedelta(seconds=5)
    assert heard == {
        "service": "Arash Panoptes",
        "version": "1.0.0",
        "status": "running",
        "platforms": ["telegram", "internal"],
        "active_sessions": 1,
    }


# In the order in which help shows them.
NETWORKS = [
    each.name
    for each in COMMANDS
    if each.networks and not each.for_admins and each.name != "disconnect"
]


async def test_the_platforms_tell_what_they_may_do(service: Service) -> None:
    heard = (await service.http.get("/platforms")).json()

    models = ["openai/gpt-5-chat", *(set(defaults.MODELS) - {"openai/gpt-5-chat"})]
    internal = heard["internal"]
    for platform in heard.values():
        menu = platform.pop("menu")
        assert [entry["name"] for entry in menu] == platform["commands"]
        assert all(entry["summary"] for entry in menu)
        shared = {entry["name"] for entry in menu if entry["groups"]}
        assert shared == {entry["name"] for entry in menu} - {*NETWORKS, "disconnect"}
    assert internal.pop("available_models")[0] == models[0]
    assert heard == {
        "telegram": {
            "type": "public",
            "model": "google/gemini-2.0-flash-001",
            "rate_limit": 20,
            "commands": [
                "start", "help", "status", "translate", *NETWORKS, "session", "cancel", "forget",
                "disconnect",
            ],
            "max_history": 10,
            "features": {"model_switching": False, "requires_auth": False},
        },
        "internal": {
            "type": "private",
            "default_model": "openai/gpt-5-chat",
            "rate_limit": 60,
            "commands": [
                "start", "help", "status", "translate", "model", "models", "summarize", "clear",
                "settings", *NETWORKS, "session", "cancel", "forget", "disconnect",
            ],
            "max_history": 30,
            "features": {"model_switching": True, "requires_auth": True},
        },
    }  # fmt: skip


async def test_the_default_models_are_those_that_were_promised(service: Service) -> None:
    heard = (await service.http.get("/platforms")).json()

    assert set(heard["internal"]["available_models"]) == {
        "google/gemini-2.0-flash-001",
        "deepseek/deepseek-chat-v3-0324",
        "openai/gpt-4o-mini",
        "google/gemma-3-1b-it",
        "anthropic/claude-sonnet-4",
        "openai/gpt-4.1",
        "openai/gpt-4o-search-preview",
        "x-ai/grok-4",
        "meta-llama/llama-4-maverick",
        "google/gemini-2.5-flash",
        "openai/gpt-5-chat",
    }


async def test_the_statistics_count_what_happened(place: Place) -> None:
    clock = Clock()
    async with place.running(wires={"clock": clock}) as service:
        await service.say("one", user_id="ann")
        await service.say("/help", user_id="ann")
        clock.now += 301
        await service.say("two", BOT, platform="telegram", user_id="ben")

        heard = (await service.http.get("/stats")).json()

    internal, telegram = heard["platforms"]["internal"], heard["platforms"]["telegram"]
    assert (heard["total_sessions"], heard["active_sessions"], heard["total_messages"]) == (2, 1, 3)
    assert (internal["sessions"], internal["active"], internal["messages"]) == (1, 0, 2)
    assert (telegram["sessions"], telegram["active"], telegram["messages"]) == (1, 1, 1)
    assert internal["prompt_tokens"] > 0
    assert internal["completion_tokens"] > 0
    assert internal["cost_usd"] > 0
    assert heard["models"] == {"openai/gpt-5.4": 1, "google/gemini-2.5-flash-lite": 1}
    assert 0 < heard["uptime_seconds"] < 60
    assert datetime.now(UTC) - datetime.fromisoformat(heard["started_at"]) < timedelta(minutes=1)


async def test_the_statistics_outlive_a_restart(place: Place) -> None:
    async with place.running() as service:
        await service.post(said("one"))

    async with place.running() as service:
        heard = (await service.http.get("/stats")).json()

    assert heard["total_messages"] == 1
    assert heard["uptime_seconds"] < 60
