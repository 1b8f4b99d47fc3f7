"""What one request to the provider may cost at most, what it did cost, and where that is kept."""

from decimal import Decimal
from typing import Final, Protocol

from app.llm.base import Ask, Tokens
from app.llm.catalogue import Catalogue

MILLION: Final = 1_000_000
# Around each message: its role, its separators, and what a chat template puts before the first.
MESSAGE_TOKENS: Final = 64
# A picture is up to some 5,000 tokens where it is priced by its size. Models that count more are
# so cheap that none of them takes a cent for one.
PICTURE_TOKENS: Final = 10_000
PICTURE_USD: Final = 0.01
# As `app.llm.request` asks for them. After each search the model reads everything once more.
SEARCHES: Final = 2
SEARCH_USD: Final = 0.035  # the dearest engine, of those that OpenRouter may choose
SEARCH_TOKENS: Final = 10_000


class Purse(Protocol):
    """Where the money is. Amounts are USD."""

    async def hold(self, most: float) -> str:
        """Hold the most that a request may cost; return a name for it.

        Raises:
            SpendLimitReached: there is not so much left today.
            StorageUnavailable: nobody knows how much is left.
        """
        ...

    async def settle(self, hold: str, cost: float | None) -> None:
        """Spend what it did cost; None: nobody knows, so all that was held. Never raises."""
        ...


class Meter:
    """Prices are those of the catalogue; `unknown` is USD for a million tokens that have none."""

    def __init__(self, purse: Purse, catalogue: Catalogue, unknown: Decimal) -> None:
        self._purse = purse
        self._catalogue = catalogue
        self._unknown = unknown

    async def hold(self, ask: Ask, max_tokens: int) -> str:
        """Hold the worst case of a request; see `Purse`. Whoever never settles it pays it all."""
        return await self._purse.hold(self.most(ask, max_tokens))

    async def settle(self, hold: str, ask: Ask, tokens: Tokens | None, *, billed: bool) -> None:
        """Spend what a request did cost; `billed`: as far as is known, it may have cost anything.

        Without an answer nothing is taken for tokens, but what was searched for it is.
        """
        cost = self.cost(ask, tokens)
        if cost is None and not billed and not ask.web_search:
            cost = 0.0
        await self._purse.settle(hold, cost)

    def most(self, ask: Ask, max_tokens: int) -> float:
        """Return the most that a request may cost.

        No tokenizer makes more tokens of a text than it has bytes; most make a quarter of it.
        """
        pictures = sum(len(turn.pictures) for turn in ask.turns)
        texts = (ask.system, *(turn.text for turn in ask.turns))
        size = sum(len(text.encode()) + MESSAGE_TOKENS for text in texts)
        searches = SEARCHES if ask.web_search else 0
        found = searches * (searches + 1) // 2 * SEARCH_TOKENS
        price_in, price_out, price_call, price_picture = self._prices(ask.model)
        picture = max(PICTURE_USD if price_in else 0.0, PICTURE_TOKENS * price_in + price_picture)
        once = size * price_in + pictures * picture + max_tokens * price_out + price_call
        return (1 + searches) * once + found * price_in + searches * SEARCH_USD

    def cost(self, ask: Ask, tokens: Tokens | None) -> float | None:
        """Return what the provider says that it took, or what its tokens cost; None: unknown."""
        if tokens is None:
            return None
        if tokens.cost_usd is not None:
            return tokens.cost_usd
        if tokens.prompt is None or tokens.completion is None or ask.web_search:
            return None
        price_in, price_out, price_call, _ = self._prices(ask.model)
        return tokens.prompt * price_in + tokens.completion * price_out + price_call

    def _prices(self, model: str) -> tuple[float, float, float, float]:
        """Return USD for a token of input, one of output, a call and a picture, at most."""
        card = self._catalogue.card(model)
        price_out = card.dearest_out if card.dearest_out is not None else card.price_out
        price_in = card.price_in if card.price_in is not None else price_out
        return (
            float(self._unknown if price_in is None else price_in) / MILLION,
            float(self._unknown if price_out is None else price_out) / MILLION,
            float(card.price_call or 0),
            float(card.price_picture or 0),
        )
