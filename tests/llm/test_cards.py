from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.llm.cards import KeyState, ModelCard, read_cards, read_key


def test_a_rich_entry_is_read() -> None:
    entry = {
        "id": "openai/gpt-4.1",
        "name": "OpenAI: GPT-4.1",
        "context_length": 1_047_576,
        "architecture": {"input_modalities": ["image", "text"]},
        "pricing": {"prompt": "0.000002", "completion": "0.000008"},
        "top_provider": {"context_length": 1, "max_completion_tokens": 32_768},
        "supported_parameters": ["tools", "max_tokens"],
        "expiration_date": "2026-12-01",
    }

    assert read_cards({"data": [entry], "total_count": 1}) == [
        ModelCard(
            id="openai/gpt-4.1",
            name="OpenAI: GPT-4.1",
            vision=True,
            tools=True,
            context=1_047_576,
            max_output=32_768,
            price_out=Decimal(8),
            expires=date(2026, 12, 1),
            price_in=Decimal(2),
            dearest_out=Decimal(8),
        )
    ]


def test_a_poor_entry_tells_its_id_alone() -> None:
    assert read_cards({"object": "list", "data": [{"id": "llama3"}]}) == [
        ModelCard("llama3", "llama3")
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {"architecture": None, "pricing": None, "top_provider": None, "name": None},
        {"architecture": [], "pricing": "free", "context_length": "big", "name": ""},
        {"architecture": {"input_modalities": "image"}, "supported_parameters": {}},
        {"pricing": {"completion": "-1"}, "context_length": -1, "expiration_date": "soon"},
        {"pricing": {"completion": "NaN"}, "context_length": True, "expiration_date": 5},
        {"pricing": {"completion": "1e999999999"}, "context_length": 0, "expiration_date": ""},
        {"pricing": {"completion": None}, "top_provider": {"max_completion_tokens": None}},
    ],
)
def test_what_makes_no_sense_is_not_told(entry: dict[str, object]) -> None:
    assert read_cards({"data": [{"id": "m", **entry}]}) == [ModelCard("m", "m")]


@pytest.mark.parametrize("body", [None, [], {}, {"data": None}, {"data": [None, {}, {"id": 7}]}])
def test_a_list_without_models_is_empty(body: object) -> None:
    assert read_cards(body) == []


def test_an_id_counts_once() -> None:
    assert len(read_cards({"data": [{"id": "m"}, {"id": "m", "name": "again"}]})) == 1


def test_the_key_tells_what_it_may_spend() -> None:
    data = {
        "limit": 10,
        "limit_remaining": 2.5,
        "usage": 7.5,
        "is_free_tier": False,
        "expires_at": "2026-12-01T00:00:00Z",
    }

    assert read_key({"data": data}) == KeyState(
        10.0, 2.5, 7.5, free_tier=False, expires=datetime(2026, 12, 1, tzinfo=UTC)
    )


@pytest.mark.parametrize("body", [None, [], {"data": []}, {"data": {"limit": "10", "usage": True}}])
def test_a_key_of_which_nothing_is_told(body: object) -> None:
    assert read_key(body) == KeyState()
