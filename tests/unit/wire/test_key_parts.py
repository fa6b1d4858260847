"""Texts as parts of keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.wire.key_parts import encode_part


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("alice", "alice"),
        ("a#b", "a%23b"),
        ("a%23b", "a%2523b"),
        ("a/b", "a%2Fb"),
        ("a\nb\x7f", "a%0Ab%7F"),
        ("é😀", "é😀"),
        ("x" * 200, "x" * 200),
        ("%h", "%25h"),
    ],
)
def test_part_of_a_key_is_encoded(text, part):
    assert encode_part(text) == part


def test_long_part_of_a_key_is_hashed():
    assert encode_part("x" * 201) == (
        "%h84a0678c90937f5dcf9994d5866668da6b995109c8ad845410559b48a4ecafed"
    )


parts = st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("#%/h\x00"), max_size=250)


@given(parts)
def test_part_of_a_key_is_bounded_and_holds_no_separator(text):
    part = encode_part(text)
    assert len(part.encode()) <= 200
    assert not set(part) & set("#/\x00\n\x7f")


@given(st.lists(parts, min_size=1, max_size=4), st.lists(parts, min_size=1, max_size=4))
def test_distinct_tuples_make_distinct_keys(one, other):
    are_equal = "#".join(map(encode_part, one)) == "#".join(map(encode_part, other))
    assert are_equal == (one == other)


@given(st.integers(0, 120), st.sampled_from(["é", "#", "😀"]), st.sampled_from(["é", "#", "😀"]))
def test_distinct_long_texts_make_distinct_parts(length, one, other):
    text = "x" * (length + 100)
    assert (encode_part(text + one) == encode_part(text + other)) == (one == other)
