"""An HTTP answer as a list of things to do, so that a fault is a change of that list."""

import asyncio
import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from simulator.sockets import gone, hang_up, reset, transport_of


class Act(enum.Enum):
    RESET = "a TCP reset"
    HANG_UP = "the connection closes, whatever HTTP still promised"
    SILENCE = "nothing more, for ever"


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Step = bytes | Pause | Act


@dataclass(frozen=True, slots=True)
class Script:
    """A head and then steps. Each `bytes` is one write of its own.

    With `raw` the steps hold the head too and go to the socket as they are; the last one
    then has to be an act that ends the connection.
    """

    steps: Iterable[Step]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bool = False


class Play(Response):
    """Performs a script. Calls `ended` once, with whether the client went away before."""

    def __init__(self, script: Script, ended: Callable[[bool], None]) -> None:
        super().__init__()
        self._script = script
        self._ended = ended
        self._over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watching = asyncio.create_task(gone(receive))
        playing = asyncio.create_task(self._play(scope, receive, send))
        try:
            await asyncio.wait({watching, playing}, return_when=asyncio.FIRST_COMPLETED)
            self._ended(not self._over)
            if playing.done():
                await playing
        finally:
            playing.cancel()
            watching.cancel()

    async def _play(self, scope: Scope, receive: Receive, send: Send) -> None:
        script = self._script
        steps = iter(script.steps)
        step = next(steps, None)
        if not script.raw and not isinstance(step, Act):
            await send(_start(script))
        while step is not None:
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
            elif isinstance(step, Act):
                self._over = step is not Act.SILENCE
                return await _act(step, scope, receive)
            elif script.raw:
                transport_of(scope).write(step)
            else:
                await send({"type": "http.response.body", "body": step, "more_body": True})
            step = next(steps, None)
        self._over = True
        return await send({"type": "http.response.body", "body": b"", "more_body": False})


def _start(script: Script) -> Message:
    headers = [(name.encode(), value.encode()) for name, value in script.headers.items()]
    return {"type": "http.response.start", "status": script.status, "headers": headers}


async def _act(act: Act, scope: Scope, receive: Receive) -> None:
    if act is Act.SILENCE:
        await asyncio.Event().wait()
    if act is Act.RESET:
        reset(scope)
    else:
        hang_up(scope)
    await gone(receive)
