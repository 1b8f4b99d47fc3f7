"""Doors at which somebody is killed: exactly when a request passes, and not before."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.sockets import gone, reset, transport_of

Moment = Literal["lost", "unheard", "begun", "heard"]
ANYTHING = "anything"
NOBODY_CAME = 180.0  # seconds: most of them are away most of the time


@dataclass(frozen=True, slots=True)
class Step:
    """A request, or anything, and how far it came when somebody died.

    `lost`: it never arrives. `unheard`: it is carried out, and its answer never arrives. `begun`:
    the first bytes of its answer are on their way. `heard`: all of them are.
    """

    request: str
    moment: Moment

    def __str__(self) -> str:
        return f"{self.request} {self.moment}"


@dataclass(slots=True)
class _Trap:
    step: Step
    passes: int
    kill: Callable[[], Awaitable[None]]
    sprung: asyncio.Future[asyncio.Future[None]]


class Traps:
    """What waits at the doors."""

    def __init__(self) -> None:
        self._set: list[_Trap] = []

    async def wait(self, step: Step, passes: int, kill: Callable[[], Awaitable[None]]) -> None:
        """Have `kill` called at a step, when it comes for the time `passes`; return after that.

        Raises:
            TimeoutError: nobody came there.
        """
        sprung: asyncio.Future[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self._set.append(_Trap(step, passes, kill, sprung))
        try:
            async with asyncio.timeout(NOBODY_CAME):
                killing = await sprung
        except TimeoutError:
            raise TimeoutError(f"Nobody came to: {step}") from None
        await killing

    async def spring(self, step: Step) -> bool:
        """Say that somebody is at `step`; return whether a trap was there."""
        for trap in self._set:
            if trap.step in {step, Step(ANYTHING, step.moment)}:
                trap.passes -= 1
                if trap.passes <= 0:
                    self._set.remove(trap)
                    killing = asyncio.ensure_future(trap.kill())
                    trap.sprung.set_result(killing)
                    # Who dies hangs up, and then the server cancels the request.
                    await asyncio.shield(killing)
                    return True
        return False


class Reset(Response):
    """The connection is reset where an answer was due."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        drop(scope)
        await gone(receive)


def drop(scope: Scope) -> None:
    """Reset the connection of a request, if it is still there."""
    if not transport_of(scope).is_closing():
        reset(scope)


class Door:
    """An app behind traps. `name` says what a request is, by its path and body."""

    def __init__(self, app: ASGIApp, traps: Traps, name: Callable[[str, bytes], str]) -> None:
        self._app = app
        self._traps = traps
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return  # killed in the middle of it
        name = self._name(scope["path"], body)
        if await self._traps.spring(Step(name, "lost")):
            await Reset()(scope, receive, send)
            return
        answer = _Answer(scope, send, self._traps, name)
        await self._app(scope, _again(body, receive), answer.send)


@dataclass(slots=True)
class _Answer:
    scope: Scope
    to: Send
    traps: Traps
    name: str
    begun: bool = False
    dropped: bool = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.dropped = await self.traps.spring(Step(self.name, "unheard"))
            if self.dropped:
                drop(self.scope)
        if self.dropped:
            return
        await self.to(message)
        if message.get("body") and not self.begun:
            self.begun = True
            await self.traps.spring(Step(self.name, "begun"))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            await self.traps.spring(Step(self.name, "heard"))


def _again(body: bytes, receive: Receive) -> Receive:
    read = False

    async def first() -> Message:
        nonlocal read
        if read:
            return await receive()
        read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return first
