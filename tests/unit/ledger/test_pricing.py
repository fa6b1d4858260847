"""What tokens cost."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

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
    rates_of_shares,
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


def test_shares_have_rates_where_the_entry_lists_their_model():
    entry = build_entry(tokenConfig=token_config() | {"n": token_config(prompt=9)["m"]})
    usage = Usage(9, 9, shares=tuple(Share(name, Usage(1, 1)) for name in ("m", "n", "x")))
    assert rates_of_shares(entry, usage, "m") == {"n": rates_of(entry, "n")}
    assert rates_of_shares(entry, Usage(9, 9), "m") == {}


@given(st.tuples(counts, counts, counts, counts), st.tuples(rates, rates, rates, rates))
def test_cost_is_exact(tokens, priced):
    uncached, output, read, write = tokens
    usage = Usage(uncached + read + write, output, read, write)
    cost = cost_nanousd(usage, Rates(*priced))
    prompt, completion, cache_read, cache_write = (Fraction(rate) * 1000 for rate in priced)
    exact = uncached * prompt + output * completion + read * cache_read + write * cache_write
    assert 0 <= cost - exact < 1


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


@pytest.mark.parametrize(("characters", "tokens"), [(0, 0), (1, 1), (4, 1), (5, 2)])
def test_estimate_is_four_characters_to_a_token(characters, tokens):
    assert estimate_usage(characters, characters) == Usage(tokens, tokens, source="estimated")


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
