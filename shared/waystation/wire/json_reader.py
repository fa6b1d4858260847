"""Reads JSON that a stranger wrote, within bounds.

UTF-8 only; duplicate keys, NaN, infinities, huge integers, deep or very large documents are
refused. Lone surrogates become U+FFFD. `read_json_lenient` is for upstream answers: the same
bounds, but the last of two equal keys wins.
"""

import json
import math
import re
from collections.abc import Callable

from waystation.errors import InvalidJsonError

MAX_DEPTH = 64
MAX_NODES = 200_000
MAX_INTEGER = 2**64 - 1
MIN_INTEGER = -(2**63)
_MAX_DIGITS = 20

# One that is never closed matches to its end, so that no byte is looked at twice.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


class _BadJsonError(ValueError):
    """Carries what is wrong, in words for the caller."""


def read_json(data: bytes) -> object:
    """Parse a request body. Raises InvalidJsonError."""
    try:
        return _read(data, _STRICT)
    except _BadJsonError as error:
        raise InvalidJsonError(f"The body is not valid JSON: {error}.") from None


def read_json_lenient(data: bytes) -> object:
    """Parse an upstream's JSON. Raises ValueError, whose text holds nothing of the data."""
    return _read(data, _LENIENT)


def _read(data: bytes, decoder: json.JSONDecoder) -> object:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _BadJsonError("it is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise _BadJsonError("it starts with a byte order mark")
    if len(data) > MAX_NODES:  # else there cannot be too many
        _check_size(data)
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise _BadJsonError(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise _BadJsonError(f"it is nested deeper than {MAX_DEPTH} levels") from None
    if text.count("{") + text.count("[") >= MAX_DEPTH:  # else it cannot be too deep
        _check_depth(value)
    if "\\ud" in text or "\\uD" in text:
        value = _without_lone_surrogates(value)
    return value


def _check_size(data: bytes) -> None:
    """Count values before any is made. Marks inside strings are only told apart if it matters."""
    if _marks(data) > MAX_NODES and _marks(_STRING.sub(b"", data)) > MAX_NODES:
        raise _BadJsonError(f"it holds more than {MAX_NODES} values")


def _marks(data: bytes) -> int:
    return data.count(b",") + data.count(b"{") + data.count(b"[")


def _check_depth(value: object) -> None:
    level: list[object] = [value]
    depth = 0
    while level := [
        child
        for parent in level
        if isinstance(parent, dict | list)
        for child in (parent.values() if isinstance(parent, dict) else parent)
        if isinstance(child, dict | list)
    ]:
        depth += 1
        if depth >= MAX_DEPTH:
            raise _BadJsonError(f"it is nested deeper than {MAX_DEPTH} levels")


def _without_lone_surrogates(value: object) -> object:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {
            _SURROGATE.sub("\ufffd", key): _without_lone_surrogates(item)
            for key, item in value.items()
        }
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _BadJsonError("an object has the same key twice")
    return found


def _integer(text: str) -> int:
    if len(text) <= _MAX_DIGITS + 1 and MIN_INTEGER <= (number := int(text)) <= MAX_INTEGER:
        return number
    raise _BadJsonError("an integer is out of range")


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _BadJsonError("a number is out of range")
    return number


def _no_constant(name: str) -> float:
    raise _BadJsonError(f"{name} is not a JSON value")


def _decoder(pairs_hook: Callable[[list[tuple[str, object]]], object] | None) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=pairs_hook,
        parse_int=_integer,
        parse_float=_number,
        parse_constant=_no_constant,
    )


_STRICT = _decoder(_unique)
_LENIENT = _decoder(None)
