"""The simulator's verdict on texts, beside TDLib's: what the real Bot API server asks."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.telegram.failure import Refused
from simulator.telegram.texts import LONGEST_TEXT, formatted, units
from tests.simulator.bot_api import Json

tdjson = pytest.importorskip("tdjson")
NAMES = {
    "bold": "Bold", "italic": "Italic", "underline": "Underline", "spoiler": "Spoiler",
    "strikethrough": "Strikethrough", "code": "Code", "pre": "Pre", "blockquote": "BlockQuote",
    "text_link": "TextUrl",
}  # fmt: skip
LETTERS = st.text(st.sampled_from("ab é😀سل\n"), min_size=1, max_size=12).map(
    lambda text: f"x{text}x"  # trimming is Telegram's later step
)
URLS = [
    "https://example.com", "http://a.b:8080/x?y#z", "example.com", "tg://user?id=5", "tg:x",
    "http://localhost", "http://localhost:9090/x", "prometheus:9090", "/path", "ftp://a.b/c",
    "javascript:alert(1)", "http://a.b:0", "http://a.b:70000", "http://1.2.3.4/x", "",
    "http://a_b.c/", "https://x.y/ z", "http://.a.b", "http://a..b", "http://user@a.b/",
]  # fmt: skip


def asked(request: Json) -> Json:
    told: Json = json.loads(tdjson.td_execute(json.dumps(request).encode()))
    return told


asked({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})


def tdlib(text: str, entities: list[Json]) -> Json:
    made = []
    for entity in entities:
        kind: Json = {"@type": f"textEntityType{NAMES[entity['type']]}"}
        if "url" in entity:
            kind["url"] = entity["url"]
        made.append({"offset": entity["offset"], "length": entity["length"], "type": kind})
    return asked(
        {
            "@type": "parseMarkdown",
            "text": {"@type": "formattedText", "text": text, "entities": made},
        }
    )


def refused(check: Callable[[], Any]) -> bool:
    try:
        check()
    except Refused:
        return True
    return False


ENTITY = st.builds(
    lambda kind, offset, length: {"type": kind, "offset": offset, "length": length},
    st.sampled_from(sorted(NAMES.keys() - {"text_link"})),
    st.integers(-1, 18),
    st.integers(-1, 18),
)


@settings(max_examples=400, deadline=None)
@given(LETTERS, ENTITY)
def test_an_entity_is_refused_as_tdlib_refuses_it(text: str, entity: Json) -> None:
    judged = tdlib(text, [entity])

    assert refused(lambda: formatted(text, [entity], longest=LONGEST_TEXT)) == (
        judged["@type"] == "error"
    )


@settings(max_examples=400, deadline=None)
@given(LETTERS, st.lists(ENTITY, min_size=2, max_size=4))
def test_nothing_is_let_through_that_tdlib_refuses(text: str, entities: list[Json]) -> None:
    """The other way round it need not be: TDLib forgives an end beyond the text that it cuts."""
    judged = tdlib(text, entities)

    strict = refused(lambda: formatted(text, entities, longest=LONGEST_TEXT))

    assert strict or judged["@type"] != "error", judged


@pytest.mark.parametrize("url", URLS)
def test_links_are_refused_as_tdlib_refuses_them(url: str) -> None:
    link = [{"type": "text_link", "offset": 0, "length": 5, "url": url}]

    judged = tdlib("hello", link)

    assert refused(lambda: formatted("hello", link, longest=LONGEST_TEXT)) == (
        judged["@type"] == "error"
    ), judged.get("message")


@given(st.text(st.sampled_from("a😀é\U0010ffff\u200d"), max_size=20))
def test_units_are_those_of_utf_16(text: str) -> None:
    assert units(text) == len(text.encode("utf-16-le")) // 2
