"""From an answer of the model to what goes over the wire, plain or in pieces."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from simulator.openrouter.catalogue import Entry
from simulator.script import Pause, Script, Step

if TYPE_CHECKING:
    from simulator.openrouter.world import OpenRouterWorld

Json = dict[str, Any]
Dialect = Literal["openrouter", "openai"]

COMMENT = b": OPENROUTER PROCESSING\n\n"
DONE = b"data: [DONE]\n\n"
JSON_HEADERS = {"content-type": "application/json"}
EVENT_HEADERS = {"content-type": "text/event-stream", "cache-control": "no-cache"}

# Eight characters a token is near enough, and makes the pieces of a stream look right.
_PIECE = re.compile(r"\s*\S{1,8}|\s+")
_SEARCH_USD = Decimal("0.007")


def pieces(text: str) -> list[str]:
    """Split a text into its tokens; joined they are the text again."""
    return _PIECE.findall(text)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says. `images` are data URLs; `calls` and `annotations` are as in the API."""

    text: str | None = ""
    finish: str | None = "stop"
    native: str | None = None
    reasoning: str | None = None
    reasoning_details: tuple[Json, ...] = ()
    calls: tuple[Json, ...] = ()
    annotations: tuple[Json, ...] = ()
    images: tuple[str, ...] = ()
    searches: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One request that is being answered."""

    world: "OpenRouterWorld"
    body: Mapping[str, Any]
    entry: Entry
    answer: Answer
    id: str
    created: int
    prompt_tokens: int = 1
    dialect: Dialect = "openrouter"
    served: str = ""

    @property
    def streams(self) -> bool:
        return self.body.get("stream") is True

    @property
    def model(self) -> str:
        return self.served or self.entry.id

    def saying(self, text: str | None, **changes: Any) -> "Call":
        """Return the same call with another answer."""
        return replace(self, answer=replace(self.answer, text=text, **changes))


UsageShape = Literal["repeated", "null", "empty", "early", "content", "minimal", "none"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a stream is told.

    `usage`: where the counts are. `repeated` in a last chunk that repeats the finish reason,
    `null` in one that has none, `empty` in one without choices, `early` before the finish
    reason, `content` with the last piece of text, `minimal` three counts only, `none` nowhere.
    """

    usage: UsageShape = "repeated"
    role_always: bool = True
    annotations_first: bool = False


STYLE = Style()


def usage(call: Call) -> Json:
    """Return the counts and the cost; the `openai` dialect has no cost."""
    answer = call.answer
    thought = len(pieces(answer.reasoning or ""))
    completion = len(pieces(answer.text or "")) + thought
    counts: Json = {
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": call.prompt_tokens + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": 0},
    }
    if call.dialect == "openai":
        return counts
    read, written = call.entry.cost(call.prompt_tokens, completion)
    counts |= {
        "cost": float(read + written + answer.searches * _SEARCH_USD),
        "is_byok": False,
        "cost_details": {
            "upstream_inference_cost": float(read + written),
            "upstream_inference_prompt_cost": float(read),
            "upstream_inference_completions_cost": float(written),
        },
    }
    if answer.searches:
        counts["server_tool_use_details"] = {"web_search_requests": answer.searches}
    return counts


def minimal_usage(call: Call) -> Json:
    full = usage(call)
    return {name: full[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}


def _head(call: Call, kind: str) -> Json:
    head: Json = {"id": call.id, "object": kind, "created": call.created, "model": call.model}
    if call.dialect == "openrouter":
        head["provider"] = call.entry.provider
    return head


def _native(call: Call) -> Json:
    if call.dialect == "openai":
        return {}
    return {"native_finish_reason": call.answer.native or call.answer.finish}


def _thought(call: Call, text: str) -> Json:
    return {"reasoning_content" if call.dialect == "openai" else "reasoning": text}


def plain_body(call: Call) -> Json:
    """Return the whole answer as one JSON object."""
    answer = call.answer
    message: Json = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.reasoning is not None:
        message |= _thought(call, answer.reasoning)
    if answer.reasoning_details:
        message["reasoning_details"] = list(answer.reasoning_details)
    if answer.calls:
        message["tool_calls"] = list(answer.calls)
    if answer.annotations:
        message["annotations"] = list(answer.annotations)
    if answer.images:
        message["images"] = _images(answer.images)
    choice = {"index": 0, "logprobs": None, "finish_reason": answer.finish, "message": message}
    return _head(call, "chat.completion") | {
        "system_fingerprint": None,
        "choices": [choice | _native(call)],
        "usage": usage(call),
    }


def _images(urls: Sequence[str]) -> list[Json]:
    return [{"type": "image_url", "image_url": {"url": url}} for url in urls]


def chunk(call: Call, delta: Json | None, finish: str | None = None, **extra: Any) -> Json:
    """Return one event of a stream; without a delta it has no choices."""
    head = _head(call, "chat.completion.chunk") | {"choices": []} | extra
    if delta is not None:
        choice: Json = {"index": 0, "delta": delta, "finish_reason": finish}
        if call.dialect == "openrouter":
            choice["native_finish_reason"] = finish and (call.answer.native or finish)
        head["choices"] = [choice]
    return head


def deltas(call: Call, style: Style = STYLE) -> Iterator[Json]:
    """Yield what the pieces of a stream add, in order."""
    answer = call.answer
    if style.annotations_first:
        for annotation in answer.annotations:
            yield {"content": "", "annotations": [annotation]}
    for piece in pieces(answer.reasoning or ""):
        yield {"content": ""} | _thought(call, piece)
    if answer.reasoning_details:
        yield {"content": "", "reasoning_details": list(answer.reasoning_details)}
    for piece in pieces(answer.text or ""):
        yield {"content": piece}
    for number, tool_call in enumerate(answer.calls):
        yield {"content": None, "tool_calls": [{"index": number} | tool_call]}
    if answer.images:
        yield {"content": "", "images": _images(answer.images)}
    if answer.annotations and not style.annotations_first:
        yield {"content": "", "annotations": list(answer.annotations)}


def chunks(call: Call, style: Style = STYLE) -> list[Json]:
    """Return all events of a stream but the comments and `[DONE]`."""
    told: list[Json] = []
    for number, delta in enumerate(deltas(call, style)):
        role = {"role": "assistant"} if style.role_always or not number else {}
        told.append(chunk(call, role | delta))
    if call.dialect == "openai":
        options = call.body.get("stream_options") or {}
        return told + _ending(call, "empty" if options.get("include_usage") else "none", {})
    return told + _ending(call, style.usage, told.pop() if style.usage == "content" else {})


def _ending(call: Call, shape: UsageShape, last_piece: Json) -> list[Json]:
    finish = call.answer.finish
    empty = {"role": "assistant", "content": ""}
    last = chunk(call, empty, finish)
    counts = usage(call)
    if shape == "none":
        return [last]
    if shape == "early":
        return [chunk(call, empty, usage=counts), last]
    if shape == "content":
        delta = last_piece["choices"][0]["delta"]
        return [chunk(call, delta, finish, usage=counts)]
    if shape == "null":
        return [last, chunk(call, empty, usage=counts)]
    if shape == "empty":
        return [last, chunk(call, None, usage=counts)]
    if shape == "minimal":
        counts = minimal_usage(call)
    return [last, chunk(call, empty, finish, usage=counts)]


def frame(event: Json) -> bytes:
    """Return one event as bytes, Unicode as it is."""
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def headers(call: Call, kind: Mapping[str, str]) -> dict[str, str]:
    own = {"x-generation-id": call.id} if call.dialect == "openrouter" else {}
    return {**kind, **own}


def plain(call: Call) -> Script:
    body = json.dumps(plain_body(call), ensure_ascii=False).encode()
    return Script([Pause(call.world.first_token), body], headers=headers(call, JSON_HEADERS))


def events(call: Call, steps: Sequence[Step] | Iterator[Step]) -> Script:
    """Return a stream of these writes after the usual comments."""
    return Script(_after_waiting(call, steps), headers=headers(call, EVENT_HEADERS))


def _after_waiting(call: Call, steps: Sequence[Step] | Iterator[Step]) -> Iterator[Step]:
    world = call.world
    comments = world.comments if call.dialect == "openrouter" else 0
    for _ in range(comments):
        yield COMMENT
        yield Pause(world.first_token / comments)
    if not comments:
        yield Pause(world.first_token)
    yield from steps


def paced(call: Call, frames: Sequence[bytes]) -> Iterator[Step]:
    """Yield the frames with the world's delay between them."""
    for data in frames:
        yield data
        yield Pause(call.world.between_tokens)


def stream(call: Call, style: Style = STYLE) -> Script:
    frames = [frame(event) for event in chunks(call, style)]
    return events(call, paced(call, [*frames, DONE]))


def answered(call: Call, style: Style = STYLE) -> Script:
    """Return the answer as it was asked for."""
    return stream(call, style) if call.streams else plain(call)
