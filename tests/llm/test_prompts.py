import pytest

from app.llm.prompts import BASE, system_prompt

THEIRS = "Answer in the language the person writes in."


@pytest.mark.parametrize(
    ("language", "length", "likely", "wanted"),
    [
        (None, None, None, THEIRS),
        (None, "normal", None, THEIRS),
        (None, None, "German", f"{THEIRS} Where that is unclear, answer in German."),
        ("French", None, "German", "Answer in French."),
        ("French", "short", None, "Answer in French. Answer in at most three sentences."),
        (None, "long", None, f"{THEIRS} Answer in depth, with examples where they help."),
    ],
)
def test_a_chat_is_told_the_language_and_the_length(
    language: str | None, length: str | None, likely: str | None, wanted: str
) -> None:
    told = system_prompt(language=language, length=length, task="", likely=likely)

    assert told == f"{BASE} {wanted}"


def test_a_task_stands_in_place_of_both() -> None:
    told = system_prompt(language="French", length="short", task="Sum up.", likely="German")

    assert told == f"{BASE}\n\nSum up."
