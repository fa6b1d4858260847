"""What tokens cost: integer nano-USD, computed exactly and rounded up once per request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from types import MappingProxyType
from typing import Literal, TypeAlias

from waystation.config.schema import Endpoint
from waystation.wire.usage import Usage

NANOUSD_PER_USD = 1_000_000_000
NANOUSD_PER_RATE = NANOUSD_PER_USD // 1_000_000  # a rate is USD per million tokens

# Of UTF-8. English text and code have five, dense JSON two; Chinese and Japanese text three to
# five, Russian and Arabic three to eight, by the age of the vocabulary. Measured with OpenAI's
# `cl100k_base` and `o200k_base`, 2026-11.
BYTES_PER_TOKEN = 4

PriceSource: TypeAlias = Literal["tokenConfig", "list", "public"]


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per million tokens, by kind, and who says so: tokenConfig, the upstream's list, or all.

    `version` is that of public data. `steps` are in rising order: a long input has other rates.
    """

    prompt: Decimal
    completion: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_write_1h: Decimal | None = None  # what other writes cost, if there is none
    source: PriceSource = "tokenConfig"
    version: str | None = None
    steps: "tuple[Step, ...]" = ()

    def of_input(self, tokens: int) -> "Rates":
        """Return what every token costs in a call whose whole input has so many."""
        return ([self] + [step.rates for step in self.steps if tokens > step.above])[-1]


@dataclass(frozen=True, slots=True)
class Step:
    """The rates of calls whose input has more than `above` tokens."""

    above: int
    rates: Rates


def rates_of(endpoint: Endpoint, model: str) -> Rates | None:
    """Return the rates of the model as it is sent, None if the entry's tokenConfig has none.

    Cached tokens without rates of their own cost what the prompt costs.
    """
    listed = endpoint.token_config.get(model)
    if listed is None:
        return None
    return Rates(
        prompt=listed.prompt,
        completion=listed.completion,
        cache_read=listed.prompt if listed.cache_read is None else listed.cache_read,
        cache_write=listed.prompt if listed.cache_write is None else listed.cache_write,
        cache_write_1h=listed.cache_write_1h,
    )


def cost_nanousd(
    usage: Usage, rates: Rates, by_model: Mapping[str, Rates] = MappingProxyType({})
) -> int:
    """Return the cost of one request; shares of models in `by_model` cost what these cost."""
    own = rates.of_input(usage.input_tokens)
    parts = _parts(usage, own)
    for share in usage.shares:
        if share.model in by_model:
            theirs = by_model[share.model].of_input(share.usage.input_tokens)
            parts += _parts(share.usage, theirs)
            parts += [(-tokens, rate) for tokens, rate in _parts(share.usage, own)]
    whole, divisor = 0, 1  # as integers, which are exact, and quicker than fractions
    for tokens, rate in parts:
        if tokens:
            numerator, denominator = rate.as_integer_ratio()
            whole = whole * denominator + tokens * numerator * divisor
            divisor *= denominator
    return -(-whole * NANOUSD_PER_RATE // divisor)


def _parts(usage: Usage, rates: Rates) -> list[tuple[int, Decimal]]:
    """Return tokens, and USD per million of them."""
    read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    uncached = max(0, usage.input_tokens - read - write)
    parts = [
        (uncached, rates.prompt),
        (read, rates.cache_read),
        (write, rates.cache_write),
        (usage.output_tokens, rates.completion),
    ]
    if rates.cache_write_1h is not None:
        for_an_hour = usage.cache_write_1h_tokens or 0
        parts += [(for_an_hour, rates.cache_write_1h), (-for_an_hour, rates.cache_write)]
    return parts


def estimate_usage(input_tokens: int, output_bytes: int) -> Usage:
    """Guess the tokens of a call whose upstream reports none."""
    return Usage(
        input_tokens=input_tokens,
        output_tokens=ceil(output_bytes / BYTES_PER_TOKEN),
        source="estimated",
    )


def with_estimated_output(usage: Usage, output_bytes: int) -> Usage:
    """Return the counts of an answer that broke off before its output was counted."""
    output = ceil(output_bytes / BYTES_PER_TOKEN)
    if output <= usage.output_tokens:
        return usage
    return replace(usage, output_tokens=output, source="estimated")
