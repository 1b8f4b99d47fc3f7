import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import texts

SENTENCES = {
    name: value for name, value in vars(texts).items()
    if name.isupper() and isinstance(value, str)
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "`plain`"),
        ("", "` `"),
        ("``` x ```", "`''' x '''`"),
        ("a\r\nb\tc\x00\x1b[0m", "`a b c[0m`"),
        ("a\u202eb\u2028c\u200bd", "`ab cd`"),
        ("x" * 64, f"`{'x' * 64}`"),
        ("x" * 65, f"`{'x' * 63}…`"),
        ("x" * 62 + " yz", f"`{'x' * 62}…`"),
    ],
)
def test_code_is_one_short_piece_of_code(text: str, shown: str) -> None:
    assert texts.code(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GPT-4.1 (new)", "GPT-4.1 (new)"),
        ("*a* _b_ `c` [d](e)", r"\*a\* \_b\_ \`c\` \[d](e)"),
        ("<f> ~g~ |h| \\n", r"\<f\> \~g\~ \|h\| \\n"),
        ("a &lt; b, $x_1$", r"a \&lt; b, \$x\_1\$"),
        ("two\nlines", "two lines"),
        ("\x07 x \x07", "x"),
        ("x" * 65, "x" * 63 + "…"),
    ],
)
def test_plain_text_is_no_markup(text: str, shown: str) -> None:
    assert texts.plain(text) == shown


@given(st.text())
def test_nothing_leaves_its_piece_of_code(text: str) -> None:
    inside = texts.code(text)[1:-1]

    assert inside
    assert "`" not in inside
    assert "\n" not in inside
    assert not texts.UNSEEN.search(inside)


@pytest.mark.parametrize("name", SENTENCES)
def test_every_text_can_be_filled_in_and_is_short_enough_for_a_phone(name: str) -> None:
    fields = {field for _, field, _, _ in string.Formatter().parse(SENTENCES[name]) if field}

    shown = SENTENCES[name].format(**dict.fromkeys(fields, "x"))

    assert len(shown) < 450
    assert not texts.UNSEEN.search(shown)
