"""The models, names and replacements that a service begins with. All of it is configurable."""

from decimal import Decimal
from typing import Final

from app.llm.cards import ModelCard

MODELS: Final = (
    "google/gemini-2.0-flash-001",
    "deepseek/deepseek-chat-v3-0324",
    "openai/gpt-4o-mini",
    "google/gemma-3-1b-it",
    "anthropic/claude-sonnet-4",
    "openai/gpt-4.1",
    "openai/gpt-4o-search-preview",
    "x-ai/grok-4",
    "meta-llama/llama-4-maverick",
    "google/gemini-2.5-flash",
    "openai/gpt-5-chat",
)

ALIASES: Final = (
    "claude=anthropic/claude-sonnet-4,claude-4=anthropic/claude-sonnet-4,"
    "sonnet=anthropic/claude-sonnet-4,"
    "gpt=openai/gpt-5-chat,gpt5=openai/gpt-5-chat,gpt-5=openai/gpt-5-chat,"
    "gpt4=openai/gpt-4.1,gpt-4=openai/gpt-4.1,"
    "mini=openai/gpt-4o-mini,gpt4-mini=openai/gpt-4o-mini,"
    "web=openai/gpt-4o-search-preview,search=openai/gpt-4o-search-preview,"
    "gemini=google/gemini-2.5-flash,gemini-2.5=google/gemini-2.5-flash,"
    "gemini-2=google/gemini-2.0-flash-001,flash=google/gemini-2.0-flash-001,"
    "gemma=google/gemma-3-1b-it,grok=x-ai/grok-4,"
    "deepseek=deepseek/deepseek-chat-v3-0324,llama=meta-llama/llama-4-maverick"
)

REPLACEMENTS: Final = (
    "google/gemini-2.0-flash-001=google/gemini-2.5-flash-lite,"
    "openai/gpt-5-chat=openai/gpt-5.4,"
    "x-ai/grok-4=x-ai/grok-4.3,"
    "openai/gpt-4o-search-preview=openai/gpt-4.1+web_search,"
    "google/gemma-3-1b-it=google/gemma-3-4b-it,"
    "anthropic/claude-sonnet-4=anthropic/claude-sonnet-4.6,"
    "google/gemini-2.5-flash=google/gemini-3.5-flash"
)

REPLACEMENT_MAX_PRICE: Final = Decimal(20)  # USD for a million tokens of output

_CARDS: Final = (
    # id, label, vision, tools, context, largest output, USD per million tokens of output
    ("google/gemini-2.0-flash-001", "Gemini 2.0 Flash", True, True, 1_048_576, 8_192, "0.40"),
    ("deepseek/deepseek-chat-v3-0324", "DeepSeek V3", False, True, 163_840, 16_384, "0.77"),
    ("openai/gpt-4o-mini", "GPT-4o mini", True, True, 128_000, 16_384, "0.60"),
    ("google/gemma-3-1b-it", "Gemma 3 1B", False, False, 32_768, None, None),
    ("anthropic/claude-sonnet-4", "Claude Sonnet 4", True, True, 1_000_000, 64_000, "15"),
    ("openai/gpt-4.1", "GPT-4.1", True, True, 1_047_576, 32_768, "8"),
    ("openai/gpt-4o-search-preview", "GPT-4o Search", False, False, 128_000, 16_384, "10"),
    ("x-ai/grok-4", "Grok 4", True, True, 256_000, None, "15"),
    # Its tools were listed at one time and not at another.
    ("meta-llama/llama-4-maverick", "Llama 4 Maverick", True, None, 1_048_576, 16_384, "0.60"),
    ("google/gemini-2.5-flash", "Gemini 2.5 Flash", True, True, 1_048_576, 65_535, "2.50"),
    ("openai/gpt-5-chat", "GPT-5 Chat", True, False, 128_000, 16_384, "10"),
    ("google/gemma-3-4b-it", "Gemma 3 4B", True, False, 131_072, 16_384, None),
    ("google/gemini-2.5-flash-lite", "Gemini 2.5 Flash Lite", None, None, None, None, None),
    ("openai/gpt-5.4", "GPT-5.4", None, None, None, None, None),
    ("x-ai/grok-4.3", "Grok 4.3", None, None, None, None, None),
    ("anthropic/claude-sonnet-4.6", "Claude Sonnet 4.6", None, None, None, None, None),
    ("google/gemini-3.5-flash", "Gemini 3.5 Flash", None, None, None, None, None),
)

# What stands in where the provider's list cannot be had, or names ids alone.
CARDS: Final = {
    model: ModelCard(
        id=model,
        name=label,
        vision=vision,
        tools=tools,
        context=context,
        max_output=most,
        price_out=None if price is None else Decimal(price),
    )
    for model, label, vision, tools, context, most, price in _CARDS
}
