import pytest

from app.commands.languages import language


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("german", "German"), ("GERMAN", "German"), ("de", "German"), ("de-AT", "German"),
        ("Deutsch", "German"), ("français", "French"), ("francais", "French"),
        ("Español", "Spanish"), ("fa", "Persian"), ("fa-IR", "Persian"), ("farsi", "Persian"),
        ("فارسی", "Persian"), ("zh-Hant-TW", "Chinese"), ("中文", "Chinese"),
        ("es-419", "Spanish"), ("nb", "Norwegian"), ("nb-NO", "Norwegian"), ("한국어", "Korean"),
        ("Русский", "Russian"), ("हिन्दी", "Hindi"), (" tr ", "Turkish"), ("hu", "Hungarian"),
    ],
)  # fmt: skip
def test_a_language_is_known_by_its_names_and_codes(word: str, name: str) -> None:
    assert language(word) == name


@pytest.mark.parametrize(
    "word",
    ["", "-", "klingon", "hello", "no-one", "hi-there", "he-said", "germany", "am", "is", "my"],
)
def test_other_words_are_no_language(word: str) -> None:
    assert language(word) is None
