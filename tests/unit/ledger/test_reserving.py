"""Holds that are made before an upstream is asked, or refused."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.faulty_table import Fault, FaultyTable
from tests.support.ledgers import (
    COST,
    DRAWING,
    HOLD,
    NOW_MS,
    OPENING,
    SETTLED,
    USER,
    InMemoryQueue,
    balance_of,
    drawn,
    ledger_over,
    put_balance,
    record_of,
)
from tests.support.logs import kept_lines
from waystation.aws.table import Table
from waystation.errors import LedgerUnavailableError
from waystation.ledger.balances import Balance, BalanceRules, read_balance
from waystation.ledger.errors import InsufficientBalanceError, RateLimitedError
from waystation.ledger.intervals import Interval
from waystation_cli.local.memory_table import InMemoryTable

RULES = BalanceRules(start_nanousd=3 * HOLD)
HOUR_MS = 3_600_000


def refilled(amount: int) -> BalanceRules:
    return BalanceRules(0, refill_nanousd=amount, refill_every=Interval(1, "hours"))


async def grants(table: Table) -> list[tuple[object, object]]:
    return [(item["SK"], item["amount"]) for item in await table.query(USER, "ADJ#")]


async def test_first_request_gets_the_start_balance_and_its_hold():
    table = InMemoryTable()
    await ledger_over(table).reserve(DRAWING, RULES)
    assert await read_balance(table, "alice") == Balance(
        2 * HOLD, HOLD, 0, 3 * HOLD, 1, True, NOW_MS
    )
    assert await grants(table) == [("ADJ#start", 3 * HOLD)]
    assert await record_of(table) == DRAWING.to_item()


async def test_hold_takes_one_transaction_and_no_reading():
    table = FaultyTable(InMemoryTable())
    await put_balance(table.inner, HOLD)
    await ledger_over(table).reserve(DRAWING, RULES)
    assert table.calls == ["transact"]
    assert await balance_of(table.inner) == (0, HOLD, 0, 1)


async def test_too_little_is_refused_and_nothing_is_held():
    table = InMemoryTable()
    await put_balance(table, HOLD - 1)
    with pytest.raises(InsufficientBalanceError) as error:
        await ledger_over(table).reserve(DRAWING, RULES)
    assert error.value.message == (
        "Your balance is too low: this request may cost 0.0001 USD, and 0.000099999 USD are left."
    )
    assert await balance_of(table) == (HOLD - 1, 0, 0, 0)
    assert await table.query(USER, "REQ#") == []


async def test_what_was_granted_before_the_start_counts_beside_it():
    table = InMemoryTable()
    await table.put({"PK": USER, "SK": "BAL", "avail": HOLD, "granted": HOLD})
    await ledger_over(table).reserve(DRAWING, BalanceRules(5))
    assert await balance_of(table) == (5, HOLD, 0, 1)


async def test_of_many_at_once_only_as_many_as_the_balance_has_are_held():
    table = InMemoryTable()
    ledger = ledger_over(table)
    openings = [replace(DRAWING, request_id=f"R{n}") for n in range(10)]
    done = await asyncio.gather(
        *(ledger.reserve(one, RULES) for one in openings), return_exceptions=True
    )
    assert done.count(None) == 3
    assert sum(isinstance(one, InsufficientBalanceError) for one in done) == 7
    assert await balance_of(table) == (0, 3 * HOLD, 0, 3)


async def test_no_more_than_the_limit_are_under_way():
    table = InMemoryTable()
    await put_balance(table, 100 * HOLD, inflight=19)
    ledger = ledger_over(table)
    await ledger.reserve(DRAWING, RULES)
    with pytest.raises(RateLimitedError) as error:
        await ledger.reserve(replace(DRAWING, request_id="R2"), RULES)
    assert error.value.headers["retry-after"] == "1"
    await ledger.settle(drawn(SETTLED))
    await ledger.reserve(replace(DRAWING, request_id="R2"), RULES)


async def test_refill_comes_when_it_is_time_and_there_is_too_little():
    table = InMemoryTable()
    await put_balance(table, 1, last_refill=NOW_MS - HOUR_MS)
    ledger = ledger_over(table)
    await ledger.reserve(DRAWING, refilled(HOLD))
    assert await balance_of(table) == (1, HOLD, 0, 1)
    assert await grants(table) == [(f"ADJ#refill-{NOW_MS}", HOLD)]
    with pytest.raises(InsufficientBalanceError):
        await ledger.reserve(replace(DRAWING, request_id="R2"), refilled(HOLD))


@pytest.mark.parametrize(
    ("last_ms", "avail"), [(NOW_MS - HOUR_MS + 1, 1), (NOW_MS - HOUR_MS, -HOLD)]
)
async def test_refill_that_is_not_due_or_not_enough_is_no_help(last_ms: int, avail: int):
    table = InMemoryTable()
    await put_balance(table, avail, last_refill=last_ms)
    with pytest.raises(InsufficientBalanceError):
        await ledger_over(table).reserve(DRAWING, refilled(HOLD))


async def test_refill_comes_not_before_it_is_needed():
    table = InMemoryTable()
    await put_balance(table, HOLD)
    await ledger_over(table).reserve(DRAWING, refilled(HOLD))
    assert await grants(table) == []


async def test_refill_comes_once_for_many_at_once():
    table = FaultyTable(InMemoryTable(), dict.fromkeys(range(0, 40, 3), Fault.UNSURE_AFTER))
    await put_balance(table.inner, 0, last_refill=NOW_MS - HOUR_MS)
    ledger = ledger_over(table)
    openings = [replace(DRAWING, request_id=f"R{n}") for n in range(6)]
    done = await asyncio.gather(
        *(ledger.reserve(one, refilled(2 * HOLD)) for one in openings), return_exceptions=True
    )
    assert done.count(None) == 2
    assert await balance_of(table.inner) == (0, 2 * HOLD, 0, 2)
    assert len(await grants(table.inner)) == 1


async def test_cost_above_the_hold_is_charged_in_full():
    table = InMemoryTable()
    await put_balance(table, COST - 1)
    small = replace(DRAWING, hold_nanousd=1)
    ledger = ledger_over(table)
    await ledger.reserve(small, RULES)
    await ledger.settle(replace(drawn(SETTLED), hold_nanousd=1))
    assert await balance_of(table) == (-1, 0, COST, 0)
    with pytest.raises(InsufficientBalanceError):
        await ledger.reserve(replace(small, request_id="R2", hold_nanousd=0), RULES)


async def test_request_that_does_not_draw_leaves_the_balance_alone():
    table = InMemoryTable()
    await ledger_over(table).reserve(OPENING, RULES)
    assert await table.query(USER) == [OPENING.to_item()]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.UNSURE_BEFORE, Fault.UNSURE_AFTER])
async def test_one_fault_anywhere_holds_once(fault: Fault, number: int):
    table = FaultyTable(InMemoryTable(), {number: fault})
    await ledger_over(table).reserve(DRAWING, RULES)
    assert await balance_of(table.inner) == (2 * HOLD, HOLD, 0, 1)
    assert await grants(table.inner) == [("ADJ#start", 3 * HOLD)]


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.BUSY])
async def test_table_that_does_not_take_it_is_told_and_nothing_is_left(fault: Fault):
    table, queue = FaultyTable(InMemoryTable(), always=fault), InMemoryQueue()
    with (
        kept_lines("waystation.ledger") as lines,
        pytest.raises(LedgerUnavailableError),
    ):
        await ledger_over(table, queue).reserve(DRAWING, RULES)
    assert [line.getMessage() for line in lines] == ["ledger_unavailable"]
    assert queue.messages == []


@pytest.mark.parametrize("fault", [Fault.UNSURE_AFTER, Fault.UNSURE_BEFORE])
@pytest.mark.parametrize("has_queue", [True, False])
async def test_hold_that_may_have_been_made_is_given_back(fault: Fault, has_queue: bool):
    inner, queue = InMemoryTable(), InMemoryQueue() if has_queue else None
    await put_balance(inner, HOLD)
    table = FaultyTable(inner, {0: fault, 1: Fault.DOWN})
    with pytest.raises(LedgerUnavailableError):
        await ledger_over(table, queue).reserve(DRAWING, RULES)
    if queue is not None:
        (message,) = queue.messages
        await ledger_over(table).apply(message)
    assert await balance_of(inner) == (HOLD, 0, 0, 0)
    assert (await record_of(inner))["state"] == "RELEASED"
    with pytest.raises(LedgerUnavailableError):  # as what is written late is, too
        await ledger_over(inner).reserve(DRAWING, RULES)
    assert await balance_of(inner) == (HOLD, 0, 0, 0)


async def test_hold_of_a_request_that_is_cancelled_meanwhile_is_given_back():
    class Slow(InMemoryTable):
        async def transact(self, *writes):
            refusal = await super().transact(*writes)
            reached.set()
            await gate.wait()
            return refusal

    reached, gate, table, queue = asyncio.Event(), asyncio.Event(), Slow(), InMemoryQueue()
    await InMemoryTable.put(table, {"PK": USER, "SK": "BAL", "avail": HOLD, "held": 0, "spent": 0})
    await InMemoryTable.update(table, USER, "BAL", {"inflight": 0, "started": True})
    task = asyncio.create_task(ledger_over(table, queue).reserve(DRAWING, RULES))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    assert await balance_of(table) == (0, HOLD, 0, 1)
    await ledger_over(table).apply(queue.messages[0])
    assert await balance_of(table) == (HOLD, 0, 0, 0)
