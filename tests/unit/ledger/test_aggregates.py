"""The sums of a user, day, endpoint and model, and where they are."""

from dataclasses import replace

from tests.support.ledgers import COST, RELEASED, SETTLED, ledger_over
from waystation.ledger.aggregates import month_partition
from waystation.ledger.records import SHARDS, shard_of
from waystation.wire.usage import Usage
from waystation_cli.local.memory_table import InMemoryTable

DAY_MS = 24 * 60 * 60 * 1000


async def test_sums_tell_whose_they_are_and_are_in_the_index_of_their_month():
    table = InMemoryTable()
    record = replace(SETTLED, user_id="a#1", endpoint="Acme/EU", model="m" * 300)
    await ledger_over(table).settle(record)
    (item,) = await table.query("A#a%231#2026-05")
    model = "m" * 183 + "~88c6e4c1d9337601"
    assert (item["user_id"], item["endpoint"], item["model"]) == ("a#1", "Acme/EU", model)
    assert item["SK"] == f"M#Acme%2FEU#{model}#28"
    partition = month_partition("2026-05", shard_of("a%231"))
    assert item["GSI1PK"] == partition
    assert await table.indexed(partition, "b", limit=9) == [("A#a%231#2026-05", item["SK"])]


async def test_every_kind_of_request_is_counted_apart():
    table = InMemoryTable()
    usage = Usage(9, 3, 2, 1, 1, "estimated", 1)
    records = [
        SETTLED,
        replace(SETTLED, kind="title"),
        replace(SETTLED, usage=usage, rates=None, cost_nanousd=None),
        RELEASED,
    ]
    for n, record in enumerate(records):
        await ledger_over(table).settle(replace(record, request_id=str(n)))
    (item,) = await table.query("A#alice#2026-05")
    assert {name: n for name, n in item.items() if isinstance(n, int)} == {
        "requests": 3,
        "titles": 1,
        "errors": 1,
        "estimated": 1,
        "unpriced": 1,
        "in": 29,
        "out": 13,
        "cacheRead": 10,
        "cacheWrite": 1,
        "cacheWrite1h": 1,
        "reasoning": 1,
        "cost": 2 * COST,
    }


async def test_day_is_that_of_the_beginning_in_utc():
    table = InMemoryTable()
    for n in range(5):
        at_ms = SETTLED.created_at_ms + n * DAY_MS
        record = replace(SETTLED, request_id=str(n), created_at_ms=at_ms)
        await ledger_over(table).settle(record)
    may = [item["SK"] for item in await table.query("A#alice#2026-05")]
    assert [str(sk)[-2:] for sk in may] == ["28", "29", "30", "31"]
    assert len(await table.query("A#alice#2026-06")) == 1


def test_shards_are_all_used():
    assert {shard_of(str(n)) for n in range(200)} == set(range(SHARDS))
