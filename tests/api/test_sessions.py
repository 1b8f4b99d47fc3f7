"""Looking at sessions, and deleting them."""

import asyncio
import re
from typing import Any

import pytest

from simulator.openrouter import OpenRouterWorld
from tests.api.service import (
    ADMIN,
    BOT,
    INTERNAL,
    Clock,
    Place,
    Service,
    bearer,
    emptied,
    said,
    until,
)


async def seen(service: Service, key: str | None = None, query: str = "") -> dict[str, Any]:
    headers = bearer(key) if key else {}
    found: dict[str, Any] = (await service.http.get(f"/sessions{query}", headers=headers)).json()
    return found


async def session_of(service: Service, key: str = INTERNAL, **change: Any) -> str:
    heard = await service.post(said("/help", **change), key)
    found: str = heard.json()["data"]["session_id"]
    return found


async def test_nobody_learns_who_they_are_without_a_key(service: Service) -> None:
    await service.say("hello")

    heard = await seen(service)

    (row,) = heard.pop("sessions")
    assert heard == {"total": 1, "authenticated": False}
    assert set(row) == {"platform", "type", "message_count", "started_at", "active_at"}
    assert (row["platform"], row["type"], row["message_count"]) == ("internal", "private", 1)


async def test_a_key_sees_the_ids_of_its_own_platform_alone(service: Service) -> None:
    await service.say("hello")
    await service.say("hello", BOT, platform="telegram", user_id="42", chat_id="-7")

    heard = await seen(service, BOT)
    foreign = await seen(service, BOT, "?platform=internal")

    (row,) = heard["sessions"]
    assert (heard["total"], heard["authenticated"]) == (1, True)
    assert (row["user_id"], row["chat_id"], row["history_length"]) == ("42", "-7", 2)
    assert re.fullmatch("[0-9a-f]{32}", row["session_id"])
    assert foreign["total"] == 0
    assert foreign["sessions"] == []


async def test_the_admin_key_sees_everybody(service: Service) -> None:
    await service.say("/help")
    await service.say("/help", BOT, platform="telegram")

    heard = await seen(service, ADMIN)

    assert {row["platform"] for row in heard["sessions"]} == {"internal", "telegram"}


async def test_the_rows_can_be_filtered_and_turned_over(service: Service) -> None:
    for number in range(5):
        await service.say("/help", chat_id=f"c{number}")
    await service.say("/help", BOT, platform="telegram")

    public = await seen(service, None, "?type=public")
    internal = await seen(service, None, "?platform=internal&type=private")
    pages = [
        row["chat_id"]
        for offset in (0, 2, 4)
        for row in (await seen(service, INTERNAL, f"?limit=2&offset={offset}"))["sessions"]
    ]

    assert (public["total"], internal["total"]) == (1, 5)
    assert pages == ["c4", "c3", "c2", "c1", "c0"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=101", "limit=x", "offset=-1", "offset=9999999999", "type=secret",
     "platform=UPPER", "platform=a%20b"],
)  # fmt: skip
async def test_a_page_that_cannot_be_is_refused_by_the_name_of_its_field(
    service: Service, query: str
) -> None:
    heard = await service.http.get(f"/sessions?{query}")

    assert (heard.status_code, heard.json()["error"]) == (422, "invalid_body")
    assert heard.json()["response"] == f"Not as documented: {query.partition('=')[0]}."


async def test_a_session_is_shown_without_what_was_said(service: Service) -> None:
    await service.say("/model claude-4")
    heard = await service.post(said("swordfish", thread_id="t1"))
    session = heard.json()["data"]["session_id"]

    shown = await service.http.get(f"/session/{session}", headers=bearer(INTERNAL))

    state = shown.json()
    assert "swordfish" not in shown.text
    assert (state["session_id"], state["platform"], state["type"]) == (
        session, "internal", "private",
    )  # fmt: skip
    assert (state["user_id"], state["chat_id"], state["thread_id"]) == ("ann", "room", "t1")
    assert (state["message_count"], state["history_length"]) == (1, 2)
    assert state["prompt_tokens"] > 0
    assert state["cost_usd"] > 0
    assert 0 <= state["uptime_seconds"] < 60
    assert state["platform_config"]["rate_limit"] == 60


async def test_a_session_shows_the_model_that_its_person_chose(service: Service) -> None:
    await service.say("/model claude")
    session = await session_of(service)

    shown = await service.http.get(f"/session/{session}", headers=bearer(INTERNAL))

    assert shown.json()["model"] == "anthropic/claude-sonnet-4"


async def test_a_deleted_session_is_gone_and_cannot_be_deleted_twice(
    service: Service, world: OpenRouterWorld
) -> None:
    await service.say("swordfish")
    session = await session_of(service)

    first = await service.http.delete(f"/session/{session}", headers=bearer(ADMIN))
    second = await service.http.delete(f"/session/{session}", headers=bearer(ADMIN))

    shown = await service.http.get(f"/session/{session}", headers=bearer(INTERNAL))
    await service.say("what did I say?")
    assert (first.status_code, first.json()) == (
        200, {"success": True, "message": "The session is deleted."},
    )  # fmt: skip
    assert (second.status_code, shown.status_code) == (404, 404)
    assert "swordfish" not in str(world.chats()[-1].body)


async def test_sessions_are_cleared_by_platform_or_all(service: Service) -> None:
    for number in range(3):
        await service.say("/help", chat_id=f"c{number}")
    await service.say("/help", BOT, platform="telegram")

    cleared = [
        (await service.http.post(f"/admin/clear-sessions{query}", headers=bearer(ADMIN))).json()
        for query in ("?platform=internal", "", "")
    ]

    assert [each["cleared"] for each in cleared] == [3, 1, 0]
    assert cleared[0] == {"success": True, "message": "3 sessions are deleted.", "cleared": 3}
    assert (await seen(service))["total"] == 0


async def test_a_session_expires_after_half_an_hour_of_silence(
    place: Place, world: OpenRouterWorld
) -> None:
    clock = Clock()
    async with place.running(wires={"clock": clock}) as service:
        await service.say("swordfish")
        before = await session_of(service)
        clock.now += 1799
        kept = await session_of(service)
        clock.now += 1800

        shown = await service.http.get(f"/session/{kept}", headers=bearer(INTERNAL))
        total = (await seen(service))["total"]
        after = await session_of(service)
        await service.say("what did I say?")

    assert kept == before
    assert (shown.status_code, total) == (404, 0)
    assert after != before
    assert "swordfish" not in str(world.chats()[-1].body)


async def test_expired_sessions_are_swept_by_themselves(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.background.SWEEP_EVERY", 0.01)
    clock = Clock()
    async with place.running(wires={"clock": clock}) as service:
        await service.say("swordfish")

        clock.now += 1800

        await emptied(service, "sessions")
        await emptied(service, "exchanges")


async def test_a_session_deleted_during_a_turn_answers_and_remembers_nothing(
    service: Service, world: OpenRouterWorld
) -> None:
    session = await session_of(service)
    world.first_token = 0.2
    asked = asyncio.create_task(service.post(said("swordfish")))
    await until(world.chats)

    deleted = await service.http.delete(f"/session/{session}", headers=bearer(ADMIN))
    heard = await asked

    world.first_token = 0.0
    await service.say("what did I say?")
    assert deleted.status_code == 200
    assert (heard.status_code, heard.json()["data"]["session_id"]) == (200, session)
    assert "swordfish" not in str(world.chats()[-1].body)


async def test_what_was_said_in_a_deleted_session_never_lands_in_somebody_elses(
    service: Service, world: OpenRouterWorld
) -> None:
    session = await session_of(service)
    world.first_token = 0.2
    asked = asyncio.create_task(service.post(said("swordfish")))
    await until(world.chats)
    await service.http.delete(f"/session/{session}", headers=bearer(ADMIN))

    other = await session_of(service, user_id="ben")
    await asked

    world.first_token = 0.0
    await service.say("what did I say?", user_id="ben")
    shown = await service.http.get(f"/session/{other}", headers=bearer(INTERNAL))
    assert "swordfish" not in str(world.chats()[-1].body)
    assert shown.json()["message_count"] == 2
