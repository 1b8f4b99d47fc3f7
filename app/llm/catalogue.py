"""Which models there are, what people call them, and what stands in for those that are gone."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from app.errors import ModelGone
from app.llm.cards import ModelCard
from app.llm.defaults import CARDS

__all__ = [
    "Catalogue",
    "ModelCard",
    "Replacement",
    "Served",
    "parse_aliases",
    "parse_replacements",
]

_WEB_SEARCH: Final = "+web_search"
# Routing hints that any model takes; the list names the model without them.
_DYNAMIC: Final = re.compile(r":(nitro|floor|exacto|online)$")


@dataclass(frozen=True, slots=True)
class Replacement:
    """The model that answers instead, with the search tool where the old one searched."""

    model: str
    web_search: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """The model to ask. `reason` says in a few words why it is another, else it is empty."""

    model: str
    web_search: bool = False
    replaced: bool = False
    reason: str = ""


class Catalogue:
    """The configured models, against the provider's list once it is known.

    `max_price` is USD for a million tokens of output. It bounds replacements alone, and only
    those whose price is known.
    """

    def __init__(
        self,
        models: Sequence[str],
        aliases: Mapping[str, str],
        replacements: Mapping[str, Replacement],
        max_price: Decimal,
    ) -> None:
        self.models = tuple(models)
        self._aliases = {alias.casefold(): model for alias, model in aliases.items()}
        self._replacements = dict(replacements)
        self._max_price = max_price
        self._live: dict[str, ModelCard] | None = None
        self._today = date.min
        self._told_gone: set[str] = set()

    @property
    def names(self) -> set[str]:
        """The models that anybody configured, as something to choose or to stand in."""
        return {*self.models, *(each.model for each in self._replacements.values())}

    @property
    def is_live(self) -> bool:
        """Tell whether the provider's list is known."""
        return self._live is not None

    def learn(self, cards: Iterable[ModelCard], today: date) -> None:
        """Take over the provider's list. An empty one is no list and changes nothing."""
        live = {card.id: card for card in cards}
        if live:
            self._live = live
            self._today = today
            self._told_gone.clear()

    def mark_gone(self, model: str) -> None:
        """Remember until the next list that the provider said so, whatever the list says."""
        self._told_gone.add(model)

    def is_gone(self, model: str) -> bool:
        """Tell whether the model is known not to answer; False where nothing is known."""
        if model in self._told_gone:
            return True
        if self._live is None or model.startswith("@"):
            return False
        card = self._live.get(model) or self._live.get(_DYNAMIC.sub("", model))
        # On the day itself it was gone already.
        return card is None or (card.expires is not None and card.expires <= self._today)

    def served(self, model: str) -> Served:
        """Say which model to ask when `model` is wanted.

        Raises:
            ModelGone: it is gone, and nothing may stand in for it.
        """
        if not self.is_gone(model):
            return Served(model)
        found = self.replacement_for(model)
        if found is None:
            raise ModelGone(
                f"{self.label(model)} is no longer available. Choose another model with /models.",
                cause="no_replacement",
            )
        return found

    def serving(self, model: str) -> str:
        """Return the id of the model that would answer; `model` itself where none does."""
        found = self.replacement_for(model) if self.is_gone(model) else None
        return model if found is None else found.model

    def replacement_for(self, model: str) -> Served | None:
        """Return what stands in for `model`, None where nothing does.

        A replacement that is gone itself is replaced in turn; one that is too dear is skipped.
        """
        seen = {model}
        current, web_search = model, False
        while (step := self._replacements.get(current)) is not None and step.model not in seen:
            seen.add(step.model)
            current, web_search = step.model, web_search or step.web_search
            if not self.is_gone(current) and not self._is_too_dear(current):
                reason = f"{self.label(model)} is no longer available"
                return Served(current, web_search, replaced=True, reason=reason)
        return None

    def card(self, model: str) -> ModelCard:
        """Return what is known of a model; what nobody told is None."""
        known = CARDS.get(model) or ModelCard(id=model, name=_label_of(model))
        live = (self._live or {}).get(model)
        if live is None:
            return known
        return replace(
            live,
            vision=known.vision if live.vision is None else live.vision,
            tools=known.tools if live.tools is None else live.tools,
            context=live.context or known.context,
            max_output=live.max_output or known.max_output,
            price_out=known.price_out if live.price_out is None else live.price_out,
        )

    def label(self, model: str) -> str:
        """Return the name for people: `GPT-4.1` for `openai/gpt-4.1`."""
        if model in CARDS:
            return CARDS[model].name
        live = (self._live or {}).get(model)
        if live is None or live.name == model:
            return _label_of(model)
        # OpenRouter's names begin with the maker: "OpenAI: GPT-4.1".
        return live.name.split(": ", 1)[-1]

    def aliases_of(self, model: str) -> tuple[str, ...]:
        return tuple(alias for alias, target in self._aliases.items() if target == model)

    def resolve(self, name: str, among: Sequence[str]) -> str | None:
        """Return the model that a person means, None where it is none of `among`.

        Taken are an alias, a full id, the id without its maker and the friendly name, in any
        case and with blanks, hyphens and underscores alike.
        """
        wanted = name.strip().casefold()
        if (target := self._aliases.get(wanted)) in among:
            return target
        for model in among:
            if model.casefold() == wanted:
                return model
        return self._names(among).get(_squeezed(wanted))

    def suggest(self, name: str, among: Sequence[str]) -> list[str]:
        """Return up to three models whose names are near, the nearest first."""
        names = self._names(among)
        near = difflib.get_close_matches(_squeezed(name.casefold()), names, n=8, cutoff=0.5)
        return list(dict.fromkeys(names[key] for key in near))[:3]

    def _names(self, among: Sequence[str]) -> dict[str, str]:
        names: dict[str, str] = {}
        for alias, model in self._aliases.items():
            if model in among:
                names.setdefault(_squeezed(alias), model)
        for model in among:
            live = (self._live or {}).get(model)
            known = [model, model.rsplit("/", 1)[-1], self.label(model)]
            for name in [*known, live.name] if live else known:
                names.setdefault(_squeezed(name.casefold()), model)
        return names

    def _is_too_dear(self, model: str) -> bool:
        price = self.card(model).price_out
        return price is not None and price > self._max_price


def parse_aliases(text: str) -> dict[str, str]:
    """Read `name=model,…`.

    Raises:
        ValueError: says which entry cannot be read.
    """
    aliases: dict[str, str] = {}
    for name, model in _pairs(text, "name=model"):
        if name.casefold() in aliases:
            raise ValueError(f"the alias {name!r} is given twice")
        aliases[name.casefold()] = model
    return aliases


def parse_replacements(text: str) -> dict[str, Replacement]:
    """Read `old=new,…`, where `new+web_search` adds the search tool.

    Raises:
        ValueError: says which entry cannot be read.
    """
    replacements: dict[str, Replacement] = {}
    for old, target in _pairs(text, "old=new"):
        new = target.removesuffix(_WEB_SEARCH)
        if not new or "+" in new:
            raise ValueError(f"{old}={target}: after the model only {_WEB_SEARCH} may stand")
        if old in replacements:
            raise ValueError(f"the model {old!r} is replaced twice")
        if old == new:
            raise ValueError(f"the model {old!r} is replaced by itself")
        replacements[old] = Replacement(new, web_search=target.endswith(_WEB_SEARCH))
    return replacements


def _pairs(text: str, form: str) -> list[tuple[str, str]]:
    pairs = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        left, equals, right = (part.strip() for part in entry.partition("="))
        if not (left and equals and right) or re.search(r"[\s=]", left + right):
            raise ValueError(f"{entry!r} is not of the form {form}")
        pairs.append((left, right))
    return pairs


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name)


def _label_of(model: str) -> str:
    words = re.split(r"[-_\s]+", model.rsplit("/", 1)[-1].lstrip("~"))
    return " ".join(word.upper() if word == "gpt" else word.capitalize() for word in words if word)
