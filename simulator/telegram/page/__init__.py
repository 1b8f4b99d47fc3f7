"""The chat page: plain files, no build step, nothing from elsewhere."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).parent
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page() -> list[Route]:
    """Return the page and each file beside it that a page can use."""
    names = ["/", *(f"/page/{it.name}" for it in FOLDER.iterdir() if it.suffix in KINDS)]
    return [Route(name, _serve) for name in names]


async def _serve(request: Request) -> Response:
    path = FOLDER / (request.url.path.removeprefix("/page/").strip("/") or "index.html")
    media_type = KINDS.get(path.suffix, "text/html")
    return Response(path.read_bytes(), media_type=media_type, headers=HEADERS)
