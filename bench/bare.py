"""The least that FastAPI and aiohttp can do: pass a chat completion on, keep nothing.

Nothing built from these two is faster; the rest is what the service's own work costs.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

HEADERS = {"Content-Type": "application/json"}


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(os.environ["UPSTREAM"], connector=connector) as session:
        app.state.session = session
        yield


app = FastAPI(lifespan=opened)


@app.post("/v1/chat/completions")
async def completions(request: Request) -> Response:
    session: aiohttp.ClientSession = request.app.state.session
    body = await request.body()
    if b'"stream":true' in body:
        return StreamingResponse(_pieces(session, body), media_type="text/event-stream")
    async with session.post("/v1/chat/completions", data=body, headers=HEADERS) as answer:
        return Response(await answer.read(), answer.status, media_type="application/json")


async def _pieces(session: aiohttp.ClientSession, body: bytes) -> AsyncIterator[bytes]:
    async with session.post("/v1/chat/completions", data=body, headers=HEADERS) as answer:
        async for piece in answer.content.iter_any():
            yield piece
