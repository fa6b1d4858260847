"""What others change between a refusal and the next try."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tests.support.ledgers import (
    COST,
    DRAWING,
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
    put_balance,
    record_of,
)
from waystation.aws.table import Refusal, TableUnsureError, Unmet, Write
from waystation.errors import LedgerUnavailableError
from waystation.ledger.balances import BalanceRules
from waystation.ledger.errors import InsufficientBalanceError
from waystation.ledger.records import Idempotency
from waystation_cli.local.memory_table import InMemoryTable

KEYED = replace(OPENING, idempotency=Idempotency("IDM#k", "body"))


class Overtaken(InMemoryTable):
    """A table in which others do something right after the first transaction that is refused."""

    others: Callable[[], Awaitable[None]] | None = None

    async def transact(self, *writes: Write) -> Refusal | None:
        refusal = await super().transact(*writes)
        if refusal is not None and self.others is not None:
            others, self.others = self.others, None
            await others()
        return refusal


class Refusing(InMemoryTable):
    """A table that refuses every transaction, and shows the same items each time."""

    def __init__(self, *shown: Unmet | None) -> None:
        super().__init__()
        self._shown = shown

    async def transact(self, *writes: Write) -> Refusal | None:
        return self._shown


async def test_key_that_becomes_free_meanwhile_is_taken():
    table = Overtaken()
    await ledger_over(table).reserve(replace(KEYED, expires_at_ms=2**43), None)

    async def others() -> None:
        await table.update(USER, "IDM#k", {"state": "free"})

    async def forgotten() -> None:
        await table.delete(USER, "IDM#k")

    stale = {"PK": USER, "SK": "IDM#k", "request_id": "R0", "body": "body", "state": "open"}
    for name, what in (("R2", others), ("R3", forgotten)):
        await table.put(stale | {"expires_at": 0, "ttl": 2**43})
        table.others = what
        await ledger_over(table).reserve(replace(KEYED, request_id=name), None)
        assert (await table.get(USER, "IDM#k") or {})["request_id"] == name


async def test_balance_that_rises_meanwhile_is_enough():
    table = Overtaken()
    await put_balance(table, HOLD - 1, last_refill=0)
    rules = BalanceRules(0)

    async def others() -> None:
        await put_balance(table, HOLD)

    table.others = others
    with pytest.raises(InsufficientBalanceError):  # what was seen is what counts
        await ledger_over(table).reserve(DRAWING, rules)
    await ledger_over(table).reserve(replace(DRAWING, request_id="R2"), rules)


async def test_hold_that_is_written_after_its_refusal_is_prevented():
    class Late(InMemoryTable):
        """The first try is not answered, and is done when all is over."""

        held_up: tuple[Write, ...] = ()

        async def transact(self, *writes: Write) -> Refusal | None:
            if not self.held_up:
                self.held_up = writes
                raise TableUnsureError("no answer")
            return await super().transact(*writes)

    table, queue = Late(), InMemoryQueue()
    await InMemoryTable.put(table, {"PK": USER, "SK": "BAL", "avail": 0, "started": True})
    await InMemoryTable.update(table, USER, "BAL", {"inflight": 0, "held": 0, "spent": 0})
    with pytest.raises(InsufficientBalanceError):
        await ledger_over(table, queue).reserve(DRAWING, BalanceRules(0))
    await ledger_over(table).apply(queue.messages[0])
    await InMemoryTable.update(table, USER, "BAL", {"avail": HOLD})
    assert await table.transact(*table.held_up) is not None
    assert await balance_of(table) == (HOLD, 0, 0, 0)
    assert (await record_of(table))["error_code"] == "insufficient_balance"


async def test_balance_that_is_said_to_be_enough_is_asked_again_and_not_for_ever():
    enough = {"PK": USER, "SK": "BAL", "avail": HOLD, "inflight": 0, "started": True}
    with pytest.raises(LedgerUnavailableError):
        await ledger_over(Refusing(None, Unmet(enough))).reserve(DRAWING, BalanceRules(0))


async def test_record_that_never_stays_as_it_is_goes_to_the_queue():
    queue = InMemoryQueue()
    seen = Unmet(OPENING.to_item())
    await ledger_over(Refusing(seen, None), queue).settle(SETTLED)
    assert len(queue.messages) == 1


async def test_record_that_another_has_ended_meanwhile_stays_as_that_has_left_it():
    table = Overtaken()
    await put_balance(table, HOLD)
    await hold(table)
    await ledger_over(table).expire(USER, SK)

    async def others() -> None:
        await ledger_over(table).settle(drawn(SETTLED))

    table.others = others
    await ledger_over(table).settle(drawn(RELEASED))
    assert (await record_of(table))["state"] == "SETTLED"
    assert await balance_of(table) == (HOLD - COST, 0, COST, 0)
