from datetime import date
from decimal import Decimal

import pytest

from app.errors import ModelGone
from app.llm.cards import ModelCard
from app.llm.catalogue import Catalogue, Replacement, Served, parse_aliases, parse_replacements
from app.llm.defaults import ALIASES, MODELS, REPLACEMENT_MAX_PRICE, REPLACEMENTS
from simulator.openrouter.catalogue import CATALOGUE

TODAY = date(2026, 9, 22)
LISTED = [
    ModelCard(
        slug, entry.name, expires=date.fromisoformat(entry.expires) if entry.expires else None
    )
    for slug, entry in CATALOGUE.items()
]


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue(
        MODELS, parse_aliases(ALIASES), parse_replacements(REPLACEMENTS), REPLACEMENT_MAX_PRICE
    )


def small(replacements: str, *cards: ModelCard, max_price: int = 20) -> Catalogue:
    found = Catalogue((), {}, parse_replacements(replacements), Decimal(max_price))
    found.learn(cards, TODAY)
    return found


@pytest.mark.parametrize(
    ("alias", "model"),
    [
        ("claude", "anthropic/claude-sonnet-4"),
        ("claude-4", "anthropic/claude-sonnet-4"),
        ("sonnet", "anthropic/claude-sonnet-4"),
        ("gpt", "openai/gpt-5-chat"),
        ("gpt5", "openai/gpt-5-chat"),
        ("gpt-5", "openai/gpt-5-chat"),
        ("gpt4", "openai/gpt-4.1"),
        ("gpt-4", "openai/gpt-4.1"),
        ("mini", "openai/gpt-4o-mini"),
        ("gpt4-mini", "openai/gpt-4o-mini"),
        ("web", "openai/gpt-4o-search-preview"),
        ("search", "openai/gpt-4o-search-preview"),
        ("gemini", "google/gemini-2.5-flash"),
        ("gemini-2.5", "google/gemini-2.5-flash"),
        ("gemini-2", "google/gemini-2.0-flash-001"),
        ("flash", "google/gemini-2.0-flash-001"),
        ("gemma", "google/gemma-3-1b-it"),
        ("grok", "x-ai/grok-4"),
        ("deepseek", "deepseek/deepseek-chat-v3-0324"),
        ("llama", "meta-llama/llama-4-maverick"),
        (" GPT ", "openai/gpt-5-chat"),
        ("OpenAI/GPT-4.1", "openai/gpt-4.1"),
        ("gpt-4.1", "openai/gpt-4.1"),
        ("GPT 4.1", "openai/gpt-4.1"),
        ("GPT-4o mini", "openai/gpt-4o-mini"),
        ("gpt_4o_mini", "openai/gpt-4o-mini"),
        ("Claude Sonnet 4", "anthropic/claude-sonnet-4"),
        ("claude-sonnet-4", "anthropic/claude-sonnet-4"),
        ("gemini 2.5 flash", "google/gemini-2.5-flash"),
        ("Llama 4 Maverick", "meta-llama/llama-4-maverick"),
        ("gpt-6", None),
        ("", None),
        ("/", None),
        ("../../x", None),
    ],
)
def test_what_people_call_a_model(catalogue: Catalogue, alias: str, model: str | None) -> None:
    assert catalogue.resolve(alias, MODELS) == model


def test_a_model_that_is_not_allowed_has_no_name(catalogue: Catalogue) -> None:
    assert catalogue.resolve("claude", ["openai/gpt-4.1"]) is None
    assert catalogue.resolve("anthropic/claude-sonnet-4", ["openai/gpt-4.1"]) is None
    assert catalogue.resolve("gpt-4.1", ["openai/gpt-4.1"]) == "openai/gpt-4.1"


def test_the_providers_own_name_is_a_name_too() -> None:
    catalogue = small("", ModelCard("a/b-1", "Maker: Big Model (new)"))

    assert catalogue.resolve("big model (NEW)", ["a/b-1"]) == "a/b-1"
    assert catalogue.resolve("Maker: Big Model (new)", ["a/b-1"]) == "a/b-1"
    assert catalogue.label("a/b-1") == "Big Model (new)"


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("claud", "anthropic/claude-sonnet-4"),
        ("gpt-4.2", "openai/gpt-4.1"),
        ("deepsek", "deepseek/deepseek-chat-v3-0324"),
        ("Gemni", "google/gemini-2.5-flash"),
    ],
)
def test_a_near_miss_gets_a_suggestion(catalogue: Catalogue, name: str, model: str) -> None:
    found = catalogue.suggest(name, MODELS)

    assert model in found
    assert len(found) <= 3
    assert len(found) == len(set(found))


def test_nothing_near_gets_no_suggestion(catalogue: Catalogue) -> None:
    assert catalogue.suggest("zzzzzz", MODELS) == []
    assert catalogue.suggest("claude", ["openai/gpt-4.1"]) == []


def test_without_a_list_the_configured_model_is_tried(catalogue: Catalogue) -> None:
    assert not catalogue.is_live
    assert catalogue.served("openai/gpt-5-chat") == Served("openai/gpt-5-chat")
    assert not catalogue.is_gone("openai/gpt-5-chat")

    catalogue.learn([], TODAY)

    assert not catalogue.is_live


def test_with_the_list_retired_models_are_replaced(catalogue: Catalogue) -> None:
    catalogue.learn(LISTED, TODAY)

    served = {model: catalogue.served(model) for model in MODELS}

    assert {model: found.model for model, found in served.items() if found.replaced} == {
        "google/gemini-2.0-flash-001": "google/gemini-2.5-flash-lite",
        "openai/gpt-4o-search-preview": "openai/gpt-4.1",
        "openai/gpt-5-chat": "openai/gpt-5.4",
        "x-ai/grok-4": "x-ai/grok-4.3",
        "google/gemma-3-1b-it": "google/gemma-3-4b-it",
    }
    assert [model for model, found in served.items() if found.web_search] == [
        "openai/gpt-4o-search-preview"
    ]
    assert served["openai/gpt-5-chat"].reason == "GPT-5 Chat is no longer available"
    assert served["openai/gpt-4.1"] == Served("openai/gpt-4.1")


@pytest.mark.parametrize(("day", "gone"), [(date(2026, 10, 15), False), (date(2026, 10, 16), True)])
def test_a_model_is_gone_from_its_last_day_on(
    catalogue: Catalogue, day: date, *, gone: bool
) -> None:
    catalogue.learn(LISTED, day)

    assert catalogue.is_gone("google/gemini-2.5-flash") == gone
    assert catalogue.served("google/gemini-2.5-flash").replaced == gone


def test_a_replacement_is_never_dearer_than_allowed() -> None:
    cheap = ModelCard("new", "New", price_out=Decimal(20))
    dear = ModelCard("new", "New", price_out=Decimal("20.01"))

    assert small("old=new", cheap).served("old").model == "new"
    with pytest.raises(ModelGone, match="Old is no longer available"):
        small("old=new", dear).served("old")


def test_a_replacement_that_is_gone_or_too_dear_is_replaced_in_turn() -> None:
    last = ModelCard("c", "C", price_out=Decimal(1))

    assert small("a=b+web_search,b=c", last).served("a") == Served(
        "c", web_search=True, replaced=True, reason="A is no longer available"
    )
    dear = ModelCard("b", "B", price_out=Decimal(99))
    assert small("a=b,b=c", last, dear).served("a").model == "c"


@pytest.mark.parametrize("replacements", ["", "old=gone", "old=gone,gone=old"])
def test_a_model_without_a_stand_in_is_gone(replacements: str) -> None:
    with pytest.raises(ModelGone):
        small(replacements, ModelCard("other", "Other")).served("old")


def test_what_the_provider_says_counts_until_the_next_list(catalogue: Catalogue) -> None:
    catalogue.mark_gone("x-ai/grok-4")
    assert catalogue.served("x-ai/grok-4").model == "x-ai/grok-4.3"
    assert catalogue.replacement_for("x-ai/grok-4") == catalogue.served("x-ai/grok-4")

    catalogue.learn([ModelCard("x-ai/grok-4", "xAI: Grok 4")], TODAY)
    assert catalogue.served("x-ai/grok-4") == Served("x-ai/grok-4")


def test_routing_hints_and_presets_are_not_in_the_list() -> None:
    catalogue = small("", ModelCard("a/b", "B"))

    assert not catalogue.is_gone("a/b:nitro")
    assert not catalogue.is_gone("@preset/mine")
    assert catalogue.is_gone("a/b:free")


def test_a_poor_list_leaves_the_abilities_that_are_known(catalogue: Catalogue) -> None:
    catalogue.learn([ModelCard("openai/gpt-4.1", "openai/gpt-4.1", vision=False)], TODAY)

    card = catalogue.card("openai/gpt-4.1")

    assert card.vision is False
    assert card.tools is True
    assert card.context == 1_047_576
    assert catalogue.card("x/unknown-model").vision is None


def test_names_for_people(catalogue: Catalogue) -> None:
    assert catalogue.label("openai/gpt-4.1") == "GPT-4.1"
    assert catalogue.label("maker/gpt-big_model") == "GPT Big Model"
    assert catalogue.aliases_of("openai/gpt-5-chat") == ("gpt", "gpt5", "gpt-5")


def test_the_settings_are_read() -> None:
    assert parse_aliases(" Fast = a/b , slow=c/d,") == {"fast": "a/b", "slow": "c/d"}
    assert parse_replacements("a/b=c/d+web_search, e/f=g/h:free") == {
        "a/b": Replacement("c/d", web_search=True),
        "e/f": Replacement("g/h:free"),
    }
    assert parse_aliases("") == {}
    assert parse_replacements(" , ") == {}


@pytest.mark.parametrize("text", ["a", "a=", "=b", "a=b=c", "a b=c", "a=b,A=c", "a=b;c=d"])
def test_an_alias_that_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"of the form name=model|given twice"):
        parse_aliases(text)


@pytest.mark.parametrize(
    "text", ["a", "a=b+websearch", "a=+web_search", "a=a", "a=b,a=c", "a=b+web_search+x"]
)
def test_a_replacement_that_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="a"):
        parse_replacements(text)
