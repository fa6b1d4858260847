"""What is read of the ledger to sum it up, and what is not."""

from collections.abc import Sequence

import pytest

from tests.support.fakes import BrokenTable
from tests.support.spending import made, settle
from waystation.aws.table import Item, TableError
from waystation.ledger.usage_queries import Only, Span, TooMuchUsageError, UsageQueries
from waystation.wire.moments import read_moment
from waystation_cli.local.memory_table import InMemoryTable

LONG = "x" * 300


def span(first: str, last: str) -> Span:
    return Span(read_moment(first), read_moment(last))


NOVEMBER = span("2026-11-01", "2026-12-01")


@pytest.fixture
async def table() -> InMemoryTable:
    table = InMemoryTable()
    await settle(
        table,
        made("2026-10-31T23:59:59.999Z", 1),
        made("2026-11-01T00:00:00Z", 2, conversation_id="c-1"),
        made("2026-11-15T12:00:00Z", 3, model="small", conversation_id="c-1"),
        made("2026-11-15T12:00:00Z", 4, endpoint="Acme#2", conversation_id="c-2"),
        made("2026-11-30T23:59:59.999Z", 5, user_id="bob/é"),
        made("2026-12-01T00:00:00Z", 6, user_id=LONG),
    )
    return table


def days(portions: Sequence[object]) -> list[tuple[str, str, str]]:
    return sorted((one.day, one.endpoint, one.model) for one in portions)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-11-01", "2026-11-02", ["2026-11-01"]),
        ("2026-10-31", "2026-11-01", ["2026-10-31"]),
        ("2026-11-02", "2026-11-15", []),
        ("2026-01-01", "2027-01-01", ["2026-10-31", "2026-11-01", "2026-11-15", "2026-11-15"]),
    ],
)
async def test_aggregates_of_a_user_are_those_of_the_days(table, first, last, expected):
    found = await UsageQueries(table).aggregates_of("alice", span(first, last), limit=99)
    assert [day for day, _, _ in days(found)] == expected


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (Only(endpoint="Acme"), [("Acme", "large"), ("Acme", "small")]),
        (Only(endpoint="Acme#2"), [("Acme#2", "large")]),
        (Only(endpoint="Acm"), []),
        (Only(model="large"), [("Acme", "large"), ("Acme#2", "large")]),
        (Only(endpoint="Acme", model="small"), [("Acme", "small")]),
    ],
)
async def test_endpoint_and_model_narrow_what_is_read(table, only, expected):
    queries = UsageQueries(table)
    for found in (
        await queries.aggregates_of("alice", NOVEMBER, only, limit=99),
        await queries.records_of("alice", NOVEMBER, only, limit=99),
    ):
        assert sorted((one.endpoint, one.model) for one in found) == expected


async def test_everybodys_aggregates_are_found_by_the_index(table):
    queries = UsageQueries(table)
    found = await queries.everybodys_aggregates(NOVEMBER, limit=99)
    assert sorted({one.user for one in found}) == ["alice", "bob/é"]
    late = await queries.everybodys_aggregates(span("2026-11-30", "2026-12-02"), limit=99)
    assert sorted(one.user for one in late) == ["bob/é", "x" * 183 + "~0d4e2ca9e9cbced7"]
    large = await queries.everybodys_aggregates(NOVEMBER, Only("Acme", "small"), limit=99)
    assert [(one.user, one.model) for one in large] == [("alice", "small")]


async def test_records_are_those_between_the_moments(table):
    queries = UsageQueries(table)
    exact = span("2026-11-15T12:00:00Z", "2026-11-15T12:00:00.001Z")
    assert len(await queries.records_of("alice", exact, limit=99)) == 2
    before = span("2026-11-15T11:00:00Z", "2026-11-15T12:00:00Z")
    assert await queries.records_of("alice", before, limit=99) == []
    of_one = await queries.records_of("alice", NOVEMBER, Only(conversation="c-1"), limit=99)
    assert {one.conversation for one in of_one} == {"c-1"}
    assert len(of_one) == 2


async def test_record_is_found_by_its_time_though_its_id_is_older(table):
    """A title's id is that of its chat; its time is when it was made."""
    record = made("2026-11-20T10:00:00Z", 7)
    late = made("2026-11-20T10:40:00Z", request_id=record.request_id)
    await settle(table, late)
    found = await UsageQueries(table).records_of(
        "alice", span("2026-11-20T10:30:00Z", "2026-11-21"), limit=99
    )
    assert len(found) == 1


async def test_no_more_is_read_than_allowed(table):
    queries = UsageQueries(table)
    year = span("2026-01-01", "2027-01-01")
    assert len(await queries.aggregates_of("alice", year, limit=4)) == 4
    assert len(await queries.records_of("alice", year, limit=4)) == 4
    assert len(await queries.everybodys_aggregates(year, limit=6)) == 6
    with pytest.raises(TooMuchUsageError):
        await queries.aggregates_of("alice", year, limit=3)
    with pytest.raises(TooMuchUsageError):
        await queries.records_of("alice", year, limit=3)
    with pytest.raises(TooMuchUsageError):
        await queries.everybodys_aggregates(year, limit=5)


async def test_no_read_asks_for_more_than_what_is_left(table: InMemoryTable):
    asked: list[int] = []

    class CountingTable(InMemoryTable):
        async def between(
            self, pk: str, first: str, last: str, *, limit: int, newest_first: bool = False
        ) -> Sequence[Item]:
            asked.append(limit)
            return await table.between(pk, first, last, limit=limit)

    await UsageQueries(CountingTable()).aggregates_of("alice", NOVEMBER, limit=9)
    assert asked == [10]


async def test_table_that_does_not_answer_is_told():
    queries = UsageQueries(BrokenTable())
    for read in (queries.aggregates_of, queries.records_of):
        with pytest.raises(TableError):
            await read("alice", NOVEMBER, limit=9)
    with pytest.raises(TableError):
        await queries.everybodys_aggregates(NOVEMBER, limit=9)


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2026-11-01", "2026-12-01", ["2026-11"]),
        ("2026-11-30", "2026-12-01T00:00:00.001Z", ["2026-11", "2026-12"]),
        ("2025-12-31", "2026-01-02", ["2025-12", "2026-01"]),
    ],
)
def test_months_are_those_that_are_touched(first, last, months):
    assert span(first, last).months() == months


def test_span_is_widened_to_whole_days():
    told = span("2026-11-05T10:00:00Z", "2026-11-06T00:00:00.001Z").widened()
    assert told == span("2026-11-05", "2026-11-07")
    assert NOVEMBER.widened() == NOVEMBER
