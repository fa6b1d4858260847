"""Requests that were made and paid for: their records in a table, as the ledger writes them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from waystation.aws.table import Table
from waystation.ledger.ledger import TableLedger
from waystation.ledger.pricing import Rates
from waystation.ledger.records import LedgerRecord
from waystation.web.ulid import UlidSource
from waystation.wire.moments import read_moment
from waystation.wire.usage import Usage

RATES = Rates(Decimal(1), Decimal(2), Decimal("0.1"), Decimal("1.25"))
_BASE = LedgerRecord(
    request_id="",
    user_id="alice",
    key_id="k1",
    endpoint="Acme",
    model="large",
    kind="chat",
    state="SETTLED",
    config_version="v1",
    created_at_ms=0,
    settled_at_ms=0,
    usage=Usage(100, 20, cache_read_tokens=40, cache_write_tokens=10, reasoning_tokens=5),
    rates=RATES,
    cost_nanousd=1000,
)


def made(at: str, number: int = 0, **changes: Any) -> LedgerRecord:
    """Return the record of a request of that moment; its id is of that moment too."""
    at_ms = read_moment(at)
    request_id = UlidSource(lambda: at_ms, lambda _: number)()
    base = replace(_BASE, request_id=request_id, created_at_ms=at_ms, settled_at_ms=at_ms + 1000)
    return replace(base, **changes)


def failed(at: str, number: int = 0, **changes: Any) -> LedgerRecord:
    """Return the record of a request that used nothing."""
    nothing: dict[str, Any] = {"usage": None, "rates": None, "cost_nanousd": 0}
    return made(at, number, state="RELEASED", error_code="upstream_error", **nothing, **changes)


def unpriced(at: str, number: int = 0, **changes: Any) -> LedgerRecord:
    """Return the record of a request whose price nobody knows."""
    return made(at, number, rates=None, cost_nanousd=None, **changes)


async def settle(table: Table, *records: LedgerRecord) -> None:
    """Have the ledger write records and their sums."""
    ledger = TableLedger(table, None, lambda: 0)
    for record in records:
        await ledger.settle(record)
