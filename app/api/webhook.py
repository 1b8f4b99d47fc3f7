"""The doors for what others bring in, and for what is carried to people."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hmac import compare_digest
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response, Security
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, StreamingResponse

from app.api.auth import BEARER, AdminCaller, RequiredCaller, required_caller
from app.api.body import json_of, model_of, read_bytes, read_json
from app.api.docs import problems
from app.api.parts import CurrentParts
from app.api.problems import request_id_of
from app.api.signed import is_signed
from app.api.stream import EVENT_STREAM, event
from app.chat.inbox import Inbox
from app.chat.outbox import Outbox
from app.errors import BadRequest, NotFound, PlatformNotAllowed
from wire.delivery import Acknowledgement, Progress
from wire.message import Message

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - a name
UPDATE_CAP = 1_000_000  # bytes; Telegram's updates hold no files
LONGEST_NOTICE = 200  # characters
SIGNING = "internal"  # the platform whose calls may be signed
# Bytes that are read for a signature alone: whoever sends them may turn out to be nobody.
SIGNED_CAP = 1_000_000

router = APIRouter(tags=["deliveries"])


class Accepted(BaseModel):
    accepted: Literal[True] = True
    notice: str | None = None


class AnswerCall(BaseModel):
    """A call that Telegram carries out when it stands in the answer to its own."""

    method: Literal["answerCallbackQuery"] = "answerCallbackQuery"
    callback_query_id: str
    text: str | None = Field(default=None, max_length=LONGEST_NOTICE)


class DeadLetter(BaseModel):
    id: int
    platform: str
    chat_id: str
    reason: str
    created_at: float


class DeadLetters(BaseModel):
    refused: list[DeadLetter]
    unreadable_updates: int


class Redriven(BaseModel):
    success: Literal[True] = True
    redriven: int


@dataclass(frozen=True, slots=True)
class Update:
    """An update. Telegram brings it `directly`, or the bot does."""

    body: bytes
    directly: bool


async def telegram_update(request: Request, parts: CurrentParts) -> Update:
    """Return an update, once it is clear that Telegram or the bot brings it.

    Telegram shows its secret, the bot its key; either is checked before the body is read.
    """
    secrets = request.headers.getlist(SECRET_HEADER)
    directly = bool(secrets and parts.webhook_secret)
    if directly:
        if not _same(",".join(secrets), parts.webhook_secret):
            await parts.keys.refuse(request)
    elif (await required_caller(request)).platform != "telegram":
        raise PlatformNotAllowed
    parts.check_open()
    return Update(await read_bytes(request, cap=UPDATE_CAP), directly)


def _same(one: str, other: str) -> bool:
    # As digests, so that the time tells nothing of the length either.
    mine, theirs = (hashlib.sha256(text.encode()).digest() for text in (one, other))
    return compare_digest(mine, theirs)


@dataclass(frozen=True, slots=True)
class Call:
    """A message in its bytes, once it is clear whose it is. `webhook_id` is of a signed one."""

    platform: str
    body: bytes
    webhook_id: str = ""


async def call_of(
    platform: str,
    request: Request,
    parts: CurrentParts,
    _bearer: Annotated[object, Security(BEARER)] = None,
) -> Call:
    """Return a call by the key of its platform, by a signature, or by both.

    What of these is shown must be right. A key is checked before the body is read; a signature
    is made of the body.
    """
    signatures = parts.signatures if platform == SIGNING and is_signed(request.headers) else None
    by_key = signatures is None or "authorization" in request.headers
    caller = (await required_caller(request)).platform if by_key else SIGNING
    cap = parts.body_cap if by_key else SIGNED_CAP
    if signatures is None:
        parts.check_open()
        return Call(caller, await read_bytes(request, cap=cap))
    claim = signatures.claim(request.headers, parts.processor.clock())
    if claim is None:
        await parts.keys.refuse(request)
    parts.check_open()
    body = await read_bytes(request, cap=cap)
    if not claim.holds(body):
        await parts.keys.refuse(request)
    return Call(caller, body, claim.webhook_id)


@contextlib.asynccontextmanager
async def _noted(call: Call, inbox: Inbox) -> AsyncIterator[None]:
    """Keep of a signed call that it was refused for what it says."""
    try:
        yield
    except (BadRequest, PlatformNotAllowed) as refused:
        if call.webhook_id:
            await inbox.note_refused(call.platform, call.webhook_id, refused.status)
        raise


@router.post(
    "/webhook/telegram",
    summary="Take an update of Telegram",
    response_model=Accepted | AnswerCall,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
    responses=problems(400, 401, 403, 413, 415, 429, 503),
)
async def telegram(
    request: Request, update: Annotated[Update, Depends(telegram_update)], parts: CurrentParts
) -> Accepted | Response:
    """Keep a raw update, once. The answer to the person comes by `GET /deliveries`.

    A pressed button turns until its press is answered: Telegram is told to do so in the answer
    to its call, the bot does it by itself.
    """
    heard = await parts.inbox.take_update(update.body, request_id_of(request))
    if heard.press is None or not update.directly:
        return Accepted(notice=heard.notice)
    text = None if heard.notice is None else heard.notice[:LONGEST_NOTICE]
    call = AnswerCall(callback_query_id=heard.press, text=text)
    return JSONResponse(call.model_dump(exclude_none=True))


@router.post(
    "/webhook/{platform}",
    summary="Take a message, and answer it later",
    status_code=202,
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Message"}}},
        }
    },
)
async def message(
    platform: str,
    request: Request,
    parts: CurrentParts,
    call: Annotated[Call, Depends(call_of)],
) -> Accepted:
    """Keep a message, once. The answer comes by `GET /deliveries` with the same key.

    `/webhook/internal` also takes calls that are signed after Standard Webhooks, without a key
    or with it: `webhook-id`, `webhook-timestamp` and `webhook-signature`.
    """
    async with _noted(call, parts.inbox):
        message = model_of(Message, await json_of(call.body))
        if message.platform != call.platform:
            raise PlatformNotAllowed
        if platform not in parts.platforms:
            raise NotFound
        if platform != call.platform:
            raise PlatformNotAllowed
        await parts.inbox.take_message(message, request_id_of(request), call.webhook_id)
    return Accepted()


@router.get(
    "/deliveries",
    summary="What is to be brought to people",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events `delivery` and `progress`; all that is open comes first.",
            "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
        },
        **problems(401, 403, 503),
    },
)
async def stream(caller: RequiredCaller, parts: CurrentParts) -> Response:
    if not caller.platform:
        raise PlatformNotAllowed
    parts.check_open()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = _events(parts.outbox, caller.platform)
    return StreamingResponse(events, headers=headers, media_type=EVENT_STREAM)


@router.post(
    "/deliveries/{delivery_id}/ack",
    summary="Say what became of a delivery",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Acknowledgement"}}
            },
        }
    },
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
)
async def acknowledge(
    delivery_id: Annotated[int, Path(ge=1, lt=2**63)],
    request: Request,
    caller: RequiredCaller,
    parts: CurrentParts,
) -> Accepted:
    if not caller.platform:
        raise PlatformNotAllowed
    said = model_of(Acknowledgement, await read_json(request, cap=UPDATE_CAP))
    await parts.outbox.acknowledge(caller.platform, delivery_id, said)
    return Accepted()


@router.get("/admin/deliveries", summary="The dead letters", responses=problems(401, 403))
async def dead_letters(_caller: AdminCaller, parts: CurrentParts) -> DeadLetters:
    refused, unreadable = await parts.outbox.dead()
    letters = [DeadLetter(**letter._asdict()) for letter in refused]
    return DeadLetters(refused=letters, unreadable_updates=unreadable)


@router.post(
    "/admin/redrive", summary="Deliver dead letters again", responses=problems(401, 403, 422)
)
async def redrive(
    _caller: AdminCaller,
    parts: CurrentParts,
    delivery_id: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> Redriven:
    """Open all of them again, or the one that is named."""
    return Redriven(redriven=await parts.outbox.redrive(delivery_id))


async def _events(outbox: Outbox, platform: str) -> AsyncIterator[bytes]:
    async for change in outbox.changes(platform):
        if change is None:
            yield b": still here\n\n"
        else:
            name = b"progress" if isinstance(change, Progress) else b"delivery"
            yield event(name, change.model_dump_json().encode())
