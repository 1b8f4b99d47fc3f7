"""Every error of every endpoint, as the one documented body."""

import math
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from loguru import logger
from slowapi.errors import RateLimitExceeded
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path

from app import metrics
from app.api.auth import seconds_until
from app.api.body import client_gone
from app.api.parts import RESTART_SECONDS
from app.errors import AppError, InvalidBody, NotAuthenticated, NotFound, NotReady, TooManyRequests
from wire.problem import Problem

SENTENCES = {
    HTTPStatus.NOT_FOUND: ("not_found", NotFound.sentence),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "This address knows other methods."),
}


def problem_of(error: AppError, request_id: str) -> Problem:
    wait = error.retry_after
    return Problem(
        response=str(error),
        error=error.code,
        retry_after=None if wait is None else max(1, math.ceil(wait)),
        request_id=request_id,
    )


def request_id_of(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def install(app: FastAPI) -> None:
    @app.exception_handler(AppError)
    async def expected(request: Request, error: AppError) -> Response:
        return _response(request, error)

    @app.exception_handler(HTTPException)
    async def routing(request: Request, error: HTTPException) -> Response:
        code, sentence = SENTENCES.get(
            HTTPStatus(error.status_code), ("bad_request", "This request cannot be read.")
        )
        problem = Problem(response=sentence, error=code, request_id=request_id_of(request))
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods(request)):
            headers["Allow"] = methods
        return _json(problem, error.status_code, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        # FastAPI's own answer repeats what was sent, secrets included.
        names = dict.fromkeys(str(detail["loc"][1]) for detail in error.errors())
        return _response(request, InvalidBody(f"Not as documented: {', '.join(names)}."))

    @app.exception_handler(RateLimitExceeded)
    async def too_many(request: Request, _: RateLimitExceeded) -> Response:
        metrics.limited("door")
        limit, key = request.state.view_rate_limit  # left there by slowapi for its own headers
        window = app.state.limiter.limiter.get_window_stats(limit, *key)
        return _response(request, TooManyRequests(retry_after=seconds_until(window.reset_time)))

    app.add_exception_handler(ClientDisconnect, client_gone)


def _methods(request: Request) -> str:
    """Return what an address knows. Routing names the first route of a path alone."""
    path = request.scope["path"]
    known = request.app.openapi()["paths"].items()
    matching = [methods for template, methods in known if compile_path(template)[0].match(path)]
    return ", ".join(sorted(method.upper() for methods in matching for method in methods))


def unexpected(request_id: str) -> Response:
    """Return the answer to a fault of ours, which is logged with its id."""
    return _json(problem_of(AppError(), request_id), HTTPStatus.INTERNAL_SERVER_ERROR, {})


def stopping(request_id: str) -> Response:
    """Return the answer to a request that the end of the service cut off."""
    problem = problem_of(NotReady(retry_after=RESTART_SECONDS), request_id)
    headers = {"Retry-After": str(problem.retry_after)}
    return _json(problem, NotReady.status, headers)


def _response(request: Request, error: AppError) -> Response:
    problem = problem_of(error, request_id_of(request))
    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    level = "WARNING" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "INFO"
    logger.log(level, "request.refused", status=int(error.status), cause=error.cause)
    headers |= getattr(request.state, "limit_headers", {})
    return _json(problem, error.status, headers)


def _json(problem: Problem, status: int, headers: dict[str, str]) -> Response:
    return Response(problem.model_dump_json(), status, headers, "application/json")
