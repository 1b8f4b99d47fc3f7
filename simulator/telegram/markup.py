"""Inline keyboards: read, checked, kept."""

from typing import Any

from simulator.telegram.failure import Json, bad
from simulator.telegram.texts import url_of

MOST_BUTTONS = 100
LONGEST_DATA = 64  # bytes
LONGEST_COPY = 256
STYLES = {"primary", "success", "danger"}
OTHERS = ("keyboard", "remove_keyboard", "force_reply")


def inline(markup: Any) -> Json | None:
    """Return the inline keyboard of a `reply_markup`; None for none or another kind.

    Raises:
        Refused: 400 as Telegram says it.
    """
    if markup in (None, "", {}):
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    if any(name in markup for name in OTHERS):
        return None
    rows = markup.get("inline_keyboard")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad('Field "inline_keyboard" must be of type Array')
    kept = [[_button(button) for button in row] for row in rows if row]
    if sum(map(len, kept)) > MOST_BUTTONS:
        raise bad("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _button(button: Any) -> Json:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise bad('can\'t parse inline keyboard button: Field "text" must be of type String')
    if not button["text"].strip():
        raise bad("can't parse inline keyboard button: Button text must be non-empty")
    kept: Json = {"text": button["text"]}
    if button.get("style"):
        if button["style"] not in STYLES:
            raise bad("can't parse inline keyboard button: Invalid button style specified")
        kept["style"] = button["style"]
    if "callback_data" in button:
        data = button["callback_data"]
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= LONGEST_DATA:
            raise bad("BUTTON_DATA_INVALID")
        return kept | {"callback_data": data}
    if "url" in button:
        return kept | {"url": url_of(str(button["url"]), what="inline keyboard button URL")}
    if "copy_text" in button:
        copied = (
            button["copy_text"].get("text", "") if isinstance(button["copy_text"], dict) else ""
        )
        if not 1 <= len(copied) <= LONGEST_COPY:
            raise bad("BUTTON_COPY_TEXT_INVALID")
        return kept | {"copy_text": {"text": copied}}
    raise bad("Text buttons are unallowed in the inline keyboard")
