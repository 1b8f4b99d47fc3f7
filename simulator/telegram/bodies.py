"""Parameters of a call, however they were sent: query, form, multipart or JSON."""

import json
import re
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from simulator.telegram.failure import Json, Refused, bad

LARGEST = 52_428_800  # bytes: 50 MB of file, the most that a bot may send
# What is text in a form, and an object or a list in truth.
STRUCTURED = {
    "allowed_updates", "caption_entities", "commands", "entities", "link_preview_options",
    "media", "reply_markup", "reply_parameters", "scope",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    media_type: str
    content: bytes

    def __str__(self) -> str:
        return f"{self.name} ({len(self.content)} bytes)"


Form = dict[str, list[str | Upload]]


async def parameters_of(request: Request) -> Json:
    """Return all parameters: texts as they came, structured ones read, files as `Upload`.

    Raises:
        Refused: 400 for a body that cannot be read, 413 for a large one.
    """
    found: Json = dict(request.query_params)
    body = await read(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        found |= _object(body)
    elif kind == "multipart/form-data":
        found |= {name: values[-1] for name, values in multipart(request, body).items()}
    elif kind == "application/x-www-form-urlencoded":
        found |= dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    for name in STRUCTURED & found.keys():
        if isinstance(found[name], str):
            found[name] = _structured(name, found[name])
    return found


async def read(request: Request) -> bytes:
    """Return the whole body.

    Raises:
        Refused: 413, it is larger than Telegram takes.
    """
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > LARGEST:
            raise Refused(413, "Request Entity Too Large")
        pieces.append(piece)
    return b"".join(pieces)


def multipart(request: Request, body: bytes) -> Form:
    """Return every part by its name, in order.

    Raises:
        Refused: 400, there is no boundary.
    """
    boundary = _option(request.headers["content-type"], "boundary")
    if not boundary:
        raise bad("can't parse multipart form: boundary is missing")
    form: Form = {}
    mark = b"\r\n--" + boundary.encode()
    for part in (b"\r\n" + body).split(mark)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = _headers(head)
        said = headers.get("content-disposition", "")
        name, file = _option(said, "name"), _option(said, "filename")
        if file is None and not (headers.get("content-type", "text/")).startswith(
            ("text/", "application/json")
        ):
            file = "file"
        value: str | Upload = (
            content.decode(errors="replace")
            if file is None
            else Upload(file, headers.get("content-type", "application/octet-stream"), content)
        )
        form.setdefault(name or "", []).append(value)
    return form


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode(errors="replace").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _option(header: str, name: str) -> str | None:
    message = Message()
    # The names that browsers send are UTF-8 as it is, which this class reads as such.
    message["content-type"] = re.sub(r"^form-data", "form/data", header)
    found = message.get_param(name)
    return found if isinstance(found, str) else None


def _object(body: bytes) -> Json:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise bad("can't parse JSON object") from None
    if not isinstance(found, dict):
        raise bad("expected an object")
    return found


def _structured(name: str, text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise bad(f"can't parse {name}: invalid JSON") from None
