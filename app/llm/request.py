"""What is asked of the provider, as its JSON."""

from base64 import b64encode
from typing import Any, Final, Literal

import orjson

from app.llm.base import Ask, Turn

Dialect = Literal["openrouter", "openai"]

_LONGEST_SESSION: Final = 256  # characters
# Two searches of three results keep the price of an answer under two cents.
_WEB_SEARCH: Final = {
    "type": "openrouter:web_search",
    "parameters": {"max_results": 3, "max_uses": 2, "search_context_size": "low"},
}


def chat_body(ask: Ask, dialect: Dialect, *, max_tokens: int) -> bytes:
    """Return the body of a chat completion, always streamed.

    `max_tokens` is always there: without it the credit is checked against the longest answer
    that the model can give. Gateways that are strict answer 400 to fields of OpenRouter's own,
    so those are sent in its dialect alone.

    Source: POST /chat/completions
    """
    body: dict[str, Any] = {
        "model": ask.model,
        "messages": _messages(ask),
        "max_tokens": max_tokens,
        "stream": True,
        "user": ask.user,
    }
    if dialect == "openai":
        body["stream_options"] = {"include_usage": True}
    else:
        body["session_id"] = ask.conversation[:_LONGEST_SESSION]
        if ask.web_search:
            body["tools"] = [_WEB_SEARCH]
    return orjson.dumps(body)


def _messages(ask: Ask) -> list[dict[str, Any]]:
    messages = [{"role": turn.role, "content": _content(turn)} for turn in ask.turns]
    # Blank texts are refused by several providers.
    if ask.system:
        messages.insert(0, {"role": "system", "content": ask.system})
    return messages


def _content(turn: Turn) -> str | list[dict[str, Any]]:
    if not turn.pictures:
        return turn.text
    parts: list[dict[str, Any]] = [{"type": "text", "text": turn.text}] if turn.text else []
    parts.extend(
        {
            "type": "image_url",
            "image_url": {
                "url": f"data:{picture.media_type};base64,{b64encode(picture.data).decode()}"
            },
        }
        for picture in turn.pictures
    )
    return parts
