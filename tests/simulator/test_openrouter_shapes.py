"""Requests and answers against OpenRouter's published document, where it is at hand."""

import functools
import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from simulator.openrouter import FAULTS, OpenRouterWorld
from simulator.openrouter.catalogue import CATALOGUE
from simulator.openrouter.completion import UsageShape
from simulator.openrouter.world import KEY
from tests.simulator.asking import BAD, GOOD, asking
from tests.simulator.wire import Json

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "openrouter-openapi.json"
CHAT = "/api/v1/chat/completions"

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the document is not here")


@functools.cache
def document() -> Json:
    loaded: Json = json.loads(SPEC.read_text())
    return loaded


def problems(schema: Json, value: Any) -> list[str]:
    whole = {**schema, "components": document()["components"]}
    found = jsonschema.Draft202012Validator(whole).iter_errors(value)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


def named(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def answer_of(path: str) -> Json:
    answer = document()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    schema: Json = answer["schema"]
    return schema


@pytest.mark.parametrize("name", GOOD)
async def test_what_the_document_allows_is_answered(name: str, http: httpx.AsyncClient) -> None:
    assert problems(named("ChatRequest"), GOOD[name]) == []

    reply = await http.post(CHAT, json=GOOD[name])

    assert reply.status_code == 200
    assert problems(named("ChatResult"), reply.json()) == []


@pytest.mark.parametrize("name", BAD)
async def test_what_the_document_forbids_is_a_400(name: str, http: httpx.AsyncClient) -> None:
    assert problems(named("ChatRequest"), BAD[name]) != []

    reply = await http.post(CHAT, json=BAD[name])

    assert reply.status_code == 400
    assert problems(named("BadRequestResponse"), reply.json()) == []


@pytest.mark.parametrize("name", GOOD)
async def test_every_chunk_fits_the_document(name: str, http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, json=GOOD[name] | {"stream": True})

    chunks = [json.loads(line[6:]) for line in reply.text.splitlines() if line[:7] == "data: {"]
    assert len(chunks) > 1
    assert [found for chunk in chunks for found in problems(named("ChatStreamChunk"), chunk)] == []


@pytest.mark.parametrize("shape", ["repeated", "null", "empty", "early", "content", "minimal"])
async def test_every_place_of_the_counts_fits_the_document(
    shape: UsageShape, http: httpx.AsyncClient
) -> None:
    name = {
        "repeated": "usage-repeated-finish",
        "null": "usage-null-finish",
        "empty": "usage-empty-choices",
        "content": "usage-with-text",
    }.get(shape, f"usage-{shape}")
    reply = await http.post(CHAT, json=asking(model=f"sim/fault-{name}", stream=True))

    chunks = [json.loads(line[6:]) for line in reply.text.splitlines() if line[:7] == "data: {"]
    assert [found for chunk in chunks for found in problems(named("ChatStreamChunk"), chunk)] == []


STATUSES = {
    400: "BadRequestResponse", 401: "UnauthorizedResponse", 402: "PaymentRequiredResponse",
    403: "ForbiddenResponse", 404: "NotFoundResponse", 408: "RequestTimeoutResponse",
    413: "PayloadTooLargeResponse", 422: "UnprocessableEntityResponse",
    429: "TooManyRequestsResponse", 500: "InternalServerResponse", 502: "BadGatewayResponse",
    503: "ServiceUnavailableResponse", 524: "EdgeNetworkTimeoutResponse",
    529: "ProviderOverloadedResponse",
}  # fmt: skip
# These leave the document on purpose: their lines say how.
ODD = {"http-no-code", "http-412", "http-504"}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in FAULTS
        if name.startswith("http-") and name not in ODD and "html" not in name
    ],
)
async def test_every_error_fits_the_document(name: str, http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, json=asking(model=f"sim/fault-{name}"))

    assert problems(named(STATUSES[reply.status_code]), reply.json()) == []


async def test_the_list_of_models_fits_the_document(http: httpx.AsyncClient) -> None:
    listed = (await http.get("/api/v1/models")).json()

    assert problems(named("ModelsListResponse"), listed) == []
    assert [model["id"] for model in listed["data"]] == list(CATALOGUE)


async def test_one_model_fits_the_document(http: httpx.AsyncClient) -> None:
    told = (await http.get("/api/v1/model/openai/gpt-4o-mini")).json()

    assert problems(named("Model"), told["data"]) == []


async def test_the_key_fits_the_document(http: httpx.AsyncClient) -> None:
    assert problems(answer_of("/key"), (await http.get("/api/v1/key")).json()) == []


async def test_the_credits_fit_the_document(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    world.management_keys.add(KEY)

    assert problems(answer_of("/credits"), (await http.get("/api/v1/credits")).json()) == []


async def test_a_generation_fits_the_document(http: httpx.AsyncClient) -> None:
    answer = await http.post(CHAT, json=asking())

    reply = await http.get("/api/v1/generation", params={"id": answer.json()["id"]})

    assert problems(named("GenerationResponse"), reply.json()) == []
