"""TDLib, which Telegram's own servers read texts with, as the judge of ours. It runs offline."""

import json
from typing import Any

import pytest

from panoptes_bot.split import Entity, Text

tdjson: Any = pytest.importorskip("tdjson", reason="TDLib (tdjson) is not installed here")

_NAMES = {
    "bold": "Bold",
    "italic": "Italic",
    "strikethrough": "Strikethrough",
    "code": "Code",
    "pre": "Pre",
    "blockquote": "BlockQuote",
    "text_link": "TextUrl",
}
_OURS = {name: ours for ours, name in _NAMES.items()} | {
    "PreCode": "pre",
    "MentionName": "text_link",
}
_PREFIX = "textEntityType"


class Refused(Exception):
    """Telegram would answer 400, for the reason given."""


def _asked(request: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(tdjson.td_execute(json.dumps(request).encode()))
    return answer


_asked({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})


def _type(entity: Entity) -> dict[str, Any]:
    if entity.language is not None:
        return {"@type": f"{_PREFIX}PreCode", "language": entity.language}
    made = {"@type": _PREFIX + _NAMES[entity.type]}
    return made if entity.url is None else {**made, "url": entity.url}


def _named(kind: str) -> str:
    name = kind.removeprefix(_PREFIX)
    return _OURS.get(name, name)


def kept(text: Text) -> Text:
    """Return what Telegram makes of a text; the URLs are left out, as it writes them anew.

    It also reads marks that are still in the text, so compare only where the text is the same.

    Raises:
        Refused: the whole message.
    """
    entities = [
        {
            "@type": "textEntity",
            "offset": entity.offset,
            "length": entity.length,
            "type": _type(entity),
        }
        for entity in text.entities
    ]
    formatted = {"@type": "formattedText", "text": text.text, "entities": entities}
    answer = _asked({"@type": "parseMarkdown", "text": formatted})
    if answer["@type"] == "error":
        raise Refused(answer["message"])
    return Text(
        answer["text"],
        tuple(
            Entity(
                _named(each["type"]["@type"]),
                each["offset"],
                each["length"],
                language=each["type"].get("language"),
            )
            for each in answer["entities"]
        ),
    )


def drawn(text: Text) -> set[tuple[str, int, str | None]]:
    """Return which unit is drawn how: type, unit, language. Two ways to part a style are one."""
    return {
        (entity.type, unit, entity.language)
        for entity in text.entities
        for unit in range(entity.offset, entity.offset + entity.length)
    }
