"""`python -m tests.soak.provider CALLS`: a provider that numbers its answers.

Each call writes the text that was asked as a line of the file CALLS before it is answered, and
no two answers are alike: an answer that was made twice can be told from one that was kept. Who
asks for something slowly is answered in seconds.
"""

import asyncio
import itertools
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

FIRST_TOKEN = 0.004  # seconds: long enough that kills fall into calls
BETWEEN_TOKENS = 0.002
BETWEEN_SLOW_TOKENS = 0.5
TOKENS = 6


def create_provider(
    called: Callable[[str], object], numbers: Iterator[int] | None = None
) -> Starlette:
    """Return the app; `called` is told what was asked. `numbers` are shared by several."""
    numbers = numbers or itertools.count(1)

    async def chat(request: Request) -> Response:
        asked = (await request.json())["messages"][-1]["content"]
        called(asked)
        return StreamingResponse(_answer(asked, next(numbers)), media_type="text/event-stream")

    async def models(_: Request) -> Response:
        return JSONResponse({"data": []})

    return Starlette(
        routes=[Route("/v1/chat/completions", chat, methods=["POST"]), Route("/v1/models", models)]
    )


async def _answer(asked: str, number: int) -> AsyncIterator[str]:
    await asyncio.sleep(FIRST_TOKEN)
    between = BETWEEN_SLOW_TOKENS if asked.endswith("slowly") else BETWEEN_TOKENS
    for word in [f"{asked} ", f"call{number} ", *["word "] * TOKENS]:
        yield _event({"choices": [{"delta": {"content": word}, "finish_reason": None}]})
        await asyncio.sleep(between)
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    yield _event({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage})
    yield "data: [DONE]\n\n"


def _event(chunk: dict[str, object]) -> str:
    return f"data: {json.dumps(chunk)}\n\n"


def main() -> None:
    calls = Path(sys.argv[1])

    def called(asked: str) -> None:
        with calls.open("a") as log:
            log.write(f"{asked}\n")

    app = create_provider(called)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as door:
        print(f"http://127.0.0.1:{door.getsockname()[1]}/v1", flush=True)  # noqa: T201 - told once
        uvicorn.Server(uvicorn.Config(app, ws="none", log_level="warning")).run(sockets=[door])


if __name__ == "__main__":
    main()
