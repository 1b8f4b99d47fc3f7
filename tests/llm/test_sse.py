import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.llm.sse import EventParser, TooLong, WholeBody

LINES = st.lists(
    st.sampled_from(
        [
            b"data: {}",
            b"data:{}",
            b"data:  two blanks",
            b"data",
            b"data:",
            "data: سلام 😀".encode(),
            b": OPENROUTER PROCESSING",
            b"event: message",
            b"id: 7",
            b"database: no",
            b"",
            b"",
        ]
    )
)


def read(*pieces: bytes) -> list[bytes]:
    parser = EventParser(limit=10_000)
    return [event for piece in pieces for event in parser.feed(piece)] + parser.end()


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(whole), *(place % (len(whole) + 1) for place in places)})
    return [whole[start:end] for start, end in itertools.pairwise(edges)]


@given(LINES, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 10_000)))
def test_a_stream_means_the_same_however_it_is_cut(
    lines: list[bytes], line_end: bytes, places: list[int]
) -> None:
    plain = b"".join(line + b"\n" for line in lines)
    whole = b"".join(line + line_end for line in lines)

    assert read(*cut(whole, places)) == read(plain)


@given(LINES, st.lists(st.integers(0, 10_000)), st.randoms(use_true_random=False))
def test_line_ends_may_be_mixed(lines: list[bytes], places: list[int], random: object) -> None:
    choose = random.choice  # type: ignore[attr-defined]
    # A bare LF right behind a bare CR would be one line end, as the standard has it.
    ends = [choose([b"\n", b"\r\n"]) for _ in lines]
    whole = b"".join(line + end for line, end in zip(lines, ends, strict=True))

    assert read(*cut(whole, places)) == read(b"".join(line + b"\n" for line in lines))


@given(st.binary(max_size=300), st.lists(st.integers(0, 10_000)))
def test_no_bytes_upset_it(whole: bytes, places: list[int]) -> None:
    assert read(*cut(whole, places)) == read(whole)


@given(st.lists(st.integers(0, 10_000)))
def test_a_byte_order_mark_is_dropped_at_the_start_alone(places: list[int]) -> None:
    whole = b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n"

    assert read(*cut(whole, places)) == [b"a", b"c"]


@pytest.mark.parametrize(
    ("whole", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a\n\n", [b" a"]),
        (b": comment\n\ndata: a\n\n", [b"a"]),
        (b"event: x\nid: 1\nretry: 5\ndata: a\nfoo\n\n", [b"a"]),
        (b"id: 1\n\n\n\n", []),
        (b"data: a", [b"a"]),
        (b"data: a\n", [b"a"]),
        (b"datas: a\n\n", []),
        (b"", []),
    ],
)
def test_what_is_an_event(whole: bytes, events: list[bytes]) -> None:
    assert read(whole) == events


def test_an_event_comes_with_its_blank_line_though_the_lines_end_in_cr() -> None:
    parser = EventParser(limit=100)

    assert parser.feed(b"data: a\r\r") == [b"a"]
    assert parser.feed(b"data: b\r\n\r\n") == [b"b"]


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 60, b"data: xxxxxxxxxxxx\n"])
def test_an_endless_event_is_refused(piece: bytes) -> None:
    parser = EventParser(limit=50)

    with pytest.raises(TooLong):
        [parser.feed(part) for part in [piece] * 5]


def test_many_events_may_be_longer_than_one() -> None:
    assert len(read(*[b"data: " + b"x" * 5_000 + b"\n\n"] * 5)) == 5


def test_a_plain_body_is_one_event_without_its_byte_order_mark() -> None:
    body = WholeBody(limit=20)

    assert body.feed(b'\xef\xbb\xbf{"a"') == []
    body.feed(b":1}\n")

    assert body.end() == [b'{"a":1}\n']
    with pytest.raises(TooLong):
        body.feed(b"x" * 20)
