"""Small stand-ins, typed by the ports they stand in for, and what a message is made of."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.chat.assistant import ModelAssistant
from app.chat.conversation import Conversation
from app.commands import COMMANDS
from app.commands.base import Allowance, Call, Command, Outcome, Services
from app.errors import ModelError
from app.llm import defaults
from app.llm.base import Ask, Completion, Picture, Say
from app.llm.catalogue import Catalogue, parse_aliases, parse_replacements
from app.platforms.platform import Platform
from app.sessions.history import Exchange
from app.sessions.profiles import Profile
from app.sessions.sessions import Place, Session
from wire.message import Message

NOW = 1_790_078_400.0
STARTED = NOW - 300
TELEGRAM = Platform(
    name="telegram",
    public=True,
    models=("google/gemini-2.0-flash-001",),
    rate_limit=20,
    max_history=10,
    commands=frozenset({"start", "help", "status", "translate"}),
)
INTERNAL = Platform(
    name="internal",
    public=False,
    models=("openai/gpt-5-chat", *(m for m in defaults.MODELS if m != "openai/gpt-5-chat")),
    rate_limit=60,
    max_history=30,
)
PLATFORMS = {platform.name: platform for platform in (TELEGRAM, INTERNAL)}

Line = str | Completion | ModelError


class ScriptedModel:
    """Says the next line of its script, piece by piece, and remembers what it was asked.

    The last line is said again and again.
    """

    def __init__(self, *lines: Line) -> None:
        self._lines = list(lines or ("Well.",))
        self.asked: list[Ask] = []

    async def complete(self, ask: Ask, say: Say | None = None) -> Completion:
        self.asked.append(ask)
        line = self._lines.pop(0) if len(self._lines) > 1 else self._lines[0]
        if isinstance(line, ModelError):
            raise line
        said = Completion(line, ask.model) if isinstance(line, str) else line
        if say is not None:
            for start in range(0, len(said.text), 3):
                say(said.text[start : start + 3])
        return said


def catalogue() -> Catalogue:
    """Return the default models; the provider's list is unknown."""
    return Catalogue(
        models=defaults.MODELS,
        aliases=parse_aliases(defaults.ALIASES),
        replacements=parse_replacements(defaults.REPLACEMENTS),
        max_price=defaults.REPLACEMENT_MAX_PRICE,
    )


def message(text: str = "", platform: Platform = INTERNAL, **fields: Any) -> Message:
    ids = {"platform": platform.name, "user_id": "u1", "chat_id": "c1", "message_id": "m1"}
    return Message.model_validate({**ids, "text": text, **fields})


def session(platform: Platform = INTERNAL, **fields: Any) -> Session:
    place = Place(platform.name, "c1", "", "u1")
    known = Session(1, "0123456789abcdef0123456789abcdef", place, STARTED, NOW)
    return replace(known, **fields)


def call(said: Message, platform: Platform = INTERNAL, **fields: Any) -> Call:
    made = Call(
        message=said,
        words=said.text,
        platform=platform,
        session=session(platform),
        profile=Profile(),
        history=(),
        allowance=Allowance(platform.rate_limit, platform.rate_limit - 1, 60.0),
        now=NOW,
    )
    return replace(made, **fields)


def exchanges(count: int, **fields: Any) -> list[Exchange]:
    return [Exchange(n, f"question {n}", f"answer {n}", **fields) for n in range(1, count + 1)]


def assistant(model: ScriptedModel, known: Catalogue | None = None) -> ModelAssistant:
    return ModelAssistant(model, known or catalogue(), 800, lambda name: f"hash{len(name)}")


def conversation(
    model: ScriptedModel | None = None,
    known: Catalogue | None = None,
    commands: Sequence[Command] = COMMANDS,
) -> Conversation:
    known = known or catalogue()
    return Conversation(Services(assistant(model or ScriptedModel(), known), known, commands))


@dataclass
class Dialogue:
    """One person who talks. What an outcome asks to keep is kept in plain fields."""

    conversation: Conversation
    platform: Platform = INTERNAL
    profile: Profile = field(default_factory=Profile)
    history: list[Exchange] = field(default_factory=list)
    told: str = ""
    pieces: list[str] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=itertools.count)

    async def say(self, text: str, *pictures: Picture, **fields: Any) -> Outcome:
        said = message(text, self.platform, message_id=f"m{next(self._ids)}", **fields)
        self.pieces = []
        made = call(
            said,
            self.platform,
            session=session(self.platform, told=self.told),
            profile=self.profile,
            history=self.history[-(self.platform.max_history // 2) :],
            say=self.pieces.append,
        )
        outcome = await self.conversation.answer(made, pictures)
        self._keep(outcome)
        return outcome

    async def hear(self, text: str, **fields: Any) -> str:
        return (await self.say(text, **fields)).reply.response

    def _keep(self, outcome: Outcome) -> None:
        if outcome.forget != "nothing":
            self.history = []
        if outcome.profile is not None:
            self.profile = outcome.profile
        if outcome.exchange is not None:
            self.history.append(outcome.exchange)
        if outcome.spoken is not None:
            self.told = outcome.spoken.told
