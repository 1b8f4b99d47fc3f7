"""The service's side of the contract, small: it keeps updates and hands out deliveries."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from wire.delivery import Acknowledgement, Delivery, Progress

KEY = "1f1e2d3c4b5a69788796a5b4c3d2e1f1"
Json = dict[str, Any]


@dataclass
class FakeService:
    """`refusals` and `ack_refusals` are answered first, one each; status 0 is a hang-up.

    `away`: whatever is asked is answered by 503.
    """

    updates: list[Json] = field(default_factory=list)
    acks: list[tuple[int, Acknowledgement]] = field(default_factory=list)
    open: dict[int, Delivery] = field(default_factory=dict)
    refusals: deque[Response] = field(default_factory=deque)
    ack_refusals: deque[Response] = field(default_factory=deque)
    refused_updates: set[int] = field(default_factory=set)
    notice: str | None = None
    away: bool = False
    key: str = KEY
    platforms: Json = field(
        default_factory=lambda: {
            "telegram": {
                "commands": ["start", "help"],
                "menu": [
                    {"name": "start", "summary": "begin"},
                    {"name": "help", "summary": "what there is"},
                ],
            }
        }
    )
    connections: int = 0
    asked_for_menu: int = 0
    streams: list[asyncio.Queue[bytes | None]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    together: int = 0
    most_together: int = 0
    slowness: float = 0.0

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/webhook/telegram", self._accept, methods=["POST"]),
                Route("/deliveries", self._stream),
                Route("/deliveries/{id:int}/ack", self._ack, methods=["POST"]),
                Route("/platforms", self._platforms),
            ]
        )

    def deliver(self, delivery: Delivery) -> None:
        self.open[delivery.id] = delivery
        self._publish("delivery", delivery)

    def grow(self, progress: Progress) -> None:
        self._publish("progress", progress)

    def drop(self) -> None:
        """End every stream, as a service that stops does."""
        for stream in self.streams:
            stream.put_nowait(None)

    def said(self, delivery: int) -> list[tuple[str, tuple[str, ...]]]:
        return [(ack.outcome, ack.message_ids) for number, ack in self.acks if number == delivery]

    async def until(self, outcome: str, delivery: int = 1, *, times: int = 1) -> Acknowledgement:
        """Wait for an acknowledgement and return the latest such one."""
        async with asyncio.timeout(10):
            while True:
                found = [a for n, a in self.acks if n == delivery and a.outcome == outcome]
                if len(found) >= times:
                    return found[-1]
                self.changed.clear()
                await self.changed.wait()

    async def until_updates(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.updates) < count:
                self.changed.clear()
                await self.changed.wait()

    def _publish(self, name: str, event: Delivery | Progress) -> None:
        for stream in self.streams:
            stream.put_nowait(f"event: {name}\ndata: {event.model_dump_json()}\n\n".encode())

    def _refusal(self, request: Request, queue: deque[Response]) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return Response(status_code=401)
        if self.away:
            return Response(status_code=503)
        return queue.popleft() if queue else None

    async def _accept(self, request: Request) -> Response:
        self.together += 1
        self.most_together = max(self.together, self.most_together)
        try:
            body = await request.body()
            if self.slowness:
                await asyncio.sleep(self.slowness)
            refusal = self._refusal(request, self.refusals)
            update = json.loads(body)
            if refusal is None and update.get("update_id") in self.refused_updates:
                refusal = Response(status_code=422)
            if refusal is not None:
                return refusal
            self.updates.append(update)
            self.changed.set()
            return JSONResponse({"accepted": True, "notice": self.notice})
        finally:
            self.together -= 1

    async def _ack(self, request: Request) -> Response:
        said = Acknowledgement.model_validate_json(await request.body())
        if (refusal := self._refusal(request, self.ack_refusals)) is not None:
            return refusal
        number = int(request.path_params["id"])
        if number not in self.open:
            return Response(status_code=404)
        self.acks.append((number, said))
        if said.message_ids:
            placed = self.open[number].model_copy(update={"edits": said.message_ids})
            self.open[number] = placed
        if said.outcome in {"sent", "refused"}:
            del self.open[number]
        self.changed.set()
        return JSONResponse({"accepted": True})

    async def _stream(self, request: Request) -> Response:
        if (refusal := self._refusal(request, deque())) is not None:
            return refusal
        self.connections += 1
        stream: asyncio.Queue[bytes | None] = asyncio.Queue()
        for delivery in self.open.values():
            event = f"event: delivery\ndata: {delivery.model_dump_json()}\n\n"
            stream.put_nowait(event.encode())
        self.streams.append(stream)
        self.changed.set()
        return StreamingResponse(self._events(stream), media_type="text/event-stream")

    async def _events(self, stream: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
        yield b": hello\n\n"
        try:
            while (event := await stream.get()) is not None:
                yield event
        finally:
            self.streams.remove(stream)

    async def _platforms(self, request: Request) -> Response:
        self.asked_for_menu += 1
        self.changed.set()
        return JSONResponse(self.platforms)
