"""Transactions, ranges and the index of the table: one list of behaviours for both of them."""

import asyncio

import pytest

from waystation.aws.table import EXISTS, IS_NEW, Put, Unmet, Update, When


def item(pk: str = "P", sk: str = "S", **attributes: object) -> dict[str, object]:
    return {"PK": pk, "SK": sk, **attributes}


async def test_writes_of_a_transaction_are_done_together(table):
    await table.put_new(item(sk="2", n=1, gone="x"))
    writes = (
        Put(item(sk="1", map={"a": [1]}), IS_NEW),
        Update("P", "2", set={"state": "B"}, add={"n": -3, "m": 5}, remove=("gone", "never")),
        Update("Q", "new", add={"n": 7}),
    )
    assert await table.transact(*writes) is None
    assert await table.query("P") == [
        item(sk="1", map={"a": [1]}),
        item(sk="2", n=-2, m=5, state="B"),
    ]
    assert await table.get("Q", "new") == item(pk="Q", sk="new", n=7)


async def test_one_unmet_condition_stops_all_and_shows_the_item(table):
    await table.put_new(item(sk="2", n=1))
    refusal = await table.transact(
        Put(item(sk="1")),
        Update("P", "2", add={"n": 1}, when=IS_NEW),
        Update("P", "3", set={"n": 1}, when=EXISTS),
    )
    assert refusal == (None, Unmet(item(sk="2", n=1)), Unmet(None))
    assert await table.query("P") == [item(sk="2", n=1)]


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When(exists=True), True),
        (When(exists=False), False),
        (When(exists=False, or_new=True), False),
        (When(equal={"state": "OPEN", "flag": True}), True),
        (When(equal={"state": "OPEN", "n": 4}), False),
        (When(equal={"nothing": "x"}), False),
        (When(at_least={"n": 5}), True),
        (When(at_least={"n": 6}), False),
        (When(at_least={"nothing": 0}), False),
        (When(below={"n": 6}), True),
        (When(below={"n": 5}), False),
        (When(below={"nothing": 5}), False),
        (When(lacks=("nothing", "never")), True),
        (When(lacks=("nothing", "n")), False),
        (When(exists=True, equal={"state": "OPEN"}, at_least={"n": 5}, below={"n": 6}), True),
        (When(equal={"state": "DONE"}, or_new=True), False),
        (When(), True),
    ],
)
@pytest.mark.parametrize("is_alone", [True, False])
async def test_conditions(table, when, holds, is_alone):
    await table.put_new(item(state="OPEN", n=5, flag=True))
    other = [] if is_alone else [Put(item(sk="other"))]
    refusal = await table.transact(Update("P", "S", set={"n": 9}, when=when), *other)
    assert (refusal is None) is holds
    kept = await table.get("P", "S")
    assert kept["n"] == (9 if holds else 5)
    if refusal is not None:
        assert refusal[0] == Unmet(item(state="OPEN", n=5, flag=True))


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When(), True),
        (When(exists=False), True),
        (When(exists=True), False),
        (When(lacks=("n",)), True),
        (When(equal={"state": "OPEN"}), False),
        (When(equal={"state": "OPEN"}, or_new=True), True),
        (When(at_least={"n": 1}, or_new=True), True),
    ],
)
async def test_conditions_where_there_is_no_item(table, when, holds):
    refusal = await table.transact(Put(item(n=1), when))
    assert refusal == (None if holds else (Unmet(None),))
    assert await table.get("P", "S") == (item(n=1) if holds else None)


async def test_of_many_that_take_from_one_amount_none_takes_too_much(table):
    await table.put_new(item(left=5))
    take = Update("P", "S", add={"left": -2}, when=When(at_least={"left": 2}))
    refusals = await asyncio.gather(*(table.transact(take) for _ in range(6)))
    assert refusals.count(None) == 2
    assert await table.get("P", "S") == item(left=1)


async def test_range_has_an_order_and_a_limit(table):
    for sk in ("R#1", "R#2", "R#3", "R#4", "S#1"):
        await table.put_new(item(sk=sk))
    await table.put_new(item(pk="Q", sk="R#2"))

    async def found(first: str, last: str, limit: int = 9, **how: bool) -> list[object]:
        return [one["SK"] for one in await table.between("P", first, last, limit=limit, **how)]

    assert await found("R#2", "R#4") == ["R#2", "R#3", "R#4"]
    assert await found("R#", "R#~", 2) == ["R#1", "R#2"]
    assert await found("R#", "R#~", 3, newest_first=True) == ["R#4", "R#3", "R#2"]
    assert await found("R#4", "R#2") == []


async def test_range_reads_more_than_one_page(table):
    for n in range(12):
        await table.put_new(item(sk=f"R#{n:02}", text="x" * 200_000))
    found = await table.between("P", "R#", "R#~", limit=11, newest_first=True)
    assert [one["SK"] for one in found] == [f"R#{n:02}" for n in range(11, 0, -1)]


async def test_index_holds_items_while_they_have_its_keys(table):
    for sk, at in (("1", "300"), ("2", "100"), ("3", "200")):
        await table.put_new(item(pk=f"U{sk}", sk=sk, GSI1PK="OPEN#1", GSI1SK=at))
    await table.put_new(item(pk="V", sk="4", GSI1PK="OPEN#2", GSI1SK="100"))
    await table.put_new(item(pk="W", sk="5"))
    assert await table.indexed("OPEN#1", "200", limit=9) == [("U2", "2"), ("U3", "3")]
    assert await table.indexed("OPEN#1", "999", limit=2) == [("U2", "2"), ("U3", "3")]
    await table.transact(Update("U2", "2", remove=("GSI1PK", "GSI1SK")))
    assert await table.indexed("OPEN#1", "999", limit=9) == [("U3", "3"), ("U1", "1")]
    assert await table.indexed("OPEN#3", "999", limit=9) == []
