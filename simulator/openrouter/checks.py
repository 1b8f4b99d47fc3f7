"""What a chat request has to look like, and which model answers it."""

import base64
import binascii
import io
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image, UnidentifiedImageError

from simulator.openrouter import failure
from simulator.openrouter.catalogue import (
    ALIASES,
    DYNAMIC_SUFFIXES,
    FAULT_PREFIX,
    Entry,
    fault_entry,
)
from simulator.openrouter.completion import pieces
from simulator.openrouter.failure import Failure, Refused, bad
from simulator.openrouter.world import OpenRouterWorld

MAX_SESSION_ID = 256
MAX_STOPS = 4
MAX_METADATA = 16
MAX_IMAGE_BYTES = 30 * 1024 * 1024
MAX_CLAUDE_BASE64 = 5 * 1024 * 1024
# OpenAI's own floor; other providers take any number.
MIN_MAX_TOKENS = 16
IMAGE_TOKENS = 258
DEFAULT_MODEL = "openai/gpt-4o-mini"

_ROLES = {"system", "developer", "user", "assistant", "tool"}
_PARTS = {"text", "image_url", "input_audio", "file", "video_url", "input_video"}
_PROVIDER_KEYS = {
    "allow_fallbacks", "data_collection", "enforce_distillable_text", "ignore", "max_price",
    "only", "order", "preferred_max_latency", "preferred_min_throughput", "quantizations",
    "require_parameters", "sort", "zdr",
}  # fmt: skip
_RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "repetition_penalty": (0, 2),
    "top_logprobs": (0, 20),
}
OPENAI_FIELDS = {
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens",
    "temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "stop", "n",
    "logit_bias", "logprobs", "top_logprobs", "tools", "tool_choice", "parallel_tool_calls",
    "response_format", "user", "metadata", "service_tier", "reasoning_effort", "prediction",
    "modalities", "audio", "verbosity", "store",
}  # fmt: skip
"""What a strict OpenAI-compatible server takes."""


def check(body: Any) -> dict[str, Any]:
    """Return the body if it is a chat request.

    Raises:
        Refused: 400, with what is wrong.

    Source: POST /chat/completions
    """
    if not isinstance(body, dict):
        raise bad("Invalid JSON body: an object is needed")
    _check_options(body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad('Input required: specify "messages"')
    for number, message in enumerate(messages):
        _check_message(message, f"messages[{number}]")
    _check_tools(body.get("tools"))
    return body


def _check_options(body: Mapping[str, Any]) -> None:
    for name, kind in (("model", str), ("models", list), ("stream", bool), ("user", str)):
        if name in body and not isinstance(body[name], kind):
            raise bad(f"{name}: expected {kind.__name__}")
    session = body.get("session_id", "")
    if not isinstance(session, str) or len(session) > MAX_SESSION_ID:
        raise bad(f"session_id: at most {MAX_SESSION_ID} characters")
    stop = body.get("stop")
    if isinstance(stop, list) and len(stop) > MAX_STOPS:
        raise bad(f"stop: at most {MAX_STOPS} sequences")
    provider = body.get("provider") or {}
    if unknown := set(provider) - _PROVIDER_KEYS:
        raise bad(f"provider: Unrecognized key(s): {', '.join(sorted(unknown))}")
    metadata = body.get("metadata") or {}
    if len(metadata) > MAX_METADATA or not all(isinstance(it, str) for it in metadata.values()):
        raise bad(f"metadata: at most {MAX_METADATA} pairs of strings")
    _check_numbers(body)


def _check_numbers(body: Mapping[str, Any]) -> None:
    for name, (low, high) in _RANGES.items():
        value = body.get(name)
        if value is not None and not (_is_number(value) and low <= value <= high):
            raise bad(f"{name}: must be between {low} and {high}")
    for name in ("max_tokens", "max_completion_tokens"):
        value = body.get(name)
        if value is not None and (
            not isinstance(value, int) or isinstance(value, bool) or value < 1
        ):
            raise bad(f"{name}: must be a positive integer")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_message(message: Any, where: str) -> None:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise bad(f"{where}.role: Invalid input")
    role, content = message["role"], message.get("content")
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise bad(f"{where}.tool_call_id: Required")
    if content is None and role == "assistant":
        return
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise bad(f"{where}.content: Invalid input")
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        allowed = _PARTS if role in {"user", "tool"} else {"text"}
        if kind not in allowed:
            raise bad(f"{where}.content: Invalid part {kind!r}")
        if kind == "text" and not isinstance(part.get("text"), str):
            raise bad(f"{where}.content.text: Required")


def _check_tools(tools: Any) -> None:
    for tool in tools or ():
        if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
            raise bad("tools: Invalid input")
        if tool["type"] == "function" and not isinstance(
            (tool.get("function") or {}).get("name"), str
        ):
            raise bad("tools.function.name: Required")


def check_openai(body: dict[str, Any]) -> None:
    """Refuse what OpenAI's own API does not know.

    Raises:
        Refused: 400 that names the first unknown field.
    """
    if unknown := sorted(set(body) - OPENAI_FIELDS):
        raise bad(f"Unrecognized request argument supplied: {unknown[0]}", "unknown_parameter")


def candidates(body: Mapping[str, Any]) -> list[str]:
    """Return the models to try, in order."""
    named = [body["model"]] if body.get("model") else []
    return [*named, *body.get("models", ())] or [DEFAULT_MODEL]


def resolve(world: OpenRouterWorld, slug: str) -> Entry:
    """Return the model of a name, an alias or a name with a suffix.

    Raises:
        Refused: 404 for a retired model, 400 for an unknown one.
    """
    if slug.startswith(FAULT_PREFIX):
        return fault_entry(slug)
    base, _, suffix = slug.partition(":")
    if suffix and suffix not in DYNAMIC_SUFFIXES:
        base = slug
    base = ALIASES.get(base, base)
    if base in world.retired:
        raise Refused(failure.deprecated(slug, world.retired[base]))
    if base not in world.catalogue:
        raise Refused(failure.not_found(slug))
    return world.catalogue[base]


def suits(entry: Entry, body: Mapping[str, Any]) -> int:
    """Return the tokens of the prompt, if the model takes the request.

    Raises:
        Refused: 404 where it lacks eyes or tools, 400 or 413 for pictures, 400 for too much
            text or a limit that its provider does not take.
    """
    images = list(image_urls(body))
    if images and not entry.sees:
        raise Refused(failure.no_image_input())
    for url in images:
        check_image(entry, url)
    if body.get("tools") and "tools" not in entry.parameters:
        raise Refused(failure.no_tools())
    asked = body.get("max_tokens") or body.get("max_completion_tokens")
    if asked is not None and asked < MIN_MAX_TOKENS and entry.provider == "OpenAI":
        raise bad(f"max_tokens: must be at least {MIN_MAX_TOKENS} for this provider")
    tokens = IMAGE_TOKENS * len(images) + sum(
        len(pieces(text)) for message in body["messages"] for text in texts(message)
    )
    if tokens + (asked or 0) > entry.context:
        raise Refused(failure.too_long(entry.context, tokens + (asked or 0)))
    return max(tokens, 1)


def texts(message: Mapping[str, Any]) -> Iterator[str]:
    content = message.get("content")
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        if part["type"] == "text":
            yield part["text"]


def image_urls(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the URLs of the pictures of a request, in order."""
    for message in body["messages"]:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if part["type"] == "image_url":
                yield (part.get("image_url") or {}).get("url", "")


def check_image(entry: Entry, url: str) -> None:
    """Look at one picture.

    Raises:
        Refused: it is no picture, too large, or somewhere else.
    """
    head, _, data = url.partition(",")
    if not head.startswith("data:image/"):
        # Only loopback is reachable here, so a picture elsewhere never loads.
        raise bad("Could not download the image.", "image_download_failed")
    if entry.tokenizer == "Claude" and len(data) > MAX_CLAUDE_BASE64:
        raise bad("image exceeds 5 MB maximum", "image_too_large")
    try:
        raw = base64.b64decode(data, validate=True)
        if len(raw) > MAX_IMAGE_BYTES:
            raise Refused(Failure(413, "Image content cannot exceed 30 MB", "payload_too_large"))
        Image.open(io.BytesIO(raw)).verify()
    except (binascii.Error, UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise bad("Invalid image data.", "invalid_image") from error
