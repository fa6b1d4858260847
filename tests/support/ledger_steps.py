"""What a test of many steps does with a ledger: requests, what they come to, and their upkeep."""

import json
from collections.abc import Awaitable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest

from tests.support.books import audit
from tests.support.faulty_table import FaultyQueue, FaultyTable
from tests.support.ledger_model import HOUR_MS
from tests.support.ledgers import OPENING, RATES, SETTLED, no_pause
from tests.support.logs import kept_lines
from waystation.aws.table import Item
from waystation.errors import GatewayError
from waystation.ledger.balances import BalanceRules
from waystation.ledger.intervals import Interval
from waystation.ledger.ledger import TableLedger
from waystation.ledger.records import Idempotency, LedgerRecord, Opening
from waystation.upkeep.sweeping import Sweeper
from waystation.wire.usage import Usage
from waystation_cli.local.memory_table import InMemoryTable
from waystation_cli.replaying import find_messages

STARTED_MS = 1_780_000_000_123  # 2026-05-28T20:26:40.123Z
OPEN_MS = 150_000
INPUT = 20  # tokens that each request is estimated to have
RULES = BalanceRules(
    start_nanousd=100_000, refill_nanousd=60_000, refill_every=Interval(1, "hours"), max_inflight=3
)
assert RULES.refill_every.after(0) == HOUR_MS

# What a request may come to: its usage and cost.
ENDS: Mapping[str, tuple[Usage | None, int | None]] = {
    "real": (Usage(10, 5, cache_read_tokens=4, reasoning_tokens=2), 20_000),
    "dear": (Usage(100, 400), 900_000),
    "estimated": (Usage(INPUT, 3, source="estimated"), 26_000),
    "free": (Usage(1, 0), 0),
    "unpriced": (Usage(10, 5), None),
    "nothing": (None, 0),
}


@dataclass
class Asked:
    """A request that may go to its upstream, and the record that its function wants to be kept."""

    opening: Opening
    record: LedgerRecord | None = None

    def end(self, how: str, now_ms: int) -> LedgerRecord:
        """Return the record of its end: the first that was asked for."""
        usage, cost = ENDS[how]
        if self.record is None:
            opening = self.opening
            self.record = replace(
                SETTLED,
                request_id=opening.request_id,
                user_id=opening.user_id,
                endpoint=opening.endpoint,
                model=opening.model,
                kind=opening.kind,
                state="SETTLED" if usage else "RELEASED",
                created_at_ms=opening.created_at_ms,
                settled_at_ms=now_ms,
                usage=usage,
                rates=RATES if usage and cost is not None else None,
                cost_nanousd=cost,
                hold_nanousd=opening.hold_nanousd,
                draws=opening.draws,
                idempotency=opening.idempotency,
            )
        return self.record


class Ledgers:
    """A ledger over a table and an outbox that may fail, its clock, and an event loop's worth."""

    def __init__(self) -> None:
        self.now_ms = STARTED_MS
        self.stored = InMemoryTable()
        self.table = FaultyTable(self.stored)
        self.outbox = FaultyQueue()
        self.ledger = TableLedger(self.table, self.outbox, lambda: self.now_ms, pause=no_pause)
        self._made = 0
        self._until_closed = ExitStack()
        self._lines = self._until_closed.enter_context(kept_lines("waystation.ledger"))
        self._until_closed.enter_context(kept_lines("waystation.upkeep"))
        patch = self._until_closed.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("waystation.ledger.balances.random_pause", no_pause)  # of grants

    def close(self) -> None:
        self._until_closed.close()

    def opening(
        self, user_id: str, hold: int | None, key: Idempotency | None, names: Mapping[str, str]
    ) -> Opening:
        """Return a new request; with a hold it draws on the balance."""
        self._made += 1
        rates = None if names["model"] == "no/price" and hold is None else RATES
        opening = replace(
            OPENING,
            request_id=f"01JZ{self._made:022d}",
            user_id=user_id,
            created_at_ms=self.now_ms,
            expires_at_ms=self.now_ms + OPEN_MS,
            estimated_input_tokens=INPUT,
            rates=rates,
            hold_nanousd=hold or 0,
            draws=hold is not None,
            idempotency=key,
        )
        return replace(opening, **names)  # type: ignore[arg-type]

    async def sweep(self) -> int:
        """Do what upkeep does every few minutes; return how many records it has ended."""
        return (await Sweeper(self.table, self.ledger, self._now).sweep(float("inf"))).swept

    @property
    def unwritten(self) -> list[str]:
        """The messages that can be put back from the log."""
        told = [(line.getMessage(), vars(line).get("record")) for line in self._lines]
        log = "\n".join(json.dumps({"message": m, "record": r}) for m, r in told)
        return list(find_messages(log))

    async def items(self, prefix: str) -> dict[tuple[str, str], Item]:
        """Return what is stored under sort keys that begin so."""
        return {(str(i["PK"]), str(i["SK"])): i for i in await self.stored.scan(prefix)}

    async def audit(self) -> None:
        """Fail unless the books agree, and the index has exactly the open records."""
        audit(await self.stored.scan(""))
        open_keys = {k for k, i in (await self.items("REQ#")).items() if i["state"] == "RESERVED"}
        found = [await self.stored.indexed(f"OPEN#{n}", "9", limit=1000) for n in range(10)]
        indexed = [key for shard in found for key in shard]
        assert (len(indexed), set(indexed)) == (len(open_keys), open_keys)

    def _now(self) -> int:
        return self.now_ms


async def code_of(work: Awaitable[object]) -> str | None:
    """Return the code of the error that a work ends with."""
    try:
        await work
    except GatewayError as error:
        return error.code
    return None
