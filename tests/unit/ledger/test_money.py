"""Amounts as texts, and texts as amounts."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.ledger.money import MAX_USD, converted_text, parse_usd, usd_text

AMOUNTS = st.integers(-(10**18), 10**18)


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [
        (0, "0.000000000"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (1_500_000_002, "1.500000002"),
        (-2_000_000_000, "-2.000000000"),
    ],
)
def test_nano_usd_are_nine_places(nanousd, text):
    assert usd_text(nanousd) == text


@given(AMOUNTS)
def test_text_is_read_as_what_was_written(nanousd):
    assert parse_usd(usd_text(nanousd)) == nanousd


@pytest.mark.parametrize(("text", "nanousd"), [("5", 5 * 10**9), ("+0.5", 5 * 10**8)])
def test_short_texts_are_amounts_too(text, nanousd):
    assert parse_usd(text) == nanousd


@pytest.mark.parametrize(
    "text",
    ["", "1e3", "1,5", "NaN", "0.0000000001", ".5", "1.", "٣", f"{MAX_USD}.1", "99999999999"],
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        parse_usd(text)


def test_conversion_is_rounded_half_to_even():
    assert converted_text(1_000_000_000, Decimal("0.92")) == "0.920000000"
    assert converted_text(-5, Decimal("0.5")) == "-0.000000002"
    assert converted_text(7, Decimal("0.5")) == "0.000000004"


@given(AMOUNTS, st.decimals("0.000000001", "1000000000", places=9))
def test_conversion_is_off_by_half_a_place_at_most(nanousd, rate):
    exact = Fraction(nanousd, 10**9) * Fraction(rate)
    assert abs(Fraction(converted_text(nanousd, rate)) - exact) <= Fraction(1, 2 * 10**9)
