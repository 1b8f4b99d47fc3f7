import pytest

from app.commands.conversation import below, turns_of
from app.llm.base import Picture, Turn
from app.sessions.history import Exchange, Image


def test_pictures_that_are_no_longer_kept_become_a_word() -> None:
    kept = Image("image/jpeg", b"two")
    history = [Exchange(1, "Look", "I see.", pictures=2), Exchange(2, "And?", "Oh.", 1, (kept,))]

    turns = turns_of(history)

    word = "\n[a picture that is no longer kept]"
    assert turns == [
        Turn("user", f"Look{word}{word}"),
        Turn("assistant", "I see."),
        Turn("user", "And?", (Picture("image/jpeg", b"two"),)),
        Turn("assistant", "Oh."),
    ]


@pytest.mark.parametrize(
    ("text", "between"),
    [
        ("", ""),
        ("Words.", "\n\n"),
        ("```python\nprint(1)\n```", "\n\n"),
        ("```python\nprint(1)", "\n```\n\n"),
        ("a\n\n~~~~\nx\n~~~", "\n~~~~\n\n"),
        ("````\n```\nstill code", "\n````\n\n"),
        ("```\nx\n```\nand\n```sh\nls", "\n```\n\n"),
        ("- a list\n  ```\n  x", "\n```\n\n"),
        ("```python\n```python", "\n```\n\n"),
        ("``` not a fence ``` at all", "\n\n"),
        ("in `code` only", "\n\n"),
    ],
)
def test_a_note_stands_below_the_text_and_outside_of_its_code(text: str, between: str) -> None:
    assert below(text, "_Note._") == f"{between}_Note._"
