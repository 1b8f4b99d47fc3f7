import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from panoptes_bot import client
from panoptes_bot.client import DeliveryEnded, Event, Service, ServiceAway, UpdateRefused
from tests.bot.fake_service import KEY
from tests.bot.stage import final
from tests.servers import serve
from wire.delivery import Acknowledgement, Progress

SENT = Acknowledgement(outcome="sent", message_ids=("1",))


def streaming(*chunks: bytes) -> ASGIApp:
    async def events() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
            await asyncio.sleep(0)

    async def stream(_: Request) -> Response:
        return StreamingResponse(events(), media_type="text/event-stream")

    return Starlette(routes=[Route("/deliveries", stream)])


def answering(response: Response) -> ASGIApp:
    return response


async def read(app: ASGIApp) -> tuple[list[Event | None], str]:
    """Return the events of a stream, and why it ended."""
    found: list[Event | None] = []
    async with serve(app) as address:
        service = Service(address, SecretStr(KEY))
        try:
            async for event in service.deliveries():
                found.append(event)  # noqa: PERF401 - what came before the end counts too
        except ServiceAway as away:
            return found, away.cause
        finally:
            await service.close()
    raise AssertionError("a stream that ends is a service that is away")


async def test_events_are_read_however_they_are_cut() -> None:
    one, two = final("a\u2028b\u0085c\x0b"), Progress(id=2, chat_id="7", text="é" * 3000)
    text = (
        f": hello\r\n\r\nevent: delivery\ndata: {one.model_dump_json()}\n\n"
        f"event: news\ndata: {{}}\n\n"
        f"event: progress\r\ndata:{two.model_dump_json()}\r\n\r\n: still here\n\n"
    ).encode()

    for size in (1_000, 7, 3_000_000):
        found, why = await read(
            streaming(*(text[at : at + size] for at in range(0, len(text), size)))
        )
        assert found == [None, one, two]
        assert why == "the stream ended"


async def test_an_event_that_cannot_be_read_is_stepped_over() -> None:
    good = f"event: delivery\ndata: {final('x').model_dump_json()}\n\n".encode()

    found, _ = await read(streaming(b"event: delivery\ndata: {no\n\n", good))

    assert found == [None, final("x")]


async def test_an_event_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST_EVENT", 1_000)

    found, why = await read(streaming(*([b"data: " + b"x" * 400] * 5)))

    assert (found, why) == ([None], "an event is too large")


async def test_a_stream_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SILENCE", 0.2)

    async def forever(_: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            yield b": hello\n\n"
            await asyncio.sleep(30)

        return StreamingResponse(events())

    async with asyncio.timeout(3):
        found, why = await read(Starlette(routes=[Route("/deliveries", forever)]))

    assert (found, why) == ([None], "ReadTimeout")


@pytest.mark.parametrize(
    ("status", "why"),
    [(401, "it refuses BOT_API_KEY"), (403, "it refuses BOT_API_KEY"), (503, "status 503")],
)
async def test_a_refused_stream_says_why(status: int, why: str) -> None:
    assert await read(answering(Response(status_code=status))) == ([], why)


async def call(app: ASGIApp, name: str, *arguments: Any) -> Any:
    async with serve(app) as address:
        service = Service(address, SecretStr(KEY))
        try:
            return await getattr(service, name)(*arguments)
        finally:
            await service.close()


async def test_an_update_goes_as_it_came() -> None:
    seen: list[Any] = []
    update = {"update_id": 1, "message": {"text": "half \ud83d, whole 😀, \u2028"}}

    async def accept(request: Request) -> Response:
        seen.append((request.headers["authorization"], request.headers["content-type"]))
        seen.append(json.loads(await request.body()))
        return JSONResponse({"accepted": True, "notice": "Stopped.", "more": 1})

    app = Starlette(routes=[Route("/webhook/telegram", accept, methods=["POST"])])

    assert await call(app, "accept", update) == "Stopped."
    assert seen == [(f"Bearer {KEY}", "application/json"), update]


@pytest.mark.parametrize("text", ["<html>a proxy's page</html>", "{}", "[]"])
async def test_an_answer_that_is_not_the_services_accepts_nothing(text: str) -> None:
    with pytest.raises(ServiceAway):
        await call(answering(PlainTextResponse(text)), "accept", {"update_id": 1})


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_an_update_that_is_refused_is_told_from_a_service_that_is_away(status: int) -> None:
    with pytest.raises(UpdateRefused) as caught:
        await call(answering(Response(status_code=status)), "accept", {"update_id": 1})

    assert caught.value.status == status


@pytest.mark.parametrize("status", [302, 404, 405, 409, 429, 500, 502, 503, 504])
async def test_every_other_status_means_to_try_again(status: int) -> None:
    response = Response(status_code=status, headers={"Retry-After": "7"})

    with pytest.raises(ServiceAway) as caught:
        await call(answering(response), "accept", {"update_id": 1})

    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    ("said", "seconds"), [("", None), ("soon", None), ("-3", 0), ("nan", None), ("99999", 60)]
)
async def test_a_strange_retry_after_does_no_harm(said: str, seconds: float | None) -> None:
    response = Response(status_code=503, headers={"Retry-After": said})

    with pytest.raises(ServiceAway) as caught:
        await call(answering(response), "accept", {"update_id": 1})

    assert caught.value.retry_after == seconds


async def test_nobody_listening_is_a_service_that_is_away() -> None:
    service = Service("http://127.0.0.1:9", SecretStr(KEY))

    for work in (service.accept({}), service.acknowledge(1, SENT), service.menu()):
        with pytest.raises(ServiceAway) as caught:
            await work
        assert caught.value.cause == "ConnectError"
    await service.close()


@pytest.mark.parametrize("status", [404, 409, 400, 422])
async def test_what_has_ended_is_not_acknowledged_again(status: int) -> None:
    with pytest.raises(DeliveryEnded):
        await call(answering(Response(status_code=status)), "acknowledge", 1, SENT)


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_an_acknowledgement_that_was_not_heard_is_said_again(status: int) -> None:
    with pytest.raises(ServiceAway):
        await call(answering(Response(status_code=status)), "acknowledge", 1, SENT)


@pytest.mark.parametrize(
    ("telegram", "menu"),
    [
        ({"commands": ["a"], "menu": [{"name": "b", "summary": "c"}]}, [("b", "c")]),
        ({"commands": ["a", "b"]}, [("a", "a"), ("b", "b")]),
        ({"commands": ["a"], "menu": []}, []),
        ({}, []),
    ],
)
async def test_the_menu_falls_back_to_the_commands(
    telegram: dict[str, Any], menu: list[tuple[str, str]]
) -> None:
    entries = await call(answering(JSONResponse({"telegram": telegram})), "menu")

    assert [(entry.name, entry.summary) for entry in entries] == menu


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"telegram": 1}', "no"])
async def test_a_service_that_says_nothing_of_telegram_is_asked_later(text: str) -> None:
    with pytest.raises(ServiceAway):
        await call(answering(PlainTextResponse(text)), "menu")


async def test_a_proxy_of_the_environment_never_sees_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    await call(answering(JSONResponse({"accepted": True})), "accept", {"update_id": 1})
