"""Puts an answer together from the pieces that the provider sends."""

import json
from collections.abc import Mapping
from typing import Any, Final

import orjson

from app.llm.base import Completion, Finish, Say, Tokens

MAX_TEXT: Final = 1_000_000  # characters, thinking included
_MOST_TOKENS: Final = 2**53  # beyond this it is garbage that would only upset a database
_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"
# Words of gateways and providers beside OpenRouter's own. An unknown word ends a text well,
# as new ones may come at any time.
_FINISHES: Final[Mapping[str, Finish]] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "declined",
    "refusal": "declined",
    "safety": "declined",
}
_BROKEN: Final = frozenset({"error", "abort", "cancelled", "insufficient_system_resource"})
# What a model may write before its first word. None of it is the answer.
_TOKENS_TOO: Final = ("reasoning", "reasoning_content", "reasoning_details", "tool_calls")


class Unreadable(ValueError):
    """What came is no JSON object."""


class TooMuch(ValueError):
    """The answer grew over `MAX_TEXT`."""


class Broken(Exception):
    """The provider says in the middle of a 200 that it failed.

    `body` has the shape of an error's body, or is None where there is only the word.
    """

    def __init__(self, body: Mapping[str, Any] | None) -> None:
        super().__init__()
        self.body = body


class Answer:
    """An answer that is being written.

    `began` is true from the first token on, thinking included; `finish` is None until the
    provider says that it ended.
    """

    def __init__(self, say: Say | None = None, *, drops_thinking: bool = False) -> None:
        self.began = False
        self.finish: Finish | None = None
        self.said = False
        self.size = 0
        self._say = say
        self._pieces: list[str] = []
        self._refusal: list[str] = []
        self._model = ""
        self._tokens: Tokens | None = None
        self._taken = 0
        self._head: str | None = "" if drops_thinking else None

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def tokens(self) -> Tokens | None:
        """What it took so far, where the provider has told."""
        return self._tokens

    def take(self, data: bytes) -> None:
        """Add one chunk of a stream, or a whole answer that came as one JSON body.

        Raises:
            Unreadable: it is no JSON object.
            Broken: it tells of a failure.
            TooMuch: the text is larger than an answer may be.
        """
        chunk = _load(data)
        if chunk.get("error") or chunk.get("object") == "error":
            raise Broken(chunk)
        usage = chunk.get("usage")
        if isinstance(usage, dict):
            self._tokens = _tokens(usage)
        if not self._model and isinstance(model := chunk.get("model"), str):
            self._model = model
        choices = chunk.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            self._take_choice(choices[0])

    def end(self) -> None:
        """Let go of a beginning that was held back: nothing more comes."""
        if self._head and not self._head.startswith(_OPEN):
            head, self._head = self._head, None
            self._put(head)

    def completion(self, model: str, finish: Finish | None = None) -> Completion:
        text = self.text
        finish = finish or self.finish or "cut"
        if self._refusal and not text:
            text, finish = "".join(self._refusal), "declined"
        return Completion(text, self._model or model, finish, self._tokens)

    @property
    def blank(self) -> bool:
        return not self._pieces and not self._refusal

    def _take_choice(self, choice: dict[str, Any]) -> None:
        self._take_delta(choice)
        if choice.get("error"):
            raise Broken(choice)
        reason = choice.get("finish_reason")
        # The last chunk may carry a null again, and some repeat the word: the first one stands.
        if reason and isinstance(reason, str) and self.finish is None:
            if reason in _BROKEN:
                raise Broken(None)
            self.finish = _FINISHES.get(reason.lower(), "stop")

    def _take_delta(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta") or choice.get("message")
        if not isinstance(delta, dict):
            return
        content = delta.get("content")
        if content:
            self._add(content if isinstance(content, str) else _text_of(content))
        elif not self.began:
            self.began = any(delta.get(field) for field in _TOKENS_TOO)
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            self._refusal.append(_clean(refusal))
            self.began = True

    def _add(self, text: str) -> None:
        self.began = True
        self._taken += len(text)
        if self._taken > MAX_TEXT:
            raise TooMuch
        text = _clean(text)
        if self._head is not None:
            text = self._without_thinking(text)
        self._put(text)

    def _put(self, text: str) -> None:
        # Many models begin with blank lines, and blanks alone are no answer.
        if not self._pieces:
            text = text.lstrip()
        if text:
            self._pieces.append(text)
            self.size += len(text)
            if self._say is not None:
                self.said = True
                self._say(text)

    def _without_thinking(self, text: str) -> str:
        """Hold the beginning back until it is clear whether the model thinks aloud."""
        head = ((self._head or "") + text).lstrip()
        self._head = head
        if len(head) < len(_OPEN) and _OPEN.startswith(head):
            return ""
        if not head.startswith(_OPEN):
            self._head = None
            return head
        end = head.find(_CLOSE)
        if end < 0:
            # Only the mark and what could be the beginning of its end has to be kept.
            self._head = _OPEN + head[len(_OPEN) :][-len(_CLOSE) :]
            return ""
        self._head = None
        return head[end + len(_CLOSE) :]


def _load(data: bytes) -> dict[str, Any]:
    try:
        chunk = orjson.loads(data)
    except orjson.JSONDecodeError:
        # Half surrogates, NUL, NaN and broken UTF-8 are not worth losing an answer for; the
        # standard library reads them where orjson rightly does not.
        try:
            text = data.replace(b"\0", b"").decode(errors="replace")
            chunk = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            raise Unreadable from None
    if not isinstance(chunk, dict):
        raise Unreadable
    return chunk


def _clean(text: str) -> str:
    """Take out what no database and no UTF-8 encoder takes: NUL and half surrogates."""
    if text.isascii():
        return text.replace("\0", "") if "\0" in text else text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "")


def _text_of(parts: object) -> str:
    if not isinstance(parts, list):
        return ""
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    return Tokens(
        prompt=_count(usage.get("prompt_tokens")),
        completion=_count(usage.get("completion_tokens")),
        total=_count(usage.get("total_tokens")),
        cost_usd=_cost(usage.get("cost")),
    )


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < _MOST_TOKENS else None


def _cost(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _MOST_TOKENS else None
