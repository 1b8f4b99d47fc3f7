import json
from typing import Any

import pytest

from app.llm.answer import MAX_TEXT, Answer, Broken, TooMuch, Unreadable


def chunk(text: object = None, finish: object = None, **members: Any) -> bytes:
    choice = {"delta": {"role": "assistant", "content": text}, "finish_reason": finish}
    return json.dumps({"choices": [choice], **members}).encode()


def written(*texts: str) -> tuple[str, list[str]]:
    said: list[str] = []
    answer = Answer(said.append, drops_thinking=True)
    for text in texts:
        answer.take(chunk(text))
    answer.end()
    return answer.text, said


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (("<think>hm</think>", "Four."), "Four."),
        (("<th", "ink>h", "m</thi", "nk>\n\nFour", "."), "Four."),
        (("\n<think>", "x" * 50, "</think> Four."), "Four."),
        (tuple("<think>a</think>Four."), "Four."),
        (("Four. <think>is said</think>",), "Four. <think>is said</think>"),
        (("<b>Four",), "<b>Four"),
        (("<th",), "<th"),
        (("<think>never ends",), ""),
    ],
)  # fmt: skip
def test_thinking_aloud_at_the_beginning_is_dropped(pieces: tuple[str, ...], text: str) -> None:
    heard, said = written(*pieces)

    assert heard == text
    assert "".join(said) == text


def test_blanks_before_the_first_word_are_no_text() -> None:
    answer = Answer()

    for text in ("", "\n", "  ", " Hi", " "):
        answer.take(chunk(text))

    assert answer.text == "Hi "


def test_the_first_finish_reason_stands() -> None:
    answer = Answer()

    for finish in (None, "", "length", None, "stop"):
        answer.take(chunk("a", finish))

    assert answer.finish == "length"


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("stop", "stop"),
        ("tool_calls", "stop"),
        ("a_word_of_tomorrow", "stop"),
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("content_filter", "declined"),
    ],
)
def test_the_words_for_the_end(word: str, finish: str) -> None:
    answer = Answer()

    answer.take(chunk("a", word))

    assert answer.finish == finish


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 502}},
        {"error": "model not found"},
        {"object": "error", "message": "no"},
        {"choices": [{"error": {"code": 502}, "message": {"content": "half"}}]},
        {"choices": [{"delta": {}, "finish_reason": "error"}]},
    ],
)
def test_a_failure_is_seen_whatever_its_shape(body: object) -> None:
    with pytest.raises(Broken):
        Answer().take(json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": {}},
        {"choices": [None]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": []}]},
        {"choices": [{"delta": {"content": 7}}]},
        {"choices": [{"delta": {"content": {"text": "no list"}}}]},
        {"choices": [{"delta": {"content": [None, 7, {"text": 7}]}}]},
        {"choices": [{"finish_reason": 7}]},
        {"usage": "many", "model": 7, "error": None},
    ],
)
def test_odd_shapes_are_no_text_and_no_crash(body: object) -> None:
    answer = Answer()

    answer.take(json.dumps(body).encode())

    assert answer.blank
    assert answer.finish is None


def test_parts_of_text_are_joined() -> None:
    answer = Answer()

    answer.take(chunk([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]))

    assert answer.text == "Hello"


@pytest.mark.parametrize("data", [b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        Answer().take(data)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a\\u0000b", "ab"),
        (b"a\\ud83d", "a\ufffd"),
        (b"\\ud83d\\ude00", "\U0001f600"),
        (b"a\x00b", "ab"),
        (b"a\nb", "a\nb"),
        (b"a\xff", "a\ufffd"),
        ("é\\u0000".encode(), "é"),
    ],
)
def test_what_no_database_takes_is_taken_out(content: bytes, text: str) -> None:
    answer = Answer()

    answer.take(b'{"choices": [{"delta": {"content": "' + content + b'"}}]}')

    assert answer.text == text


def test_stray_nul_bytes_around_a_chunk_do_not_matter() -> None:
    answer = Answer()

    answer.take(b"\0" + chunk("Hi") + b"\0")

    assert answer.text == "Hi"


def test_a_refusal_is_the_text_where_there_is_no_other() -> None:
    answer = Answer()

    answer.take(json.dumps({"choices": [{"delta": {"refusal": "I can't."}}]}).encode())
    answer.take(chunk("", "stop"))

    completion = answer.completion("m")
    assert (completion.text, completion.finish) == ("I can't.", "declined")


@pytest.mark.parametrize("member", ["reasoning", "reasoning_content", "reasoning_details"])
def test_thinking_begins_the_answer_and_is_none_of_it(member: str) -> None:
    answer = Answer()

    answer.take(json.dumps({"choices": [{"delta": {member: ["hm"]}}]}).encode())

    assert answer.began
    assert answer.blank


def test_the_last_usage_counts_and_nonsense_in_it_is_absent() -> None:
    answer = Answer()

    answer.take(chunk("a", usage={"prompt_tokens": 1}))
    usage = {"prompt_tokens": 5, "completion_tokens": True, "total_tokens": -1, "cost": 0.25}
    answer.take(json.dumps({"choices": [], "usage": usage, "model": "served"}).encode())

    completion = answer.completion("asked")
    assert completion.model == "served"
    assert completion.tokens is not None
    assert completion.tokens.prompt == 5
    assert completion.tokens.completion is completion.tokens.total is None
    assert completion.tokens.cost_usd == 0.25


@pytest.mark.parametrize("cost", ["NaN", "1e999", "-1", '"1"', "true", "9" * 400])
def test_a_cost_that_is_none_is_absent(cost: str) -> None:
    answer = Answer()

    answer.take(b'{"usage": {"cost": ' + cost.encode() + b"}}")

    tokens = answer.completion("m").tokens
    assert tokens is not None
    assert tokens.cost_usd is None


def test_an_answer_has_a_largest_size() -> None:
    answer = Answer()
    answer.take(chunk("x" * MAX_TEXT))

    with pytest.raises(TooMuch):
        answer.take(chunk("x"))
