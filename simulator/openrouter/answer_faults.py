"""Faults of the answer itself: well-formed HTTP, but not the plain text that was hoped for."""

from collections.abc import Callable
from dataclasses import replace

from simulator.openrouter.completion import (
    DONE,
    Call,
    Json,
    Style,
    UsageShape,
    answered,
    chunk,
    events,
    frame,
)
from simulator.openrouter.http_faults import Fault
from simulator.script import Script

SHORT = "This answer is short and it stops"
LONG = "This answer goes on for a good while, in ordinary words. " * 12
HUGE_CHARS = 1_200_000

# A red square of 8 x 8 pixels.
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mO4o6GBFTEMLQ"
    "kAe3tLAYZNzu4AAAAASUVORK5CYII="
)
_CITATION = {
    "type": "url_citation",
    "url_citation": {
        "url": "https://example.com/news",
        "title": "",
        "content": "What the page says.",
        "start_index": 0,
        "end_index": 0,
    },
}


def _says(about: str, text: str | None, style: Style | None = None, **changes: object) -> Fault:
    def act(call: Call) -> Script:
        return answered(call.saying(text, **changes), style or Style())

    return Fault(about, act)


def _adds(about: str, style: Style | None = None, **changes: object) -> Fault:
    def act(call: Call) -> Script:
        return answered(call.saying(call.answer.text, **changes), style or Style())

    return Fault(about, act)


def tool_call(name: str | None, arguments: str | None, call_id: str | None = "call_1") -> Json:
    """Return a call of a function; None leaves a member out."""
    function = {"name": name, "arguments": arguments}
    call: Json = {
        "type": "function",
        "function": {key: value for key, value in function.items() if value is not None},
    }
    return call if call_id is None else {"id": call_id} | call


def _dated(call: Call) -> Script:
    return answered(replace(call, served=(call.entry.canonical or call.entry.id + "-20250929")))


def _huge(call: Call) -> Script:
    part = "words and " * 1000
    said = call.saying(part * (HUGE_CHARS // len(part)))
    if not call.streams:
        return answered(said)
    told = [chunk(call, {"content": part})] * (HUGE_CHARS // len(part))
    return events(said, [frame(event) for event in (*told, chunk(call, {}, "stop"))] + [DONE])


_WEATHER = tool_call("get_weather", '{"city": "Bern"}')
_TIME = tool_call("get_time", '{"zone": "Europe/Zurich"}', "call_2")
_FINISHES: dict[str, str | None] = {
    "stop": "stop",
    "length": "length",
    "content-filter": "content_filter",
    "tool-calls": "tool_calls",
    "error": "error",
    "null": None,
}
_ENCRYPTED = {
    "type": "reasoning.encrypted",
    "data": "c2VhbGVk",
    "id": "rs_1",
    "format": "openai-responses-v1",
    "index": 0,
}

ANSWER_FAULTS: dict[str, Fault] = {
    f"empty-{name}": _says(f"empty text, finish_reason {finish}", "", finish=finish)
    for name, finish in _FINISHES.items()
} | {
    "empty-content-null": _says("content null, finish_reason stop", None),
    "blank-text": _says("a text of blanks, finish_reason stop", " \n "),
    "filter-text": _says(
        "half a text, then finish_reason content_filter",
        SHORT,
        finish="content_filter",
        native="refusal",
    ),
    "finish-length": _says("half a text, finish_reason length", SHORT, finish="length"),
    "finish-null": _says("a text whose finish_reason stays null", SHORT, finish=None),
    "dated-model": Fault("another model name in the reply than in the request", _dated),
    "huge-text": Fault(f"a text of {HUGE_CHARS} characters", _huge),
    "long-text": _says("a text of 12,000 characters", LONG * 18),
    "think-tags": _says("<think> in the content", "<think>Let me see.</think>It is four."),
    "reasoning-then-text": _adds("reasoning, then the text", reasoning="First I think. " * 5),
    "reasoning-encrypted": _adds("sealed reasoning details", reasoning_details=(_ENCRYPTED,)),
    "reasoning-only": _says("reasoning and no text", "", reasoning="I only think. " * 5),
    "images": _adds("a picture in message.images beside the text", images=(PNG,)),
    "images-only": _says("a picture in message.images and no text", "", images=(PNG,)),
    "annotations-first": _adds(
        "a citation without title in leading chunks",
        Style(annotations_first=True),
        annotations=(_CITATION,),
    ),
    "role-repeated": _adds("the role in every chunk", Style(role_always=True)),
    "role-once": _adds("the role in the first chunk only", Style(role_always=False)),
    "tools-whole": _says(
        "a tool call nobody asked for", None, calls=(_WEATHER,), finish="tool_calls"
    ),
    "tools-and-text": _adds("text and a tool call", calls=(_WEATHER,), finish="tool_calls"),
    "tools-parallel": _says(
        "two tool calls at once", None, calls=(_WEATHER, _TIME), finish="tool_calls"
    ),
    "tools-same-id": _says(
        "two tool calls with one id", None, calls=(_WEATHER, _TIME | {"id": "call_1"}),
        finish="tool_calls",
    ),
    "tools-empty-id": _says(
        "a tool call with an empty id", None, calls=(_WEATHER | {"id": ""},), finish="tool_calls"
    ),
    "tools-no-arguments": _says(
        "a tool call without arguments", None, calls=(tool_call("get_weather", None),),
        finish="tool_calls",
    ),
    "tools-stop": _says("a tool call, finish_reason stop", None, calls=(_WEATHER,), finish="stop"),
    "tools-null": _says("a tool call, finish_reason null", None, calls=(_WEATHER,), finish=None),
    "tools-length": _says(
        "a tool call cut by the token limit", None, calls=(tool_call("get_weather", '{"ci'),),
        finish="length",
    ),
}  # fmt: skip


def _counted(shape: UsageShape) -> Callable[[Call], Script]:
    return lambda call: answered(call, Style(usage=shape))


_COUNTS: dict[str, tuple[UsageShape, str]] = {
    "usage-repeated-finish": ("repeated", "usage in a last chunk that repeats the finish reason"),
    "usage-null-finish": ("null", "usage in a last chunk with finish_reason null"),
    "usage-empty-choices": ("empty", "usage in a last chunk with choices: []"),
    "usage-early": ("early", "usage before the finish reason"),
    "usage-with-text": ("content", "the last chunk has text, finish reason and usage"),
    "usage-minimal": ("minimal", "usage of three counts only"),
    "usage-none": ("none", "no usage anywhere"),
}
ANSWER_FAULTS |= {name: Fault(about, _counted(shape)) for name, (shape, about) in _COUNTS.items()}
