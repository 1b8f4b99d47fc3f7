import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import texts
from app.chat import reading
from app.chat.reading import Named
from app.errors import AppError, EmptyMessage, InvalidBody, TextTooLong, UrlNotSupported
from tests.fakes import message

PICTURE = {"type": "image", "data": "aGk="}
FILE_ID = {"type": "image", "file_id": "AgAC"}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("  a\tb\nc \n", "a\tb\nc"),
        ("one\r\ntwo\rthree\x0bfour\x0cfive\x85six\u2028seven\u2029eight",
         "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight"),
        ("a\x00b\x07c\x1b[31md\x7fe\x9bf", "abc[31mdef"),
        ("pay \u202eevil\u202c now\u2066x\u2069", "pay evil nowx"),
        ("\u200e\u200f\u061cmarks", "marks"),
        ("zero\u200bwidth\ufeff \u2060word\u00adjoin", "zerowidth wordjoin"),
        ("hidden\U000e0041\U000e0042\U000e007f", "hidden"),
        ("smuggled\ufe00\ufe05\U000e0101", "smuggled"),
        # Persian, as it has to be written: with a joiner inside of the word.
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
         "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("👩\u200d💻 ❤\ufe0f ☎\ufe0e", "👩\u200d💻 ❤\ufe0f ☎\ufe0e"),
        ("naïve 日本語 हिन्दी", "naïve 日本語 हिन्दी"),
    ],
)  # fmt: skip
def test_hidden_characters_go_and_what_languages_need_stays(text: str, clean: str) -> None:
    assert reading.cleaned(text) == clean


@given(st.text())
def test_a_cleaned_text_holds_nothing_hidden_and_cleaning_it_again_changes_nothing(
    text: str,
) -> None:
    clean = reading.cleaned(text)

    assert not texts.UNSEEN.search(clean)
    assert reading.cleaned(clean) == clean


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("/status", (True, "status", "")),
        ("/STATUS", (True, "status", "")),
        ("/status@BotName", (True, "status", "")),
        ("/status@BotName now", (True, "status", "now")),
        ("!help", (False, "help", "")),
        ("!Important stuff", (False, "important", "stuff")),
        ("/translate\ngerman\n hi", (True, "translate", "german\n hi")),
        ("/translate\u00a0german hi", (True, "translate", "german hi")),
        ("/", (True, "", "")),
        ("/ status", (True, "", "status")),
        ("/\nstatus", (True, "", "status")),
        ("/Status, please", (True, "status,", "please")),
        ("//", (True, "/", "")),
        ("/привет мир", (True, "привет", "мир")),
        ("/" + "a" * 40, (True, "a" * 40, "")),
        ("!", None),
        ("! help", None),
        ("!?", None),
        ("hello /status", None),
        ("", None),
    ],
)
def test_a_command_is_found_at_the_beginning_alone(
    text: str, named: tuple[bool, str, str] | None
) -> None:
    assert reading.command(text) == (None if named is None else Named(*named))


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"text": "x" * 8_001}, TextTooLong),
        ({"text": "x", "reply_to_text": "x" * 8_001}, TextTooLong),
        ({"text": ""}, EmptyMessage),
        ({"text": " \n\t "}, EmptyMessage),
        ({"text": "\u200b\u200c\u200d\ufeff\u2060"}, EmptyMessage),
        ({"text": "\u202e\U000e0041"}, EmptyMessage),
        ({"text": "\u3164\u2800\ufe0f\u115f\u034f\u00ad"}, EmptyMessage),
        ({"text": "", "type": "command"}, EmptyMessage),
        ({"text": "", "type": "image"}, EmptyMessage),
        ({"text": "x", "metadata": {"k": "v" * 4_096}}, InvalidBody),
        ({"text": "x", "attachments": [{"type": "image"}]}, InvalidBody),
        ({"text": "x", "attachments": [{"type": "image", "data": ""}]}, InvalidBody),
        ({"attachments": [{"type": "document", "mime_type": "IMAGE/png"}]}, InvalidBody),
        ({"attachments": [FILE_ID]}, UrlNotSupported),
        ({"attachments": [PICTURE, FILE_ID]}, UrlNotSupported),
        ({"attachments": [{"type": "voice", "file_id": "x"}]}, UrlNotSupported),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused(
    fields: dict[str, object], refused: type[AppError]
) -> None:
    with pytest.raises(AppError) as caught:
        reading.check(message(**fields))  # type: ignore[arg-type]

    assert type(caught.value) is refused


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "x" * 8_000, "reply_to_text": "x" * 8_000},
        {"text": "\u200b.\u200b"},
        {"text": "x", "metadata": {"k": "v" * 4_000}},
        {"attachments": [PICTURE]},
        {"type": "image", "attachments": [PICTURE]},
        {"type": "image", "text": "a caption"},
        {"type": "voice"},
        {"type": "voice", "attachments": [{"type": "voice"}]},
        {"type": "document"},
    ],
)
def test_what_can_be_answered_is_taken(fields: dict[str, object]) -> None:
    reading.check(message(**fields))  # type: ignore[arg-type]


def test_a_text_that_is_too_long_is_told_its_length() -> None:
    with pytest.raises(TextTooLong, match=r"9000 characters; 8000 are the most"):
        reading.check(message("x" * 9_000))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"text": "hi"}, None),
        ({"text": "hi", "type": "command"}, None),
        ({"attachments": [PICTURE]}, None),
        ({"attachments": [{"type": "document", "mime_type": "Image/PNG"}]}, None),
        ({"attachments": [{"type": "document", "mime_type": "text/html"}]}, "document"),
        ({"attachments": [{"type": "document"}]}, "document"),
        ({"attachments": [PICTURE, {"type": "video"}]}, "video"),
        ({"attachments": [{"type": "sticker"}]}, "sticker"),
        ({"type": "voice", "text": "a caption"}, "voice"),
        ({"type": "location"}, "location"),
        ({"type": "document"}, "document"),
        ({"type": "document", "text": "hi"}, None),
        ({"type": "image", "text": "hi"}, None),
    ],
)
def test_the_kind_that_nobody_can_read_is_named(
    fields: dict[str, object], kind: str | None
) -> None:
    assert reading.unreadable_kind(message(**fields)) == kind  # type: ignore[arg-type]


def test_there_is_a_word_for_every_kind_that_is_refused() -> None:
    assert set(texts.KINDS) == {"document", "voice", "video", "sticker", "location"}
