"""Names what an upstream did for a request that rates per token do not tell the price of. Pure."""

from collections.abc import Mapping

# Capacity at the listed price; other tiers cost more or less.
# Sources: https://platform.openai.com/docs/guides/priority-processing,
# https://platform.claude.com/docs/en/api/service-tiers, https://console.groq.com/docs/service-tiers,
# 2026-11.
_LISTED_TIERS = ("auto", "default", "standard", "standard_only", "on_demand")
_SOUNDS = (("prompt_tokens_details", "audio_tokens"), ("completion_tokens_details", "audio_tokens"))
_SPEEDS, _PLACES = (None, "standard"), (None, "global", "not_available")
_SEARCHES = ("server_tool_use", "web_search_requests")


def extras_of(raw: Mapping[str, object], tier: object) -> tuple[str, ...]:
    """Return which of them a request had, by its `usage` object: `audio`, `search` and the like.

    `tier` is what the request asks for; the upstream's own word counts before it.
    """
    told = raw.get("service_tier") or tier
    found = {
        "audio": any(_count(raw, *place) for place in _SOUNDS),
        "search": _count(raw, *_SEARCHES) > 0 or _number(raw.get("num_search_queries")) > 0,
        "service_tier": isinstance(told, str) and told not in _LISTED_TIERS,
        "speed": raw.get("speed") not in _SPEEDS,
        "inference_geo": raw.get("inference_geo") not in _PLACES,
    }
    return tuple(name for name, is_there in found.items() if is_there)


def _count(raw: Mapping[str, object], group: str, name: str) -> int:
    details = raw.get(group)
    return _number(details.get(name)) if isinstance(details, Mapping) else 0


def _number(value: object) -> int:
    return value if type(value) is int else 0
