"""The AI provider: the key, its credit, and every model that is configured."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.admin.findings import Case, Finding, broken, doubtful, fine
from app.configured import catalogue_of
from app.errors import AppError, ModelMisconfigured, ModelOutOfCredit
from app.llm.cards import KeyState
from app.llm.catalogue import Catalogue
from app.llm.openrouter import OpenRouter, open_http

PIECE, MODELS = "OpenRouter", "models"
LITTLE_LEFT = 1.0  # USD
SOON_DAYS = 7


async def provider(case: Case) -> list[Finding]:
    settings = case.settings.models
    rich = settings.openrouter_dialect == "openrouter"
    key = settings.openrouter_api_key
    if key is None and rich:
        todo = "put a key of openrouter.ai into OPENROUTER_API_KEY"
        return [doubtful(PIECE, "AI answers are off: there is no key", todo)]
    http = open_http(
        str(settings.openrouter_service_url),
        key.get_secret_value() if key else "",
        dialect=settings.openrouter_dialect,
    )
    async with http:
        case.clocks.listen(http, PIECE)
        asked = OpenRouter(http, dialect=settings.openrouter_dialect)
        try:
            found = list(_key(await asked.key(), case.clocks.now()))
            if not rich:
                return [*found, fine(MODELS, "not looked at: a gateway has names of its own")]
            cards = await asked.models()
        except AppError as error:
            return [_refused(error)]
    catalogue = catalogue_of(settings, case.settings.platforms)
    catalogue.learn(cards, datetime.fromtimestamp(case.clocks.now(), UTC).date())
    return [*found, *_models(catalogue, case)]


def _refused(error: AppError) -> Finding:
    if isinstance(error, ModelOutOfCredit):
        return broken(PIECE, "the credit is used up", "add credit at openrouter.ai")
    if isinstance(error, ModelMisconfigured) and error.cause == "auth":
        return broken(PIECE, "the key is refused", "make a new one for OPENROUTER_API_KEY")
    if isinstance(error, ModelMisconfigured) or not getattr(error, "retryable", False):
        what = f"it refuses our call ({error.cause})"
        return broken(PIECE, what, "check OPENROUTER_SERVICE_URL and OPENROUTER_DIALECT")
    what = f"it does not answer ({error.cause})"
    return broken(PIECE, what, "check the network, DNS, and OPENROUTER_SERVICE_URL")


def _key(state: KeyState, now: float) -> Iterator[Finding]:
    left = "" if state.left_usd is None else f", {state.left_usd:.2f} USD are left of its limit"
    if state.expires is not None:
        ends = state.expires if state.expires.tzinfo else state.expires.replace(tzinfo=UTC)
        days = (ends.timestamp() - now) / 86_400
        if days < SOON_DAYS:
            what = f"the key ends in {max(days, 0):.0f} days"
            yield doubtful(PIECE, what, "make a new one for OPENROUTER_API_KEY")
    if state.left_usd is not None and state.left_usd <= 0:
        todo = "raise the limit of the key at openrouter.ai, or add credit"
        yield broken(PIECE, "the credit of the key is used up", todo)
    elif state.left_usd is not None and state.left_usd < LITTLE_LEFT:
        todo = "raise the limit of the key at openrouter.ai, or add credit"
        yield doubtful(PIECE, f"little credit is left: {state.left_usd:.2f} USD", todo)
    else:
        yield fine(PIECE, f"the key is taken{left}")


def _models(catalogue: Catalogue, case: Case) -> Iterator[Finding]:
    there = 0
    for model in catalogue.models:
        if not catalogue.is_gone(model):
            there += 1
            yield from _blind(catalogue, case, model, model)
            continue
        instead = catalogue.replacement_for(model)
        if instead is None:
            todo = "name another in its setting, or what stands in for it in MODEL_REPLACEMENTS"
            yield broken(MODELS, f"{model} is gone, and nothing may stand in for it", todo)
            continue
        price = _price(catalogue, instead.model)
        what = f"{model} is gone; {instead.model} answers instead{price}"
        yield doubtful(MODELS, what, "name it in the setting, if it is to stay so")
        yield from _blind(catalogue, case, model, instead.model)
    if there:
        yield fine(MODELS, f"{there} of {len(catalogue.models)} are there")


def _blind(catalogue: Catalogue, case: Case, model: str, serving: str) -> Iterator[Finding]:
    # On the other platform people choose another one by themselves.
    only = case.settings.platforms.telegram_model
    takes = case.settings.images.enable_image_processing
    if model == only and takes and catalogue.card(serving).vision is False:
        what = f"{serving} takes no pictures, and Telegram has no other model"
        yield doubtful(MODELS, what, "another TELEGRAM_MODEL, or ENABLE_IMAGE_PROCESSING=false")


def _price(catalogue: Catalogue, model: str) -> str:
    price = catalogue.card(model).price_out
    return "" if price is None else f", for {price.normalize():f} USD per million tokens"
