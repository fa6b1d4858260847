"""Token counts as upstreams report them, brought into one form.

`Usage.input_tokens` includes cached tokens, whatever the upstream's own convention. A count that
was not sent is None, never 0. Counts that cannot be (negative, fractions, parts above the whole)
make the whole report void.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MAX_TOKENS = 1_000_000_000

UsageSource = Literal["upstream", "estimated"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call: cache reads and writes are part of the input, reasoning of the output.

    `cache_write_1h_tokens` are those of the cache writes that are kept for an hour. `shares` are
    parts of all these counts that models with names of their own took.
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    source: UsageSource = "upstream"
    cache_write_1h_tokens: int | None = None
    shares: "tuple[Share, ...]" = ()


@dataclass(frozen=True, slots=True)
class Share:
    """What one model took of a call on which several worked."""

    model: str
    usage: Usage


class _VoidError(ValueError):
    pass


def parse_openai_usage(usage: object) -> Usage | None:
    """Read a `usage` object of a chat completion; None if there is none or it is impossible.

    Both conventions are known: OpenAI's, whose `prompt_tokens` include cached ones, and Anthropic's
    (`input_tokens` beside `cache_read_input_tokens` and `cache_creation_input_tokens`), where the
    three are disjoint. Tokens that only `total_tokens` tells of are unreported reasoning, billed as
    output: so xAI's and Gemini's count. DeepSeek has a name of its own for cached tokens.
    Sources: https://docs.x.ai/docs/guides/reasoning, https://api-docs.deepseek.com/guides/kv_cache,
    2026-11.
    """
    if not isinstance(usage, Mapping):
        return None
    try:
        found = _openai(usage) if "prompt_tokens" in usage else _anthropic(usage)
    except _VoidError:
        return None
    return found


def _openai(usage: Mapping[str, object]) -> Usage:
    details = _object(usage, "prompt_tokens_details")
    prompt = _required(usage, "prompt_tokens")
    output = _count(usage, "completion_tokens") or 0
    read = _first(
        (details, "cached_tokens"),
        (usage, "cache_read_input_tokens"),
        (usage, "prompt_cache_hit_tokens"),
        (usage, "cached_tokens"),
    )
    write = _first(
        (details, "cache_write_tokens"),
        (usage, "cache_creation_input_tokens"),
        (usage, "cache_write_tokens"),
        (details, "cache_creation_tokens"),
    )
    cached, total = (read or 0) + (write or 0), _count(usage, "total_tokens")
    is_named_apart = "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage
    if is_named_apart and (cached > prompt or total == prompt + cached + output):
        prompt += cached  # named as Anthropic names them, and counted as Anthropic counts them
    if cached > prompt:
        raise _VoidError
    if total is not None and total > prompt + output:
        output = total - prompt
    reasoning = _count(_object(usage, "completion_tokens_details"), "reasoning_tokens")
    if reasoning is not None and reasoning > output:
        raise _VoidError
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=_kept_for_an_hour(details, "cache_creation_token_details", write),
        reasoning_tokens=reasoning,
    )


def _anthropic(usage: Mapping[str, object]) -> Usage:
    read = _count(usage, "cache_read_input_tokens")
    write = _count(usage, "cache_creation_input_tokens")
    return Usage(
        input_tokens=_required(usage, "input_tokens") + (read or 0) + (write or 0),
        output_tokens=_count(usage, "output_tokens") or 0,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=_kept_for_an_hour(usage, "cache_creation", write),
    )


def _kept_for_an_hour(source: Mapping[str, object], name: str, written: int | None) -> int | None:
    """Return the part of the writes that is kept for an hour, if it is told apart."""
    kept = _count(_object(source, name), "ephemeral_1h_input_tokens")
    if kept is not None and kept > (written or 0):
        raise _VoidError
    return kept


def _count(source: Mapping[str, object], name: str) -> int | None:
    value = source.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= MAX_TOKENS:
        raise _VoidError
    return value


def _required(source: Mapping[str, object], name: str) -> int:
    value = _count(source, name)
    if value is None:
        raise _VoidError
    return value


def _first(*places: tuple[Mapping[str, object], str]) -> int | None:
    counts = (_count(source, name) for source, name in places)
    return next((count for count in counts if count is not None), None)


def _object(source: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = source.get(name)
    return value if isinstance(value, Mapping) else {}
