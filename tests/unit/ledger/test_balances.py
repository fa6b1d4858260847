"""Grants, and what a balance tells."""

import asyncio

import pytest

from tests.support.faulty_table import Fault, FaultyTable
from tests.support.ledgers import USER, put_balance
from waystation.aws.table import Table, TableError
from waystation.ledger.balances import (
    MAX_GRANT_NANOUSD,
    Balance,
    GrantError,
    GrantResult,
    grant,
    read_balance,
)
from waystation_cli.local.memory_table import InMemoryTable


async def give(table: Table, amount: int, grant_id: str = "g1", now_ms: int = 0) -> GrantResult:
    return await grant(
        table, "alice", amount, grant_id=grant_id, actor="bob", reason="gift", now_ms=now_ms
    )


async def test_balance_that_is_not_there_is_nothing():
    assert await read_balance(InMemoryTable(), "alice") == Balance()


async def test_grant_is_there_to_spend_and_is_written_down():
    table = InMemoryTable()
    assert await give(table, 500) == "granted"
    assert await read_balance(table, "alice") == Balance(avail=500, granted=500)
    assert await table.get(USER, "ADJ#g1") == {
        "PK": USER,
        "SK": "ADJ#g1",
        "amount": 500,
        "actor": "bob",
        "reason": "gift",
        "created_at": "1970-01-01T00:00:00.000Z",
    }


async def test_grant_counts_once():
    table = InMemoryTable()
    await give(table, 500)
    assert await give(table, 500) == "known"  # in the same millisecond
    assert await give(table, 500, now_ms=9) == "known"
    assert (await read_balance(table, "alice")).avail == 500
    with pytest.raises(GrantError):
        await give(table, 501)


async def test_grant_may_take_and_leaves_the_rest_of_a_balance():
    table = InMemoryTable()
    await put_balance(table, 300, held=7, spent=9, inflight=1)
    assert await give(table, -400) == "granted"
    assert await read_balance(table, "alice") == Balance(-100, 7, 9, -100, 1, True, 0)


@pytest.mark.parametrize("amount", [0, MAX_GRANT_NANOUSD + 1, -MAX_GRANT_NANOUSD - 1, True, 1.0])
async def test_amount_that_cannot_be_is_refused(amount: int):
    with pytest.raises(GrantError):
        await give(InMemoryTable(), amount)


@pytest.mark.parametrize("grant_id", ["", "start", "refill-1"])
async def test_id_of_our_own_is_refused(grant_id: str):
    with pytest.raises(GrantError):
        await give(InMemoryTable(), 1, grant_id)


async def test_unanswered_grant_counts_once():
    table = FaultyTable(InMemoryTable(), {0: Fault.UNSURE_AFTER})
    assert await give(table, 500) == "granted"
    assert (await read_balance(table.inner, "alice")).granted == 500


async def test_grants_at_once_all_count():
    table = InMemoryTable()
    await asyncio.gather(*(give(table, 10, f"g{n}") for n in range(20)))
    assert (await read_balance(table, "alice")).avail == 200


async def test_table_that_is_down_is_told():
    with pytest.raises(TableError):
        await give(FaultyTable(InMemoryTable(), always=Fault.DOWN), 1)
