"""How a long text becomes several messages, and that nothing gets lost between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panoptes_bot.split import MOST_ENTITIES, MOST_UNITS, Entity, Text, parts, seen, trimmed, units

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
FLAG = "🇩🇪"


def cut(text: str, limit: int, *entities: Entity) -> list[str]:
    return [part.text for part in parts(Text(text, entities), limit)]


def covered(text: Text) -> list[tuple[str, str]]:
    """Return what each entity covers."""
    raw = text.text.encode("utf-16-le")
    return [
        (
            entity.type,
            raw[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le"),
        )
        for entity in text.entities
    ]


def gaps(text: str, pieces: list[Text]) -> list[str]:
    """Return what is before, between and after the parts; they have to be there in order."""
    found, at = [], 0
    for piece in pieces:
        begin = text.index(piece.text, at)
        found.append(text[at:begin])
        at = begin + len(piece.text)
    return [*found, text[at:]]


def test_a_text_that_fits_stays_as_it_is() -> None:
    text = Text("a\n\nb", (Entity("bold", 0, 1),))

    assert parts(text) == [text]


@pytest.mark.parametrize("text", ["", " \n ", "\u200b\u2060", "\u2800", "\ufe0f"])
def test_there_is_no_part_of_a_text_that_nobody_sees(text: str) -> None:
    assert parts(Text(text)) == []
    assert not seen(text)


@pytest.mark.parametrize("text", ["a", "?", "\u200b👍", "\u0301é", "٣", "🇩", "—"])
def test_a_text_with_one_thing_to_see_is_seen(text: str) -> None:
    assert seen(text)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("aaaaaa\n\nb\nc d", ["aaaaaa", "b\nc d"]),
        ("aaaaaa\nb c d", ["aaaaaa", "b c d"]),
        ("aaaaaa b cde", ["aaaaaa b", "cde"]),
        ("aaaaaaaaaabb", ["aaaaaaaaaa", "bb"]),
        ("aaaaaaaaaa bb", ["aaaaaaaaaa", "bb"]),
        ("a\n\nbbbbbbbbbbbb", ["a\n\nbbbbbbb", "bbbbb"]),
        ("aaaaaaa \n\n \n  bbbb", ["aaaaaaa", "bbbb"]),
    ],
    ids=[
        "blank line",
        "newline",
        "blank",
        "nothing",
        "at the limit",
        "too early",
        "all the blanks",
    ],
)
def test_the_cut_is_where_a_reader_would_make_it(text: str, pieces: list[str]) -> None:
    assert cut(text, 10) == pieces


def test_a_newline_outside_of_code_goes_before_a_blank_line_in_it() -> None:
    text = "aaaaaa\nbb\n\nbb"

    assert cut(text, 12, Entity("pre", 7, 6)) == ["aaaaaa", "bb\n\nbb"]


def test_code_that_is_too_long_is_cut_at_a_newline_and_keeps_its_indentation() -> None:
    text = Text("if a:\n\n    b = 1\n    c = 2", (Entity("pre", 0, 27, language="py"),))

    found = parts(text, 12)

    assert [part.text for part in found] == ["if a:", "    b = 1", "    c = 2"]
    assert [part.entities for part in found] == [
        (Entity("pre", 0, 5, language="py"),),
        (Entity("pre", 0, 9, language="py"),),
        (Entity("pre", 0, 9, language="py"),),
    ]


def test_blanks_in_a_line_of_code_are_lost_only_before_the_cut() -> None:
    text = "aaaaaa   bbbbbb"

    assert cut(text, 9, Entity("pre", 0, 15)) == ["aaaaaa", "   bbbbbb"]


def test_the_indentation_of_the_first_line_of_code_stays() -> None:
    assert cut("\n  \n  a", 9, Entity("pre", 0, 7)) == ["  a"]
    assert cut("\n  a", 9) == ["a"]


def test_an_entity_is_clipped_on_both_sides_and_keeps_its_url() -> None:
    link = Entity("text_link", 2, 12, url="http://a.bc")

    found = parts(Text("a bbbb cccc dd eeee", (link,)), 7)

    assert [covered(part) for part in found] == [
        [("text_link", "bbbb")],
        [("text_link", "cccc dd")],
        [],
    ]
    assert {entity.url for part in found for entity in part.entities} == {"http://a.bc"}


def test_units_are_counted_not_characters() -> None:
    found = parts(Text("👍" * 5000))

    assert [units(part.text) for part in found] == [4096, 4096, 1808]


def test_offsets_behind_a_cut_are_units_from_there() -> None:
    text = Text("👍👍👍 👍b", (Entity("bold", 9, 1),))

    assert [covered(part) for part in parts(text, 7)] == [[], [("bold", "b")]]


def test_no_part_has_more_entities_than_telegram_reads() -> None:
    text = Text("ab " * 300, tuple(Entity("bold", 3 * at, 1) for at in range(300)))

    found = parts(text)

    assert len(found) == 3
    assert [len(part.entities) for part in found] == [100, 100, 100]
    assert all(kind == ("bold", "a") for part in found for kind in covered(part))


def test_entities_of_one_place_that_are_too_many_lose_the_innermost() -> None:
    text = Text("abc", tuple(Entity("bold", 0, 3 - at % 3) for at in range(6)))

    assert [covered(part) for part in parts(text, most=2)] == [[("bold", "abc")] * 2]


@pytest.mark.parametrize(
    "grapheme",
    [
        FAMILY,
        FLAG,
        "e\u0301\u0302",
        "👍\U0001f3fd",
        "🏳\ufe0f\u200d🌈",
        "\u1100\u1161\u11a8",
        "क\u094dषि",
        "ی\u200c",
        "🏴\U000e0067\U000e0062\U000e007f",
    ],
    ids=["family", "flag", "marks", "skin", "joined", "jamo", "conjunct", "zwnj", "tags"],
)
def test_a_grapheme_is_not_parted(grapheme: str) -> None:
    size = units(grapheme)
    for before in range(size + 1):
        found = cut("x" * before + grapheme * 40, size * 20)

        assert "".join(found) == "x" * before + grapheme * 40
        assert all(part.lstrip("x").replace(grapheme, "") == "" for part in found)


def test_a_cut_at_a_blank_does_not_take_it_from_its_mark() -> None:
    assert cut("aaaa bbb \u0301cc", 9) == ["aaaa", "bbb \u0301cc"]


def test_marks_without_end_are_parted() -> None:
    found = cut("bb a" + "\u0301" * 300 + "b", 100)

    assert len(found[0]) == 100


def test_a_text_that_grows_keeps_its_first_parts() -> None:
    whole = "word and more\n" * 20

    before = parts(Text(whole[:150]), 60)
    after = parts(Text(whole), 60)

    assert len(before) == 3
    assert before[:-1] == after[:2]


def test_a_text_is_trimmed_with_its_entities() -> None:
    assert trimmed(Text(" \n a ", (Entity("bold", 0, 5),))) == Text("a", (Entity("bold", 0, 1),))
    assert trimmed(Text(" \n")) == Text("")


@st.composite
def texts(draw: st.DrawFn) -> Text:
    letters = st.sampled_from([*"ab \n", "\n\n", "👍", "\u0301", "\u200d", FLAG, FAMILY, "x" * 20])
    text = "".join(draw(st.lists(letters, max_size=80)))
    ends = [units(text[:at]) for at in range(len(text) + 1)]
    entities = []
    for _ in range(draw(st.integers(0, 8))):
        begin, end = sorted(draw(st.tuples(*[st.sampled_from(ends)] * 2)))
        if begin < end:
            kind = draw(st.sampled_from(["bold", "pre", "code", "blockquote"]))
            entities.append(Entity(kind, begin, end - begin))
    return Text(text, tuple(entities))


@given(texts(), st.integers(2, 60), st.integers(1, 5))
def test_the_parts_are_the_text_but_for_blanks_and_what_nobody_sees(
    text: Text, limit: int, most: int
) -> None:
    found = parts(text, limit, most)

    assert all(0 < units(part.text) <= limit for part in found)
    assert all(len(part.entities) <= most for part in found)
    assert not any(seen(gap) for gap in gaps(text.text, found))
    assert all(part.text == part.text.rstrip(" \n") for part in found)


@given(texts(), st.integers(2, 60))
def test_every_character_keeps_its_entities(text: Text, limit: int) -> None:
    def drawn(of: Text) -> list[tuple[str, str]]:
        """Return each seen character and what it is in, without order."""
        return sorted(
            (kind, letter) for kind, words in covered(of) for letter in words if seen(letter)
        )

    found = parts(text, limit, MOST_ENTITIES)

    assert sorted(pair for part in found for pair in drawn(part)) == drawn(text)
    for part in found:
        assert all(entity.length > 0 for entity in part.entities)
        assert all(
            entity.offset + entity.length <= units(part.text) <= MOST_UNITS
            for entity in part.entities
        )
