"""Requests that are right, and requests that are wrong."""

import base64
import io
from typing import Any

from PIL import Image

from tests.simulator.wire import Json


def picture(size: tuple[int, int] = (4, 3)) -> str:
    file = io.BytesIO()
    Image.new("RGB", size, (220, 30, 30)).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def asking(content: Any = "Hello", **more: Any) -> Json:
    messages = [{"role": "user", "content": content}]
    return {"model": "openai/gpt-4.1", "messages": messages, **more}


SEEN = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": picture()}},
]
FUNCTION = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}
GOOD: dict[str, Json] = {
    "plain": asking(),
    "whole": asking(
        models=["openai/gpt-4o-mini"],
        max_tokens=800,
        temperature=0.5,
        top_p=1,
        stop=["\n\n\n"],
        user="u_1",
        session_id="c" * 256,
        provider={"allow_fallbacks": True, "sort": "price", "data_collection": "deny"},
        metadata={"a": "b"},
    ),
    "search": asking(
        "Search the news",
        tools=[{"type": "openrouter:web_search", "parameters": {"max_results": 3}}],
    ),
    "function": asking("What is the weather in Bern?", tools=[FUNCTION], tool_choice="auto"),
    "picture": asking(SEEN),
    "reasoning": asking(reasoning={"effort": "low"}),
    "json": asking(response_format={"type": "json_object"}),
    "history": {
        "model": "openai/gpt-4.1",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "The weather?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": "{}"},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "Sun"},
        ],
    },
}
BAD: dict[str, Json] = {
    "no messages": {"model": "openai/gpt-4.1"},
    "empty messages": {"model": "openai/gpt-4.1", "messages": []},
    "unknown role": {"model": "openai/gpt-4.1", "messages": [{"role": "robot", "content": "x"}]},
    "content a number": asking(7),
    "unknown part": asking([{"type": "smell", "smell": "rose"}]),
    "tool without id": {
        "model": "openai/gpt-4.1",
        "messages": [{"role": "tool", "content": "x"}],
    },
    "session too long": asking(session_id="c" * 257),
    "unknown provider key": asking(provider={"cheapest": True}),
    "stop of five": asking(stop=["1", "2", "3", "4", "5"]),
    "stream a word": asking(stream="yes"),
    "limit a word": asking(max_tokens="many"),
    "metadata a number": asking(metadata={"a": 1}),
    "tool without name": asking(tools=[{"type": "function", "function": {}}]),
}
