"""What `POST /message` answers."""

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from simulator.openrouter import OpenRouterWorld
from tests.api.service import BOT, INTERNAL, Place, Service, bearer, said
from wire.answer import Answer


def picture() -> str:
    made = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 10, 10)).save(made, "PNG")
    return base64.b64encode(made.getvalue()).decode()


def attached(**change: Any) -> dict[str, Any]:
    return {"type": "image", "mime_type": "image/png", "data": picture()} | change


async def test_a_question_gets_the_documented_answer(service: Service) -> None:
    heard = await service.post(said("What is a mesh?"))

    body = heard.json()
    assert heard.status_code == 200
    assert heard.headers["content-type"] == "application/json"
    assert Answer.model_validate(body).model_dump(mode="json") == body
    assert set(body) == {"success", "response", "data", "error", "buttons", "images", "actions"}
    assert (body["success"], body["error"]) == (True, None)
    assert body["response"].startswith("You said: “What is a mesh?”")
    assert body["data"]["platform"] == "internal"
    assert body["data"]["requested_model"] == "openai/gpt-5-chat"
    assert body["data"]["model"] == "openai/gpt-5.4"
    assert body["data"]["message_count"] == 1
    assert body["data"]["usage"]["total_tokens"] > 0


async def test_a_replaced_model_is_told_of_once_in_a_conversation(service: Service) -> None:
    first, second = await service.say("one"), await service.say("two")

    assert "_GPT-5 Chat is no longer available; GPT-5.4 answers instead._" in first
    assert "no longer available" not in second


async def test_a_command_is_answered_without_the_model(
    service: Service, world: OpenRouterWorld
) -> None:
    heard = await service.post(said("/HELP@ArashBot"))

    assert heard.json()["success"] is True
    assert "`/models`" in heard.json()["response"]
    assert heard.json()["data"]["usage"] is None
    assert world.chats() == []


@pytest.mark.parametrize(
    ("text", "key", "platform", "code"),
    [
        ("/nonsense", INTERNAL, "internal", "command_unknown"),
        ("/", INTERNAL, "internal", "command_unknown"),
        ("/model claude", BOT, "telegram", "command_not_allowed"),
        ("/model ../../x", INTERNAL, "internal", "model_unknown"),
    ],
)
async def test_a_command_that_cannot_be_run_is_an_answer(
    service: Service, text: str, key: str, platform: str, code: str
) -> None:
    heard = await service.post(said(text, platform=platform), key)

    assert heard.status_code == 200
    assert (heard.json()["success"], heard.json()["error"]) == (False, code)
    assert heard.json()["response"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"text": ""}, 422, "empty_message"),
        ({"text": " \u200b\u2060 "}, 422, "empty_message"),
        ({"text": "x" * 8001}, 413, "text_too_long"),
        ({"platform": "matrix"}, 422, "invalid_body"),
        ({"platform": "Internal"}, 422, "invalid_body"),
        ({"platform": "telegram"}, 403, "platform_not_allowed"),
        ({"user_id": ""}, 422, "invalid_body"),
        ({"user_id": "a:b"}, 422, "invalid_body"),
        ({"chat_id": 7}, 422, "invalid_body"),
        ({"message_id": "x" * 129}, 422, "invalid_body"),
        ({"is_admin": True}, 422, "invalid_body"),
        ({"metadata": {"a": "x" * 5000}}, 422, "invalid_body"),
        ({"attachments": [attached(file_id="f")]}, 422, "url_not_supported"),
        ({"attachments": [attached(url="http://x")]}, 422, "url_not_supported"),
        ({"attachments": [attached()] * 5}, 422, "invalid_body"),
        ({"attachments": [attached(data="A===")]}, 422, "image_invalid"),
        ({"attachments": [attached(data="PHN2Zy8+")]}, 415, "image_unsupported"),
        ({"attachments": [attached(data=None)]}, 422, "invalid_body"),
    ],
)
async def test_a_message_that_cannot_be_taken_is_refused_and_leaves_no_trace(
    service: Service, world: OpenRouterWorld, change: dict[str, Any], status: int, code: str
) -> None:
    heard = await service.post(said("hello") | change)

    sessions = await service.http.get("/sessions")
    assert (heard.status_code, heard.json()["error"]) == (status, code)
    assert sessions.json()["total"] == 0
    assert world.chats() == []


async def test_a_refused_message_costs_nothing_of_the_allowance(service: Service) -> None:
    await service.post(said(""))
    await service.post(said("x", attachments=[attached(data="A===")]))

    heard = await service.post(said("/help"))

    assert heard.headers["RateLimit-Remaining"] == "59"


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", {}, 400, "invalid_json"),
        (b"[]", {}, 422, "invalid_body"),
        (b"{}", {}, 422, "invalid_body"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        (b"{}", {"Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
    ],
)
async def test_a_body_that_is_no_message_is_refused(
    service: Service, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    sent = bearer(INTERNAL) | {"Content-Type": "application/json"} | headers

    heard = await service.http.post("/message", content=content, headers=sent)

    assert (heard.status_code, heard.json()["error"]) == (status, code)


async def test_a_body_that_grows_beyond_the_cap_is_refused(place: Place) -> None:
    async def growing() -> AsyncIterator[bytes]:
        for _ in range(27):
            yield b" " * 65536

    headers = bearer(INTERNAL) | {"Content-Type": "application/json"}

    async with place.running(max_image_size_mb=1) as service:
        heard = await service.http.post("/message", content=growing(), headers=headers)

    assert (heard.status_code, heard.json()["error"]) == (413, "body_too_large")


async def test_a_picture_reaches_the_model_and_is_known_in_the_next_turn(
    service: Service, world: OpenRouterWorld
) -> None:
    await service.say("/model gpt4")
    heard = await service.say("What is it?", type="image", attachments=[attached()])
    await service.say("And now?")

    parts = [
        part["type"]
        for message in world.chats()[-1].body["messages"]
        if isinstance(message["content"], list)
        for part in message["content"]
    ]
    assert "red" in heard
    assert "image_url" in parts


async def test_what_looks_like_a_secret_reaches_nobody(
    service: Service, world: OpenRouterWorld
) -> None:
    secret = "sk-or-v1-" + "0123456789abcdef" * 4

    heard = await service.say(f"my key is {secret}, is it good?")

    assert secret not in heard
    assert secret not in str(world.chats()[0].body)


async def test_nobody_learns_who_asks_at_the_provider(
    service: Service, world: OpenRouterWorld
) -> None:
    await service.say("hello", user_id="ann.smith@example.com")

    assert "ann.smith" not in str(world.chats()[0])
