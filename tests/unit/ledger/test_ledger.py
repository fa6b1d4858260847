"""Records that are opened and settled, whatever the table does."""

import asyncio
import json

import pytest

from tests.support.fakes import BrokenTable
from tests.support.faulty_table import Fault, FaultyTable
from tests.support.ledgers import (
    COST,
    HOLD,
    OPENING,
    RELEASED,
    SETTLED,
    SK,
    USER,
    InMemoryQueue,
    balance_of,
    drawn,
    hold,
    ledger_over,
    no_pause,
    put_balance,
    record_of,
    sums_of,
)
from tests.support.logs import kept_lines
from waystation.ledger.ledger import TableLedger
from waystation_cli.local.memory_table import InMemoryTable

SUMS = {"requests": 1, "in": 10, "out": 5, "cacheRead": 4, "cost": COST}


async def test_opened_record_is_in_the_table_and_in_the_index():
    table = InMemoryTable()
    await ledger_over(table).open(OPENING)
    item = await record_of(table)
    assert item == OPENING.to_item()
    assert (item["state"], item["hold"], item["estimated_in"]) == ("RESERVED", 0, 20)
    found = await table.indexed(str(item["GSI1PK"]), "9", limit=10)
    assert found == [(USER, item["SK"])]


async def test_settled_record_takes_the_place_of_the_open_one():
    table = FaultyTable(InMemoryTable())
    ledger = ledger_over(table)
    await ledger.open(OPENING)
    await ledger.settle(SETTLED)
    assert await record_of(table.inner) == SETTLED.to_item()
    assert await sums_of(table.inner) == SUMS
    assert [len(writes) for writes in table.writes] == [1, 2]
    assert table.calls == ["transact", "transact"]


async def test_record_that_cost_nothing_counts_as_an_error():
    table = InMemoryTable()
    ledger = ledger_over(table)
    await ledger.open(OPENING)
    await ledger.settle(RELEASED)
    assert await record_of(table) == RELEASED.to_item()
    assert await sums_of(table) == {"errors": 1}


async def test_record_that_was_never_opened_is_written_whole():
    table = InMemoryTable()
    with kept_lines("waystation.ledger") as lines:
        await ledger_over(table).settle(SETTLED)
    assert await record_of(table) == SETTLED.to_item()
    assert await sums_of(table) == SUMS
    assert lines == []


async def test_record_settled_twice_counts_once():
    table = InMemoryTable()
    ledger = ledger_over(table)
    with kept_lines("waystation.ledger") as lines:
        await ledger.open(OPENING)
        for record in (SETTLED, SETTLED, RELEASED):
            await ledger.settle(record)
    assert await record_of(table) == SETTLED.to_item()
    assert await sums_of(table) == SUMS
    assert lines == []


async def test_opening_that_comes_after_the_end_changes_nothing():
    table = InMemoryTable()
    ledger = ledger_over(table)
    await ledger.settle(SETTLED)
    await ledger.open(OPENING)
    assert await record_of(table) == SETTLED.to_item()


async def test_settled_hold_is_given_back_but_for_the_cost():
    table = InMemoryTable()
    await put_balance(table, HOLD + 7)
    await hold(table)
    assert await balance_of(table) == (7, HOLD, 0, 1)
    for _ in range(2):
        await ledger_over(table).settle(drawn(SETTLED))
    assert await balance_of(table) == (HOLD + 7 - COST, 0, COST, 0)
    assert await record_of(table) == drawn(SETTLED).to_item()


async def test_released_hold_is_given_back_whole():
    table = InMemoryTable()
    await put_balance(table, HOLD)
    await hold(table)
    await ledger_over(table).settle(drawn(RELEASED))
    assert await balance_of(table) == (HOLD, 0, 0, 0)


async def test_end_of_a_hold_that_was_never_made_takes_no_hold_back():
    table = InMemoryTable()
    await put_balance(table, HOLD)
    await ledger_over(table).settle(drawn(RELEASED))
    assert await balance_of(table) == (HOLD, 0, 0, 0)
    assert (await record_of(table))["hold"] == 0
    await table.delete(USER, SK)
    await ledger_over(table).settle(drawn(SETTLED))
    assert await balance_of(table) == (HOLD - COST, 0, COST, 0)


@pytest.mark.parametrize("fault", list(Fault)[:3])
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("draws", [False, True])
async def test_one_fault_anywhere_changes_nothing(fault: Fault, number: int, draws: bool):
    inner = InMemoryTable()
    await put_balance(inner, HOLD)
    table = FaultyTable(inner, {number: fault})
    ledger = ledger_over(table)
    if draws:
        await hold(inner)
    else:
        await ledger.open(OPENING)
    await ledger.settle(drawn(SETTLED) if draws else SETTLED)
    assert (await record_of(inner))["state"] == "SETTLED"
    assert await sums_of(inner) == SUMS
    expected = (HOLD - COST, 0, COST, 0) if draws else (HOLD, 0, 0, 0)
    assert await balance_of(inner) == expected


async def test_what_the_table_refuses_goes_to_the_queue_and_from_there_to_the_table():
    table, queue = FaultyTable(InMemoryTable(), always=Fault.DOWN), InMemoryQueue()
    ledger = ledger_over(table, queue)
    with kept_lines("waystation.ledger") as lines:
        await ledger.open(OPENING)
        await ledger.settle(SETTLED)
    told = [(line.levelname, line.getMessage()) for line in lines]
    assert told == [("WARNING", "open_deferred"), ("WARNING", "settle_deferred")]
    assert all(vars(line)["request_id"] == OPENING.request_id for line in lines)
    table.always = None
    for message in [*queue.messages, *reversed(queue.messages)]:
        await ledger.apply(message)
    assert await record_of(table.inner) == SETTLED.to_item()
    assert await sums_of(table.inner) == SUMS


async def test_what_is_busy_or_unsure_to_the_end_goes_to_the_queue():
    for fault in (Fault.BUSY, Fault.UNSURE_BEFORE, Fault.UNSURE_AFTER):
        table, queue = FaultyTable(InMemoryTable(), always=fault), InMemoryQueue()
        await ledger_over(table, queue).settle(SETTLED)
        assert len(queue.messages) == 1
        await ledger_over(table.inner).apply(queue.messages[0])
        assert await sums_of(table.inner) == SUMS


@pytest.mark.parametrize("queue", [None, InMemoryQueue(is_down=True)])
async def test_what_neither_takes_goes_whole_to_the_log(queue: InMemoryQueue | None):
    ledger = ledger_over(BrokenTable(), queue)
    with kept_lines("waystation.ledger") as lines:
        await ledger.open(OPENING)
        await ledger.settle(SETTLED)
    assert [line.levelname for line in lines] == ["ERROR", "ERROR"]
    names = [line.getMessage() for line in lines]
    assert names == ["ledger_open_unwritten", "ledger_settle_unwritten"]
    items = [json.loads(vars(line)["record"]) for line in lines]
    assert items == [OPENING.to_item(), SETTLED.to_item()]
    causes = "down" if queue is None else "down; the queue is down"
    assert {vars(line)["cause"] for line in lines} == {causes}


async def test_table_and_queue_that_never_answer_hold_nothing_up(monkeypatch):
    class Silent(InMemoryTable):
        async def transact(self, *writes):
            await asyncio.Event().wait()

    class SilentQueue(InMemoryQueue):
        async def send(self, body):
            await asyncio.Event().wait()

    for limit in ("OPEN_S", "SETTLE_S", "QUEUE_S"):
        monkeypatch.setattr(f"waystation.ledger.ledger.{limit}", 0.01)
    ledger = TableLedger(Silent(), SilentQueue(), lambda: 0, pause=no_pause)
    with kept_lines("waystation.ledger") as lines:
        await ledger.open(OPENING)
        await ledger.settle(SETTLED)
    cause = "the table did not answer in time; the queue did not answer in time"
    assert {vars(line)["cause"] for line in lines} == {cause}


async def test_fault_of_another_kind_is_told_by_its_name_alone():
    class Faulty(InMemoryTable):
        async def transact(self, *writes):
            raise ValueError(repr(writes))

    with kept_lines("waystation.ledger") as lines:
        await ledger_over(Faulty()).settle(SETTLED)
    assert vars(lines[0])["cause"] == "ValueError"
