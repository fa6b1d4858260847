"""Transactions that are asked for again."""

import asyncio

import pytest

from tests.support.faulty_table import Fault, FaultyTable
from waystation.aws.table import (
    IS_NEW,
    Put,
    TableBusyError,
    TableError,
    TableUnsureError,
    Unmet,
)
from waystation.ledger.retries import FIRST_PAUSE_S, MAX_TRIES, Patient, random_pause
from waystation_cli.local.memory_table import InMemoryTable

ITEM = {"PK": "P", "SK": "S"}
WRITES = [Put(ITEM, IS_NEW)]


class Pauses:
    def __init__(self) -> None:
        self.longest: list[float] = []

    async def __call__(self, longest_s: float) -> None:
        self.longest.append(longest_s)


def soon(seconds: float = 10.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_pauses_grow_and_tries_are_limited():
    pauses, table = Pauses(), FaultyTable(InMemoryTable(), always=Fault.BUSY)
    with pytest.raises(TableBusyError):
        await Patient(table, pauses).transact(WRITES, ends_at=soon())
    assert len(table.calls) == MAX_TRIES
    assert pauses.longest == [FIRST_PAUSE_S * 2**n for n in range(MAX_TRIES - 1)]


async def test_no_pause_that_may_take_longer_than_there_is_time():
    pauses, table = Pauses(), FaultyTable(InMemoryTable(), always=Fault.BUSY)
    with pytest.raises(TableBusyError):
        await Patient(table, pauses).transact(WRITES, ends_at=soon(FIRST_PAUSE_S * 0.9))
    assert (len(table.calls), pauses.longest) == (1, [])


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.UNSURE_BEFORE])
async def test_same_writes_are_done_at_last(fault: Fault):
    table = FaultyTable(InMemoryTable(), dict.fromkeys(range(MAX_TRIES - 1), fault))
    assert await Patient(table, Pauses()).transact(WRITES, ends_at=soon()) is None
    assert table.writes == [tuple(WRITES)] * MAX_TRIES
    assert await table.inner.get("P", "S") == ITEM


async def test_refusal_after_an_unanswered_try_shows_what_was_written():
    table = FaultyTable(InMemoryTable(), {0: Fault.UNSURE_AFTER})
    refusal = await Patient(table, Pauses()).transact(WRITES, ends_at=soon())
    assert refusal == (Unmet(ITEM),)


@pytest.mark.parametrize("then", [Fault.BUSY, Fault.DOWN])
async def test_one_unanswered_try_leaves_all_unsure(then: Fault):
    table = FaultyTable(InMemoryTable(), {0: Fault.UNSURE_AFTER}, always=then)
    with pytest.raises(TableUnsureError):
        await Patient(table, Pauses()).transact(WRITES, ends_at=soon())


async def test_refusal_for_good_is_not_repeated():
    table = FaultyTable(InMemoryTable(), always=Fault.DOWN)
    with pytest.raises(TableError):
        await Patient(table, Pauses()).transact(WRITES, ends_at=soon())
    assert len(table.calls) == 1


async def test_no_answer_in_time_is_unsure():
    class Silent(InMemoryTable):
        async def transact(self, *writes):
            await asyncio.Event().wait()

    with pytest.raises(TableUnsureError):
        await Patient(Silent(), Pauses()).transact(WRITES, ends_at=soon(0.01))


async def test_random_pause_ends():
    await random_pause(0.001)
