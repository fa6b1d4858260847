"""Translates token counts of the Converse API into those of a chat completion.

The API counts input, cache reads and cache writes apart from each other, as the Messages API does.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html,
2026-11.
"""

from collections.abc import Mapping

from waystation.providers.counts_apart import usage_of_counts
from waystation.wire.usage import Usage

_NAMES = {
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "cacheReadInputTokens": "cache_read_input_tokens",
    "cacheWriteInputTokens": "cache_creation_input_tokens",
}
_OWN = frozenset({*_NAMES, "totalTokens", "cacheDetails"})


def usage_of(raw: Mapping[str, object]) -> tuple[Usage | None, dict[str, object]]:
    """Return the counts, and the `usage` object for a client; fields unknown here are kept.

    Counts that cannot be are None, and are not told either.
    """
    counts: dict[str, object] = {
        ours: raw[theirs] for theirs, ours in _NAMES.items() if raw.get(theirs) is not None
    }
    if by_lifetime := _by_lifetime(raw.get("cacheDetails")):
        counts["cache_creation"] = by_lifetime
    return usage_of_counts({k: v for k, v in raw.items() if k not in _OWN} | counts)


def _by_lifetime(details: object) -> dict[str, object]:
    """Return what was written to the cache, by the Messages API's names of lifetimes."""
    entries = details if isinstance(details, list) else []
    return {
        f"ephemeral_{entry['ttl']}_input_tokens": entry.get("inputTokens")
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("ttl"), str)
    }
