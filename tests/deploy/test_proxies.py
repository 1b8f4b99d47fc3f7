"""The files for nginx and caddy, run: TLS, streams, the webhook, and who is believed."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.api.webhook import SECRET_HEADER
from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.ports import free_port
from tests.api.service import bearer, said
from tests.api.test_webhook import update
from tests.deploy import proxies
from tests.deploy.proxies import NAME, Proxy
from tests.deploy.tools import needs
from tests.processes import Service
from tests.servers import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")
KINDS = {"nginx": proxies.nginx, "caddy": proxies.caddy}
SECRET = secrets.token_urlsafe(32)
LOGINS = 3
# What another machine that is trusted hands on must not be believed here either.
LIARS = {"nginx": "127.0.1.1", "caddy": "127.0.2.1"}
# Counted for themselves, and for a minute.
OTHERS = {"nginx": "127.0.1.2", "caddy": "127.0.2.2"}
CUTTERS = {"nginx": "127.0.1.4", "caddy": "127.0.2.4"}
STRANGERS = {"nginx": "127.0.1.3", "caddy": "127.0.2.3"}
LARGE, PART = 33 * 2**20, 8 * 2**20  # bytes
PATIENCE = 20.0
both = pytest.mark.parametrize(
    "proxy", [pytest.param(it, marks=needs(it)) for it in KINDS], indirect=True
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> OpenRouterWorld:
    return OpenRouterWorld()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(
    world: OpenRouterWorld, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    async with serve(create_openrouter(world)) as provider:
        service = Service(
            tmp_path_factory.mktemp("service"),
            f"{provider}/api/v1",
            TRUSTED_PROXIES=",".join(["127.0.0.1", *LIARS.values()]),
            LOGIN_RATE_LIMIT=f"{LOGINS}/minute",
            TELEGRAM_WEBHOOK_SECRET=SECRET,
        )
        await service.start()
        try:
            await service.ready()
            yield service
        finally:
            assert await service.stop() == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(
    request: pytest.FixtureRequest, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Proxy]:
    async with KINDS[request.param](tmp_path_factory.mktemp(request.param), service.port) as proxy:
        yield proxy


@asynccontextmanager
async def events(answer: httpx.Response) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """Yield the events of an answer as they come, each as its name and its data."""

    async def coming() -> AsyncIterator[tuple[str, Any]]:
        name = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))

    async with asyncio.timeout(PATIENCE):
        yield coming()


async def _until(
    name: str, coming: AsyncIterator[tuple[str, Any]]
) -> AsyncIterator[tuple[str, Any]]:
    """Yield the first event of this name alone."""
    async for kind, data in coming:
        if kind == name:
            yield kind, data
            return


@both
async def test_a_message_is_answered_over_tls(proxy: Proxy, service: Service) -> None:
    async with proxy.client() as http:
        heard = await http.post("/message", json=said("hello"), headers=bearer(service.key))

    assert heard.status_code == 200, heard.text
    assert heard.json()["success"]
    assert "max-age" in heard.headers["Strict-Transport-Security"]


@both
async def test_without_tls_the_way_to_it_is_shown(proxy: Proxy) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        heard = await http.get(f"{proxy.plain}/health?x=1", headers={"Host": NAME})

    assert heard.status_code in {301, 308}
    assert heard.headers["Location"] == f"https://{NAME}/health?x=1"


@both
async def test_an_answer_arrives_while_it_is_written(
    proxy: Proxy, service: Service, world: OpenRouterWorld
) -> None:
    headers = bearer(service.key) | {"Accept": "text/event-stream"}
    world.between_tokens = 0.1
    try:
        async with (
            proxy.client() as http,
            http.stream("POST", "/message", json=said("hello"), headers=headers) as answer,
            events(answer) as coming,
        ):
            kinds = []
            async for kind, _ in coming:
                kinds.append(kind)
                if kinds.count("delta") == 1 and kind == "delta":
                    ended = [it.ended for it in world.generations.values()]
    finally:
        world.between_tokens = 0.0

    assert ended[-1] is None  # the model was still writing
    assert kinds[-1] == "reply"
    assert kinds.count("delta") > 1


@both
async def test_telegram_is_let_in_by_its_secret_and_the_answer_goes_out(
    proxy: Proxy, service: Service, request: pytest.FixtureRequest
) -> None:
    stranger = STRANGERS[request.node.callspec.params["proxy"]]
    raw = update(secrets.randbelow(10**6))
    carrier = bearer(service.bot_key)
    async with (
        proxy.client(stranger) as http,
        http.stream("GET", "/deliveries", headers=carrier) as answer,
        events(answer) as coming,
    ):
        wrong = await http.post("/webhook/telegram", json=raw, headers={SECRET_HEADER: "no"})
        heard = await http.post("/webhook/telegram", json=raw, headers={SECRET_HEADER: SECRET})
        chats = [data["chat_id"] async for _, data in _until("delivery", coming)]

    assert (wrong.status_code, heard.status_code) == (401, 200)
    assert chats == ["7"]


@both
async def test_nobody_chooses_the_address_they_are_counted_by(
    proxy: Proxy, request: pytest.FixtureRequest
) -> None:
    kind = request.node.callspec.params["proxy"]
    async with proxy.client(LIARS[kind]) as http:
        told = [await _knock(http, {"X-Forwarded-For": f"9.9.9.{n}"}) for n in range(LOGINS + 1)]
    async with proxy.client(OTHERS[kind]) as http:
        elsewhere = await _knock(http, {})

    assert told[-1] == 429
    assert elsewhere == 401  # counted for itself: the address was handed on


async def _knock(http: httpx.AsyncClient, headers: dict[str, str]) -> int:
    heard = await http.get("/sessions", headers=bearer("wrong") | headers)
    return heard.status_code


@both
async def test_what_is_too_large_is_refused_before_it_is_sent(
    proxy: Proxy, service: Service
) -> None:
    head = (
        f"POST /message HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {LARGE}\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {service.key}\r\n\r\n"
    )
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", httpx.URL(proxy.base).port, ssl=proxy.trust, server_hostname=NAME
        )
        writer.write(head.encode() + b"x" * PART)
        status = await reader.readline()
        told = await reader.readuntil(b'"success":false')
        writer.close()

    assert b" 413 " in status
    assert b"application/json" in told


@both
async def test_long_headers_are_refused(proxy: Proxy) -> None:
    async with proxy.client() as http:
        heard = await http.get("/health", headers={"X-Long": "x" * 40_000})

    assert heard.status_code in {400, 431}


@both
@pytest.mark.parametrize(
    "path",
    ["/metrics", "/metrics/", "/admin/deliveries", "//admin/deliveries", "/%61dmin/deliveries"],
)
async def test_what_is_the_operators_is_not_there(
    proxy: Proxy, service: Service, path: str
) -> None:
    url = httpx.URL(proxy.base).copy_with(raw_path=path.encode())  # and not made neater
    async with proxy.client() as http:
        heard = await http.get(url, headers=bearer(service.admin_key))

    assert heard.status_code == 404


@pytest.mark.parametrize("kind", [pytest.param(it, marks=needs(it)) for it in KINDS])
async def test_an_instance_that_is_away_is_gone_round(
    kind: str, service: Service, tmp_path: Path
) -> None:
    async with KINDS[kind](tmp_path, free_port(), service.port) as proxy, proxy.client() as http:
        async with asyncio.timeout(PATIENCE):
            # Caddy looks who is there when it starts, nginx when it is asked.
            while not (await http.get("/health/live")).is_success:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        heard = [
            await http.post("/message", json=said("/help"), headers=bearer(service.key))
            for _ in range(4)
        ]

    assert [it.status_code for it in heard] == [200] * 4


@pytest.mark.parametrize("kind", [pytest.param(it, marks=needs(it)) for it in KINDS])
async def test_nobody_puts_instances_out_of_use_by_bodies_that_are_cut_off(
    kind: str, service: Service, tmp_path: Path
) -> None:
    async with (
        KINDS[kind](tmp_path, service.port, service.port) as proxy,
        proxy.client(CUTTERS[kind]) as http,
    ):
        for _ in range(4):
            # Without a key nobody reads it; how the proxy words that is not the point.
            with contextlib.suppress(httpx.TransportError):
                await http.post("/message", content=b"x" * PART)
        heard = [await http.get("/health/live") for _ in range(8)]

    assert [it.status_code for it in heard] == [200] * 8


@pytest.mark.parametrize("kind", [pytest.param(it, marks=needs(it)) for it in KINDS])
async def test_without_any_instance_it_is_said_when_to_come_back(kind: str, tmp_path: Path) -> None:
    async with KINDS[kind](tmp_path, free_port()) as proxy, proxy.client() as http:
        heard = await http.post("/message", json=said("hello"))

    assert (heard.status_code, heard.headers["Retry-After"]) == (503, "5")
    assert heard.json()["error"] == "not_ready"
