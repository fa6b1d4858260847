"""Items in DynamoDB's language: as boto3's serializer writes and reads them."""

from decimal import Decimal
from typing import Any, cast

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from waystation.aws.attributes import dump, load
from waystation.aws.table import TableError

SCALARS = st.none() | st.booleans() | st.integers(-(10**38) + 1, 10**38 - 1) | st.text()
deserialize: Any = TypeDeserializer().deserialize
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda some: st.lists(some) | st.dictionaries(st.text(), some), max_leaves=20
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=5))
def test_items_are_written_and_read_as_boto3_does(item):
    written = dump(item)

    assert written == {name: TypeSerializer().serialize(value) for name, value in item.items()}
    assert load(written) == item
    assert {n: deserialize(v) for n, v in written.items()} == item


def test_types_stay_apart():
    read = load(dump({"no": False, "zero": 0, "tuple": (1,), "round": 10**50}))
    assert [type(read[name]) for name in ("no", "zero")] == [bool, int]
    assert (read["tuple"], read["round"]) == ([1], 10**50)


@pytest.mark.parametrize("number", [10**38 + 1, -(10**38) - 1])
def test_number_has_38_digits_at_most(number):
    with pytest.raises(ValueError, match="38 digits"):
        dump({"n": number})


@pytest.mark.parametrize("value", [1.5, Decimal(1), b"x", {"a"}, object()])
def test_other_type_is_refused(value):
    with pytest.raises(TypeError, match=type(value).__name__):
        dump({"deep": [{"a": value}]})


@pytest.mark.parametrize(
    "value", [{"B": "eA=="}, {"SS": ["a"]}, {"N": "1.5"}, {"N": "1E2"}, {"L": [{"NS": ["1"]}]}]
)
def test_what_is_not_understood_is_an_error(value):
    with pytest.raises(TableError):
        load(cast("dict[str, object]", {"a": value}))
