"""Faults of a stream: where it breaks, errors inside it, and odd but legal ways to write it."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from simulator.openrouter.answer_faults import LONG, SHORT, tool_call
from simulator.openrouter.completion import (
    COMMENT,
    DONE,
    Call,
    Json,
    chunk,
    chunks,
    deltas,
    events,
    frame,
    paced,
    usage,
)
from simulator.openrouter.failure import Failure, availability
from simulator.openrouter.http_faults import Fault
from simulator.script import Act, Pause, Script, Step

HUGE_LINE_BYTES = 10 * 1024 * 1024
UNICODE = "سلام! Grüße — 😀 و خداحافظ."


def _stream(about: str, act: Callable[[Call], Script]) -> Fault:
    return Fault(about, act, streams_only=True)


def _texts(call: Call) -> list[bytes]:
    """Return the events of the text alone: no finish reason, no usage."""
    return [frame(chunk(call, {"role": "assistant"} | delta)) for delta in deltas(call)]


def _finish(call: Call) -> list[bytes]:
    return [frame(event) for event in chunks(call)[len(_texts(call)) :]]


def _after(text: str, *steps: Step) -> Callable[[Call], Script]:
    """Say `text`, without an end, and then do the steps."""

    def act(call: Call) -> Script:
        # Without the pause a reset would overtake the text in the socket's buffer.
        rest = [Pause(call.world.pause), *steps]
        return events(call, [*paced(call, _texts(call.saying(text))), *rest])

    return act


def _finished_without_done(call: Call) -> Script:
    return events(call, [*_texts(call), *_finish(call)])


def _then_for_ever(text: str, step: bytes | None) -> Callable[[Call], Script]:
    """Say `text`, then repeat `step`; without one, a dot of text."""

    def steps(call: Call) -> Iterator[Step]:
        yield from _texts(call.saying(text))
        while True:
            yield step or frame(chunk(call, {"content": "."}))
            yield Pause(call.world.drip)

    return lambda call: events(call, steps(call))


# Errors inside a stream ---------------------------------------------------------------

_DOWN = Failure(502, "Provider disconnected unexpectedly", "provider_unavailable")
_BUSY = Failure(429, "Provider returned error", "rate_limit_exceeded")
_LIMIT = Failure(400, "Token limit reached", "token_limit_exceeded")
_EMPTY_DELTA = {"content": ""}


def _word(call: Call) -> Json:
    error = _DOWN.error() | {"code": "server_error"}
    return chunk(call, _EMPTY_DELTA, "error", error=error)


def _available(call: Call) -> Json:
    told = availability("temporarily_unavailable", call.entry.id, retry_after=1)
    error = {"message": "Gone.", "error_type": "provider_overloaded", "http_status": 503}
    return chunk(call, _EMPTY_DELTA, "error", error=error | {"availability": told})


_ERRORS: dict[str, tuple[str, Callable[[Call], Json]]] = {
    "full": (
        "whole chunk, error code 502, finish_reason error",
        lambda call: chunk(call, _EMPTY_DELTA, "error", error=_DOWN.error()),
    ),
    "word": ("whole chunk, error code 'server_error'", _word),
    "recorded": (
        "whole chunk, error code 400, finish_reason null, usage, then [DONE]",
        lambda call: chunk(call, _EMPTY_DELTA, error=_LIMIT.error(), usage=usage(call)),
    ),
    "no-choices-429": (
        "chunk with choices: [] and error 429",
        lambda call: chunk(call, None, error=_BUSY.error()),
    ),
    "no-choices-502": (
        "chunk with choices: [] and error 502",
        lambda call: chunk(call, None, error=_DOWN.error()),
    ),
    "bare": ("the error object alone", lambda _: {"error": _DOWN.error()}),
    "no-object": (
        "finish_reason error and no error object",
        lambda call: chunk(call.saying("", native="MALFORMED_FUNCTION_CALL"), {}, "error"),
    ),
    "availability": ("error with http_status and availability, no code", _available),
}


def _breaks(error: Callable[[Call], Json], text: str) -> Callable[[Call], Script]:
    def act(call: Call) -> Script:
        spoken = _texts(call.saying(text)) if text else []
        return events(call, paced(call, [*spoken, frame(error(call)), DONE]))

    return act


# Odd but legal writing ----------------------------------------------------------------


def _rewritten(change: Callable[[bytes], bytes]) -> Callable[[Call], Script]:
    """Tell the answer, in characters of several bytes, as `change` makes it of the bytes."""

    def act(call: Call) -> Script:
        said = call.saying(UNICODE)
        return events(said, paced(said, [change(data) for data in _whole(said)]))

    return act


def _whole(call: Call) -> list[bytes]:
    return [*(frame(event) for event in chunks(call)), DONE]


def _apart(cut: Callable[[bytes], Iterator[bytes]]) -> Callable[[Call], Script]:
    """Tell the answer in writes that `cut` makes of its bytes, each to arrive alone."""

    def steps(call: Call) -> Iterator[Step]:
        for part in cut(b"".join(_whole(call.saying(UNICODE)))):
            yield part
            yield Pause(call.world.pause)

    return lambda call: events(call, steps(call))


def _inside_characters(data: bytes) -> Iterator[bytes]:
    # A byte 10xxxxxx continues a character, so a cut before it is within one.
    cuts = [at for at, byte in enumerate(data) if byte & 0xC0 == 0x80]  # noqa: PLR2004
    for start, end in pairwise([0, *cuts[::3], len(data)]):
        yield data[start:end]


def _of_size(size: int) -> Callable[[bytes], Iterator[bytes]]:
    return lambda data: (data[at : at + size] for at in range(0, len(data), size))


def _several_data_lines(data: bytes) -> bytes:
    # Between members of the JSON a line break is only white space.
    return data.replace(b', "object"', b',\ndata: "object"').replace(
        b', "model"', b',\ndata:"model"'
    )


def _with(extra: bytes) -> Callable[[Call], Script]:
    """Put `extra` before the first event and after it."""

    def act(call: Call) -> Script:
        first, *rest = _whole(call)
        return events(call, paced(call, [extra, first, extra, *rest]))

    return act


def _only(data: bytes) -> Callable[[Call], Script]:
    return lambda call: events(call, [data, data, data, DONE])


def _one_write(call: Call) -> Script:
    return events(call, [b"".join(_whole(call))])


def _two_in_one(call: Call) -> Script:
    frames = _whole(call)
    return events(call, [b"".join(frames[at : at + 2]) for at in range(0, len(frames), 2)])


def _bom(call: Call) -> Script:
    script = events(call, [])
    return Script([b"\xef\xbb\xbf" + COMMENT, *_whole(call)], headers=script.headers)


def _no_delta(call: Call) -> Script:
    odd = [chunk(call, {}) for _ in range(2)]
    del odd[0]["choices"][0]["delta"]
    odd[1]["choices"][0]["delta"] = None
    return events(call, [*(frame(event) for event in odd), *_whole(call)])


def _huge_line(call: Call) -> Script:
    return events(call, [frame(chunk(call, {"content": "x" * HUGE_LINE_BYTES})), *_finish(call)])


def _tools(*fragments: Json) -> Callable[[Call], Script]:
    def act(call: Call) -> Script:
        told = [chunk(call, {"content": None, "tool_calls": [part]}) for part in fragments]
        frames = [frame(event) for event in told]
        return events(call, [*frames, *_finish(call.saying("", finish="tool_calls")), DONE])

    return act


_OPENING = tool_call("get_weather", "")
_PARTS: Sequence[Json] = [
    {"function": {"arguments": '{"ci'}},
    {"function": {"arguments": 'ty": "Bern"}'}},
]
_BAD_JSON = b'data: {"id": "gen-\n\n'
_BARE = frame({"object": "chat.completion.chunk"})

STREAM_FAULTS: dict[str, Fault] = {
    "silence-mid-text": _stream("text, then nothing for ever", _after(SHORT, Act.SILENCE)),
    "comments-mid-text": _stream(
        "text, then comments for ever", _then_for_ever(SHORT, COMMENT)
    ),
    "slow-drip": _stream("one more dot of text, for ever", _then_for_ever("", None)),
    "reset-before-text": _stream("comments, then a TCP reset", _after("", Act.RESET)),
    "reset-short": _stream("under 200 characters, then a reset", _after(SHORT, Act.RESET)),
    "reset-long": _stream("over 200 characters, then a reset", _after(LONG, Act.RESET)),
    "cut-before-text": _stream("comments, then the connection closes", _after("", Act.HANG_UP)),
    "cut-short": _stream(
        "under 200 characters, then the connection closes", _after(SHORT, Act.HANG_UP)
    ),
    "cut-long": _stream(
        "over 200 characters, then the connection closes", _after(LONG, Act.HANG_UP)
    ),
    "eof-before-text": _stream("comments, then a tidy end", _after("")),
    "eof-short": _stream(
        "under 200 characters, tidy end, no finish reason, no [DONE]", _after(SHORT)
    ),
    "eof-long": _stream(
        "over 200 characters, tidy end, no finish reason, no [DONE]", _after(LONG)
    ),
    "eof-after-finish": _stream("the whole answer without [DONE]", _finished_without_done),
    "done-only": _stream("[DONE] and no event before it", _after("", DONE)),
    "done-short": _stream("text, then [DONE] without finish reason", _after(SHORT, DONE)),
    "keepalive-data": _stream("'data: : keepalive' lines", _with(b"data: : keepalive\n\n")),
    "bad-json-once": _stream("one event that is no JSON", _with(_BAD_JSON)),
    "bad-json-only": _stream("events that are no JSON, then [DONE]", _only(_BAD_JSON)),
    "bare-events": _stream("events that say nothing, then [DONE]", _only(_BARE)),
    "huge-line": _stream(f"one event of {HUGE_LINE_BYTES} bytes", _huge_line),
    "delta-missing": _stream("chunks without delta and with delta null", _no_delta),
    "tools-fragments": _stream(
        "a tool call in pieces",
        _tools({"index": 0} | _OPENING, *({"index": 0} | part for part in _PARTS)),
    ),
    "tools-no-index": _stream("a tool call in pieces without index", _tools(_OPENING, *_PARTS)),
    "wire-utf8-split": _stream("writes that end inside a character", _apart(_inside_characters)),
    "wire-many-writes": _stream("one event over many writes", _apart(_of_size(60))),
    "wire-two-events": _stream("two events in one write", _two_in_one),
    "wire-one-write": _stream("the whole stream in one write", _one_write),
    "wire-crlf": _stream("CRLF line ends", _rewritten(lambda data: data.replace(b"\n", b"\r\n"))),
    "wire-crlf-split": _stream(
        "CRLF line ends, a write between CR and LF",
        lambda call: events(call, _split_line_ends(call)),
    ),
    "wire-cr": _stream("CR line ends", _rewritten(lambda data: data.replace(b"\n", b"\r"))),
    "wire-data-lines": _stream("several data lines in an event", _rewritten(_several_data_lines)),
    "wire-no-space": _stream(
        "no blank after 'data:'", _rewritten(lambda data: data.replace(b"data: ", b"data:"))
    ),
    "wire-bom": _stream("a byte order mark first", _bom),
    "wire-fields": _stream(
        "event, id, retry and unknown fields",
        _rewritten(lambda data: b"event: message\nid: 7\nretry: 10\nfoo: bar\nlone\n" + data),
    ),
    "wire-comments": _stream("comments in the middle, of other words", _with(b": ping\n\n" * 3)),
}  # fmt: skip


def _split_line_ends(call: Call) -> Iterator[Step]:
    for data in _whole(call.saying(UNICODE)):
        yield data.replace(b"\n", b"\r\n")[:-1]
        yield Pause(call.world.pause)
        yield b"\n"


for _shape, (_about, _error) in _ERRORS.items():
    STREAM_FAULTS[f"error-{_shape}-first"] = _stream(
        f"before the text: {_about}", _breaks(_error, "")
    )
    STREAM_FAULTS[f"error-{_shape}-short"] = _stream(
        f"after under 200 characters: {_about}", _breaks(_error, SHORT)
    )
    STREAM_FAULTS[f"error-{_shape}-long"] = _stream(
        f"after over 200 characters: {_about}", _breaks(_error, LONG)
    )
STREAM_FAULTS["error-full-no-done"] = _stream(
    "before the text: whole chunk with error 502, and the end without [DONE]",
    lambda call: events(call, [frame(chunk(call, _EMPTY_DELTA, "error", error=_DOWN.error()))]),
)
