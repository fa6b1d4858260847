"""Readers of single values: what they take, and their words for what they do not."""

import math

import pytest

from waystation.config.parts import Reader, RefusedError
from waystation.config.readers import (
    at_least,
    at_most,
    flag,
    list_of,
    mapping_of,
    more_than,
    not_null,
    number,
    text,
    whole_number,
)


def problems_of(read: Reader[object], found: object) -> object:
    with pytest.raises(RefusedError) as caught:
        read(found)
    return caught.value.problems


@pytest.mark.parametrize(
    ("read", "found"),
    [
        (text, ""),
        (flag, False),
        (whole_number, 10**30),
        (number, 1.5),
        (not_null(text), "a"),
        (at_least(number, 0), 0.0),
        (at_most(whole_number, 4), 4),
        (more_than(number, 0), 0.5),
        (mapping_of(flag), {"a": True}),
    ],
)
def test_right_values_stay_as_they_are(read, found):
    assert (read(found), type(read(found))) == (found, type(found))


def test_numbers_are_floats_and_lists_tuples():
    assert repr(number(5)) == "5.0"
    assert list_of(text)(["a", "b"]) == ("a", "b")


@pytest.mark.parametrize(
    ("read", "found", "message"),
    [
        (text, 5, "expected text, found a number; put it in quotes"),
        (text, True, "expected text, found true or false; put it in quotes"),
        (text, [], "expected text, found a list"),
        (flag, 1, "expected true or false, found a number"),
        (whole_number, 1.0, "expected a whole number, found a number"),
        (whole_number, True, "expected a whole number, found true or false"),
        (number, True, "expected a number, found true or false"),
        (number, "1", "expected a number, found text"),
        (number, math.nan, "expected a finite number"),
        (number, -math.inf, "expected a finite number"),
        (number, 10**400, "expected a finite number"),
        (
            not_null(text),
            None,
            "expected a value, found nothing: give one or leave the key out",
        ),
        (at_least(number, 0), -1, "expected a number of at least 0"),
        (at_most(whole_number, 4), 5, "expected a number of at most 4"),
        (more_than(number, 0.5), 0.5, "expected a number greater than 0.5"),
        (list_of(text), "a", "expected a list of strings, found text"),
        (list_of(text, "a list of names"), {}, "expected a list of names, found a mapping"),
        (mapping_of(text), [], "expected a mapping, found a list"),
    ],
)
def test_wrong_values_are_named_in_plain_words(read, found, message):
    assert problems_of(read, found) == {(): message}


def test_every_item_and_every_entry_is_looked_at():
    assert problems_of(list_of(flag), [True, 1, None]) == {
        (1,): "expected true or false, found a number",
        (2,): "expected true or false, found nothing",
    }
    assert problems_of(mapping_of(list_of(flag)), {"a": [1], 5: []}) == {
        ("a", 0): "expected true or false, found a number",
        ("5",): "expected text, found a number; put it in quotes",
    }
