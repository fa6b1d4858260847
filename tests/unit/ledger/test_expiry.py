"""Records that nobody settled in time, and those that were settled after all."""

from dataclasses import replace

import pytest

from tests.support.faulty_table import Fault, FaultyTable
from tests.support.ledgers import (
    COST,
    DRAWING,
    ESTIMATED,
    EXPIRES_MS,
    HOLD,
    NOW_MS,
    OPENING,
    RELEASED,
    SETTLED,
    SK,
    USER,
    balance_of,
    drawn,
    hold,
    ledger_over,
    no_pause,
    put_balance,
    record_of,
    sums_of,
)
from waystation.aws.table import TableError, TableUnsureError
from waystation.ledger.ledger import TableLedger
from waystation.ledger.settling import SweepPolicy
from waystation.wire.moments import write_moment
from waystation_cli.local.memory_table import InMemoryTable

SUMS = {"requests": 1, "in": 10, "out": 5, "cacheRead": 4, "cost": COST}
ESTIMATE = {"requests": 1, "estimated": 1, "in": 20, "cost": ESTIMATED}


async def drawing_table(avail: int = HOLD) -> InMemoryTable:
    table = InMemoryTable()
    await put_balance(table, avail)
    await hold(table)
    return table


async def test_record_past_its_time_is_charged_as_estimated_and_leaves_the_index():
    table = InMemoryTable()
    ledger = ledger_over(table)
    await ledger.open(OPENING)
    assert await ledger.expire(USER, SK) == "expired"
    item = await record_of(table)
    assert (item["state"], item["cost"], item["usage_source"]) == (
        "EXPIRED",
        ESTIMATED,
        "estimated",
    )
    assert item["tokens"] == {"in": 20, "out": 0}
    assert item["settled_at"] == write_moment(NOW_MS)
    assert not {"GSI1PK", "GSI1SK"} & item.keys()
    assert await sums_of(table) == ESTIMATE


async def test_record_expires_once():
    table = await drawing_table()
    results = [await ledger_over(table).expire(USER, SK) for _ in range(2)]
    assert results == ["expired", "not_open"]
    assert await balance_of(table) == (HOLD - ESTIMATED, 0, ESTIMATED, 0)
    assert await sums_of(table) == ESTIMATE


async def test_record_whose_time_is_not_over_stays_open():
    table = InMemoryTable()
    ledger = TableLedger(table, None, lambda: EXPIRES_MS - 1, pause=no_pause)
    await ledger.open(OPENING)
    assert await ledger.expire(USER, SK) == "not_yet"
    assert await record_of(table) == OPENING.to_item()


async def test_what_is_settled_or_unknown_does_not_expire():
    table = InMemoryTable()
    ledger = ledger_over(table)
    assert await ledger.expire(USER, SK) == "not_open"
    await ledger.settle(SETTLED)
    assert await ledger.expire(USER, SK) == "not_open"
    assert await sums_of(table) == SUMS


@pytest.mark.parametrize(
    ("policy", "cost", "tokens"),
    [
        ("estimate", ESTIMATED, {"in": 20, "out": 0}),
        ("hold", HOLD, {"in": 20, "out": 0}),
        ("release", 0, None),
    ],
)
async def test_policy_says_what_an_expired_hold_costs(
    policy: SweepPolicy, cost: int, tokens: dict[str, int] | None
):
    table = await drawing_table()
    await ledger_over(table, policy=policy).expire(USER, SK)
    assert await balance_of(table) == (HOLD - cost, 0, cost, 0)
    item = await record_of(table)
    assert (item["cost"], item.get("tokens")) == (cost, tokens)


async def test_without_a_hold_the_policy_of_holds_estimates():
    table = InMemoryTable()
    ledger = ledger_over(table, policy="hold")
    await ledger.open(OPENING)
    await ledger.expire(USER, SK)
    assert (await record_of(table))["cost"] == ESTIMATED


async def test_expired_record_without_a_price_has_no_cost():
    table = InMemoryTable()
    ledger = ledger_over(table)
    await ledger.open(replace(OPENING, rates=None))
    await ledger.expire(USER, SK)
    item = await record_of(table)
    assert (item.get("cost"), item["priced"]) == (None, False)
    assert await sums_of(table) == {"requests": 1, "estimated": 1, "unpriced": 1, "in": 20}


async def test_record_settled_late_corrects_what_was_estimated_once():
    table = await drawing_table()
    ledger = ledger_over(table)
    await ledger.expire(USER, SK)
    for _ in range(2):
        await ledger.settle(drawn(SETTLED))
    assert await balance_of(table) == (HOLD - COST, 0, COST, 0)
    assert await sums_of(table) == SUMS
    assert await record_of(table) == drawn(SETTLED).to_item()


async def test_record_released_late_gives_back_what_was_estimated():
    table = await drawing_table()
    ledger = ledger_over(table)
    await ledger.expire(USER, SK)
    await ledger.settle(drawn(RELEASED))
    assert await balance_of(table) == (HOLD, 0, 0, 0)
    assert await sums_of(table) == {"errors": 1}
    assert (await record_of(table))["state"] == "RELEASED"


async def test_late_end_with_another_model_moves_the_sums_of_both():
    table = InMemoryTable()
    ledger = ledger_over(table)
    await ledger.open(OPENING)
    await ledger.expire(USER, SK)
    await ledger.settle(replace(SETTLED, model="acme-small"))
    large, small = await table.query("A#alice#2026-05")
    assert (large["model"], large["requests"], large["cost"]) == ("acme-large", 0, 0)
    assert (small["model"], small["requests"], small["cost"]) == ("acme-small", 1, COST)


async def test_record_that_is_settled_while_it_expires_stays_settled():
    class Slow(InMemoryTable):
        async def get(self, pk, sk):
            item = await super().get(pk, sk)
            await ledger_over(table).settle(drawn(SETTLED))
            return item

    inner = await drawing_table()
    table, slow = inner, Slow()
    slow._items = inner._items
    assert await ledger_over(slow).expire(USER, SK) == "not_open"
    assert await balance_of(table) == (HOLD - COST, 0, COST, 0)
    assert await sums_of(table) == SUMS


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.UNSURE_BEFORE, Fault.UNSURE_AFTER])
async def test_one_fault_leaves_a_record_expired_once(fault: Fault, number: int):
    inner = await drawing_table()
    table = FaultyTable(inner, {number: fault})
    results: list[str] = []
    for _ in range(2):
        try:
            results.append(await ledger_over(table).expire(USER, SK))
        except TableError:
            results.append("failed")
    assert results in (["expired", "not_open"], ["failed", "expired"], ["expired", "failed"])
    assert await balance_of(inner) == (HOLD - ESTIMATED, 0, ESTIMATED, 0)
    assert await sums_of(inner) == ESTIMATE


async def test_table_that_is_down_is_told():
    table = FaultyTable(await drawing_table(), {1: Fault.DOWN})
    with pytest.raises(TableError):
        await ledger_over(table).expire(USER, SK)
    unsure = FaultyTable(await drawing_table(), {1: Fault.UNSURE_BEFORE, 2: Fault.DOWN})
    with pytest.raises(TableUnsureError):
        await ledger_over(unsure).expire(USER, SK)
    assert (await record_of(unsure.inner)) == DRAWING.to_item()
