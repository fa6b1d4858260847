"""Translates token counts of the Messages API into those of a chat completion."""

from collections.abc import Mapping
from dataclasses import replace

from waystation.providers.anthropic.iterations import add_up
from waystation.providers.counts_apart import usage_of_counts
from waystation.wire.usage import Usage


def usage_of(raw: Mapping[str, object]) -> tuple[Usage | None, dict[str, object]]:
    """Return the counts of all runs, and the `usage` object for a client.

    Fields unknown here are kept. Counts that cannot be are None, and are not told either.
    """
    whole, shares = add_up(raw)
    usage, told = usage_of_counts(whole)
    return usage and replace(usage, shares=shares), told
