"""What the API says of keys and of single generations."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from simulator.openrouter.world import Generation, OpenRouterWorld

_LABEL_ENDS = (12, 3)


def problem_of_key(header: str | None, keys: Collection[str]) -> str | None:
    """Return what is wrong with an `Authorization` header, in OpenRouter's words."""
    if header is None:
        return "Missing Authentication header"
    scheme, _, key = header.partition(" ")
    if scheme.casefold() != "bearer":
        return "No cookie auth credentials found"
    if not key.strip():
        return "No auth credentials found"
    return None if key.strip() in keys else "User not found."


def described_key(world: OpenRouterWorld, key: str) -> dict[str, Any]:
    """Return the key as the API does.

    Source: GET /key
    """
    start, end = _LABEL_ENDS
    spans = ("", "_daily", "_weekly", "_monthly")
    manages = key in world.management_keys
    used = {f"usage{span}": world.used for span in spans}
    byok = {f"byok_usage{span}": 0.0 for span in spans}
    return {
        "data": {
            "label": f"{key[:start]}...{key[-end:]}",
            "limit": world.credits,
            "limit_remaining": world.credits - world.used,
            "limit_reset": None,
            "include_byok_in_limit": False,
            "is_free_tier": False,
            "is_management_key": manages,
            "is_provisioning_key": manages,
            "creator_user_id": "user_simulated",
            "expires_at": None,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "deprecated"},
            **used,
            **byok,
        }
    }


def described_generation(noted: Generation) -> dict[str, Any]:
    """Return an ended generation as the API does. Durations are milliseconds.

    Source: GET /generation
    """
    took = ((noted.ended or noted.began) - noted.began) * 1000
    prompt, completion = noted.usage["prompt_tokens"], noted.usage["completion_tokens"]
    cost = noted.usage.get("cost", 0.0)
    thought = noted.usage["completion_tokens_details"]["reasoning_tokens"]
    unknown = (
        "api_type", "app_id", "cache_discount", "http_referer", "native_tokens_completion_images",
        "num_fetches", "num_input_audio_prompt", "num_media_completion", "num_media_prompt",
        "num_search_results", "moderation_latency", "preset_id", "provider_responses", "router",
        "service_tier", "upstream_id", "user_agent", "workspace_id", "web_search_engine",
    )  # fmt: skip
    return {
        "data": {
            **dict.fromkeys(unknown),
            "api_type": "completions",
            "id": noted.id,
            "model": noted.model,
            "provider_name": noted.provider,
            "created_at": datetime.fromtimestamp(noted.began, UTC).isoformat(),
            "streamed": noted.streamed,
            "cancelled": noted.cancelled,
            "finish_reason": None if noted.cancelled else noted.finish,
            "native_finish_reason": None if noted.cancelled else noted.native_finish,
            "tokens_prompt": prompt,
            "tokens_completion": completion,
            "native_tokens_prompt": prompt,
            "native_tokens_completion": completion,
            "native_tokens_reasoning": thought,
            "native_tokens_cached": 0,
            "total_cost": cost,
            "usage": cost,
            "upstream_inference_cost": cost,
            "latency": took,
            "generation_time": took,
            "external_user": noted.user,
            "session_id": noted.session_id,
            "request_id": noted.id.replace("gen-", "req-"),
            "is_byok": False,
            "data_region": "global",
            "origin": "",
        }
    }
