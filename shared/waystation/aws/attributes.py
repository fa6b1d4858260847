"""Items in DynamoDB's own language, where every value has its type beside it."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from waystation.aws.table import Item


def key_of(pk: str, sk: str) -> dict[str, dict[str, str]]:
    """Return a key in DynamoDB's language."""
    return {"PK": {"S": pk}, "SK": {"S": sk}}


_serializer = TypeSerializer()
_deserialize = cast("Callable[[object], object]", TypeDeserializer().deserialize)


def dump(item: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Return attributes in DynamoDB's language."""
    return {name: dict(_serializer.serialize(_plain(value))) for name, value in item.items()}


def load(item: Mapping[str, object]) -> Item:
    """Return an item of plain JSON."""
    return {name: _whole(_deserialize(value)) for name, value in item.items()}


def _plain(value: object) -> object:
    """Turn mappings of any kind into the dictionaries the serializer insists on."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _whole(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value
