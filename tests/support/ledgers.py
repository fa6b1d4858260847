"""Ledgers for tests: records, a queue in memory, and what a table holds of a user."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from waystation.aws.queue import QueueError
from waystation.aws.table import Item, Put, Table
from waystation.ledger.ledger import TableLedger
from waystation.ledger.pricing import Rates
from waystation.ledger.records import LedgerRecord, Opening
from waystation.wire.usage import Usage

CREATED_MS = 1_780_000_000_123  # 2026-05-28T20:26:40.123Z
EXPIRES_MS = CREATED_MS + 150_000
NOW_MS = EXPIRES_MS + 1
USER = "U#alice"
SK = "REQ#01JZZZZZZZZZZZZZZZZZZZZZZZ"
HOLD = 100_000
ESTIMATED = 20 * 1000  # what the estimated input of OPENING costs
COST = 10 * 1000 + 5 * 2000
RATES = Rates(Decimal(1), Decimal(2), Decimal(1), Decimal(1))

OPENING = Opening(
    request_id=SK.removeprefix("REQ#"),
    user_id="alice",
    key_id="k1",
    endpoint="Acme",
    model="acme-large",
    kind="chat",
    config_version="v1",
    created_at_ms=CREATED_MS,
    expires_at_ms=EXPIRES_MS,
    estimated_input_tokens=20,
    rates=RATES,
    conversation_id="c1",
)
DRAWING = replace(OPENING, hold_nanousd=HOLD, draws=True)

SETTLED = LedgerRecord(
    request_id=OPENING.request_id,
    user_id="alice",
    key_id="k1",
    endpoint="Acme",
    model="acme-large",
    kind="chat",
    state="SETTLED",
    config_version="v1",
    created_at_ms=CREATED_MS,
    settled_at_ms=CREATED_MS + 1000,
    usage=Usage(10, 5, cache_read_tokens=4),
    rates=RATES,
    cost_nanousd=COST,
)
RELEASED = replace(
    SETTLED, state="RELEASED", usage=None, rates=None, cost_nanousd=0, error_code="upstream_error"
)


def drawn(record: LedgerRecord) -> LedgerRecord:
    """Return a record as one that draws on the balance."""
    return replace(record, hold_nanousd=HOLD, draws=True)


class InMemoryQueue:
    """A queue that keeps its messages, or is down."""

    def __init__(self, *, is_down: bool = False) -> None:
        self.is_down = is_down
        self.messages: list[str] = []

    async def send(self, body: str) -> None:
        if self.is_down:
            raise QueueError("the queue is down")
        self.messages.append(body)


async def no_pause(longest_s: float) -> None:
    """Wait for nothing."""


def ledger_over(table: Table, outbox: InMemoryQueue | None = None, **changes: Any) -> TableLedger:
    """Return a ledger at NOW_MS that never pauses."""
    return TableLedger(table, outbox, lambda: NOW_MS, pause=no_pause, **changes)


async def put_balance(table: Table, avail: int, **changes: object) -> None:
    """Give alice a balance of which nothing is spent."""
    item = {"PK": USER, "SK": "BAL", "avail": avail, "held": 0, "spent": 0, "granted": avail}
    await table.transact(Put(item | {"inflight": 0, "started": True, "last_refill": 0} | changes))


async def hold(table: Table, opening: Opening = DRAWING) -> None:
    """Put an open record and its hold, as a reserve leaves them."""
    await table.put(opening.to_item())
    held = opening.hold_nanousd
    balance = dict(await table.get(USER, "BAL") or {})
    balance["avail"] = int(str(balance["avail"])) - held
    await table.put(balance | {"held": held, "inflight": 1})


async def record_of(table: Table) -> Item:
    """Return the one record of alice's."""
    (item,) = await table.query(USER, "REQ#")
    return item


async def balance_of(table: Table) -> tuple[object, ...]:
    """Return avail, held, spent and inflight of alice's balance."""
    item = await table.get(USER, "BAL")
    assert item is not None
    return tuple(item[name] for name in ("avail", "held", "spent", "inflight"))


async def sums_of(table: Table) -> dict[str, int]:
    """Return the counts of alice's sums that are not zero."""
    (item,) = await table.query("A#alice#2026-05")
    return {name: n for name, n in item.items() if isinstance(n, int) and n}
