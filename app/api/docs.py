"""What the OpenAPI document says beyond what FastAPI reads from the code."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from app import __version__
from wire.delivery import Acknowledgement
from wire.message import Message
from wire.problem import Problem

TITLE = "Arash Panoptes"
DESCRIPTION = """\
AI answers, for Telegram and for you.

Press **Authorize** and paste the key of your platform. Then try `POST /message`: the examples
work as they are. A `message_id` is answered once; change it to ask again.
"""
ASSETS = "/docs/assets"
OPENAPI = "/openapi.json"
# An empty picture: without one, the pages ask a foreign host for theirs.
NO_ICON = "data:,"
# What they answer without a key is less, or nothing, as the settings have it.
KEY_OPTIONAL = ("/health", "/metrics", "/sessions", "/stats")
TAGS = [
    {"name": "messages", "description": "Say something, get an answer."},
    {"name": "deliveries", "description": "Bring messages in, and answers to people."},
    {"name": "sessions", "description": "What is remembered, and forgetting it."},
    {"name": "service", "description": "What this is, and how it is."},
]
_IDS = {"platform": "internal", "user_id": "user-1", "chat_id": "chat-1"}
_PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFUlEQVR42mM8YaPBgA0wMeAAg1MCAO+wATws8x7v"
    "AAAAAElFTkSuQmCC"
)
# ReDoc would fetch its maker's logo from a foreign host.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'"
)
EXAMPLES: dict[str, Any] = {
    "question": {
        "summary": "A question",
        "value": {**_IDS, "message_id": "docs-1", "text": "What can a mesh network do for me?"},
    },
    "command": {
        "summary": "A command",
        "value": {**_IDS, "message_id": "docs-2", "text": "/help"},
    },
    "translate": {
        "summary": "A translation",
        "value": {**_IDS, "message_id": "docs-3", "text": "/translate german Good morning"},
    },
    "picture": {
        "summary": "A picture, with a model that sees",
        "value": {
            **_IDS,
            "message_id": "docs-4",
            "text": "What colour is this?",
            "type": "image",
            "attachments": [{"type": "image", "mime_type": "image/png", "data": _PIXEL}],
        },
    },
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route for the errors it may answer."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    # By its name: of a `model` FastAPI makes a validator for each status of each route, which
    # together took 50 ms of the start and 5 MB.
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": HTTPStatus(status).phrase,
        "content": {"application/json": {"schema": schema}},
    }


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, made once.

    `POST /message` reads its body after the key is checked, which FastAPI does the other way
    round; so its schema is put in here.
    """
    if app.openapi_schema is None:
        schema = get_openapi(
            title=TITLE,
            version=__version__,
            description=DESCRIPTION,
            routes=app.routes,
            tags=TAGS,
        )
        for kind in (Message, Acknowledgement, Problem):
            body = kind.model_json_schema(ref_template="#/components/schemas/{model}")
            inner = body.pop("$defs", {})
            schema["components"]["schemas"] |= {kind.__name__: body, **inner}
        _complete(schema["paths"])
        app.openapi_schema = schema
    return app.openapi_schema


def _complete(paths: dict[str, Any]) -> None:
    """Add what FastAPI cannot know."""
    for path in KEY_OPTIONAL:
        paths[path]["get"]["security"].append({})
    paths["/message"]["post"]["responses"]["200"]["links"] = _links(paths)
    for operations in paths.values():
        for operation in operations.values():
            if operation.get("parameters"):
                # Said at the door, before any route is asked; nothing else there depends on
                # what a caller fills in.
                operation["responses"]["414"] = _problem(HTTPStatus.REQUEST_URI_TOO_LONG)


def _links(paths: dict[str, Any]) -> dict[str, Any]:
    """Return what can be done with the session that an answer names."""
    session = paths["/session/{session_id}"]
    return {
        f"{method}_session": {
            "operationId": session[method]["operationId"],
            "parameters": {"session_id": "$response.body#/data/session_id"},
        }
        for method in ("get", "delete")
    }


def install(app: FastAPI) -> None:
    """Add `/docs` and `/redoc`, which load nothing from other hosts."""

    @app.get("/docs", include_in_schema=False)
    async def swagger(_request: Request) -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url=OPENAPI,
            title=TITLE,
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=NO_ICON,
            swagger_ui_parameters={"persistAuthorization": True, "tryItOutEnabled": True},
        )
        return _closed(page)

    @app.get("/redoc", include_in_schema=False)
    async def redoc(_request: Request) -> HTMLResponse:
        page = get_redoc_html(
            openapi_url=OPENAPI,
            title=TITLE,
            redoc_js_url=f"{ASSETS}/redoc.standalone.js",
            redoc_favicon_url=NO_ICON,
            with_google_fonts=False,
        )
        return _closed(page)

    app.mount(ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]))


def _closed(page: HTMLResponse) -> HTMLResponse:
    page.headers["Content-Security-Policy"] = _POLICY
    return page
