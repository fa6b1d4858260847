"""Requests that are killed, each of a user of its own, and what the ledger has of them."""

import asyncio
import time
from dataclasses import dataclass, replace

from tests.support.anthropic_upstream import events_of, text_block
from tests.support.chat_function import END, USAGE
from tests.support.event_bytes import encoded
from tests.support.fake_lambda import FakeLambda
from tests.support.fake_upstream import DONE, chunk_of
from tests.support.killing import PATIENCE_S, Asked
from tests.support.ledgers import OPENING
from tests.support.served_gateway import chat_body
from waystation.aws.dynamo_table import DynamoTable
from waystation.aws.table import Item
from waystation.ledger.balances import BalanceRules
from waystation.ledger.ledger import TableLedger
from waystation.ledger.records import Idempotency
from waystation.upkeep.sweeping import Sweeper
from waystation.web.ulid import UlidSource

COST = 10 * 2000 + 5 * 6000
GRANTED = 1_000_000_000
LATER_MS = 60 * 60 * 1000

CHUNKS: list[object] = [chunk_of("one"), chunk_of("two"), END, chunk_of(usage=USAGE), DONE]
CLAUDE: list[object] = [encoded(event) for event in events_of(text_block("one"), text_block("two"))]


@dataclass(frozen=True, slots=True)
class Mode:
    """How a request is made, and what its upstream says when it is let."""

    model: str
    events: list[object]
    reserves: bool = False


MODES = {
    "no balance": Mode("Acme/acme-large", CHUNKS),
    "balance and key": Mode("Acme/acme-large", CHUNKS, reserves=True),
    "Anthropic": Mode("Claude/claude", CLAUDE),
}


class KilledRequest:
    """A user's one request."""

    def __init__(self, mode: Mode, chat: FakeLambda, table: DynamoTable, user: str) -> None:
        self.mode = mode
        self.table = table
        self.user = user
        self._chat = chat
        self._asked: Asked | None = None

    @property
    def came(self) -> bytes:
        """What has come of the answer."""
        return b"" if self._asked is None else self._asked.came

    async def ask(self, *, has_balance: bool = True, is_read: bool = True) -> None:
        """Ask. A user with a balance has been granted it before, unless told otherwise."""
        headers = {"Authorization": "Bearer key-of-all", "x-librechat-user-id": self.user}
        if self.mode.reserves:
            headers["Idempotency-Key"] = "once"
        if self.mode.reserves and has_balance:
            balance = {"avail": GRANTED, "granted": GRANTED, "held": 0, "spent": 0, "inflight": 0}
            known = {"PK": f"U#{self.user}", "SK": "BAL", "started": True, "last_refill": 0}
            await self.table.put({**known, **balance})
        body = chat_body(model=self.mode.model, stream=True, max_tokens=100)
        self._asked = Asked(self._chat, headers, body, is_read=is_read)

    async def kill(self) -> None:
        """Kill the function that has the request."""
        assert self._asked is not None
        await self._asked.kill()

    async def until_state(self, state: str) -> None:
        """Wait until the table has a record in this state."""
        end = time.monotonic() + PATIENCE_S
        while [record["state"] for record in await self.items("REQ#")] != [state]:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)

    async def items(self, prefix: str) -> list[Item]:
        """Return what the table has of the user."""
        return list(await self.table.query(f"U#{self.user}", prefix))

    async def sweep(self) -> None:
        """Sweep when the time of every request is over, and once more."""
        ledger = TableLedger(self.table, None, later_ms)
        for _ in range(2):
            ends_at = asyncio.get_running_loop().time() + PATIENCE_S
            swept = await Sweeper(self.table, ledger, later_ms).sweep(ends_at)
            assert (swept.failures, swept.unread) == (0, 0)

    async def apply(self, message: str) -> None:
        """Do what a message of the outbox says."""
        await TableLedger(self.table, None, later_ms).apply(message)

    async def expect(self, state: str | None) -> None:
        """Expect, after a sweep, one record of this state or none, and sums that say the same."""
        await self.sweep()
        records = await self.items("REQ#")
        assert [record["state"] for record in records] == ([] if state is None else [state])
        cost = sum(_cost_of(record) for record in records)
        for record in records:
            assert "GSI1PK" not in record
            (sums,) = await self.table.query(f"A#{self.user}#{str(record['created_at'])[:7]}")
            counts = [sums.get(name, 0) for name in ("requests", "errors", "estimated", "cost")]
            assert counts == [1, 0, int(state == "EXPIRED"), cost]
        if not records:
            month = time.strftime("%Y-%m", time.gmtime())
            assert not await self.table.query(f"A#{self.user}#{month}")
        for balance in await self.items("BAL"):
            assert (balance["held"], balance["inflight"]) == (0, 0)
            assert (balance["granted"], balance["spent"]) == (GRANTED, cost)
            assert balance["avail"] == GRANTED - cost


async def takes_over(request: KilledRequest) -> None:
    """Reserve with the key of a killed request, when its time is over.

    Raises what `Ledger.reserve` does.
    """
    (item,) = await request.items("IDM#") or [{"SK": "IDM#once", "body": "the same"}]
    now_ms = later_ms()
    opening = replace(
        OPENING,
        request_id=UlidSource(lambda: now_ms)(),
        user_id=request.user,
        created_at_ms=now_ms,
        expires_at_ms=now_ms + 2 * LATER_MS,
        hold_nanousd=1000,
        draws=True,
        idempotency=Idempotency(str(item["SK"]), str(item["body"])),
    )
    rules = BalanceRules(start_nanousd=GRANTED)
    await TableLedger(request.table, None, later_ms).reserve(opening, rules)


def later_ms() -> int:
    """Return a time at which that of every request is over."""
    return time.time_ns() // 1_000_000 + LATER_MS


def _cost_of(record: Item) -> int:
    """Return what a record costs, which must be its estimated input, or what the upstream told."""
    tokens, cost = {"in": 10, "out": 5}, COST
    if record["state"] == "EXPIRED":
        estimated = record["estimated_in"]
        assert isinstance(estimated, int)
        tokens, cost = {"in": estimated, "out": 0}, estimated * 2000
    assert cost > 0
    assert (record["tokens"], record["cost"]) == (tokens, cost)
    return cost
