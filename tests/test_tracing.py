"""Traces, as a collector on a real socket receives them."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import tracing
from simulator.openrouter import OpenRouterWorld, create_openrouter
from tests.api.service import INTERNAL, Place, Service, bearer, said, settled
from tests.servers import serve

WORDS = "heliotrope7731"
THEIRS = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{THEIRS}-00f067aa0ba902b7-01"
Call = Callable[[Service], Awaitable[httpx.Response]]


class Collector:
    """Takes what an exporter posts, and decodes it."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.raw = b""

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/traces", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        self.raw += body
        for batch in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.spans += [span for scope in batch.scope_spans for span in scope.spans]
        return Response(b"", media_type="application/x-protobuf")

    def named(self, name: str) -> Any:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def trace_of(self, heard: httpx.Response) -> dict[str, Any]:
        """Return the spans of the trace that the id of a request makes, by name."""
        trace = heard.headers["X-Request-ID"] * 2
        return {span.name: span for span in self.spans if span.trace_id.hex() == trace}


def facts(span: Any) -> dict[str, object]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes
    }


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    (tmp_path / "data").mkdir(mode=0o700)
    world = OpenRouterWorld(index_delay=0.0)
    async with serve(create_openrouter(world)) as upstream:
        yield Place(tmp_path, upstream, world)


@asynccontextmanager
async def collecting(place: Place) -> AsyncIterator[tuple[Service, Collector]]:
    """Run a service that sends its traces. They are all there once it has ended."""
    collector = Collector()
    async with (
        serve(collector.app()) as url,
        place.running(otel_exporter_otlp_endpoint=url) as service,
    ):
        yield service, collector
        await settled(service)


async def say(service: Service, text: str = f"6 * 7 {WORDS}", **headers: str) -> httpx.Response:
    return await service.post(said(text, user_id=WORDS, chat_id=WORDS), **headers)


async def test_a_message_is_one_trace_down_to_the_call_of_the_model(place: Place) -> None:
    async with collecting(place) as (service, collector):
        heard = await say(service)

    spans = collector.trace_of(heard)
    assert spans.keys() == {"POST /message", "turn", "model"}
    assert spans["POST /message"].span_id.hex() == heard.headers["X-Request-ID"]
    assert spans["POST /message"].parent_span_id == b""
    assert spans["turn"].parent_span_id == spans["POST /message"].span_id
    assert spans["model"].parent_span_id == spans["turn"].span_id
    assert facts(spans["POST /message"])["status"] == 200
    assert facts(spans["turn"]) == {"platform": "internal"}
    assert facts(spans["model"]) == {"model": "openai/gpt-5.4"}


async def test_what_is_done_later_joins_the_trace_of_its_request(place: Place) -> None:
    async with collecting(place) as (service, collector):
        headers = bearer(INTERNAL)
        message = said(f"6 * 7 {WORDS}", user_id=WORDS, chat_id=WORDS)
        heard = await service.http.post("/webhook/internal", json=message, headers=headers)
        await settled(service)
        sent = {"outcome": "sent"}
        await service.http.post("/deliveries/1/ack", json=sent, headers=headers)

    spans = collector.trace_of(heard)
    root = "POST /webhook/{platform}"
    assert spans.keys() == {root, "resume", "turn", "model", "delivery"}
    assert spans["resume"].parent_span_id == spans["delivery"].parent_span_id
    assert spans["resume"].parent_span_id == spans[root].span_id
    assert facts(spans["delivery"]) == {"platform": "internal", "outcome": "sent"}
    delivery = spans["delivery"]
    assert delivery.end_time_unix_nano > spans["turn"].end_time_unix_nano
    assert delivery.start_time_unix_nano < spans["turn"].start_time_unix_nano


async def test_no_text_and_nobodys_id_is_in_a_trace(place: Place) -> None:
    async with collecting(place) as (service, collector):
        place.world.next("http-502", 3)
        failed = await say(service)
        await say(service, f"/nonsense {WORDS}")
        await service.http.get(f"/session/{WORDS}", headers=bearer(INTERNAL))

    assert facts(collector.trace_of(failed)["model"])["error.type"] == "ModelUnreachable"
    assert collector.named("GET /session/{session_id}")
    assert len(collector.spans) == 6
    assert b"7731" not in collector.raw
    assert [event for span in collector.spans for event in span.events] == []


@pytest.mark.parametrize(
    ("key", "parent", "joins"),
    [
        (INTERNAL, PARENT, True),
        ("x" * 32, PARENT, False),
        (None, PARENT, False),
        (INTERNAL, f"00-{'0' * 32}-00f067aa0ba902b7-01", False),
        (INTERNAL, PARENT.upper(), False),
        (INTERNAL, f"{PARENT}-x", False),
    ],
)
async def test_only_who_has_a_key_may_bring_a_trace(
    place: Place, key: str | None, parent: str, *, joins: bool
) -> None:
    async with collecting(place) as (service, collector):
        headers = {"traceparent": parent} | (bearer(key) if key else {})
        heard = await service.http.post("/message", json=said("/help"), headers=headers)

    root = collector.named("POST /message")
    ours = heard.headers["X-Request-ID"] * 2
    assert root.trace_id.hex() == (THEIRS if joins else ours)
    # What is done later is found from there.
    assert [link.trace_id.hex() for link in root.links] == ([ours] if joins else [])


async def test_what_is_asked_every_few_seconds_makes_no_trace(place: Place) -> None:
    async with collecting(place) as (service, collector):
        for path in ("/metrics", "/health", "/health/live", "/health/ready"):
            await service.http.get(path)
        await service.http.get("/platforms")

    assert [span.name for span in collector.spans] == ["GET /platforms"]


async def test_a_collector_that_hangs_or_is_away_holds_up_nobody(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        running = place.running(otel_exporter_otlp_endpoint=f"http://127.0.0.1:{port}")
        async with running as service:
            heard = await say(service)
            began = time.monotonic()
    took = time.monotonic() - began

    assert heard.status_code == 200
    assert took < tracing.STOP_SECONDS + 2


async def test_without_a_collector_there_is_no_trace_and_nothing_loaded(place: Place) -> None:
    async with place.running() as service:
        await say(service)
        assert not tracing.on()
        assert tracing.span("turn", platform="x") is tracing.OFF
    code = (
        "import sys, app.main, run_service;"
        "own = ('opentelemetry.sdk.trace', 'opentelemetry.exporter', 'google', 'requests');"
        "print([name for name in sys.modules if name.startswith(own)])"
    )
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


def test_off_it_costs_next_to_nothing() -> None:
    began = time.perf_counter()
    for _ in range(10_000):
        with tracing.span("turn", platform="internal") as span:
            span.tell(status=200)

    assert (time.perf_counter() - began) / 10_000 < 20e-6
