"""Token counts of a chat, told as Anthropic's API tells them, and what they cost beside them.

The API counts new input, cache reads and cache writes apart. Source:
https://platform.claude.com/docs/en/build-with-claude/prompt-caching, 2026-11.
"""

from collections.abc import Mapping

from waystation.wire.usage import parse_openai_usage

_OURS = ("cost", "cost_nanousd", "estimated")
_OPENAI_TOTALS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


def messages_usage(raw: Mapping[str, object]) -> dict[str, object]:
    """Return the `usage` of a message for that of a chat completion; counts unknown are zero."""
    usage = parse_openai_usage(raw)
    told: dict[str, object] = {"input_tokens": 0, "output_tokens": 0}
    if usage is not None:
        read, written = usage.cache_read_tokens, usage.cache_write_tokens
        told = {"input_tokens": usage.input_tokens - (read or 0) - (written or 0)}
        if written is not None:
            told["cache_creation_input_tokens"] = written
        if read is not None:
            told["cache_read_input_tokens"] = read
        told["output_tokens"] = usage.output_tokens
        if usage.reasoning_tokens is not None:
            told["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    details = raw.get("prompt_tokens_details")
    by_ttl = details.get("cache_creation_token_details") if isinstance(details, Mapping) else None
    if isinstance(by_ttl, Mapping):
        told["cache_creation"] = by_ttl
    if isinstance(raw.get("server_tool_use"), Mapping):
        told["server_tool_use"] = raw["server_tool_use"]
    return told | _cost(raw)


def with_cost(usage: Mapping[str, object], told: Mapping[str, object]) -> dict[str, object]:
    """Return an upstream's own counts with what the gateway tells: the cost, or its estimate."""
    own = {name: value for name, value in usage.items() if name not in _OPENAI_TOTALS}
    if told.get("estimated"):
        own |= {"input_tokens": told["prompt_tokens"], "output_tokens": told["completion_tokens"]}
    return own | _cost(told)


def _cost(told: Mapping[str, object]) -> dict[str, object]:
    return {name: told[name] for name in _OURS if name in told}
