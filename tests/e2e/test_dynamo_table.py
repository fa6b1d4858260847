"""The table in DynamoDB, and its stand-in in memory: one list of behaviours for both."""

import asyncio

import pytest

from tests.support.emulated_aws import emulated_aws
from tests.support.served_gateway import free_port
from tests.support.tables import open_table
from waystation.aws.table import Put, Table, TableBusyError, TableError, Update


def item(pk: str = "P", sk: str = "S", **attributes: object) -> dict[str, object]:
    return {"PK": pk, "SK": sk, **attributes}


FULL = item(
    text="é😀\x00",
    empty="",
    zero=0,
    large=10**18 + 1,
    negative=-5,
    yes=True,
    no=False,
    nothing=None,
    list=[1, "a", {"b": [2]}],
    map={"in": 1, "deep": {"out": 2}},
)


async def test_item_comes_back_as_it_was(table):
    assert await table.put_new(FULL) is True
    assert await table.get("P", "S") == FULL
    kept = await table.get("P", "S")
    assert [type(kept[name]) for name in ("zero", "yes", "large")] == [int, bool, int]


async def test_absent_item_is_none(table):
    await table.put_new(item())
    assert await table.get("P", "other") is None
    assert await table.get("other", "S") is None


async def test_key_that_is_taken_stays(table):
    await table.put_new(item(n=1))
    assert await table.put_new(item(n=2)) is False
    assert await table.get("P", "S") == item(n=1)


async def test_several_items_are_written_together(table):
    assert await table.put_new(item(sk="1"), item(pk="Q", sk="2")) is True
    assert [await table.get("P", "1"), await table.get("Q", "2")] == [
        item(sk="1"),
        item(pk="Q", sk="2"),
    ]


async def test_several_items_are_all_written_or_none(table):
    await table.put_new(item(sk="2", n=1))
    assert await table.put_new(item(sk="1"), item(sk="2"), item(sk="3")) is False
    assert await table.query("P") == [item(sk="2", n=1)]


async def test_of_many_that_write_at_once_one_succeeds(table):
    written = await asyncio.gather(*(table.put_new(item(n=n)) for n in range(5)))
    assert sorted(written) == [False] * 4 + [True]
    assert await table.get("P", "S") == item(n=written.index(True))


async def test_put_takes_the_place_of_an_item(table):
    await table.put(item(n=1, gone=True))
    await table.put(item(n=2, map={"a": 1}))
    assert await table.query("P") == [item(n=2, map={"a": 1})]


async def test_what_was_put_is_a_copy(table):
    inner = {"a": 1}
    await table.put(item(map=inner))
    inner["a"] = 2
    assert await table.get("P", "S") == item(map={"a": 1})


async def test_delete_removes_one_item_if_it_is_there(table):
    await table.put_new(item(), item(sk="2"))
    for _ in range(2):
        await table.delete("P", "S")
    assert await table.query("P") == [item(sk="2")]


async def test_update_sets_attributes(table):
    await table.put_new(item(a=1, b={"c": 1}))
    assert await table.update("P", "S", {"a": "text", "name": None, "size": [True]}) is True
    assert await table.get("P", "S") == item(a="text", b={"c": 1}, name=None, size=[True])


async def test_update_of_an_absent_item_makes_none(table):
    assert await table.update("P", "S", {"a": 1}) is False
    assert await table.scan("") == []


async def test_query_gives_one_partition_in_order(table):
    for sk in ("b", "a#2", "a#10", "a", "B"):
        await table.put_new(item(sk=sk))
    await table.put_new(item(pk="Q", sk="a"))
    assert [found["SK"] for found in await table.query("P")] == ["B", "a", "a#10", "a#2", "b"]
    assert [found["SK"] for found in await table.query("P", "a#")] == ["a#10", "a#2"]
    assert await table.query("P", "c") == []
    assert await table.query("R") == []


async def test_scan_gives_every_partition(table):
    for pk, sk in (("P", "REQ#1"), ("Q", "REQ#2"), ("Q", "KEY")):
        await table.put_new(item(pk=pk, sk=sk))
    assert sorted(str(found["SK"]) for found in await table.scan("REQ#")) == ["REQ#1", "REQ#2"]


async def test_more_than_one_page_is_read(table):
    for n in range(12):
        await table.put_new(item(sk=f"REQ#{n:02}", text="x" * 200_000))
    expected = [f"REQ#{n:02}" for n in range(12)]
    assert [found["SK"] for found in await table.query("P", "REQ#")] == expected
    assert sorted(str(found["SK"]) for found in await table.scan("REQ#")) == expected


async def test_what_was_read_is_a_copy(table):
    written = item(map={"a": 1})
    await table.put_new(written)
    for found in (
        await table.get("P", "S"),
        *await table.query("P"),
        *await table.scan(""),
        written,
    ):
        found["map"]["a"] = 2
    assert await table.get("P", "S") == item(map={"a": 1})


async def test_what_was_set_is_a_copy(table):
    await table.put_new(item())
    changes = {"map": {"a": 1}}
    await table.update("P", "S", changes)
    changes["map"]["a"] = 2
    assert await table.get("P", "S") == item(map={"a": 1})


async def each_operation(table: Table) -> list[TableError]:
    """Return what each operation raises."""
    raised = []
    for operation in (
        table.get("P", "S"),
        table.put_new(item()),
        table.put_new(item(), item(sk="2")),
        table.put(item()),
        table.delete("P", "S"),
        table.update("P", "S", {"a": 1}),
        table.transact(Put(item()), Update("P", "S2", set={"a": 1})),
        table.query("P"),
        table.between("P", "a", "b", limit=1),
        table.indexed("OPEN", "9", limit=1),
        table.scan("REQ#"),
    ):
        with pytest.raises(TableError) as caught:
            await operation
        raised.append(caught.value)
    return raised


async def test_refusal_is_a_table_error():
    with emulated_aws():
        errors = await each_operation(open_table("nowhere"))
    assert all("ResourceNotFoundException" in str(error) for error in errors)
    assert {type(error) for error in errors} == {TableError}


async def test_table_that_cannot_be_reached_is_a_table_error(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    errors = await each_operation(open_table())
    assert all("NotConnected" in str(error) for error in errors)
    assert {type(error) for error in errors} == {TableBusyError}  # nothing can have been written
