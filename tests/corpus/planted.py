"""A service in small that answers the corpus as it must, but for one planted fault."""

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.api.body import client_gone, model_of, parse_json, read_json
from app.errors import (
    AppError,
    EmptyMessage,
    Forbidden,
    ImageRefused,
    InvalidBody,
    NotAuthenticated,
    NotFound,
    PlatformNotAllowed,
    TextTooLong,
)
from wire.message import Message

KEY = "corpus-" + secrets.token_hex(16)
ADMIN = "admin-" + secrets.token_hex(16)
CAP = 256 * 1024
TAKES_JSON: dict[str, Any] = {"requestBody": {"content": {"application/json": {}}}}
INVISIBLE = "\u200b\u200c\u200d\ufeff"

Ask = Callable[..., Awaitable[Any]]


def build(fault: str = "") -> FastAPI:
    """Make the service. `fault` is one of `FAULTS`, or nothing."""
    app = FastAPI(redirect_slashes=fault == "slashes")
    _answer_errors(app, fault)
    _open_doors(app, fault)
    _locked_doors(app, fault)

    @app.middleware("http")
    async def mark(request: Request, call_next: Ask) -> Response:
        request.state.id = secrets.token_hex(8)
        try:
            response: Response = await call_next(request)
        except Exception:  # noqa: BLE001 - the fault that the corpus has to see
            response = _problem(request, 500, "internal", "broken")
        response.headers["x-request-id"] = request.state.id
        return response

    return app


def _answer_errors(app: FastAPI, fault: str) -> None:
    @app.exception_handler(AppError)
    async def expected(request: Request, error: AppError) -> Response:
        response = _problem(request, error.status, error.code, str(error))
        if isinstance(error, NotAuthenticated):
            response.headers["www-authenticate"] = "Bearer"
        return response

    @app.exception_handler(HTTPException)
    async def routing(request: Request, error: HTTPException) -> Response:
        if fault == "plain errors":
            return Response("Not Found", error.status_code)
        response = _problem(request, error.status_code, "http", "Look at the documentation.")
        if fault != "no Allow":
            response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return _problem(request, 422, "invalid_body", str(error))

    app.add_exception_handler(ClientDisconnect, client_gone)


def _problem(request: Request, status: int, code: str, sentence: str) -> Response:
    problem = {
        "success": False,
        "response": sentence,
        "data": None,
        "error": code,
        "retry_after": None,
        "request_id": request.state.id,
    }
    return Response(json.dumps(problem), status, media_type="application/json")


def _check_key(request: Request, fault: str) -> str | None:
    presented = request.headers.getlist("authorization")
    if not presented:
        return None
    if fault == "first key counts":
        presented = presented[:1]
    scheme, _, key = presented[0].partition(" ")
    # The fault is what compares text: it takes no letters beyond ASCII.
    given: Any = key if fault == "keys as text" else key.encode("latin-1")
    for known in (KEY, ADMIN):
        right: Any = known if fault == "keys as text" else known.encode()
        if hmac.compare_digest(given, right) and scheme == "Bearer" and len(presented) == 1:
            return known
    if fault == "repeats the key":
        raise NotAuthenticated(f"{key} is no key.")
    raise NotAuthenticated


def _open_doors(app: FastAPI, fault: str) -> None:
    async def said() -> dict[str, str]:
        return {"status": "fine"}

    for path in ("/", "/health/live", "/health/ready", "/platforms"):
        app.get(path)(said)

    def glance(request: Request) -> None:
        _check_key(request, fault)

    for path in ("/health", "/sessions", "/stats"):
        app.get(path, dependencies=[Depends(glance)])(said)


def _locked_doors(app: FastAPI, fault: str) -> None:
    def known(request: Request) -> str:
        if (key := _check_key(request, fault)) is None:
            raise NotAuthenticated
        return key

    def admin(key: Annotated[str, Depends(known)]) -> None:
        if key != ADMIN and fault != "everyone is admin":
            raise Forbidden

    def admitted(request: Request) -> None:
        if fault != "reads before it asks":
            known(request)

    async def posted(request: Request, _: Annotated[None, Depends(admitted)]) -> Message:
        return model_of(Message, await _read(request, fault))

    _sessions(app, fault, Depends(known), Depends(admin))

    @app.post("/message", openapi_extra=TAKES_JSON)
    async def message(
        said: Annotated[Message, Depends(posted)], _: Annotated[str, Depends(known)]
    ) -> dict[str, str]:
        _check_message(said)
        return {"response": said.text}


def _sessions(app: FastAPI, fault: str, known: Any, admin: Any) -> None:
    @app.get("/session/{session_id}", dependencies=[known])
    @app.delete("/session/{session_id}", dependencies=[admin])
    async def session(session_id: str) -> None:
        raise NotFound(f"There is no {session_id}." if fault == "repeats the path" else None)

    @app.post("/admin/clear-sessions", dependencies=[admin])
    async def clear() -> dict[str, int]:
        return {"cleared": 0}


async def _read(request: Request, fault: str) -> object:
    if fault == "no cap":
        return await read_json(request, cap=2**60)
    if fault == "any type":
        return parse_json(await request.body())
    if fault in LOOSE:
        raw = await request.body()
        loose: Any = json.loads(raw) if LOOSE[fault] in raw else None
        if loose is not None:
            _store(loose)
            return loose
        headers: MutableMapping[str, Any] = {"type": "http", "headers": request.scope["headers"]}
        return await read_json(_again(headers, raw), cap=CAP)
    value = await read_json(request, cap=CAP)
    if fault == "repeats the value" and isinstance(value, dict) and "auth_token" in value:
        raise InvalidBody(f"{value} has an unknown field.")
    return value


def _again(scope: MutableMapping[str, Any], raw: bytes) -> Request:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": raw, "more_body": False}

    return Request(scope, receive)


def _store(value: object) -> None:
    """Do what a database does with a text."""
    json.dumps(value, ensure_ascii=False).encode()


def _check_message(message: Message) -> None:
    if len(json.dumps(message.metadata)) > 4096:
        raise InvalidBody("metadata is too long.")
    if message.platform not in {"internal", "telegram"}:
        raise InvalidBody("There is no such platform.")
    if message.platform != "internal":
        raise PlatformNotAllowed
    if len(message.text) > 8000:
        raise TextTooLong("The text is too long.")
    if not message.text.strip(" \t\r\n" + INVISIBLE) and not message.attachments:
        raise EmptyMessage
    for attachment in message.attachments:
        try:
            base64.b64decode(attachment.data or "", validate=True)
        except (ValueError, binascii.Error):
            raise ImageRefused("This is no base64.") from None


# What the fault lets pass, told by bytes that such a body holds.
LOOSE = {
    "takes NaN": b": NaN",
    "takes 1e999": b"1e999",
    "takes lone surrogates": b"\\ud800",
    "takes a name twice": b'"b": 1, "b"',
    "takes comments behind": b"// so",
    "takes large numbers": b"18446744073709551616",
}

# Each with the word that a case which sees it must hold.
FAULTS = {
    "takes NaN": "NaN",
    "takes 1e999": "1e999",
    "takes lone surrogates": "surrogate",
    "takes a name twice": "twice",
    "takes large numbers": "2^64",
    "takes comments behind": "comment",
    "no cap": "terabyte",
    "any type": "text",
    "reads before it asks": "no key",
    "keys as text": "raw byte",
    "first key counts": "two keys",
    "everyone is admin": "for less",
    "repeats the key": "wrong key",
    "repeats the value": "token",
    "slashes": "slash at the end",
    "plain errors": "path",
    "no Allow": "method",
}
