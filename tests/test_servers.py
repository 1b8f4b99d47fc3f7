import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.servers import serve


async def _hang(_: Request) -> PlainTextResponse:
    await asyncio.sleep(60)
    return PlainTextResponse("late")


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


ROUTES = [Route("/", _hello), Route("/hang", _hang)]


async def test_an_app_is_reached_over_a_real_socket() -> None:
    async with serve(Starlette(routes=ROUTES)) as base_url, httpx.AsyncClient() as http:
        reply = await http.get(base_url + "/")

    assert reply.text == "hello"


async def test_leaving_does_not_wait_for_a_request_that_hangs() -> None:
    async with httpx.AsyncClient() as http:
        async with serve(Starlette(routes=ROUTES)) as base_url:
            call = asyncio.create_task(http.get(base_url + "/hang"))
            await asyncio.sleep(0.05)
            left = time.monotonic()
        took = time.monotonic() - left

        with pytest.raises(httpx.TransportError):
            await call

    assert took < 0.5


async def test_the_port_is_closed_afterwards() -> None:
    async with serve(Starlette(routes=ROUTES)) as base_url:
        pass

    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(base_url)


async def test_the_lifespan_runs_from_start_to_end() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        seen.append("start")
        yield
        seen.append("end")

    async with serve(Starlette(routes=ROUTES, lifespan=lifespan)):
        seen.append("serving")

    assert seen == ["start", "serving", "end"]


async def test_a_failing_lifespan_is_told() -> None:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        raise ValueError("no database")
        yield

    with pytest.raises(RuntimeError, match="did not start"):
        async with serve(Starlette(routes=ROUTES, lifespan=lifespan)):
            pass
