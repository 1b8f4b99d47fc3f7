"""The models: as OpenRouter listed them in 2026, prices and limits included."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_COMMON = ("max_tokens", "temperature", "top_p", "stop", "seed", "response_format")
_TOOLS = (*_COMMON, "tools", "tool_choice", "structured_outputs")
_THINKS = (*_TOOLS, "reasoning", "include_reasoning")
_SEES = ("text", "image")
_READS = ("text", "image", "file")
_HEARS = ("text", "image", "file", "audio", "video")
_DAY = 86_400
_FIRST_CREATED = 1_735_689_600  # 2025-01-01

FAULT_PREFIX = "sim/fault-"


@dataclass(frozen=True, slots=True)
class Entry:
    """One model. Prices are USD per million tokens, as in the price tables."""

    id: str
    name: str
    provider: str
    tokenizer: str
    context: int
    max_output: int
    prompt_price: str
    completion_price: str
    inputs: tuple[str, ...] = ("text",)
    parameters: tuple[str, ...] = _COMMON
    expires: str | None = None
    canonical: str = ""

    @property
    def sees(self) -> bool:
        return "image" in self.inputs

    def cost(self, prompt: int, completion: int) -> tuple[Decimal, Decimal]:
        """USD for the prompt and for the completion."""
        return prompt * _per_token(self.prompt_price), completion * _per_token(
            self.completion_price
        )


def _per_token(price: str) -> Decimal:
    return Decimal(price) / 1_000_000


def _price(price: str) -> str:
    return format(_per_token(price).normalize(), "f")


# id, name, provider, tokenizer, context, most output, USD per million in and out
_LISTED = (
    Entry("deepseek/deepseek-chat-v3-0324", "DeepSeek: DeepSeek V3 0324", "DeepInfra", "DeepSeek",
          163_840, 16_384, "0.20", "0.77", parameters=_TOOLS),
    Entry("openai/gpt-4o-mini", "OpenAI: GPT-4o-mini", "OpenAI", "GPT",
          128_000, 16_384, "0.15", "0.60", _READS, _TOOLS),
    Entry("anthropic/claude-sonnet-4", "Anthropic: Claude Sonnet 4", "Amazon Bedrock", "Claude",
          1_000_000, 64_000, "3", "15", _READS, _THINKS,
          canonical="anthropic/claude-4-sonnet-20250522"),
    Entry("openai/gpt-4.1", "OpenAI: GPT-4.1", "OpenAI", "GPT",
          1_047_576, 32_768, "2", "8", _READS, _TOOLS, canonical="openai/gpt-4.1-2025-04-14"),
    Entry("meta-llama/llama-4-maverick", "Meta: Llama 4 Maverick", "DeepInfra", "Llama4",
          1_048_576, 16_384, "0.15", "0.60", _SEES, _TOOLS),
    Entry("google/gemini-2.5-flash", "Google: Gemini 2.5 Flash", "Google", "Gemini",
          1_048_576, 65_535, "0.30", "2.50", _HEARS, _THINKS, expires="2026-10-16"),
    Entry("google/gemini-2.5-flash-lite", "Google: Gemini 2.5 Flash Lite", "Google", "Gemini",
          1_048_576, 65_535, "0.10", "0.40", _HEARS, _THINKS),
    Entry("google/gemini-3.5-flash", "Google: Gemini 3.5 Flash", "Google AI Studio", "Gemini",
          1_048_576, 65_536, "0.50", "3", _HEARS, _THINKS),
    Entry("openai/gpt-5.4", "OpenAI: GPT-5.4", "OpenAI", "GPT",
          1_050_000, 128_000, "2.50", "15", _READS, _THINKS,
          canonical="openai/gpt-5.4-20260305"),
    Entry("x-ai/grok-4.3", "xAI: Grok 4.3", "xAI", "Grok",
          1_000_000, 30_000, "1.25", "2.50", _READS, _THINKS),
    Entry("google/gemma-3-4b-it", "Google: Gemma 3 4B", "DeepInfra", "Gemma",
          131_072, 16_384, "0.04", "0.08", _SEES),
    Entry("anthropic/claude-sonnet-4.6", "Anthropic: Claude Sonnet 4.6", "Anthropic", "Claude",
          1_000_000, 128_000, "3", "15", _READS, _THINKS,
          canonical="anthropic/claude-4.6-sonnet-20260217"),
)  # fmt: skip

CATALOGUE: Mapping[str, Entry] = {entry.id: entry for entry in _LISTED}
"""What `GET /models` lists. `google/gemma-3-1b-it` never was in it."""

RETIRED: Mapping[str, tuple[str, ...]] = {
    "google/gemini-2.0-flash-001": ("google/gemini-2.5-flash-lite",),
    "openai/gpt-4o-search-preview": ("openai/gpt-4.1",),
    "openai/gpt-5-chat": ("openai/gpt-5.4",),
    "x-ai/grok-4": ("x-ai/grok-4.3",),
}
"""Gone from the list; asking for one is a 404 that names these instead."""

ALIASES: Mapping[str, str] = {
    "~anthropic/claude-sonnet-latest": "anthropic/claude-sonnet-4.6",
    "~google/gemini-flash-latest": "google/gemini-3.5-flash",
    "~openai/gpt-latest": "openai/gpt-5.4",
}

DYNAMIC_SUFFIXES = ("nitro", "floor", "exacto", "online")


def fault_entry(slug: str) -> Entry:
    """Return the model that fails by its name. It sees pictures and takes tools."""
    return Entry(
        slug, "Simulated fault", "OpenAI", "Other", 1_000_000, 65_536, "0.15", "0.60", _SEES, _TOOLS
    )


def described(entry: Entry, number: int = 0) -> dict[str, Any]:
    """Return the model as the API does. `number` only spreads `created`.

    Source: GET /models
    """
    return {
        "id": entry.id,
        "canonical_slug": entry.canonical or entry.id,
        "name": entry.name,
        "created": _FIRST_CREATED + number * 30 * _DAY,
        "description": f"{entry.name}, simulated.",
        "context_length": entry.context,
        "architecture": {
            "modality": "+".join(entry.inputs) + "->text",
            "input_modalities": list(entry.inputs),
            "output_modalities": ["text"],
            "tokenizer": entry.tokenizer,
            "instruct_type": None,
        },
        "pricing": {
            "prompt": _price(entry.prompt_price),
            "completion": _price(entry.completion_price),
        },
        "top_provider": {
            "context_length": entry.context,
            "max_completion_tokens": entry.max_output,
            "is_moderated": entry.tokenizer in {"GPT", "Claude"},
        },
        "per_request_limits": None,
        "supported_parameters": list(entry.parameters),
        "default_parameters": {},
        "supported_voices": None,
        "knowledge_cutoff": None,
        "expiration_date": entry.expires,
        "hugging_face_id": None,
        "links": {"details": f"/api/v1/models/{entry.id}/endpoints"},
    }
