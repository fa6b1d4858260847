"""Spans of time, as LibreChat counts them."""

import pytest

from waystation.ledger.intervals import Interval, Unit
from waystation.wire.moments import read_moment, write_moment


@pytest.mark.parametrize(
    ("value", "unit", "moment", "later"),
    [
        (90, "seconds", "2026-02-28T23:59:00Z", "2026-03-01T00:00:30.000Z"),
        (5, "minutes", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00.000Z"),
        (25, "hours", "2026-01-01T00:00:00Z", "2026-01-02T01:00:00.000Z"),
        (30, "days", "2026-01-31T10:00:00.123Z", "2026-03-02T10:00:00.123Z"),
        (2, "weeks", "2026-01-01T00:00:00Z", "2026-01-15T00:00:00.000Z"),
        (1, "months", "2026-11-15T10:00:00Z", "2026-12-15T10:00:00.000Z"),
        (14, "months", "2026-11-15T10:00:00Z", "2028-01-15T10:00:00.000Z"),
        (1, "months", "2026-01-31T10:00:00Z", "2026-03-03T10:00:00.000Z"),
        (1, "months", "2028-01-31T10:00:00Z", "2028-03-02T10:00:00.000Z"),
        (10**6, "months", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"),
        (10**12, "weeks", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_moment_is_so_much_later(value: int, unit: Unit, moment: str, later: str):
    assert write_moment(Interval(value, unit).after(read_moment(moment))) == later
