"""Adds up the runs of a request on which the upstream worked several times.

`iterations` lists each run with its own counts. The counts beside the list tell of the model that
answered: what a compaction took, an advisor, or a model that declined before another answered, is
in the list alone, and their input may be that of the first run. All of them are paid for.

Sources, 2026-11: https://platform.claude.com/docs/en/build-with-claude/compaction,
https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool and
https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback
"""

from collections.abc import Mapping, Sequence

from waystation.wire.checks import without
from waystation.wire.usage import Share, Usage, parse_openai_usage

_COUNTED = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
)
_APART = frozenset({"compaction", "advisor_message"})  # never in the counts beside the list


def add_up(raw: Mapping[str, object]) -> tuple[Mapping[str, object], tuple[Share, ...]]:
    """Return a `usage` object with the counts of all runs, and the shares of models with a name.

    One without runs stays as it is. Runs whose counts cannot be are left out. Where the others tell
    less than the counts beside them, as in a stream that told of the runs before its end, the
    latter count, and with them only what is never a part of them.
    """
    whole = _counts_of(raw) or _counts_of(without(raw, "cache_creation"))
    runs = [] if whole is None else _runs(raw.get("iterations"))
    if whole is None or not runs:
        return raw, ()
    told = _sum([usage for kind, _, usage in runs if kind not in _APART])
    is_early = told.input_tokens < whole.input_tokens or told.output_tokens < whole.output_tokens
    counting = [run for run in runs if not is_early or run[0] in _APART]
    parts = [usage for _, _, usage in counting] + ([whole] if is_early else [])
    shares = tuple(Share(model, usage) for _, model, usage in counting if model)
    total = _sum(parts)
    return raw if total == whole else {**raw, **_raw_of(total)}, shares


def _runs(iterations: object) -> list[tuple[str, str, Usage]]:
    """Return kind, model and counts of each run; the model is empty where none is named."""
    runs = []
    for run in iterations if isinstance(iterations, list) else []:
        usage = _counts_of(run) if isinstance(run, dict) else None
        if usage is not None:
            model = run.get("model")
            runs.append((str(run.get("type")), model if isinstance(model, str) else "", usage))
    return runs


def _counts_of(raw: Mapping[str, object]) -> Usage | None:
    return parse_openai_usage({name: raw.get(name) for name in _COUNTED})


def _sum(parts: Sequence[Usage]) -> Usage:
    return Usage(
        input_tokens=sum(part.input_tokens for part in parts),
        output_tokens=sum(part.output_tokens for part in parts),
        cache_read_tokens=_sum_of_known([part.cache_read_tokens for part in parts]),
        cache_write_tokens=_sum_of_known([part.cache_write_tokens for part in parts]),
        cache_write_1h_tokens=_sum_of_known([part.cache_write_1h_tokens for part in parts]),
    )


def _sum_of_known(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _raw_of(usage: Usage) -> dict[str, object]:
    """Return counts by the API's names."""
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    hour = usage.cache_write_1h_tokens
    lifetimes = None
    if hour is not None:
        lifetimes = {
            "ephemeral_5m_input_tokens": (written or 0) - hour,
            "ephemeral_1h_input_tokens": hour,
        }
    return {
        "input_tokens": usage.input_tokens - (read or 0) - (written or 0),
        "output_tokens": usage.output_tokens,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "cache_creation": lifetimes,
    }
