"""`interface.currency`: what amounts are shown in."""

from decimal import Decimal

import pytest

from waystation.config.schema_currency import Currency
from waystation.config.snapshot import build_snapshot, inspect


def document(interface: str) -> bytes:
    return f"endpoints: {{custom: []}}\ninterface:\n  {interface}\n".encode()


@pytest.mark.parametrize(
    ("said", "code", "rate"),
    [
        ("{code: EUR, rate: 0.92}", "EUR", Decimal("0.92")),
        ("{code: jpy, rate: 155}", "JPY", Decimal(155)),
    ],
)
def test_currency_is_read_as_it_is_written(said, code, rate):
    assert build_snapshot(document(f"currency: {said}")).currency == Currency(code=code, rate=rate)


def test_without_one_there_is_none():
    assert build_snapshot(document("contextCost: true")).currency is None


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("{code: EURO, rate: 1}", "interface.currency.code"),
        ("{code: 978, rate: 1}", "interface.currency.code"),
        ("{code: EUR}", "interface.currency.rate"),
        ("{code: EUR, rate: 0}", "interface.currency.rate"),
        ("{code: EUR, rate: -1}", "interface.currency.rate"),
        ("{code: EUR, rate: '1'}", "interface.currency.rate"),
        ("{code: EUR, rate: true}", "interface.currency.rate"),
        ("{code: EUR, rate: .inf}", "interface.currency.rate"),
        ("{code: EUR, rate: 1234567890123456789}", "interface.currency.rate"),
        ("EUR", "interface.currency"),
        ("", "interface.currency"),
    ],
)
def test_currency_that_cannot_be_used_is_an_error_and_amounts_stay_in_usd(said, path):
    text = document(f"currency: {said}")
    (problem,) = inspect(text).errors
    assert (problem.path, problem.line) == (path, 3)
    assert build_snapshot(text).currency is None
