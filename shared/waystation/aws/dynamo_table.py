"""The table in DynamoDB: the only place that speaks DynamoDB's own language."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from waystation.aws.table import Item, TableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

T = TypeVar("T")

_ABSENT = "attribute_not_exists(PK)"
_PRESENT = "attribute_exists(PK)"


class DynamoTable:
    """The real table. boto3 blocks, so every call runs in a thread."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    async def get(self, pk: str, sk: str) -> Item | None:
        answer = await _call(
            lambda: self._client.get_item(
                TableName=self._name, Key=_key(pk, sk), ConsistentRead=True
            )
        )
        item = answer.get("Item")
        return _load(item) if item else None

    async def put_new(self, *items: Item) -> bool:
        if len(items) == 1:
            dumped = _dump(items[0])
            return await _conditional(
                lambda: self._client.put_item(
                    TableName=self._name, Item=dumped, ConditionExpression=_ABSENT
                )
            )
        puts = [
            {"Put": {"TableName": self._name, "Item": _dump(item), "ConditionExpression": _ABSENT}}
            for item in items
        ]
        writes = cast("list[TransactWriteItemTypeDef]", puts)
        return await _conditional(lambda: self._client.transact_write_items(TransactItems=writes))

    async def put(self, item: Item) -> None:
        dumped = _dump(item)
        await _call(lambda: self._client.put_item(TableName=self._name, Item=dumped))

    async def delete(self, pk: str, sk: str) -> None:
        await _call(lambda: self._client.delete_item(TableName=self._name, Key=_key(pk, sk)))

    async def update(self, pk: str, sk: str, changes: Mapping[str, object]) -> bool:
        names = {f"#{n}": name for n, name in enumerate(changes)}
        values = _dump({f":{n}": value for n, value in enumerate(changes.values())})
        sets = ", ".join(f"#{n} = :{n}" for n in range(len(changes)))
        return await _conditional(
            lambda: self._client.update_item(
                TableName=self._name,
                Key=_key(pk, sk),
                UpdateExpression=f"SET {sets}",
                ConditionExpression=_PRESENT,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        )

    async def query(self, pk: str, sk_prefix: str = "") -> Sequence[Item]:
        values = {":pk": {"S": pk}}
        condition = "PK = :pk"
        if sk_prefix:
            values[":sk"] = {"S": sk_prefix}
            condition += " AND begins_with(SK, :sk)"

        def pages() -> list[Item]:
            paginator = self._client.get_paginator("query")
            found = paginator.paginate(
                TableName=self._name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
            )
            return [_load(item) for page in found for item in page["Items"]]

        return await _call(pages)

    async def scan(self, sk_prefix: str) -> Sequence[Item]:
        def pages() -> list[Item]:
            paginator = self._client.get_paginator("scan")
            found = paginator.paginate(
                TableName=self._name,
                FilterExpression="begins_with(SK, :sk)",
                ExpressionAttributeValues={":sk": {"S": sk_prefix}},
            )
            return [_load(item) for page in found for item in page["Items"]]

        return await _call(pages)


async def _call(operation: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(operation)
    except (ClientError, BotoCoreError) as error:
        raise _translate(error) from error


async def _conditional(operation: Callable[[], object]) -> bool:
    try:
        await asyncio.to_thread(operation)
    except ClientError as error:
        if _condition_failed(error):
            return False
        raise _translate(error) from error
    except BotoCoreError as error:
        raise _translate(error) from error
    return True


def _condition_failed(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    if code == "TransactionCanceledException":
        reasons = error.response.get("CancellationReasons", [])
        return any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)
    return code == "ConditionalCheckFailedException"


def _translate(error: ClientError | BotoCoreError) -> TableError:
    if isinstance(error, ClientError):
        return TableError(f"the table refused: {error.response['Error']['Code']}")
    return TableError(f"the table did not answer: {type(error).__name__}")


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"PK": {"S": pk}, "SK": {"S": sk}}


_serializer = TypeSerializer()
_deserialize = cast("Callable[[object], object]", TypeDeserializer().deserialize)


def _dump(item: Mapping[str, object]) -> dict[str, dict[str, object]]:
    return {name: dict(_serializer.serialize(_plain(value))) for name, value in item.items()}


def _load(item: Mapping[str, object]) -> Item:
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
