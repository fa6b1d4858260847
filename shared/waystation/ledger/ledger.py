"""Writes records: opens each before its upstream works, and ends it exactly once."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, cast

from waystation.aws.queue import Queue, QueueError
from waystation.aws.table import IS_NEW, Item, Put, Table, TableError, TableUnsureError
from waystation.errors import GatewayError, LedgerUnavailableError
from waystation.ledger.balances import BalanceRules
from waystation.ledger.outbox import MessageKind, read_message, write_message
from waystation.ledger.records import LedgerRecord, Opening, released
from waystation.ledger.reserving import Reserving
from waystation.ledger.retries import Patient, random_pause, to_its_end
from waystation.ledger.settling import (
    FINAL,
    SweepPolicy,
    as_opened,
    expire_writes,
    settle_writes,
)
from waystation.wire.moments import write_moment

OPEN_S = 1.0
RESERVE_S = 2.0
SETTLE_S = 1.8  # with the queue's time, less than what is kept of a function's time for it
QUEUE_S = 0.8
BACKGROUND_S = 2.0  # where no client waits
MAX_ROUNDS = 4  # a record moves at most twice: it expires, and is settled after all

ExpireResult = Literal["expired", "not_open", "not_yet"]

_log = logging.getLogger("waystation.ledger")


class Ledger(Protocol):
    async def open(self, opening: Opening) -> None:
        """Make durable that a request is under way. Never raises: the request goes on."""

    async def reserve(self, opening: Opening, balance: BalanceRules | None) -> None:
        """Open a record only if its hold, and its idempotency key, can be had with it.

        Raises InsufficientBalanceError, RateLimitedError, IdempotencyInProgressError,
        IdempotencyCompletedError, IdempotencyKeyReusedError, LedgerUnavailableError.
        """

    async def settle(self, record: LedgerRecord) -> None:
        """Make the record durable. Never raises: an answer that was given is not spoiled."""


class TableLedger:
    """The ledger in the table. What the table does not take in time goes to the queue.

    What neither takes is written whole to the log, as `ledger_open_unwritten` or
    `ledger_settle_unwritten`, from where it can be put back.
    """

    def __init__(
        self,
        table: Table,
        outbox: Queue | None,
        now_ms: Callable[[], int],
        *,
        policy: SweepPolicy = "estimate",
        pause: Callable[[float], Awaitable[None]] = random_pause,
    ) -> None:
        """Take the time in ms since 1970, and how to wait at most so many seconds."""
        self._table = table
        self._outbox = outbox
        self._now_ms = now_ms
        self._policy: SweepPolicy = policy
        self._patient = Patient(table, pause)

    async def open(self, opening: Opening) -> None:
        item = opening.to_item()
        try:
            await self._open(item, OPEN_S)
        except Exception as error:  # whatever it is, the request goes on
            await self._defer("open", item, error)

    async def reserve(self, opening: Opening, balance: BalanceRules | None) -> None:
        reserving = Reserving(self._patient, opening, balance, self._now_ms)
        try:
            await reserving.run(_in(RESERVE_S))
        except (TableError, GatewayError, asyncio.CancelledError) as error:
            if reserving.is_unsure or isinstance(error, asyncio.CancelledError):
                await to_its_end(self._undo(opening, error))
            if not isinstance(error, TableError):
                raise
            told = {"request_id": opening.request_id, "cause": str(error)}
            _log.error("ledger_unavailable", extra=told)
            raise LedgerUnavailableError("The ledger does not answer: try again.") from error

    async def settle(self, record: LedgerRecord) -> None:
        item = record.to_item()
        try:
            await self._settle(item, SETTLE_S)
        except Exception as error:  # whatever it is, the answer stands
            await self._defer("settle", item, error)

    async def apply(self, message: str) -> None:
        """Do what a message of the queue says; what was done before is left as it is.

        Raises TableError if the table does not take it now, OutboxMessageError if it never will.
        """
        told = read_message(message)
        if told.kind == "open":
            await self._open(told.item, BACKGROUND_S)
        else:
            await self._settle(told.item, BACKGROUND_S)

    async def expire(self, user_pk: str, sk: str) -> ExpireResult:
        """End an open record whose time is over, as the policy says. Raises TableError."""
        before = await self._table.get(user_pk, sk)
        if before is None or before["state"] != "RESERVED":
            return "not_open"
        now_ms = self._now_ms()
        if cast("int", before["expires_at"]) > now_ms:
            return "not_yet"
        writes = expire_writes(before, self._policy, now_ms)
        refusal = await self._patient.transact(writes, ends_at=_in(BACKGROUND_S))
        if refusal is None:
            return "expired"
        found = refusal[0].item if refusal[0] is not None else None
        is_ours = found is not None and found.get("settled_at") == write_moment(now_ms)
        return "expired" if is_ours else "not_open"

    async def _undo(self, opening: Opening, cause: BaseException) -> None:
        """End what may have been reserved: the table may still be about to write it."""
        code = cause.code if isinstance(cause, GatewayError) else LedgerUnavailableError.code
        record = released(opening, now_ms=self._now_ms(), error_code=code)
        if self._outbox is None:
            await self.settle(record)
        else:
            await self._defer("settle", record.to_item(), cause)

    async def _open(self, item: Item, within_s: float) -> None:
        """Put an open record, unless there is one: its end may have come first."""
        await self._patient.transact([Put(item, IS_NEW)], ends_at=_in(within_s))

    async def _settle(self, final: Item, within_s: float) -> None:
        """Make a record final, from whatever state it is in; once. Raises TableError."""
        ends_at, before, has_key = _in(within_s), cast("Item | None", as_opened(final)), True
        for _ in range(MAX_ROUNDS):
            settling = settle_writes(final, before, frees_key=has_key)
            refusal = await self._patient.transact(settling.writes, ends_at=ends_at)
            if refusal is None:
                return
            if refusal[0] is not None:
                before = refusal[0].item
                if before is not None and before["state"] in FINAL:
                    return  # by an earlier try, or by another
            if settling.has_key and refusal[-1] is not None:
                has_key = False  # another request has taken it over, or it is forgotten
        raise TableUnsureError("the record does not stay as it is")

    async def _defer(self, kind: MessageKind, item: Item, cause: BaseException) -> None:
        """Leave to the queue what the table has not taken; to the log, if that fails too."""
        causes = [str(cause) if isinstance(cause, TableError) else type(cause).__name__]
        if self._outbox is not None:
            try:
                async with asyncio.timeout(QUEUE_S):
                    await self._outbox.send(write_message(kind, item))
            except (QueueError, TimeoutError) as error:
                causes.append(str(error) or "the queue did not answer in time")
            else:
                told = {"request_id": _request_id(item), "cause": causes[0]}
                _log.warning(f"{kind}_deferred", extra=told)
                return
        told = {"record": json.dumps(item), "cause": "; ".join(causes)}
        _log.error(f"ledger_{kind}_unwritten", extra=told)


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def _request_id(item: Item) -> str:
    return str(item["SK"]).removeprefix("REQ#")
