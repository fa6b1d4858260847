"""Items in DynamoDB's own language, where every value has its type beside it.

Text, whole numbers of at most 38 digits, booleans, null, lists and maps: no item has more.
"""

from collections.abc import Mapping
from typing import Any

from waystation.aws.table import Item, TableError

MAX_DIGITS = 38


def key_of(pk: str, sk: str) -> dict[str, dict[str, str]]:
    """Return a key in DynamoDB's language."""
    return {"PK": {"S": pk}, "SK": {"S": sk}}


def dump(item: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Return attributes in DynamoDB's language.

    Raises TypeError for values of other types, ValueError for numbers with too many digits.
    """
    return {name: _dump(value) for name, value in item.items()}


def load(item: Mapping[str, Any]) -> Item:
    """Return an item of plain JSON. Raises TableError for what is not understood."""
    return {name: _load(value) for name, value in item.items()}


def _dump(value: object) -> dict[str, object]:
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": _digits(value)}
        case None:
            return {"NULL": True}
        case Mapping():
            return {"M": {name: _dump(member) for name, member in value.items()}}
        case list() | tuple():
            return {"L": [_dump(member) for member in value]}
        case _:
            raise TypeError(f"an item holds no {type(value).__name__}")


def _digits(number: int) -> str:
    text = str(number)
    if len(text) > MAX_DIGITS and len(text.strip("-").rstrip("0")) > MAX_DIGITS:
        raise ValueError(f"a number of more than {MAX_DIGITS} digits")
    return text


def _load(value: Mapping[str, Any]) -> object:
    ((kind, content),) = value.items()
    match kind:
        case "S" | "BOOL":
            return content
        case "N":
            return _number(content)
        case "M":
            return {name: _load(member) for name, member in content.items()}
        case "L":
            return [_load(member) for member in content]
        case "NULL":
            return None
        case _:
            raise TableError("an item holds what is not understood")


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise TableError("an item holds a number that is not whole") from None
