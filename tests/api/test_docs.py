"""The pages that describe the API, and the document behind them."""

import re
from typing import Any

import jsonschema
import pytest

from app.api.docs import EXAMPLES
from simulator.openrouter import OpenRouterWorld
from tests.api.service import INTERNAL, Service, bearer, said
from wire.answer import Answer
from wire.problem import Problem


async def document(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = (await service.http.get("/openapi.json")).json()
    return found


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_loads_everything_from_here(service: Service, page: str) -> None:
    heard = await service.http.get(page)

    loaded = re.findall(r"""(?:src|href)=["']([^"']+)["']""", heard.text)
    assert heard.status_code == 200
    assert "/openapi.json" in heard.text
    assert "//" not in "".join(loaded)
    for path in loaded:
        if path.startswith("/"):
            assert (await service.http.get(path)).status_code == 200, path


@pytest.mark.parametrize("name", EXAMPLES)
async def test_each_example_is_answered_as_it_stands(service: Service, name: str) -> None:
    shown = await document(service)
    body = shown["paths"]["/message"]["post"]["requestBody"]["content"]["application/json"]
    await service.say("/model gpt4", user_id="user-1", chat_id="chat-1")

    heard = await service.post(body["examples"][name]["value"])

    assert (heard.status_code, heard.json()["success"]) == (200, True)


async def test_the_document_says_what_a_message_is(service: Service) -> None:
    shown = await document(service)

    schemas = shown["components"]["schemas"]
    body = shown["paths"]["/message"]["post"]["requestBody"]["content"]["application/json"]
    jsonschema.validate(said("hello"), {**body["schema"], "components": shown["components"]})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            said("hello") | {"x": 1}, {**body["schema"], "components": shown["components"]}
        )
    assert {"Message", "Attachment", Answer.__name__, Problem.__name__} <= schemas.keys()


async def test_every_error_that_is_answered_is_announced(
    service: Service, world: OpenRouterWorld
) -> None:
    world.next("http-422")
    shown = await document(service)
    heard = {
        ("/message", "post"): [
            await service.post(said("hello")),
            await service.post(said("")),
            await service.post(said("x" * 8001)),
            await service.post(said("x"), "wrong"),
            await service.post(said("x", platform="telegram")),
        ],
        ("/session/{session_id}", "get"): [
            await service.http.get("/session/x"),
            await service.http.get("/session/x", headers=bearer(INTERNAL)),
        ],
        ("/session/{session_id}", "delete"): [
            await service.http.delete("/session/x"),
            await service.http.delete("/session/x", headers=bearer(INTERNAL)),
        ],
        ("/admin/clear-sessions", "post"): [await service.http.post("/admin/clear-sessions")],
        ("/sessions", "get"): [
            await service.http.get("/sessions?limit=0"),
            await service.http.get("/sessions", headers=bearer("wrong")),
        ],
        ("/stats", "get"): [await service.http.get("/stats", headers=bearer("wrong"))],
        ("/health", "get"): [await service.http.get("/health", headers=bearer("wrong"))],
    }

    missing = [
        (path, method, each.status_code)
        for (path, method), answers in heard.items()
        for each in answers
        if str(each.status_code) not in shown["paths"][path][method]["responses"]
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/", None),
        ("/health", INTERNAL),
        ("/platforms", None),
        ("/stats", None),
        ("/sessions", INTERNAL),
        ("/sessions", None),
    ],
)
async def test_an_answer_is_as_the_document_says(
    service: Service, path: str, key: str | None
) -> None:
    await service.say("hello")
    shown = await document(service)

    heard = await service.http.get(path, headers=bearer(key) if key else {})

    said_schema = shown["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    schema = {**said_schema["schema"], "components": shown["components"]}
    jsonschema.validate(heard.json(), schema)


async def test_the_document_names_no_setting_and_no_key(service: Service) -> None:
    text = (await service.http.get("/openapi.json")).text

    assert INTERNAL not in text
    assert "HTTPBearer" in text
