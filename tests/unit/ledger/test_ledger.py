"""Records, written once."""

import asyncio
import json

from tests.support.fakes import BrokenTable
from tests.support.logs import kept_lines
from tests.unit.ledger.test_records import SETTLED
from waystation.ledger.ledger import TableLedger
from waystation_cli.local.memory_table import InMemoryTable


async def test_record_is_put_in_the_table():
    table = InMemoryTable()
    await TableLedger(table).settle(SETTLED)
    assert await table.query("U#alice%2F1") == [SETTLED.to_item()]


async def test_record_put_twice_is_there_once():
    table = InMemoryTable()
    with kept_lines("waystation.ledger") as lines:
        for _ in range(2):
            await TableLedger(table).settle(SETTLED)
    assert await table.query("U#alice%2F1") == [SETTLED.to_item()]
    assert lines == []


async def test_record_the_table_refuses_goes_whole_to_the_log():
    with kept_lines("waystation.ledger") as lines:
        await TableLedger(BrokenTable()).settle(SETTLED)
    (line,) = lines
    assert (line.levelname, line.getMessage()) == ("ERROR", "ledger_settle_unwritten")
    assert json.loads(vars(line)["record"]) == SETTLED.to_item()
    assert vars(line)["cause"] == "down"


async def test_record_the_table_does_not_take_in_time_goes_to_the_log():
    class SilentTable(InMemoryTable):
        async def put_new(self, *items):
            await asyncio.Event().wait()

    with kept_lines("waystation.ledger") as lines:
        await TableLedger(SilentTable(), settle_s=0.01).settle(SETTLED)
    (line,) = lines
    assert json.loads(vars(line)["record"]) == SETTLED.to_item()
    assert vars(line)["cause"] == "timeout"
