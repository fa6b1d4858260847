"""What tokens cost."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.config_entries import build_entry, token_config
from waystation.ledger.pricing import (
    Rates,
    Step,
    cost_nanousd,
    estimate_usage,
    rates_of,
    with_estimated_output,
)
from waystation.wire.usage import MAX_TOKENS, Share, Usage

RATES = Rates(Decimal(2), Decimal(6), Decimal("0.5"), Decimal("2.5"))

counts = st.integers(0, MAX_TOKENS)
rates = st.decimals(0, 1_000_000, places=9)


def test_each_kind_has_its_rate():
    usage = Usage(1000, 100, cache_read_tokens=300, cache_write_tokens=200, reasoning_tokens=50)
    assert cost_nanousd(usage, RATES) == 500 * 2000 + 300 * 500 + 200 * 2500 + 100 * 6000


def test_smallest_rate_counts_over_a_million_tokens():
    smallest = Decimal("0.000000001")
    rates = Rates(smallest, smallest, smallest, smallest)
    assert cost_nanousd(Usage(1_000_000, 0), rates) == 1


@pytest.mark.parametrize(
    ("rate", "tokens", "cost"),
    [("0.001", 1, 1), ("0.0005", 1, 1), ("0.0005", 2, 1), ("0.0005", 3, 2), ("0", 5, 0)],
)
def test_cost_is_rounded_up(rate, tokens, cost):
    each = Decimal(rate)
    assert cost_nanousd(Usage(tokens, 0), Rates(each, each, each, each)) == cost


def test_cost_is_rounded_once_for_all_kinds():
    half = Decimal("0.0005")  # of a nano-USD per token
    usage = Usage(3, 1, cache_read_tokens=1, cache_write_tokens=1)
    assert cost_nanousd(usage, Rates(half, half, half, half)) == 2


def test_share_of_another_model_costs_what_that_model_costs():
    part = Usage(100, 10, cache_read_tokens=40)
    usage = Usage(1100, 110, cache_read_tokens=340, shares=(Share("other", part),))
    other = Rates(Decimal(20), Decimal(60), Decimal(5), Decimal(25))
    own = cost_nanousd(Usage(1000, 100, cache_read_tokens=300), RATES)
    assert cost_nanousd(usage, RATES, {"other": other}) == own + cost_nanousd(part, other)
    assert cost_nanousd(usage, RATES, {"unknown": other}) == cost_nanousd(
        replace(usage, shares=()), RATES
    )


texts = st.builds(
    "{}.{}".format, st.integers(0, 999_999), st.text("0123456789", min_size=1, max_size=9)
)


@st.composite
def usages(draw, models: tuple[str, ...] = ()):
    plain, read, write_5m, write_1h, output = (draw(counts) for _ in range(5))
    shares = tuple(Share(model, draw(usages())) for model in models if draw(st.booleans()))
    parts = [share.usage for share in shares]
    return Usage(
        plain + read + write_5m + write_1h + sum(part.input_tokens for part in parts),
        output + sum(part.output_tokens for part in parts),
        cache_read_tokens=read + sum(part.cache_read_tokens or 0 for part in parts),
        cache_write_tokens=write_5m
        + write_1h
        + sum(part.cache_write_tokens or 0 for part in parts),
        cache_write_1h_tokens=write_1h + sum(part.cache_write_1h_tokens or 0 for part in parts),
        shares=shares,
    )


@st.composite
def text_rates(draw):
    prompt, completion, read, write = (Decimal(draw(texts)) for _ in range(4))
    for_an_hour = Decimal(draw(texts)) if draw(st.booleans()) else None
    return Rates(prompt, completion, read, write, for_an_hour)


def exact_nanousd(usage: Usage, rates: Rates) -> Fraction:
    """Return the cost by the book: a sum over kinds, each at its own rate."""
    read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    kept = usage.cache_write_1h_tokens or 0
    hourly = rates.cache_write if rates.cache_write_1h is None else rates.cache_write_1h
    kinds = [
        (usage.input_tokens - read - write, rates.prompt),
        (read, rates.cache_read),
        (write - kept, rates.cache_write),
        (kept, hourly),
        (usage.output_tokens, rates.completion),
    ]
    return sum((Fraction(str(rate)) * tokens * 1000 for tokens, rate in kinds), Fraction(0))


@given(usages(), text_rates())
def test_cost_is_exact_and_rounded_up_once(usage, rates):
    cost = cost_nanousd(usage, rates)
    assert type(cost) is int
    assert cost == ceil(exact_nanousd(usage, rates))


@given(usages(models=("a", "b", "c")), text_rates(), text_rates(), text_rates())
def test_cost_of_shares_is_exact_and_rounded_up_once(usage, own, first, second):
    by_model = {"a": first, "b": second}  # what no rates are known of costs what the rest costs
    exact = exact_nanousd(usage, own)
    for share in usage.shares:
        rates = by_model.get(share.model, own)
        exact += exact_nanousd(share.usage, rates) - exact_nanousd(share.usage, own)
    assert cost_nanousd(usage, own, by_model) == ceil(exact)


def test_largest_counts_and_rates_are_exact():
    rates = Rates(*(Decimal("999999.999999999"),) * 4)
    usage = Usage(MAX_TOKENS, MAX_TOKENS, cache_read_tokens=MAX_TOKENS)
    assert cost_nanousd(usage, rates) == 2 * 10**9 * 999_999_999_999_999 // 10**6


@given(counts, counts, rates, rates)
def test_cost_never_goes_below_zero_or_above_the_dearest_kind(prompt, output, low, high):
    cost = cost_nanousd(Usage(prompt, output), Rates(low, high, low, high))
    assert 0 <= cost <= Fraction(max(low, high)) * 1000 * (prompt + output) + 1


def test_rates_are_those_of_the_model_as_it_is_sent():
    endpoint = build_entry(tokenConfig=token_config(cacheRead=0.5, cacheWrite=2.5))
    assert rates_of(endpoint, "m") == Rates(Decimal(1), Decimal(2), Decimal("0.5"), Decimal("2.5"))


def test_cached_tokens_without_rates_cost_what_the_prompt_costs():
    endpoint = build_entry(tokenConfig=token_config())
    assert rates_of(endpoint, "m") == Rates(Decimal(1), Decimal(2), Decimal(1), Decimal(1))


def test_cached_tokens_can_be_free():
    endpoint = build_entry(tokenConfig=token_config(cacheRead=0))
    assert rates_of(endpoint, "m") == Rates(Decimal(1), Decimal(2), Decimal(0), Decimal(1))


@pytest.mark.parametrize("model", ["M", "m ", "m-1", ""])
def test_other_model_has_no_rates(model):
    assert rates_of(build_entry(tokenConfig=token_config()), model) is None


@pytest.mark.parametrize(("size", "tokens"), [(0, 0), (1, 1), (4, 1), (5, 2)])
def test_estimate_is_four_bytes_to_a_token(size, tokens):
    assert estimate_usage(7, size) == Usage(7, tokens, source="estimated")


def test_writes_for_an_hour_have_their_own_rate_if_there_is_one():
    usage = Usage(100, 0, cache_write_tokens=90, cache_write_1h_tokens=40)
    plain = build_entry(tokenConfig=token_config(cacheWrite=2.5))
    apart = build_entry(tokenConfig=token_config(cacheWrite=2.5, cacheWrite1h=4))
    for entry, cost in ((plain, 10 * 1000 + 90 * 2500), (apart, 10_000 + 50 * 2500 + 40 * 4000)):
        rates = rates_of(entry, "m")
        assert rates is not None
        assert cost_nanousd(usage, rates) == cost


def test_output_that_was_not_counted_is_estimated():
    begun = Usage(10, 1, cache_read_tokens=4)
    assert with_estimated_output(begun, 4000) == Usage(10, 1000, 4, source="estimated")
    assert with_estimated_output(begun, 4) is begun


def test_long_input_costs_the_higher_rates_for_every_token():
    above = Rates(Decimal(4), Decimal(12), Decimal(1), Decimal(5))
    stepped = replace(RATES, steps=(Step(100, replace(RATES, prompt=Decimal(3))), Step(200, above)))
    assert cost_nanousd(Usage(100, 10), stepped) == cost_nanousd(Usage(100, 10), RATES)
    assert cost_nanousd(Usage(101, 10), stepped) == 101 * 3000 + 10 * 6000
    assert cost_nanousd(Usage(200, 10), stepped) == 200 * 3000 + 10 * 6000
    long = Usage(201, 10, cache_read_tokens=150)  # what was cached counts for the length
    assert cost_nanousd(long, stepped) == 51 * 4000 + 150 * 1000 + 10 * 12_000


def test_share_of_another_model_is_as_long_as_it_is():
    part = Usage(100, 10)
    other = replace(
        RATES, prompt=Decimal(8), steps=(Step(100, replace(RATES, prompt=Decimal(16))),)
    )
    stepped = replace(RATES, steps=(Step(200, replace(RATES, prompt=Decimal(4))),))
    usage = Usage(300, 30, shares=(Share("other", part),))
    assert cost_nanousd(usage, stepped, {"other": other}) == 200 * 4000 + 100 * 8000 + 30 * 6000
