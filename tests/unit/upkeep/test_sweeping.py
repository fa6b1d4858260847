"""Open records whose time is over, ended by a sweep over a table in memory."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from tests.support.ledgers import EXPIRES_MS, NOW_MS, OPENING, USER, ledger_over
from tests.support.logs import kept_lines
from waystation.aws.table import TableError
from waystation.ledger.ledger import ExpireResult
from waystation.ledger.records import SHARDS, Opening, shard_of
from waystation.upkeep import sweeping
from waystation.upkeep.sweeping import Sweep, Sweeper
from waystation_cli.local.memory_table import InMemoryTable

POISON = "poison"


class UnreadTable(InMemoryTable):
    """A table that tells nothing of one shard."""

    async def indexed(self, index_pk: str, last: str, *, limit: int) -> Sequence[tuple[str, str]]:
        if index_pk == "OPEN#3":
            raise TableError("the table refused: X")
        return await super().indexed(index_pk, last, limit=limit)


@pytest.fixture
def lines() -> Iterator[list[logging.LogRecord]]:
    logging.getLogger("waystation.upkeep").setLevel(logging.INFO)
    with kept_lines("waystation.upkeep") as lines:
        yield lines
    logging.getLogger("waystation.upkeep").setLevel(logging.NOTSET)


async def test_records_of_every_shard_are_ended(lines: list[logging.LogRecord]):
    table = InMemoryTable()
    ids = _ids_of_every_shard()
    await _open(table, *(replace(OPENING, request_id=one) for one in ids))

    assert await _sweep(table) == Sweep(swept=SHARDS)

    assert {item["state"] for item in await table.query(USER, "REQ#")} == {"EXPIRED"}
    assert [(line.message, vars(line)["swept"]) for line in lines] == [("upkeep_swept", SHARDS)]
    assert await _sweep(table) == Sweep()


async def test_records_that_have_time_are_left_alone():
    table = InMemoryTable()
    await _open(table, replace(OPENING, expires_at_ms=NOW_MS + 1))

    assert await _sweep(table) == Sweep()

    (item,) = await table.query(USER, "REQ#")
    assert item["state"] == "RESERVED"


async def test_record_that_cannot_be_ended_keeps_no_other(
    lines: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sweeping, "PAGE", 2)
    table = InMemoryTable()
    shard = shard_of(POISON)
    others = [one for one in map(str, range(200)) if shard_of(one) == shard][:7]
    await _open(table, *(replace(OPENING, request_id=one) for one in [POISON, *others]))
    item = dict(await table.get(USER, f"REQ#{POISON}") or {})
    await table.put(item | {"rates": {"prompt": "no number"}, "GSI1SK": "0"})  # the oldest of all

    lag_s = (NOW_MS - EXPIRES_MS) // 1000
    assert await _sweep(table) == Sweep(swept=7, failures=1, lag_s=lag_s)

    failed = [vars(line) for line in lines if line.message == "sweep_failed"]
    assert [(line["request_id"], line["cause"]) for line in failed] == [
        (POISON, "InvalidOperation")
    ]


async def test_lag_is_that_of_the_oldest_record_that_is_left():
    table = InMemoryTable()
    await _open(
        table,
        replace(OPENING, request_id="a", expires_at_ms=NOW_MS - 60_000),
        replace(OPENING, request_id="b", expires_at_ms=NOW_MS - 20_000),
    )

    assert await _sweep(table, within_s=0) == Sweep(lag_s=60)

    assert await _sweep(table) == Sweep(swept=2)


async def test_record_that_was_settled_meanwhile_is_no_lag():
    table = InMemoryTable()
    await _open(table, OPENING)
    item = dict(await table.get(USER, f"REQ#{OPENING.request_id}") or {})
    await table.put(item | {"state": "SETTLED"})  # as the index tells it a moment later

    assert await _sweep(table) == Sweep()
    assert await _sweep(table, within_s=0) == Sweep()


async def test_shard_that_cannot_be_read_keeps_no_other(lines: list[logging.LogRecord]):
    table = UnreadTable()
    ids = _ids_of_every_shard()
    await _open(table, *(replace(OPENING, request_id=one) for one in ids))

    assert await _sweep(table) == Sweep(swept=SHARDS - 1, unread=1)

    failed = [vars(line) for line in lines if line.message == "sweep_failed"]
    assert [(line["shard"], line["cause"]) for line in failed] == [(3, "the table refused: X")]
    assert [vars(line)["sweep_failures"] for line in lines if line.message == "upkeep_swept"] == [1]


async def test_table_that_fails_while_it_is_asked_is_told_by_its_cause(
    lines: list[logging.LogRecord],
):
    class Refusing:
        async def expire(self, user_pk: str, sk: str) -> ExpireResult:
            raise TableError("the table refused: Y")

    table = InMemoryTable()
    await _open(table, OPENING)

    swept = await Sweeper(table, Refusing(), lambda: NOW_MS).sweep(_ends_at(60))

    assert (swept.swept, swept.failures) == (0, 1)
    assert [vars(line).get("cause") for line in lines][:1] == ["the table refused: Y"]


def _ids_of_every_shard() -> list[str]:
    found: dict[int, str] = {}
    for number in range(1000):
        found.setdefault(shard_of(str(number)), str(number))
    assert len(found) == SHARDS
    return list(found.values())


async def _open(table: InMemoryTable, *openings: Opening) -> None:
    for opening in openings:
        await table.put(opening.to_item())


async def _sweep(table: InMemoryTable, *, within_s: float = 60) -> Sweep:
    return await Sweeper(table, ledger_over(table), lambda: NOW_MS).sweep(_ends_at(within_s))


def _ends_at(within_s: float) -> float:
    return asyncio.get_running_loop().time() + within_s
