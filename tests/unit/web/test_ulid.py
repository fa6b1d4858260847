"""Request ids."""

import re

from hypothesis import given
from hypothesis import strategies as st

from waystation.web.ulid import UlidSource

FORM = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def test_id_is_the_time_and_then_chance():
    source = UlidSource(now_ms=lambda: 1_469_918_176_385, random_bits=lambda bits: 2**bits - 1)
    assert source() == "01ARYZ6S41" + "Z" * 16


def test_ids_are_well_formed_and_distinct():
    source = UlidSource()
    made = [source() for _ in range(1000)]
    assert all(FORM.fullmatch(one) for one in made)
    assert sorted(set(made)) == made


@given(st.lists(st.tuples(st.integers(0, 2**47), st.integers(0, 2**80 - 2**20)), min_size=2))
def test_ids_increase_whatever_the_clock_does(readings):
    times, chances = (iter(part) for part in zip(*readings, strict=True))
    source = UlidSource(now_ms=lambda: next(times), random_bits=lambda _: next(chances))
    made = [source() for _ in readings]
    assert sorted(set(made)) == made
    assert all(FORM.fullmatch(one) for one in made)


def test_clock_that_goes_back_ten_minutes_does_not_take_ids_back():
    now = [1_780_000_000_000]
    source = UlidSource(now_ms=lambda: now[0], random_bits=lambda _: 5)
    first = source()
    now[0] -= 600_000
    second = source()
    assert second[:10] == first[:10]
    assert second > first
