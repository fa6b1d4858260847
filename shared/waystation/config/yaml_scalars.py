"""What an unquoted scalar of YAML means: text, a number, true, false or nothing.

It is YAML 1.2's core schema. Where readers of YAML 1.1 see another value (`no`, `1:30`, `1_000`),
or where the value is no JSON (`.nan`), the scalar stays text and a doubt comes with it: a hint that
makes an error of it wherever it would be used.
"""

import math
import re

TAG_PREFIX = "tag:yaml.org,2002:"
MAX_NUMBER_LENGTH = 100

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DOUBTS = (
    (
        re.compile(r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"),
        "some readers of YAML take this for true or false: write true or false, or quote the text",
    ),
    (
        re.compile(r"[-+]?\.(?:nan|NaN|NAN|inf|Inf|INF)"),
        "expected a finite number, or text in quotes",
    ),
    (
        re.compile(r"[-+]?0[0-9]+|0o[0-7]+|[-+]?0b[01_]+"),
        "readers of YAML disagree about this number: write it in plain decimals, or quote the text",
    ),
    (
        re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"),
        "some readers of YAML take this for a number of seconds: quote the text",
    ),
    (
        re.compile(r"[-+]?[0-9][0-9]*_[0-9_]*(?:\.[0-9_]*)?"),
        "some readers of YAML take this for a number: write it without _, or quote the text",
    ),
)
_TOO_LARGE = "this number is too large; if it is text, quote it"
_TYPES: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
}


def parse_plain(text: str) -> tuple[object, str | None]:
    """Return the value of unquoted `text`, and the doubt about it."""
    if text in _NULLS:
        return None, None
    if text in _BOOLEANS:
        return _BOOLEANS[text], None
    for pattern, doubt in _DOUBTS:
        if pattern.fullmatch(text):
            return text, doubt
    return _parse_number(text)


def parse_tagged(tag: str, text: str) -> object:
    """Return the value of `text` under an explicit core-schema tag.

    Raises:
        ValueError: another tag, or text that does not fit it.

    """
    kind = tag.removeprefix(TAG_PREFIX)
    if kind == "str":
        return text
    if kind not in _TYPES or kind == tag:
        raise ValueError("only the tags !!str, !!int, !!float, !!bool, !!null, !!map and !!seq")
    value, doubt = parse_plain(text)
    if doubt or type(value) not in _TYPES[kind]:
        raise ValueError(f"the value does not fit its tag !!{kind}")
    return value


def _parse_number(text: str) -> tuple[object, str | None]:
    is_float = _FLOAT.fullmatch(text) is not None
    is_hexadecimal = _HEXADECIMAL.fullmatch(text) is not None
    if not (is_float or is_hexadecimal):
        return text, None
    if len(text) > MAX_NUMBER_LENGTH:
        return text, _TOO_LARGE
    if is_hexadecimal:
        return int(text, 16), None
    if _INTEGER.fullmatch(text):
        return int(text), None
    number = float(text)
    return (number, None) if math.isfinite(number) else (text, _TOO_LARGE)
