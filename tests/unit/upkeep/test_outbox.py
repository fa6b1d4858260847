"""Messages of the outbox, applied to a table in memory."""

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest

from tests.support.faulty_table import Fault, FaultyTable
from tests.support.ledgers import COST, OPENING, SETTLED, ledger_over, record_of, sums_of
from tests.support.logs import kept_lines
from waystation.aws.table import Table
from waystation.ledger.outbox import write_message
from waystation.upkeep.outbox import OutboxReader
from waystation_cli.local.memory_table import InMemoryTable

SETTLE = write_message("settle", SETTLED.to_item())
OPEN = write_message("open", OPENING.to_item())
LATER = json.dumps({"v": 2, "kind": "settle", "item": SETTLED.to_item()})


@pytest.fixture
def lines() -> Iterator[list[logging.LogRecord]]:
    logging.getLogger("waystation.upkeep").setLevel(logging.INFO)
    with kept_lines("waystation.upkeep") as lines:
        yield lines
    logging.getLogger("waystation.upkeep").setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    "bodies",
    [[SETTLE], [SETTLE, SETTLE], [OPEN, SETTLE], [SETTLE, OPEN], [OPEN, SETTLE, OPEN, SETTLE]],
    ids=["once", "twice", "in order", "late opening", "all twice"],
)
async def test_record_is_settled_once_however_often_it_is_delivered(bodies: list[str]):
    table = InMemoryTable()

    assert await _read(table, *bodies) == []

    assert (await record_of(table))["state"] == "SETTLED"
    sums = await sums_of(table)
    assert (sums["requests"], sums["cost"]) == (1, COST)


async def test_message_that_cannot_be_applied_keeps_no_other(lines: list[logging.LogRecord]):
    table = InMemoryTable()

    assert await _read(table, "canary", LATER, SETTLE, '{"v":1}') == ["0", "1", "3"]

    assert (await record_of(table))["state"] == "SETTLED"
    *refused, outcome = [vars(line) for line in lines]
    assert [(line["msg"], line["message_id"], line["cause"]) for line in refused] == [
        ("outbox_message_refused", number, "OutboxMessageError") for number in "013"
    ]
    assert (outcome["outbox_applied"], outcome["outbox_failures"]) == (1, 3)
    assert "canary" not in str([vars(line) for line in lines])


async def test_message_waits_while_the_table_does_not_answer(lines: list[logging.LogRecord]):
    table = InMemoryTable()

    assert await _read(FaultyTable(table, always=Fault.DOWN), SETTLE) == ["0"]

    assert [line.getMessage() for line in lines] == ["outbox_message_waits", "outbox_read"]
    assert await _read(table, SETTLE) == []


async def test_messages_without_time_are_delivered_again():
    table = InMemoryTable()

    assert await _read(table, OPEN, SETTLE, within_s=0) == ["0", "1"]

    assert await table.query("U#alice") == []


async def _read(table: Table, *bodies: str, within_s: float = 60) -> list[str]:
    messages = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    ends_at = asyncio.get_running_loop().time() + within_s
    return await OutboxReader(ledger_over(table)).read(messages, ends_at)
