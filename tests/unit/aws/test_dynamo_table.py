"""How the table tells errors apart, and reads page after page."""

import pytest

from tests.support.aws_services import (
    answer,
    last_of_its_connection,
    raw_answer,
    refusal,
    scripted_service,
)
from tests.support.fake_upstream import RESET, Step
from waystation.aws.dynamo_table import DynamoTable
from waystation.aws.table import (
    IS_NEW,
    Put,
    Table,
    TableBusyError,
    TableError,
    TableUnsureError,
    Unmet,
    Update,
)

ITEM = {"PK": "P", "SK": "S"}
DUMPED = {"PK": {"S": "P"}, "SK": {"S": "S"}}
TWO = (Put(ITEM, IS_NEW), Update("P", "2", add={"n": 1}))
FAILURES: list[tuple[list[Step], type[TableError], str]] = [
    (refusal("ProvisionedThroughputExceededException"), TableBusyError, "ProvisionedThroughput"),
    (refusal("ThrottlingException"), TableBusyError, "ThrottlingException"),
    (refusal("RequestLimitExceeded"), TableBusyError, "RequestLimitExceeded"),
    (refusal("TransactionConflictException"), TableBusyError, "TransactionConflict"),
    (refusal("TransactionInProgressException"), TableBusyError, "TransactionInProgress"),
    (refusal("InternalServerError", status=500), TableUnsureError, "InternalServerError"),
    (raw_answer(b"", status=503), TableUnsureError, "HTTP503"),
    ([RESET], TableUnsureError, "ConnectionLost"),
    ([1.0], TableUnsureError, "ReadTimeout"),
    ([b"garbage\r\n\r\n"], TableUnsureError, "InvalidAnswer"),
    (answer({}, headers=[("x-amz-crc32", "1")]), TableUnsureError, "WrongChecksum"),
    (refusal("ResourceNotFoundException"), TableError, "ResourceNotFoundException"),
    (refusal("ValidationException"), TableError, "ValidationException"),
    (refusal("AccessDeniedException"), TableError, "AccessDeniedException"),
]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(("steps", "kind", "told"), FAILURES)
async def test_transaction_is_asked_once_and_tells_what_may_be_repeated(
    steps: list[Step], kind: type[TableError], told: str, count: int
):
    with scripted_service("dynamodb", steps, keeps_connections=False) as scripted:
        with pytest.raises(TableError, match=told) as caught:
            await DynamoTable(scripted.service, "way").transact(*TWO[:count])
        assert type(caught.value) is kind
        assert len(scripted.upstream.received) == 1


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (["TransactionConflict", "None"], TableBusyError),
        (["ConditionalCheckFailed", "ThrottlingError"], TableBusyError),
        (["ProvisionedThroughputExceeded", "TransactionConflict"], TableBusyError),
        (["ValidationError", "TransactionConflict"], TableError),
        ([], TableError),
    ],
)
async def test_reasons_of_a_cancelled_transaction_are_told_apart(
    codes: list[str], kind: type[TableError]
):
    reasons = [{"Code": code, "Message": "canary"} for code in codes]
    cancelled = refusal("TransactionCanceledException", CancellationReasons=reasons)
    with scripted_service("dynamodb", cancelled) as scripted, pytest.raises(TableError) as caught:
        await DynamoTable(scripted.service, "way").transact(*TWO)
    assert type(caught.value) is kind
    assert "canary" not in str(caught.value)


async def test_unmet_conditions_are_told_with_the_items():
    reasons = [{"Code": "ConditionalCheckFailed", "Item": DUMPED}, {"Code": "None"}]
    cancelled = refusal("TransactionCanceledException", CancellationReasons=reasons)
    alone = refusal("ConditionalCheckFailedException", Item=DUMPED)
    with scripted_service("dynamodb", cancelled, alone) as scripted:
        table = DynamoTable(scripted.service, "way")
        assert await table.transact(*TWO) == (Unmet(ITEM), None)
        assert await table.transact(TWO[0]) == (Unmet(ITEM),)


async def test_what_does_no_harm_twice_is_asked_again():
    async def expect(table: Table, asked: int, *operations: str) -> None:
        scripted.upstream.received.clear()
        for operation in operations:
            done = last_of_its_connection(answer({"Items": [], "Count": 0}))
            scripted.upstream.answer([RESET], done)
            arguments: dict[str, tuple[object, ...]] = {
                "put": (ITEM,),
                "put_new": (ITEM,),
                "update": ("P", "S", {"a": 1}),
            }
            try:
                await getattr(table, operation)(*arguments.get(operation, ("P", "S")))
            except TableUnsureError:
                assert asked == 1
        assert len(scripted.upstream.received) == asked * len(operations)

    with scripted_service("dynamodb", keeps_connections=False) as scripted:
        table = DynamoTable(scripted.service, "way")
        await expect(table, 2, "get", "put", "delete", "update", "query")
        await expect(table, 1, "put_new")


async def test_new_item_is_put_again_when_the_table_was_throttled():
    throttled = refusal("ThrottlingException")
    with scripted_service("dynamodb", throttled, answer({})) as scripted:
        assert await DynamoTable(scripted.service, "way").put_new(ITEM) is True
        assert len(scripted.upstream.received) == 2


async def test_page_after_page_is_read_until_there_are_enough():
    page = answer({"Items": [DUMPED] * 2, "Count": 2, "LastEvaluatedKey": DUMPED})
    empty = answer({"Items": [], "Count": 0, "LastEvaluatedKey": DUMPED})
    end = answer({"Items": [DUMPED], "Count": 1})
    with scripted_service("dynamodb", page, empty, end) as scripted:
        table = DynamoTable(scripted.service, "way")
        assert await table.between("P", "a", "b", limit=4) == [ITEM] * 3
        assert [one["Limit"] for one in scripted.asked] == [4, 2, 2]
        assert [one.get("ExclusiveStartKey") for one in scripted.asked] == [None, DUMPED, DUMPED]
    with scripted_service("dynamodb", page) as scripted:
        table = DynamoTable(scripted.service, "way")
        assert await table.indexed("P", "z", limit=2) == [("P", "S")] * 2
        assert len(scripted.asked) == 1
        assert await table.between("P", "b", "a", limit=2) == []
        assert await table.indexed("P", "z", limit=0) == []
        assert len(scripted.asked) == 1
