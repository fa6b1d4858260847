"""Strict JSON from strangers."""

import contextlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waystation.errors import InvalidJsonError
from waystation.wire.json_reader import MAX_NODES, read_json, read_json_lenient

REFUSED = {
    "nothing": (b"", "Expecting value at character 0"),
    "byte order mark": (b"\xef\xbb\xbf{}", "it starts with a byte order mark"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "it is not UTF-8"),
    "UTF-16 without a mark": ('{"a":1}'.encode("utf-16-le"), None),
    "Latin-1": ('{"a":"é"}'.encode("latin-1"), "it is not UTF-8"),
    "raw surrogate": (b'"\xed\xa0\x80"', "it is not UTF-8"),
    "overlong": (b'"\xc0\x80"', "it is not UTF-8"),
    "same key twice": (b'{"a":1,"a":1}', "an object has the same key twice"),
    "same key twice, escaped": (b'{"a":1,"\\u0061":2}', "an object has the same key twice"),
    "same key twice, inside": (b'[{"b":{"a":1,"a":2}}]', "an object has the same key twice"),
    "NaN": (b"[NaN]", "NaN is not a JSON value"),
    "Infinity": (b"[Infinity]", "Infinity is not a JSON value"),
    "-Infinity": (b"[-Infinity]", "-Infinity is not a JSON value"),
    "float beyond": (b"[1e999]", "a number is out of range"),
    "negative float beyond": (b"[-1e999]", "a number is out of range"),
    "2^64": (b"[18446744073709551616]", "an integer is out of range"),
    "-2^63-1": (b"[-9223372036854775809]", "an integer is out of range"),
    "a million digits": (b"9" * 1_000_000, "an integer is out of range"),
    "depth 65": (b"[" * 65 + b"]" * 65, "it is nested deeper than 64 levels"),
    "depth 65 of objects": (
        b'{"a":' * 65 + b"1" + b"}" * 65,
        "it is nested deeper than 64 levels",
    ),
    "depth 100,000": (b"[" * 100_000, "it is nested deeper than 64 levels"),
    "200,001 values": (
        b"[" + b"1," * MAX_NODES + b"1]",
        "it holds more than 200000 values",
    ),
    "200,001 commas alone": (b"," * (MAX_NODES + 1), "it holds more than 200000 values"),
    "trailing data": (b"{} {}", "Extra data at character 3"),
    "trailing comma": (b"[1,]", None),
    "comment": (b"{} // x", "Extra data at character 3"),
    "single quotes": (b"{'a':1}", None),
    "control character": (b'"a\nb"', "Invalid control character at at character 2"),
    "bad escape": (b'"\\x41"', None),
    "unclosed string": (b'{"a', "Unterminated string starting at at character 1"),
    "leading zero": (b"[01]", None),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_document_is_refused(data, reason):
    with pytest.raises(InvalidJsonError) as caught:
        read_json(data)
    if reason is None:
        assert caught.value.message.startswith("The body is not valid JSON: ")
    else:
        assert caught.value.message == f"The body is not valid JSON: {reason}."


ACCEPTED = {
    "2^64-1": (b"[18446744073709551615]", [2**64 - 1]),
    "-2^63": (b"[-9223372036854775808]", [-(2**63)]),
    "float": (b"[0.1, -1e10, 1E-400]", [0.1, -1e10, 0.0]),
    "blanks around": (b" \n{}\t ", {}),
    "beyond the basic plane": ('"😀\u2028"'.encode(), "😀\u2028"),
    "empty key": (b'{"":{}}', {"": {}}),
    "same key in two objects": (b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
    "scalar": (b"null", None),
}


@pytest.mark.parametrize(("data", "value"), ACCEPTED.values(), ids=ACCEPTED)
def test_document_is_read(data, value):
    assert read_json(data) == value


def test_depth_64_is_read():
    value = read_json(b"[" * 64 + b"]" * 64)
    for _ in range(63):
        assert isinstance(value, list)
        (value,) = value
    assert value == []


def test_two_hundred_thousand_values_are_read():
    assert read_json(b"[" + b"1," * (MAX_NODES - 1) + b"1]") == [1] * MAX_NODES


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"\udc00\ud800"', "\ufffd\ufffd"),
        (rb'"a\uD83D"', "a\ufffd"),
        (rb'{"\ud800":["\udfff",1]}', {"\ufffd": ["\ufffd", 1]}),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (rb'"\\ud800"', r"\ud800"),
    ],
)
def test_lone_surrogate_becomes_the_replacement_character(data, value):
    assert read_json(data) == value


HEAVY = {
    "string of commas": b'"' + b"," * (4 << 20) + b'"',
    "strings of commas": b"[" + b'",,,,",' * 500_000 + b"1]",
    "escaped quotes that never end": b'"' + rb"\"," * 1_300_000,
    "escaped quotes and a backslash": b'"' + rb"\"," * 1_300_000 + b"\\",
    "backslashes": b'["' + b"\\" * (4 << 20),
    "quotes and commas": b'"a,' * 1_300_000,
    "digits": b"[" + b"9" * (4 << 20) + b"]",
    "surrogates": b'"' + rb"\ud800" * 600_000 + b'"',
}


@pytest.mark.parametrize("data", HEAVY.values(), ids=HEAVY)
def test_four_mebibytes_take_less_than_a_second(data):
    began = time.perf_counter()
    with contextlib.suppress(InvalidJsonError):
        read_json(data)
    assert time.perf_counter() - began < 1


def test_string_of_commas_is_no_list():
    text = "," * (4 << 20)
    assert read_json(f'"{text}"'.encode()) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    try:
        value = read_json(data)
    except InvalidJsonError:
        return
    assert value == json.loads(data)


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
        lambda child: st.lists(child, max_size=4) | st.dictionaries(st.text(), child, max_size=4),
        max_leaves=20,
    )
)
def test_what_python_writes_is_read_back(value):
    assert read_json(json.dumps(value).encode("utf-8", "surrogatepass")) == value


def test_upstream_may_repeat_a_key():
    assert read_json_lenient(b'{"a":1,"a":2}') == {"a": 2}


def test_upstream_keeps_the_other_bounds():
    for data in (b"[NaN]", b"[1e999]", b"[" * 65 + b"]" * 65, b"\xff", b"{} {}"):
        with pytest.raises(ValueError, match=r".") as caught:
            read_json_lenient(data)
        assert not isinstance(caught.value, InvalidJsonError)
