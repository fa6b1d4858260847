"""Messages of the outbox: written, read, and refused."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.fakes import BrokenTable
from tests.support.ledgers import DRAWING, OPENING, SETTLED, drawn, ledger_over
from waystation.aws.table import Item, TableError
from waystation.ledger.outbox import Message, OutboxMessageError, read_message, write_message
from waystation.wire.redaction import redact
from waystation_cli.local.memory_table import InMemoryTable


def told(kind: str, item: object, version: int = 1) -> str:
    return json.dumps({"v": version, "kind": kind, "item": item})


def test_message_tells_the_record_as_it_shall_be_stored():
    body = write_message("settle", drawn(SETTLED).to_item())
    assert read_message(body) == Message("settle", drawn(SETTLED).to_item())
    assert read_message(write_message("open", OPENING.to_item())).kind == "open"


GOOD: Item = SETTLED.to_item()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[" * 100_000,
        "[]",
        told("settle", GOOD, version=2),
        told("close", GOOD),
        told("settle", None),
        told("settle", OPENING.to_item()),
        told("open", GOOD),
        told("open", DRAWING.to_item()),
        told("settle", {**GOOD, "PK": "KEY#1"}),
        told("settle", {**GOOD, "SK": "BAL"}),
        told("settle", {**GOOD, "model": None}),
        told("settle", {**GOOD, "cost": -1}),
        told("settle", {**GOOD, "cost": 1.5}),
        told("settle", {**GOOD, "hold": True}),
        told("settle", {**GOOD, "tokens": {"in": "7"}}),
        told("settle", {**GOOD, "tokens": [1]}),
        told("settle", {name: value for name, value in GOOD.items() if name != "hold"}),
    ],
)
async def test_message_that_can_never_be_applied_is_refused(body: str):
    table = InMemoryTable()
    with pytest.raises(OutboxMessageError):
        await ledger_over(table).apply(body)
    assert await table.scan("") == []


@pytest.mark.parametrize("changes", [{"user_id": "task-runner-01"}, {"model": "sk-3-large-test"}])
async def test_record_whose_names_the_log_has_hidden_is_booked_on_nobody_else(
    changes: dict[str, Any],
):
    table = InMemoryTable()
    body = redact(write_message("settle", replace(SETTLED, **changes).to_item()))
    with pytest.raises(OutboxMessageError, match="does not show"):
        await ledger_over(table).apply(body)
    assert await table.scan("") == []


async def test_message_stays_with_the_queue_while_the_table_is_down():
    with pytest.raises(TableError):
        await ledger_over(BrokenTable()).apply(write_message("settle", GOOD))
