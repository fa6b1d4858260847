"""The table in DynamoDB: the only place that speaks DynamoDB's own language."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError

from waystation.aws.attributes import dump, key_of, load
from waystation.aws.expressions import as_asked
from waystation.aws.table import (
    EXISTS,
    IS_NEW,
    Item,
    Put,
    Refusal,
    TableBusyError,
    TableError,
    TableUnsureError,
    Unmet,
    Update,
    Write,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

T = TypeVar("T")

INDEX = "GSI1"

_BUSY = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ThrottlingException",
        "ThrottlingError",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class DynamoTable:
    """The real table. boto3 blocks, so every call runs in a thread."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    async def get(self, pk: str, sk: str) -> Item | None:
        answer = await _call(
            lambda: self._client.get_item(
                TableName=self._name, Key=key_of(pk, sk), ConsistentRead=True
            )
        )
        item = answer.get("Item")
        return load(item) if item else None

    async def put_new(self, *items: Item) -> bool:
        return await self.transact(*(Put(item, IS_NEW) for item in items)) is None

    async def put(self, item: Item) -> None:
        dumped = dump(item)
        await _call(lambda: self._client.put_item(TableName=self._name, Item=dumped))

    async def delete(self, pk: str, sk: str) -> None:
        await _call(lambda: self._client.delete_item(TableName=self._name, Key=key_of(pk, sk)))

    async def update(self, pk: str, sk: str, changes: Mapping[str, object]) -> bool:
        return await self.transact(Update(pk, sk, set=changes, when=EXISTS)) is None

    async def transact(self, *writes: Write) -> Refusal | None:
        asked = [as_asked(self._name, write) for write in writes]
        if len(asked) == 1:
            return await _refusal(lambda: _write_one(self._client, asked[0]))
        items = cast("list[TransactWriteItemTypeDef]", asked)
        return await _refusal(lambda: self._client.transact_write_items(TransactItems=items))

    async def between(
        self, pk: str, first: str, last: str, *, limit: int, newest_first: bool = False
    ) -> Sequence[Item]:
        def pages() -> list[Item]:
            found = self._client.get_paginator("query").paginate(
                TableName=self._name,
                KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
                ExpressionAttributeValues=dump({":pk": pk, ":first": first, ":last": last}),
                ScanIndexForward=not newest_first,
                ConsistentRead=True,
                PaginationConfig={"MaxItems": limit},
            )
            return [load(item) for page in found for item in page["Items"]]

        return await _call(pages) if first <= last else []

    async def indexed(self, index_pk: str, last: str, *, limit: int) -> Sequence[tuple[str, str]]:
        def pages() -> list[tuple[str, str]]:
            found = self._client.get_paginator("query").paginate(
                TableName=self._name,
                IndexName=INDEX,
                KeyConditionExpression="GSI1PK = :pk AND GSI1SK <= :last",
                ExpressionAttributeValues=dump({":pk": index_pk, ":last": last}),
                PaginationConfig={"MaxItems": limit},
            )
            return [(item["PK"]["S"], item["SK"]["S"]) for page in found for item in page["Items"]]

        return await _call(pages)

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
            return [load(item) for page in found for item in page["Items"]]

        return await _call(pages)

    async def scan(self, sk_prefix: str) -> Sequence[Item]:
        def pages() -> list[Item]:
            paginator = self._client.get_paginator("scan")
            found = paginator.paginate(
                TableName=self._name,
                FilterExpression="begins_with(SK, :sk)",
                ExpressionAttributeValues={":sk": {"S": sk_prefix}},
            )
            return [load(item) for page in found for item in page["Items"]]

        return await _call(pages)


async def _call(operation: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(operation)
    except (ClientError, BotoCoreError) as error:
        raise _translate(error) from error


async def _refusal(operation: Callable[[], object]) -> Refusal | None:
    try:
        await asyncio.to_thread(operation)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException":
            return (_unmet(error.response.get("Item")),)
        if code == "TransactionCanceledException":
            return _reasons(error)
        raise _translate(error) from error
    except BotoCoreError as error:
        raise _translate(error) from error
    return None


def _reasons(error: ClientError) -> Refusal:
    """Return what was unmet. Raises TableError if there was another reason."""
    reasons = error.response.get("CancellationReasons", [])
    codes = [str(reason.get("Code", "None")) for reason in reasons]
    others = [code for code in codes if code not in ("None", "ConditionalCheckFailed")]
    if others or not codes:
        busy = bool(others) and all(code in _BUSY for code in others)
        kind = TableBusyError if busy else TableError
        raise kind(f"the table refused: {', '.join(others) or 'a transaction'}") from error
    return tuple(
        _unmet(cast("Item | None", reason.get("Item")))
        if code == "ConditionalCheckFailed"
        else None
        for code, reason in zip(codes, reasons, strict=True)
    )


def _unmet(item: object) -> Unmet:
    return Unmet(load(cast("Item", item)) if item else None)


def _write_one(client: "DynamoDBClient", asked: Mapping[str, dict[str, object]]) -> object:
    arguments: dict[str, Any] = next(iter(asked.values()))
    return client.put_item(**arguments) if "Put" in asked else client.update_item(**arguments)


def _translate(error: ClientError | BotoCoreError) -> TableError:
    if not isinstance(error, ClientError):
        return TableUnsureError(f"the table did not answer: {type(error).__name__}")
    code = error.response["Error"]["Code"]
    kind = TableBusyError if code in _BUSY else TableError
    return kind(f"the table refused: {code}")
