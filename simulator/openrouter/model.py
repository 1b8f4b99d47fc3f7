"""The demo model: no intelligence, but manners, a memory and always the same answer."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.openrouter.catalogue import Entry
from simulator.openrouter.checks import texts
from simulator.openrouter.completion import Answer, Json, pieces
from simulator.openrouter.faults import MARK
from simulator.openrouter.phrases import LANGUAGES, PREFIX, code_of, translate
from simulator.openrouter.sight import describe

_NAMED = re.compile(r"\bmy name is\s+([^\W\d_][\w'-]*)", re.IGNORECASE)
_TRANSLATE = re.compile(
    r"\btranslate\b(?P<inner>.*?)\b(?:in)?to\s+(?P<language>\w+)\s*(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_ANSWER_IN = re.compile(
    # Not behind a condition: «where that is unclear, answer in French».
    r"(?<!unclear, )\b(?:answer|reply|respond|write|speak)\b[^.\n]{0,40}?\bin\s+(\w+)",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"\s*(hello|hi|hey|good (?:morning|evening|day)|hallo|guten tag|bonjour|hola|ciao|سلام)\b",
    re.IGNORECASE,
)
_SUM = re.compile(r"(-?\d+(?:\.\d+)?)\s*([-+*/x\u00d7])\s*(-?\d+(?:\.\d+)?)")
_SEARCHES = re.compile(r"\b(search|look up|news|latest|today|web)\b", re.IGNORECASE)
_PERSIAN = re.compile(r"[\u0600-\u06ff]")
_FIRST_WORDS = 12
_CODE = 'def greet(name: str) -> str:\n    return f"Hello, {name}!"'
_STORY = (
    "The tower at the edge of the town had carried the signal for thirty years.",
    "One evening the lamp on its top went dark, and nobody noticed but an engineer.",
    "She climbed with a torch between her teeth and counted the rungs aloud.",
    "Halfway up, the wind told her everything it knew about loose connectors.",
    "At the top she found a bird that had built its nest around the warm cable.",
    "She moved nothing, wrote down the channel, and waited until the morning came.",
)


@dataclass(frozen=True, slots=True)
class Said:
    """One turn, as the model sees it. `images` are data URLs."""

    role: str
    text: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: what the system asks for, what was said, what is said now."""

    system: str
    before: Sequence[Said]
    now: Said
    model: str

    def mine(self) -> list[str]:
        """Return what the user said before, oldest first."""
        return [turn.text for turn in self.before if turn.role == "user"]

    def name(self) -> str | None:
        found = [_NAMED.search(text) for text in [*self.mine(), self.now.text]]
        names = [match[1] for match in found if match]
        return names[-1] if names else None


def answer(body: Mapping[str, Any], entry: Entry) -> Answer:
    """Answer a checked request.

    The same request always gets the same answer. `max_tokens` and `stop` are obeyed.
    """
    talk = read(body, entry)
    if (called := _tool_call(body, talk)) is not None:
        return called
    said = _limited(_words(body, talk), body)
    reasoning = body.get("reasoning") or {}
    if reasoning.get("effort", "none") != "none" and not reasoning.get("exclude"):
        return _with(said, reasoning=f"The user wrote {len(talk.now.text.split())} words.")
    return said


def read(body: Mapping[str, Any], entry: Entry) -> Talk:
    turns = [
        Said(message["role"], MARK.sub("", "\n".join(texts(message))).strip(), _pictures(message))
        for message in body["messages"]
    ]
    system = "\n".join(turn.text for turn in turns if turn.role in {"system", "developer"})
    spoken = [turn for turn in turns if turn.role not in {"system", "developer"}]
    now = spoken[-1] if spoken else Said("user", "")
    return Talk(system, spoken[:-1], now, entry.name)


def _pictures(message: Mapping[str, Any]) -> tuple[str, ...]:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    return tuple(part["image_url"]["url"] for part in parts if part["type"] == "image_url")


def _with(said: Answer, **changes: Any) -> Answer:
    return Answer(**{name: getattr(said, name) for name in Answer.__slots__} | changes)


def _limited(said: Answer, body: Mapping[str, Any]) -> Answer:
    text = said.text or ""
    stops = body.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        text = text.split(stop)[0]
    limit = body.get("max_tokens") or body.get("max_completion_tokens")
    tokens = pieces(text)
    if limit is not None and len(tokens) > limit:
        return _with(said, text="".join(tokens[:limit]), finish="length", native="max_tokens")
    return _with(said, text=text)


# Tools --------------------------------------------------------------------------------


def _tool_call(body: Mapping[str, Any], talk: Talk) -> Answer | None:
    """Call the first function whose name is in the words of the user."""
    if talk.now.role != "user" or body.get("tool_choice") == "none":
        return None
    words = set(re.findall(r"\w+", talk.now.text.casefold()))
    for tool in body.get("tools") or ():
        function = tool.get("function") or {}
        name: str = function.get("name", "")
        wanted = {word for word in name.casefold().split("_") if len(word) > 3}  # noqa: PLR2004
        if wanted and wanted & words:
            call: Json = {
                "id": f"call_{name}",
                "type": "function",
                "function": {"name": name, "arguments": _arguments(function, talk.now.text)},
            }
            return Answer(text=None, finish="tool_calls", calls=(call,))
    return None


def _arguments(function: Mapping[str, Any], text: str) -> str:
    """Fill what is required: strings with the last word, numbers with one."""
    schema = function.get("parameters") or {}
    filled: Json = {}
    for name in schema.get("required", ()):
        kind = (schema.get("properties") or {}).get(name, {}).get("type", "string")
        last = (re.findall(r"\w+", text) or [""])[-1]
        filled[name] = {"integer": 1, "number": 1, "boolean": True}.get(kind, last)
    return json.dumps(filled)


def _may_search(body: Mapping[str, Any]) -> bool:
    tools = [str(tool.get("type")) for tool in body.get("tools") or ()]
    plugins = [str(plugin.get("id")) for plugin in body.get("plugins") or ()]
    return any("web_search" in kind for kind in tools) or "web" in plugins


def _searched(talk: Talk) -> Answer:
    text = (
        f"I searched the web for “{talk.now.text}”. One page fits: [Example](https://example.com/)."
    )
    citation = {
        "type": "url_citation",
        "url_citation": {
            "url": "https://example.com/",
            "title": "Example",
            "content": "An example page.",
            "start_index": text.index("[Example]"),
            "end_index": len(text) - 1,
        },
    }
    return Answer(text, annotations=(citation,), searches=1)


# Words --------------------------------------------------------------------------------


def _words(body: Mapping[str, Any], talk: Talk) -> Answer:
    if talk.now.role == "tool":
        return Answer(f"The tool says: {talk.now.text}")
    if (translated := _translated(talk)) is not None:
        return Answer(translated)
    if _may_search(body) and _SEARCHES.search(talk.now.text):
        return _searched(talk)
    said = next(filter(None, (skill(talk) for skill in _SKILLS)), "")
    if (body.get("response_format") or {}).get("type", "text") != "text":
        return Answer(json.dumps({"answer": said}, ensure_ascii=False))
    return Answer(_language_prefix(talk.system) + said)


def _language_prefix(system: str) -> str:
    for found in _ANSWER_IN.finditer(system):
        name = found[1].casefold()
        if name in LANGUAGES:
            return PREFIX.get(LANGUAGES[name], f"[{found[1]}] ")
    return ""


def _translated(talk: Talk) -> str | None:
    """Translate when the user or the system says so; None when nobody does."""
    asked = _TRANSLATE.search(talk.now.text)
    if asked and (code := code_of(asked["language"])):
        rest = asked["rest"].lstrip(" :,\n-") or asked["inner"].strip(" :,\n")
        return translate(rest.strip(" \"'“”«»") or talk.now.text, code)
    ordered = _TRANSLATE.search(talk.system)
    if ordered and (code := code_of(ordered["language"])):
        return translate(talk.now.text, code)
    return None


def _sees(talk: Talk) -> str | None:
    return describe(talk.now.images) if talk.now.images else None


def _summarises(talk: Talk) -> str | None:
    if "summar" not in (talk.now.text + talk.system).casefold():
        return None
    turns = talk.before or [Said("user", line) for line in talk.now.text.splitlines() if line]
    lines = [f"- **{turn.role}**: {_opening(turn.text)}" for turn in turns]
    return "\n".join([f"A summary of {len(lines)} messages:", "", *lines])


def _opening(text: str) -> str:
    words = text.split()
    return " ".join(words[:_FIRST_WORDS]) + (" …" if len(words) > _FIRST_WORDS else "")


def _remembers(talk: Talk) -> str | None:
    low = talk.now.text.casefold()
    if "my name" in low and ("what" in low or "who" in low or "remember" in low):
        name = talk.name()
        return f"Your name is **{name}**." if name else "You have not told me your name yet."
    if "what did i" in low or ("remember" in low and "?" in low):
        mine = talk.mine()
        return (
            f"Before this you said: “{mine[-1]}”" if mine else "This is your first message to me."
        )
    return None


def _meets(talk: Talk) -> str | None:
    if _NAMED.search(talk.now.text):
        return f"Nice to meet you, **{talk.name()}**! I will remember your name."
    return None


def _greets(talk: Talk) -> str | None:
    if not (found := _GREETING.match(talk.now.text)):
        return None
    who = f" {talk.name()}" if talk.name() else ""
    if _PERSIAN.search(found[1]):
        return f"سلام{who}! چطور می‌توانم کمک کنم؟"
    return f"Hello{who}! I am {talk.model}, simulated. How can I help you today?"


def _calculates(talk: Talk) -> str | None:
    if not (found := _SUM.search(talk.now.text)):
        return None
    left, right = float(found[1]), float(found[3])
    if found[2] == "/" and not right:
        return "Dividing by zero has no answer."
    results = {"+": left + right, "-": left - right, "/": left / right if right else 0.0}
    return f"{found[0]} = **{results.get(found[2], left * right):g}**"


def _shows_code(talk: Talk) -> str | None:
    if not re.search(r"\b(code|python|function|script)\b", talk.now.text, re.IGNORECASE):
        return None
    return f"Here is a small one:\n\n```python\n{_CODE}\n```"


def _shows_table(talk: Talk) -> str | None:
    if "table" not in talk.now.text.casefold():
        return None
    rows = [f"| {word} | {len(word)} |" for word in talk.now.text.split()[:6]]
    return "\n".join(["| Word | Letters |", "|---|---|", *rows])


def _shows_list(talk: Talk) -> str | None:
    if not re.search(r"\b(list|steps|ideas)\b", talk.now.text, re.IGNORECASE):
        return None
    return (
        "Three things:\n\n1. **Look** at what is there.\n2. *Change* one thing.\n3. `Measure` it."
    )


def _tells_a_story(talk: Talk) -> str | None:
    if not (found := re.search(r"\b(long|story|essay)\b", talk.now.text, re.IGNORECASE)):
        return None
    chapters = 14 if "long" in found.string.casefold() else 2
    return "\n\n".join(
        f"**{number}.** " + " ".join(_STORY[number % 6 :] + _STORY[: number % 6])
        for number in range(1, chapters + 1)
    )


def _echoes(talk: Talk) -> str:
    said = talk.now.text
    if _PERSIAN.search(said):
        return f"شما گفتید: «{said}». این پاسخ شبیه‌سازی شده است."
    mine = talk.mine()
    earlier = f" Before that you said “{_opening(mine[-1])}”." if mine else ""
    who = f", {talk.name()}" if talk.name() else ""
    return f"You said: “{said}”{who}.{earlier} This is a simulated answer of *{talk.model}*."


_SKILLS: tuple[Callable[[Talk], str | None], ...] = (
    _sees, _summarises, _remembers, _meets, _greets, _calculates, _shows_code, _shows_table,
    _shows_list, _tells_a_story, _echoes,
)  # fmt: skip
