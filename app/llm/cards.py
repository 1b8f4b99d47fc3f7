"""What the provider tells of its models and of the key."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, DecimalException
from typing import Any, Final

_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model. None is: not told.

    `context` and `max_output` are tokens, `price_out` USD for a million tokens of output.
    `expires` is the day on which it is no longer there. The last four are prices at their worst:
    for long prompts, at dear hours, of thinking, of input that is kept. `price_in` and
    `dearest_out` are USD for a million tokens, `price_call` and `price_picture` for one.
    """

    id: str
    name: str
    vision: bool | None = None
    tools: bool | None = None
    context: int | None = None
    max_output: int | None = None
    price_out: Decimal | None = None
    expires: date | None = None
    price_in: Decimal | None = None
    dearest_out: Decimal | None = None
    price_call: Decimal | None = None
    price_picture: Decimal | None = None


@dataclass(frozen=True, slots=True)
class KeyState:
    """What the key may still spend, in USD. None is: not told, or no limit."""

    limit_usd: float | None = None
    left_usd: float | None = None
    used_usd: float | None = None
    free_tier: bool | None = None
    expires: datetime | None = None


def read_cards(body: object) -> list[ModelCard]:
    """Read a list of models, rich or poor, in its order and each id once."""
    entries = body.get("data") if isinstance(body, dict) else body
    cards: dict[str, ModelCard] = {}
    for entry in entries if isinstance(entries, list) else ():
        card = _card(entry)
        if card is not None:
            cards.setdefault(card.id, card)
    return list(cards.values())


def read_key(body: object) -> KeyState:
    data = _table(_table(body).get("data"))
    free = data.get("is_free_tier")
    return KeyState(
        limit_usd=_dollars(data.get("limit")),
        left_usd=_dollars(data.get("limit_remaining")),
        used_usd=_dollars(data.get("usage")),
        free_tier=free if isinstance(free, bool) else None,
        expires=_moment(data.get("expires_at")),
    )


def _card(entry: object) -> ModelCard | None:
    entry = _table(entry)
    model = entry.get("id")
    if not isinstance(model, str) or not model:
        return None
    name = entry.get("name")
    inputs = _table(entry.get("architecture")).get("input_modalities")
    parameters = entry.get("supported_parameters")
    provider = _table(entry.get("top_provider"))
    pricing = _table(entry.get("pricing"))
    return ModelCard(
        id=model,
        name=name if isinstance(name, str) and name else model,
        vision="image" in inputs if isinstance(inputs, list) else None,
        tools="tools" in parameters if isinstance(parameters, list) else None,
        context=_count(entry.get("context_length")) or _count(provider.get("context_length")),
        max_output=_count(provider.get("max_completion_tokens")),
        price_out=_price(pricing.get("completion")),
        expires=_day(entry.get("expiration_date")),
        price_in=_dearest(pricing, "prompt", "input_cache_write"),
        dearest_out=_dearest(pricing, "completion", "internal_reasoning"),
        price_call=_dearest(pricing, "request", of=1),
        price_picture=_dearest(pricing, "image", of=1),
    )


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value > 0 else None


def _dearest(
    pricing: Mapping[str, Any], first: str, *more: str, of: int = _MILLION
) -> Decimal | None:
    """Return the highest of some prices and of what overrides them; None without the first."""
    if _price(pricing.get(first)) is None:
        return None
    overrides = pricing.get("overrides")
    tables = [pricing, *(overrides if isinstance(overrides, list) else ())]
    found = (_price(_table(table).get(name), of) for table in tables for name in (first, *more))
    return max(price for price in found if price is not None)


def _price(value: object, of: int = _MILLION) -> Decimal | None:
    # Prices are text, for one token. Routers name -1: it depends.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        price = Decimal(str(value)) * of
    except DecimalException:
        return None
    return price.normalize() if price.is_finite() and price >= 0 else None


def _dollars(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _day(value: object) -> date | None:
    moment = _moment(value)
    return None if moment is None else moment.date()


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None
