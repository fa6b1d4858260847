"""Translates token counts of which cached tokens are no part into those of a chat completion.

The Messages API counts input, cache reads and cache writes apart from each other, and others do as
it does; `prompt_tokens` is all three.
Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching, 2026-11.
"""

from collections.abc import Mapping

from waystation.wire.usage import MAX_TOKENS, Usage, parse_openai_usage

_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
_TRANSLATED = frozenset({*_COUNTS, "cache_creation", "output_tokens_details"})


def usage_of_counts(raw: Mapping[str, object]) -> tuple[Usage | None, dict[str, object]]:
    """Return the counts, and the `usage` object for a client; fields unknown here are kept.

    Counts that cannot be are None, and are not told either.
    """
    kept = {k: v for k, v in raw.items() if k not in _TRANSLATED and v is not None}
    counts = [_count(raw.get(name)) for name in _COUNTS]
    if raw.get("input_tokens") is None or None in counts:
        return None, kept
    sent, received, read, written = (count or 0 for count in counts)
    sent += read + written
    told: dict[str, object] = {
        "prompt_tokens": sent,
        "completion_tokens": received,
        "total_tokens": sent + received,
    }
    if cache := _cache_details(raw):
        told["prompt_tokens_details"] = cache
    details = raw.get("output_tokens_details")
    if isinstance(details, Mapping) and details.get("thinking_tokens") is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": details["thinking_tokens"]}
    usage = parse_openai_usage(told)
    return usage, {**kept, **told} if usage else kept


def _count(value: object) -> int | None:
    """Return a count, 0 for one that was not sent, None for one that cannot be."""
    if value is None:
        return 0
    return value if type(value) is int and 0 <= value <= MAX_TOKENS else None


def _cache_details(raw: Mapping[str, object]) -> dict[str, object]:
    names = {
        "cached_tokens": "cache_read_input_tokens",
        "cache_write_tokens": "cache_creation_input_tokens",
    }
    details: dict[str, object] = {
        ours: raw[theirs] for ours, theirs in names.items() if raw.get(theirs) is not None
    }
    by_ttl = raw.get("cache_creation")
    if isinstance(by_ttl, Mapping):
        parts = [count for count in by_ttl.values() if type(count) is int]
        if sum(parts) == details.get("cache_write_tokens"):  # else it is of an earlier report
            details["cache_creation_token_details"] = by_ttl
    return details
