"""Every error of every endpoint has one form."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from loguru import logger

from simulator.openrouter import OpenRouterWorld
from simulator.openrouter.world import KEY
from tests.api.service import (
    ADMIN,
    BOT,
    INTERNAL,
    Place,
    Service,
    bearer,
    said,
    storage_away,
)
from wire.problem import Problem

CANARY = "canary-5f3a-swordfish"


def checked(heard: httpx.Response) -> Problem:
    problem = Problem.model_validate(heard.json())
    assert problem.model_dump(mode="json") == heard.json()
    assert heard.headers["content-type"] == "application/json"
    assert problem.request_id == heard.headers["x-request-id"]
    assert problem.response
    assert ("retry-after" in heard.headers) == (problem.retry_after is not None)
    return problem


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    found: list[Any] = []
    number = logger.add(lambda line: found.append(line.record), level="DEBUG")
    yield found
    logger.remove(number)


async def test_each_kind_of_error_is_a_problem_with_the_id_of_its_request(place: Place) -> None:
    async with place.running(http_rate_limit="1/minute", telegram_rate_limit=1) as service:
        told = [
            checked(heard)
            for heard in [
                await service.http.get("/nowhere"),
                await service.http.put("/message"),
                await service.http.post("/message"),
                await service.post(said("hello"), ADMIN),
                await service.http.post("/message", content=b"{", headers=bearer(INTERNAL)),
                await service.post(said("")),
                await service.post(said("x" * 8001)),
                await service.http.get("/session/x", headers=bearer(INTERNAL)),
                await service.http.get("/sessions?limit=0", headers=bearer(INTERNAL)),
                (await service.http.get("/"), await service.http.get("/"))[1],
                (
                    await service.post(said("/help", platform="telegram"), BOT),
                    await service.post(said("/help", platform="telegram"), BOT),
                )[1],
            ]
        ]

    assert [each.error for each in told] == [
        "not_found", "method_not_allowed", "not_authenticated", "platform_not_allowed",
        "unsupported_media_type", "empty_message", "text_too_long", "not_found", "invalid_body",
        "rate_limited", "rate_limited",
    ]  # fmt: skip
    assert len({each.request_id for each in told}) == len(told)


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/message/", "/session/", "/session/a/b", "/admin", "/docs/",
     "/%2e%2e/message", "/webhooks/telegram", "/docs/assets/nothing.js"],
)  # fmt: skip
async def test_an_address_that_is_none_is_not_found(service: Service, path: str) -> None:
    heard = await service.http.get(path)

    assert heard.status_code == 404
    assert checked(heard).error == "not_found"


async def test_a_wrong_method_is_told_every_right_one(service: Service) -> None:
    paths: dict[str, Any] = service.app.openapi()["paths"]
    told = {}
    for path in paths:
        heard = await service.http.patch(
            path.format(session_id="x", platform="internal", delivery_id=1)
        )
        assert (heard.status_code, checked(heard).error) == (405, "method_not_allowed")
        told[path] = {method.strip() for method in heard.headers["allow"].split(",")}

    assert told == {path: {method.upper() for method in paths[path]} for path in paths}


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override"])
async def test_the_method_cannot_be_overridden(service: Service, header: str) -> None:
    heard = await service.http.get("/session/x", headers=bearer(ADMIN) | {header: "DELETE"})

    assert heard.json()["error"] == "not_found"


async def test_a_fault_of_ours_tells_nothing_and_is_logged_once(
    service: Service, lines: list[Any]
) -> None:
    @service.app.get("/planted")
    def planted(word: str) -> None:
        raise RuntimeError(word)

    heard = await service.http.get(f"/planted?word={CANARY}")

    problem = checked(heard)
    failures = [line for line in lines if line["exception"] is not None]
    assert (heard.status_code, problem.error) == (500, "internal")
    assert CANARY not in heard.text
    assert [line["message"] for line in failures] == ["request.failed"]
    assert failures[0]["extra"]["request_id"] == problem.request_id


async def test_a_command_that_breaks_may_be_sent_again(
    service: Service, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    question = said("/help")
    with monkeypatch.context() as broken:
        broken.setattr("app.commands.help.Help.run", lambda *_: 1 / 0)
        heard = await service.post(question)

    again = await service.post(question)
    failures = [line for line in lines if line["exception"] is not None]
    assert heard.status_code == 500
    assert failures[0]["extra"]["request_id"] == checked(heard).request_id
    assert len(failures) == 1
    assert again.status_code == 200


@pytest.mark.parametrize("path", ["/", "/stats", "/sessions", "/session/x"])
async def test_without_storage_the_doors_say_so(service: Service, path: str) -> None:
    async with storage_away(service):
        heard = await service.http.get(path, headers=bearer(INTERNAL))

    assert heard.status_code == 503
    assert checked(heard).error == "storage_unavailable"
    assert heard.headers["Retry-After"] == "1"


async def test_what_is_sent_is_never_sent_back_by_an_error(service: Service) -> None:
    key = {"Authorization": f"Bearer {INTERNAL}"}
    told = [
        await service.post(said("hello") | {"platform": CANARY}),
        await service.post(said("hello") | {"user_id": f"{CANARY}!"}),
        await service.post(said("hello") | {CANARY: CANARY}),
        await service.post(said("hello") | {"attachments": [{CANARY: CANARY}]}),
        await service.post(said("hello") | {"language": f"!{CANARY}"}),
        await service.http.post("/message", content=CANARY, headers=key),
        await service.http.get(f"/{CANARY}"),
        await service.http.get(f"/session/{CANARY}", headers=key),
        await service.http.get(f"/sessions?platform=!{CANARY}&limit={CANARY}"),
        await service.http.get("/sessions", headers=bearer(CANARY)),
        await service.http.post(f"/admin/clear-sessions?platform={CANARY}", headers=bearer(ADMIN)),
        await service.http.request(CANARY.upper().replace("-", ""), "/message"),
    ]

    assert {each.status_code // 100 for each in told} == {4}
    assert [each.text for each in told if CANARY in each.text] == []


async def test_no_secret_is_in_any_body(service: Service, world: OpenRouterWorld) -> None:
    sealing = service.parts.memory.sealer
    world.next("http-401")
    told = [
        (await service.post(said("hello"))).text,
        (await service.post(said("/status"))).text,
        *[
            (await service.http.get(path, headers=bearer(ADMIN))).text
            for path in ("/", "/health", "/platforms", "/stats", "/sessions", "/openapi.json")
        ],
        (await service.http.get("/nowhere")).text,
    ]

    for secret in (INTERNAL, BOT, ADMIN, KEY, sealing._mark.hex()):
        assert not [text for text in told if secret in text]
