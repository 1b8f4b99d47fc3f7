"""`POST /message`, plain and streamed."""

import math
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.responses import StreamingResponse

from app.api.auth import BEARER, required_caller
from app.api.body import model_of, read_json
from app.api.docs import EXAMPLES, problems
from app.api.parts import parts_of
from app.api.problems import request_id_of
from app.api.stream import EVENT_STREAM, events
from app.chat.limits import Verdict
from app.errors import PlatformNotAllowed, TooManyMessages
from wire.answer import Answer
from wire.message import Message


class Direct(APIRoute):
    """A route whose function takes the request and returns the response, and nothing between.

    FastAPI would solve its dependencies, of which there are none, and look what it returned.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


router = APIRouter(tags=["messages"], route_class=Direct)
LIMIT_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Message"},
                "examples": EXAMPLES,
            }
        },
    },
    "security": [{BEARER.scheme_name: []}],
}
STREAMED: dict[str, Any] = {
    "description": (
        "The answer. With `Accept: text/event-stream`, events: `progress`, `delta` "
        '(`{"text"}`, the next piece of `response`), then one `reply` (this body) or one '
        "`error` (a Problem)."
    ),
    "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
}


@router.post(
    "/message",
    summary="Answer a message",
    response_model=Answer,
    openapi_extra=BODY,
    responses={
        200: STREAMED,
        **problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 502, 503, 504),
    },
)
async def answer(request: Request) -> Response:
    """Run the command in the message, or hand its words to the model.

    The same `message_id` of a chat is answered once: a repeat gets the stored answer, and
    409 while the first is being answered. Messages of one conversation are answered in order.
    """
    # Called, not declared as dependencies: solving those costs FastAPI 0.2 ms, a seventh of
    # the whole message. The key comes before the body.
    parts = await parts_of(request)
    caller = await required_caller(request)
    parts.check_open()
    message = model_of(Message, await read_json(request, cap=parts.body_cap))
    if not caller.platform:
        raise PlatformNotAllowed
    try:
        admitted = await parts.processor.admit(message, caller.platform, request_id_of(request))
    except TooManyMessages as refused:
        limit = parts.platforms[caller.platform].rate_limit
        request.state.limit_headers = limit_headers(
            Verdict(allowed=False, limit=limit, left=0, reset=refused.retry_after or 0)
        )
        raise
    headers = limit_headers(admitted.verdict)
    request.state.limit_headers = headers
    if EVENT_STREAM in request.headers.get("accept", ""):
        stream = events(parts.processor, admitted, request.state.request_id)
        headers |= {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, headers=headers, media_type=EVENT_STREAM)
    answered = await parts.processor.work(admitted)
    return Response(answered.model_dump_json(), headers=headers, media_type="application/json")


def limit_headers(verdict: Verdict) -> dict[str, str]:
    """Return how much of the allowance is left, and in how many seconds more comes."""
    told = (verdict.limit, verdict.left, max(0, math.ceil(verdict.reset)))
    return dict(zip(LIMIT_HEADERS, map(str, told), strict=True))
