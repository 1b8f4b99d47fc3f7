"""Traces by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set. Else nothing is imported.

A span bears names, counts and outcomes of ours: no text, no id of a person or a chat, and of an
error its type alone. The id of a request makes the ids of its trace, so that what is done for it
later, perhaps by another process, joins the same trace without anything else being kept.
"""

import asyncio
import logging
import re
import threading
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Final, Self

SERVICE: Final = "arash-panoptes"
STOP_SECONDS: Final = 2.0  # to send the last spans; a collector that hangs holds up no end
LOOK_EVERY: Final = 0.01
EXPORT_SECONDS: Final = 5.0
NANOSECONDS: Final = 1_000_000_000
_ID: Final = re.compile(r"[0-9a-f]{16}")
_PARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")

Value = str | int | float | bool


class Span:
    """A piece of work. This one is not told to anybody."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def tell(self, **facts: Value) -> None:
        """Add what came of it."""

    def rename(self, name: str) -> None:
        """Call it otherwise: what it is may be known only at its end."""


OFF: Final = Span()
_tracer: "_Tracer | None" = None


def on() -> bool:
    return _tracer is not None


def span(name: str, **facts: Value) -> Span:
    """Return a span below the present one, to be entered."""
    return OFF if _tracer is None else _tracer.span(name, facts)


def request(request_id: str, caller: str = "") -> Span:
    """Return the span of a request. `caller` is a `traceparent` that may be believed."""
    return OFF if _tracer is None else _tracer.request(request_id, caller)


def later(request_id: str, name: str, **facts: Value) -> Span:
    """Return a span of what is done for a request that has been answered."""
    return OFF if _tracer is None else _tracer.span(name, facts, of=request_id)


def past(request_id: str, name: str, began: float, ended: float, **facts: Value) -> None:
    """Tell what went on between two moments, in Unix time, for a request."""
    if _tracer is not None:
        _tracer.past(request_id, name, began, ended, facts)


def start(endpoint: str, version: str) -> Callable[[], Awaitable[None]]:
    """Send traces to `endpoint` from now on, by OTLP over HTTP; return what ends that."""
    global _tracer  # noqa: PLW0603 - there is one, as there is one log
    tracer = _tracer = _Tracer(endpoint, version)

    async def stop() -> None:
        global _tracer  # noqa: PLW0603 - see above
        if _tracer is tracer:
            _tracer = None
        ending = threading.Thread(target=tracer.provider.shutdown, daemon=True)
        ending.start()
        until = time.monotonic() + STOP_SECONDS
        while ending.is_alive() and time.monotonic() < until:  # noqa: ASYNC110 - a thread's end
            await asyncio.sleep(LOOK_EVERY)

    return stop


class _Tracer:
    """Everything that knows OpenTelemetry: 9 MB that who sends no traces does not load."""

    def __init__(self, endpoint: str, version: str) -> None:
        from opentelemetry import trace  # noqa: PLC0415 - see above
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415

        # A collector that is away would be told of with each try of each batch.
        logging.getLogger("opentelemetry").setLevel(logging.ERROR)
        given: ContextVar[tuple[int, int] | None] = ContextVar("given", default=None)

        class Ids(RandomIdGenerator):
            def generate_trace_id(self) -> int:
                ids = given.get()
                return super().generate_trace_id() if ids is None else ids[0]

            def generate_span_id(self) -> int:
                ids = given.get()
                return super().generate_span_id() if ids is None else ids[1]

        self.trace = trace
        self._given = given
        self.provider = TracerProvider(
            resource=Resource.create({"service.name": SERVICE, "service.version": version}),
            id_generator=Ids(),
            shutdown_on_exit=False,
        )
        url = f"{endpoint.rstrip('/')}/v1/traces"
        exporter = OTLPSpanExporter(endpoint=url, timeout=EXPORT_SECONDS)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self.provider.get_tracer("app", version)

    def span(self, name: str, facts: dict[str, Value], of: str = "") -> Span:
        parent = self._context(*_ids(of)) if _ID.fullmatch(of) else None
        return _Told(self, self._tracer.start_span(name, context=parent, attributes=facts))

    def request(self, request_id: str, caller: str) -> Span:
        ids = _ids(request_id)
        facts: dict[str, Value] = {"request_id": request_id}
        found = _PARENT.fullmatch(caller)
        token = self._given.set(ids)
        try:
            if found is None or not (int(found[1], 16) and int(found[2], 16)):
                root = self.trace.set_span_in_context(self.trace.INVALID_SPAN)
                return _Told(self, self._tracer.start_span("request", root, attributes=facts))
            # What is done later joins our own trace; the link leads there from the caller's.
            link = self.trace.Link(self._point(*ids))
            sampled = bool(int(found[3], 16) & 1)
            parent = self._context(int(found[1], 16), int(found[2], 16), sampled=sampled)
            made = self._tracer.start_span("request", parent, attributes=facts, links=[link])
            return _Told(self, made)
        finally:
            self._given.reset(token)

    def past(
        self, request_id: str, name: str, began: float, ended: float, facts: dict[str, Value]
    ) -> None:
        parent = self._context(*_ids(request_id)) if _ID.fullmatch(request_id) else None
        at, until = round(began * NANOSECONDS), round(ended * NANOSECONDS)
        made = self._tracer.start_span(name, parent, attributes=facts, start_time=at)
        made.end(until)

    def _point(self, trace_id: int, span_id: int, *, sampled: bool = True) -> Any:
        flags = self.trace.TraceFlags(int(sampled))
        return self.trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)

    def _context(self, trace_id: int, span_id: int, *, sampled: bool = True) -> Any:
        point = self._point(trace_id, span_id, sampled=sampled)
        return self.trace.set_span_in_context(self.trace.NonRecordingSpan(point))


class _Told(Span):
    __slots__ = ("_made", "_token", "_trace")

    def __init__(self, tracer: _Tracer, made: Any) -> None:
        self._trace = tracer.trace
        self._made = made
        self._token: Token[Any] | None = None

    def tell(self, **facts: Value) -> None:
        self._made.set_attributes(facts)

    def rename(self, name: str) -> None:
        self._made.update_name(name)

    def __enter__(self) -> Self:
        from opentelemetry import context  # noqa: PLC0415 - loaded by now

        self._token = context.attach(self._trace.set_span_in_context(self._made))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        from opentelemetry import context  # noqa: PLC0415 - loaded by now

        if kind is not None:
            # Its text may quote what somebody wrote.
            self._made.set_attribute("error.type", kind.__name__)
            self._made.set_status(self._trace.StatusCode.ERROR)
        if self._token is not None:
            context.detach(self._token)
        self._made.end()


def _ids(request_id: str) -> tuple[int, int]:
    """Return the ids of the trace and of the request's span."""
    return int(request_id * 2, 16), int(request_id, 16)
