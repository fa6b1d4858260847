"""Sums of what was used, of aggregates as of records."""

import pytest

from tests.support.spending import failed, made, settle, unpriced
from waystation.ledger.usage_sums import (
    Group,
    Portion,
    Row,
    portion_of_aggregate,
    portion_of_record,
    sum_up,
    total_of,
)
from waystation_cli.local.memory_table import InMemoryTable


def portion(cost: int = 1, **changes: str) -> Portion:
    told = {"user": "alice", "day": "2026-11-01", "endpoint": "Acme", "model": "large"} | changes
    return Portion(**told, counts={"requests": 1, "cost": cost})


async def test_records_and_aggregates_come_to_the_same():
    table = InMemoryTable()
    records = [
        made("2026-11-01T00:00:00Z", 1),
        made("2026-11-01T23:59:59.999Z", 2, kind="title", cost_nanousd=7),
        failed("2026-11-01T12:00:00Z", 3),
        unpriced("2026-11-02T00:00:00Z", 4, conversation_id="c-1"),
        made("2026-11-02T01:00:00Z", 5, endpoint="A#b/%", model="m#1"),
    ]
    await settle(table, *records)
    told = [portion_of_record(item) for item in await table.scan("REQ#")]
    summed = [portion_of_aggregate(item) for item in await table.scan("M#")]
    assert len(summed) == 3
    by: tuple[Group, ...] = ("user", "day", "endpoint", "model")
    rows = sum_up([one for one in told if one is not None], by)
    assert rows == sum_up(summed, by)
    assert [row.group[1:] for row in rows] == [
        ("2026-11-01", "Acme", "large"),
        ("2026-11-02", "A#b/%", "m#1"),
        ("2026-11-02", "Acme", "large"),
    ]
    assert rows[0].counts == {
        "requests": 2,
        "errors": 1,
        "titles": 1,
        "cost": 1007,
        "in": 200,
        "out": 40,
        "cacheRead": 80,
        "cacheWrite": 20,
        "reasoning": 10,
    }
    assert rows[2].counts["unpriced"] == 1


def test_open_record_is_no_portion():
    assert portion_of_record({"PK": "U#a", "SK": "REQ#1", "state": "RESERVED"}) is None


def test_only_records_know_their_conversation():
    record = made("2026-11-01T00:00:00Z", conversation_id="c-1").to_item()
    told = portion_of_record(record)
    assert told is not None
    assert told.value("conversation") == "c-1"


@pytest.mark.parametrize("sk", ["REQ#1", "M#a#b", "M#a#b#01#x", "X#a#b#01"])
def test_item_of_another_kind_is_refused(sk):
    with pytest.raises(ValueError, match="not the key"):
        portion_of_aggregate({"PK": "A#a#2026-11", "SK": sk})


def test_rows_are_by_time_then_the_dearest_first():
    rows = sum_up(
        [
            portion(1, day="2026-11-02"),
            portion(5, day="2026-11-01", model="small"),
            portion(9, day="2026-11-01"),
            portion(5, day="2026-11-01", model="other"),
        ],
        ("model", "day"),
    )
    assert [(row.group, row.counts["cost"]) for row in rows] == [
        (("large", "2026-11-01"), 9),
        (("other", "2026-11-01"), 5),
        (("small", "2026-11-01"), 5),
        (("large", "2026-11-02"), 1),
    ]


def test_no_group_is_one_row():
    assert sum_up([portion(), portion(model="b")], ()) == [Row((), {"requests": 2, "cost": 2})]
    assert sum_up([], ()) == []


def test_months_are_told_of_days():
    rows = sum_up([portion(day="2026-10-31"), portion(day="2026-11-01")], ("month",))
    assert [row.group for row in rows] == [("2026-10",), ("2026-11",)]
    assert total_of(rows).counts == {"requests": 2, "cost": 2}
