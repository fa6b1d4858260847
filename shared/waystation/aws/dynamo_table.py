"""The table in DynamoDB: the only place that speaks DynamoDB's own language."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from waystation.aws.attributes import dump, key_of, load
from waystation.aws.expressions import as_asked
from waystation.aws.failures import AwsError, NoAnswerError, RefusedError
from waystation.aws.json_service import JsonService
from waystation.aws.service import Repeat, Service
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

INDEX = "GSI1"

_UNMET = "ConditionalCheckFailed"
# Reasons of a cancelled transaction that pass, beside those of single calls.
_BUSY = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "TransactionConflict",
        "TransactionConflictException",
    }
)


class DynamoTable:
    """The real table. What is harmless twice is asked for up to three times."""

    def __init__(self, service: Service, name: str) -> None:
        self._dynamodb = JsonService(service, "DynamoDB_20120810", "1.0")
        self._name = name

    async def get(self, pk: str, sk: str) -> Item | None:
        answer = await self._ask("GetItem", {"Key": key_of(pk, sk), "ConsistentRead": True})
        item = answer.get("Item")
        return load(item) if item else None

    async def put_new(self, *items: Item) -> bool:
        puts = [Put(item, IS_NEW) for item in items]
        return await self._write(puts, Repeat.IF_NOT_DONE) is None

    async def put(self, item: Item) -> None:
        await self._ask("PutItem", {"Item": dump(item)})

    async def delete(self, pk: str, sk: str) -> None:
        await self._ask("DeleteItem", {"Key": key_of(pk, sk)})

    async def update(self, pk: str, sk: str, changes: Mapping[str, object]) -> bool:
        writes = [Update(pk, sk, set=changes, when=EXISTS)]
        return await self._write(writes, Repeat.ALWAYS) is None

    async def transact(self, *writes: Write) -> Refusal | None:
        return await self._write(writes, Repeat.NEVER)

    async def query(self, pk: str, sk_prefix: str = "") -> Sequence[Item]:
        values = {":pk": pk}
        condition = "PK = :pk"
        if sk_prefix:
            values[":sk"] = sk_prefix
            condition += " AND begins_with(SK, :sk)"
        return [load(item) async for item in self._query(condition, values, ConsistentRead=True)]

    async def between(
        self, pk: str, first: str, last: str, *, limit: int, newest_first: bool = False
    ) -> Sequence[Item]:
        if first > last or limit < 1:
            return []
        found = self._query(
            "PK = :pk AND SK BETWEEN :first AND :last",
            {":pk": pk, ":first": first, ":last": last},
            limit,
            ScanIndexForward=not newest_first,
            ConsistentRead=True,
        )
        return [load(item) async for item in found]

    async def indexed(self, index_pk: str, last: str, *, limit: int) -> Sequence[tuple[str, str]]:
        if limit < 1:
            return []
        found = self._query(
            "GSI1PK = :pk AND GSI1SK <= :last",
            {":pk": index_pk, ":last": last},
            limit,
            IndexName=INDEX,
        )
        return [(item["PK"]["S"], item["SK"]["S"]) async for item in found]

    async def scan(self, sk_prefix: str) -> Sequence[Item]:
        asked: dict[str, object] = {
            "FilterExpression": "begins_with(SK, :sk)",
            "ExpressionAttributeValues": dump({":sk": sk_prefix}),
        }
        return [load(item) async for item in self._pages("Scan", asked)]

    async def _query(
        self, condition: str, values: Mapping[str, str], limit: int | None = None, **more: object
    ) -> AsyncIterator[dict[str, Any]]:
        asked: dict[str, object] = {
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": dump(values),
            **more,
        }
        async for item in self._pages("Query", asked, limit):
            yield item

    async def _pages(
        self, operation: str, asked: dict[str, object], limit: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the items of all pages, or of as many as there must be for `limit` items."""
        count = 0
        while True:
            if limit is not None:
                asked["Limit"] = limit - count
            page = await self._ask(operation, asked)
            for item in page.get("Items", ()):
                yield item
            count += page["Count"]
            following = page.get("LastEvaluatedKey")
            if not following or count == limit:
                return
            asked["ExclusiveStartKey"] = following

    async def _ask(self, operation: str, asked: Mapping[str, object]) -> dict[str, Any]:
        try:
            return await self._dynamodb.call(operation, {"TableName": self._name, **asked})
        except AwsError as error:
            raise _translate(error) from error

    async def _write(self, writes: Sequence[Write], repeat: Repeat) -> Refusal | None:
        asked = [as_asked(self._name, write) for write in writes]
        try:
            if len(asked) == 1:
                ((kind, arguments),) = asked[0].items()
                await self._dynamodb.call(f"{kind}Item", arguments, repeat)
            else:
                await self._dynamodb.call("TransactWriteItems", {"TransactItems": asked}, repeat)
        except RefusedError as error:
            if error.cause == "ConditionalCheckFailedException":
                return (_unmet(error.details.get("Item")),)
            if error.cause == "TransactionCanceledException":
                return _reasons(error)
            raise _translate(error) from error
        except AwsError as error:
            raise _translate(error) from error
        return None


def _reasons(error: RefusedError) -> Refusal:
    """Return what was unmet. Raises TableError if there was another reason."""
    reasons: list[dict[str, Any]] = error.details.get("CancellationReasons") or []
    codes = [str(reason.get("Code", "None")) for reason in reasons]
    others = [code for code in codes if code not in ("None", _UNMET)]
    if others or not codes:
        is_busy = bool(others) and all(code in _BUSY for code in others)
        kind = TableBusyError if is_busy else TableError
        raise kind(f"the table refused: {', '.join(others) or 'a transaction'}") from error
    return tuple(
        _unmet(reason.get("Item")) if code == _UNMET else None
        for code, reason in zip(codes, reasons, strict=True)
    )


def _unmet(item: Mapping[str, Any] | None) -> Unmet:
    return Unmet(load(item) if item else None)


def _translate(error: AwsError) -> TableError:
    if isinstance(error, RefusedError):
        text = f"the table refused: {error.cause}"
        if error.is_fault:
            return TableUnsureError(text)
        is_busy = error.is_throttled or error.cause in _BUSY
        return TableBusyError(text) if is_busy else TableError(text)
    if isinstance(error, NoAnswerError):
        kind = TableUnsureError if error.is_sent else TableBusyError
        return kind(f"the table did not answer: {error.cause}")
    return TableError(str(error))
