"""The ledger over DynamoDB, and over its stand-in: the same happens."""

from dataclasses import replace

import pytest

from tests.support.ledgers import (
    COST,
    DRAWING,
    ESTIMATED,
    EXPIRES_MS,
    HOLD,
    NOW_MS,
    RELEASED,
    SETTLED,
    SK,
    USER,
    balance_of,
    drawn,
    ledger_over,
    no_pause,
    record_of,
    sums_of,
)
from waystation.aws.table import Table
from waystation.ledger.balances import Balance, BalanceRules, GrantError, grant, read_balance
from waystation.ledger.errors import (
    IdempotencyCompletedError,
    IdempotencyInProgressError,
    InsufficientBalanceError,
)
from waystation.ledger.intervals import Interval
from waystation.ledger.ledger import TableLedger
from waystation.ledger.records import Idempotency, open_partition, shard_of

RULES = BalanceRules(HOLD, refill_nanousd=HOLD, refill_every=Interval(1, "hours"))
KEYED = replace(DRAWING, idempotency=Idempotency("IDM#k", "body"))
END = replace(drawn(SETTLED), idempotency=KEYED.idempotency)


def early(table: Table) -> TableLedger:
    return TableLedger(table, None, lambda: EXPIRES_MS - 1, pause=no_pause)


async def test_request_is_reserved_and_settled_once(table: Table) -> None:
    ledger = early(table)
    await ledger.reserve(KEYED, RULES)
    assert await balance_of(table) == (0, HOLD, 0, 1)
    partition = open_partition(shard_of(KEYED.request_id))
    assert await table.indexed(partition, "9", limit=9) == [(USER, SK)]
    with pytest.raises(IdempotencyInProgressError):
        await ledger.reserve(replace(KEYED, request_id="R2"), RULES)
    for _ in range(2):
        await ledger.settle(END)
    assert await record_of(table) == END.to_item()
    assert await balance_of(table) == (HOLD - COST, 0, COST, 0)
    assert await sums_of(table) == {"requests": 1, "in": 10, "out": 5, "cacheRead": 4, "cost": COST}
    assert await table.indexed(partition, "9", limit=9) == []
    with pytest.raises(IdempotencyCompletedError):
        await ledger.reserve(replace(KEYED, request_id="R2"), RULES)
    with pytest.raises(InsufficientBalanceError):
        await ledger.reserve(replace(DRAWING, request_id="R2"), RULES)


async def test_request_expires_and_is_settled_after_all(table: Table) -> None:
    await early(table).reserve(DRAWING, RULES)
    ledger = ledger_over(table)
    assert await ledger.expire(USER, SK) == "expired"
    assert await ledger.expire(USER, SK) == "not_open"
    assert await balance_of(table) == (HOLD - ESTIMATED, 0, ESTIMATED, 0)
    await ledger.settle(drawn(SETTLED))
    assert await balance_of(table) == (HOLD - COST, 0, COST, 0)
    assert await sums_of(table) == {"requests": 1, "in": 10, "out": 5, "cacheRead": 4, "cost": COST}


async def test_balance_is_refilled_when_it_is_time(table: Table) -> None:
    await early(table).reserve(DRAWING, RULES)
    later = TableLedger(table, None, lambda: NOW_MS + 3_600_000, pause=no_pause)
    await later.reserve(replace(DRAWING, request_id="R2"), RULES)
    await later.settle(drawn(RELEASED))
    assert await read_balance(table, "alice") == Balance(
        HOLD, HOLD, 0, 2 * HOLD, 1, True, NOW_MS + 3_600_000
    )


async def test_grant_counts_once(table: Table) -> None:
    async def give(amount: int, now_ms: int) -> str:
        return await grant(
            table, "alice", amount, grant_id="g#1", actor="bob", reason="gift", now_ms=now_ms
        )

    assert [await give(5, 0), await give(5, 1)] == ["granted", "known"]
    with pytest.raises(GrantError):
        await give(6, 2)
    assert (await read_balance(table, "alice")).avail == 5
