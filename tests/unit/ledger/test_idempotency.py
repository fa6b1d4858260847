"""Idempotency keys: one upstream call each, whoever asks, and when."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.faulty_table import Fault, FaultyTable
from tests.support.ledgers import (
    EXPIRES_MS,
    NOW_MS,
    OPENING,
    RELEASED,
    SETTLED,
    SK,
    USER,
    ledger_over,
    no_pause,
    put_balance,
)
from waystation.ledger.balances import BalanceRules
from waystation.ledger.errors import (
    IdempotencyCompletedError,
    IdempotencyInProgressError,
    IdempotencyKeyReusedError,
)
from waystation.ledger.ledger import TableLedger
from waystation.ledger.records import Idempotency, LedgerRecord, Opening
from waystation_cli.local.memory_table import InMemoryTable

KEY = Idempotency("IDM#k", "body")
FIRST = replace(OPENING, idempotency=KEY)
SECOND = replace(FIRST, request_id="R2", expires_at_ms=NOW_MS + 1000)
OTHER_BODY = replace(SECOND, idempotency=Idempotency("IDM#k", "other"))


def keyed(record: LedgerRecord, opening: Opening = FIRST) -> LedgerRecord:
    return replace(record, idempotency=KEY, request_id=opening.request_id)


def early(table: InMemoryTable) -> TableLedger:
    """Return a ledger at a time when the first request may still be under way."""
    return TableLedger(table, None, lambda: EXPIRES_MS - 1, pause=no_pause)


async def state_of(table: InMemoryTable) -> tuple[object, object]:
    item = await table.get(USER, "IDM#k")
    assert item is not None
    return item["request_id"], item["state"]


async def test_key_is_kept_for_a_day():
    table = InMemoryTable()
    await early(table).reserve(FIRST, None)
    assert await table.get(USER, "IDM#k") == {
        "PK": USER,
        "SK": "IDM#k",
        "request_id": FIRST.request_id,
        "body": "body",
        "state": "open",
        "expires_at": EXPIRES_MS,
        "ttl": (EXPIRES_MS - 1) // 1000 + 86_400,
    }
    assert (await table.get(USER, SK) or {})["idempotency"] == "IDM#k"


async def test_request_under_way_is_not_begun_again():
    table = InMemoryTable()
    await early(table).reserve(FIRST, None)
    with pytest.raises(IdempotencyInProgressError) as error:
        await early(table).reserve(SECOND, None)
    assert error.value.headers == {"retry-after": "2"}
    with pytest.raises(IdempotencyKeyReusedError):
        await early(table).reserve(OTHER_BODY, None)


async def test_request_that_was_answered_is_not_answered_again():
    table = InMemoryTable()
    await early(table).reserve(FIRST, None)
    await early(table).settle(keyed(SETTLED))
    assert await state_of(table) == (FIRST.request_id, "done")
    with pytest.raises(IdempotencyCompletedError, match=FIRST.request_id) as error:
        await ledger_over(table).reserve(SECOND, None)
    assert error.value.headers == {"x-should-retry": "false"}
    with pytest.raises(IdempotencyKeyReusedError):
        await ledger_over(table).reserve(OTHER_BODY, None)


async def test_request_that_used_nothing_frees_its_key_for_any_body():
    table = InMemoryTable()
    await early(table).reserve(FIRST, None)
    await early(table).settle(keyed(RELEASED))
    await early(table).reserve(OTHER_BODY, None)
    assert await state_of(table) == ("R2", "open")


async def test_key_of_a_request_that_was_cut_off_is_taken_over_by_one():
    table = InMemoryTable()
    await early(table).reserve(FIRST, None)
    callers = [replace(SECOND, request_id=f"R{n}") for n in range(10)]
    done = await asyncio.gather(
        *(ledger_over(table).reserve(one, None) for one in callers), return_exceptions=True
    )
    assert done.count(None) == 1
    assert sum(isinstance(one, IdempotencyInProgressError) for one in done) == 9


async def test_cut_off_request_that_settles_late_leaves_the_key_to_the_other():
    table = InMemoryTable()
    await early(table).reserve(FIRST, None)
    await ledger_over(table).reserve(SECOND, None)
    await ledger_over(table).settle(keyed(SETTLED))
    assert await state_of(table) == ("R2", "open")
    assert (await table.get(USER, SK) or {})["state"] == "SETTLED"
    await ledger_over(table).settle(keyed(SETTLED, SECOND))
    assert await state_of(table) == ("R2", "done")


async def test_expired_request_that_settles_late_and_has_lost_its_key_is_settled():
    table = InMemoryTable()
    await early(table).reserve(FIRST, None)
    await ledger_over(table).expire(USER, SK)
    await ledger_over(table).reserve(SECOND, None)
    await ledger_over(table).settle(keyed(SETTLED))
    assert (await table.get(USER, SK) or {})["state"] == "SETTLED"
    assert await state_of(table) == ("R2", "open")


async def test_key_that_the_table_still_has_after_its_day_counts_no_more():
    table = InMemoryTable()
    await early(table).reserve(FIRST, None)
    await early(table).settle(keyed(SETTLED))
    late = TableLedger(table, None, lambda: EXPIRES_MS + 86_400_000, pause=no_pause)
    await late.reserve(OTHER_BODY, None)
    assert await state_of(table) == ("R2", "open")


async def test_record_whose_key_is_gone_is_settled():
    table = InMemoryTable()
    await early(table).reserve(FIRST, None)
    await table.delete(USER, "IDM#k")
    await early(table).settle(keyed(SETTLED))
    assert (await table.get(USER, SK) or {})["state"] == "SETTLED"
    assert await table.get(USER, "IDM#k") is None


async def test_key_is_refused_before_the_balance_is_looked_at():
    table = InMemoryTable()
    await put_balance(table, 0)
    await early(table).reserve(FIRST, None)
    with pytest.raises(IdempotencyInProgressError):
        await early(table).reserve(replace(SECOND, draws=True, hold_nanousd=1), BalanceRules(0))


async def test_ten_at_once_with_one_key_are_one_request():
    table = InMemoryTable()
    ledger = early(table)
    callers = [replace(FIRST, request_id=f"R{n}") for n in range(10)]
    done = await asyncio.gather(
        *(ledger.reserve(one, None) for one in callers), return_exceptions=True
    )
    assert done.count(None) == 1
    assert len(await table.query(USER, "REQ#")) == 1


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.UNSURE_BEFORE, Fault.UNSURE_AFTER])
async def test_one_fault_anywhere_leaves_one_request(fault: Fault, number: int):
    inner = InMemoryTable()
    table = FaultyTable(inner, {number: fault})
    ledger = TableLedger(table, None, lambda: EXPIRES_MS - 1, pause=no_pause)
    await ledger.reserve(FIRST, None)
    await ledger.settle(keyed(SETTLED))
    assert await state_of(inner) == (FIRST.request_id, "done")
