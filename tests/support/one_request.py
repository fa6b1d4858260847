"""One request of alice's over a ledger that fails as told, and everything that comes after it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from tests.support.books import audit
from tests.support.calls import (
    DONE,
    SECRET,
    build_call,
    chunk,
    completion,
    json_answer,
    priced_entry,
    stream_answer,
    usage_chunk,
)
from tests.support.fakes import Reply, ScriptedEgress, StaticSecrets, StaticUserKeys
from tests.support.faulty_table import FaultyQueue, FaultyTable
from tests.support.ledgers import no_pause
from tests.support.logs import kept_lines
from waystation.aws.table import Item, Table, TableError
from waystation.calls.call import Call
from waystation.calls.metered import MeteredCalls
from waystation.config.schema_balance import BalanceSettings
from waystation.egress.client import UpstreamResponse
from waystation.egress.deadlines import Deadline
from waystation.errors import GatewayError
from waystation.ledger.ledger import TableLedger
from waystation.ledger.records import Idempotency
from waystation.upkeep.sweeping import Sweeper
from waystation.wire.events import Finished
from waystation.wire.upstream_request import UpstreamRequest
from waystation_cli.local.memory_table import InMemoryTable
from waystation_cli.replaying import find_messages

STARTED_MS = 1_780_000_000_000
PAST_MS = 3_600_000  # an hour later, every open record's time is over
RICH = BalanceSettings(enabled=True, start_balance=1_000_000)
POOR = BalanceSettings(
    enabled=True, start_balance=0, auto_refill_enabled=True, refill_amount=1_000_000
)
KEY = Idempotency("IDM#k", "body")


@dataclass(frozen=True, slots=True)
class Mode:
    """What kind of request it is, and what becomes of it where nothing fails."""

    is_stream: bool = False
    balance: BalanceSettings | None = None
    key: Idempotency | None = None
    status: int = 200
    expires: bool = False
    has_outbox: bool = True

    @property
    def is_reserved(self) -> bool:
        """Whether it must be in the ledger before it may go out."""
        return self.balance is not None or self.key is not None


class _SlowEgress(ScriptedEgress):
    """An upstream that answers when the record's time is over, and was swept."""

    def __init__(self, request: "OneRequest", *script: Reply) -> None:
        super().__init__(*script)
        self._request = request

    @asynccontextmanager
    async def send(
        self, request: UpstreamRequest, deadline: Deadline
    ) -> AsyncIterator[UpstreamResponse]:
        if self._request.mode.expires:
            self._request.now_ms += PAST_MS
            await self._request.expire()
        async with super().send(request, deadline) as response:
            yield response


class OneRequest:
    """Makes one request, and can make it again; then comes what upkeep does."""

    def __init__(self, mode: Mode, table: FaultyTable, outbox: FaultyQueue) -> None:
        self.mode = mode
        self.now_ms = STARTED_MS
        self.stored = table.inner
        self.table = table
        self.outbox = outbox
        self.egress = _SlowEgress(self, *[self._reply() for _ in range(2)])
        self.answers: list[GatewayError | None] = []
        self.log = ""
        self._ledger = TableLedger(
            self.table, self.outbox if mode.has_outbox else None, self._now, pause=no_pause
        )
        self._calls = MeteredCalls(
            egress=self.egress,
            secrets=StaticSecrets(ACME_KEY=SECRET),
            user_keys=StaticUserKeys(None),
            ledger=self._ledger,
            now_ms=self._now,
        )

    async def make(self, request_id: str) -> GatewayError | None:
        """Make the request; return the error that its client gets, None for its whole answer."""
        self.request_id = request_id
        call = replace(
            build_call(is_stream=self.mode.is_stream, entry=priced_entry()),
            request_id=request_id,
            balance=self.mode.balance,
            idempotency=self.mode.key,
            created_at_ms=self.now_ms,
        )
        with kept_lines("waystation.ledger") as lines:
            error = await self._answer(call)
        told = [(line.getMessage(), vars(line).get("record")) for line in lines]
        self.log += "".join(json.dumps({"message": m, "record": r}) + "\n" for m, r in told)
        self.answers.append(error)
        return error

    async def expire(self) -> None:
        """End the open record, whose time is over, as a sweep does that has found it."""
        with suppress(TableError):
            await self._ledger.expire("U#alice", f"REQ#{self.request_id}")

    async def sweep(self) -> None:
        """Do what upkeep does every few minutes."""
        await Sweeper(self.table, self._ledger, self._now).sweep(float("inf"))

    async def recover(self, *, late_first: bool) -> None:
        """Let everything come to its end: twice what may come twice, in one order or the other."""
        self.table.faults.clear()
        self.outbox.faults.clear()
        if late_first:
            await self.table.let_go()
        else:
            self.now_ms += PAST_MS
            await self.sweep()
        for message in [*self.outbox.messages, *find_messages(self.log), *self.outbox.messages]:
            await self._ledger.apply(message)
        self.outbox.messages.clear()
        self.log = ""
        await self.table.let_go()
        self.now_ms += PAST_MS
        await self.sweep()
        await self.check()

    async def check(self) -> None:
        """Fail unless the books agree."""
        audit(await self.stored.scan(""))

    async def record(self, request_id: str) -> Item | None:
        """Return a record as it is stored."""
        return await self.stored.get("U#alice", f"REQ#{request_id}")

    async def _answer(self, call: Call) -> GatewayError | None:
        try:
            if not call.request.stream:
                body = (await self._calls.complete(call, lambda _: None)).body
                assert body["usage"], "an answer tells its usage"
                return None
            batches = [batch async for batch in self._calls.stream(call, lambda _: None)]
        except GatewayError as error:
            return error
        assert isinstance(batches[-1][-1], Finished)
        return None

    def _reply(self) -> Reply:
        if self.mode.status != 200:
            return json_answer({"error": {"message": "No"}}, self.mode.status)
        if self.mode.is_stream:
            return stream_answer(chunk("Hel"), chunk("lo", "stop"), usage_chunk(), DONE)
        return json_answer(completion())

    def _now(self) -> int:
        return self.now_ms


async def begin(
    mode: Mode, table: FaultyTable | None = None, outbox: FaultyQueue | None = None
) -> OneRequest:
    """Return a request that is still to be made, with what its mode needs in the table."""
    request = OneRequest(mode, table or FaultyTable(InMemoryTable()), outbox or FaultyQueue())
    if mode.balance is POOR:
        await _put_poor_balance(request.stored)
    return request


async def _put_poor_balance(table: Table) -> None:
    """Give alice a start balance of nothing, so long ago that a refill is due."""
    balance = dict.fromkeys(("avail", "held", "spent", "granted", "inflight", "last_refill"), 0)
    await table.put({"PK": "U#alice", "SK": "BAL", "started": True, **balance})
    await table.put({"PK": "U#alice", "SK": "ADJ#start", "amount": 0})
