"""Titles in the table, one for each conversation of a user."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import BrokenTable, Clock
from waystation.aws.table import TableError
from waystation.titles.store import KEPT_S, StoredTitle, TitleStore
from waystation_cli.local.memory_table import InMemoryTable

NOW_S = 1_780_000_000


class Kept:
    """A store, its table, and its clock in seconds."""

    def __init__(self) -> None:
        self.table = InMemoryTable()
        self.clock = Clock(NOW_S)
        self.store = TitleStore(self.table, now_ms=lambda: int(self.clock() * 1000))


async def test_title_is_begun_and_then_kept():
    kept = Kept()
    assert await kept.store.find("alice", "c1") is None
    assert await kept.store.claim("alice", "c1", "r1")
    assert await kept.store.find("alice", "c1") == StoredTitle("PENDING")
    await kept.store.save("alice", "c1", "A Title")
    assert await kept.store.find("alice", "c1") == StoredTitle("READY", "A Title")


async def test_item_is_as_documented():
    kept = Kept()
    await kept.store.claim("alice", "c1", "r1")
    await kept.store.save("alice", "c1", "A Title")
    assert await kept.table.query("U#alice") == [
        {
            "PK": "U#alice",
            "SK": "TITLE#c1",
            "state": "READY",
            "title": "A Title",
            "conversation_id": "c1",
            "request_id": "r1",
            "ttl": NOW_S + KEPT_S,
        }
    ]


async def test_title_that_failed_has_no_text():
    kept = Kept()
    await kept.store.claim("alice", "c1", "r1")
    await kept.store.fail("alice", "c1")
    assert await kept.store.find("alice", "c1") == StoredTitle("FAILED")


async def test_title_is_begun_once():
    kept = Kept()
    assert await kept.store.claim("alice", "c1", "r1")
    assert not await kept.store.claim("alice", "c1", "r2")
    await kept.store.save("alice", "c1", "A Title")
    assert not await kept.store.claim("alice", "c1", "r1")
    assert await kept.store.find("alice", "c1") == StoredTitle("READY", "A Title")


async def test_others_begin_and_see_their_own():
    kept = Kept()
    await kept.store.claim("alice", "c1", "r1")
    await kept.store.save("alice", "c1", "A Title")
    assert await kept.store.find("bob", "c1") is None
    assert await kept.store.find("alice", "c2") is None
    assert await kept.store.claim("bob", "c1", "r2")
    assert await kept.store.find("alice", "c1") == StoredTitle("READY", "A Title")


async def test_title_expires_on_reading():
    kept = Kept()
    await kept.store.claim("alice", "c1", "r1")
    await kept.store.save("alice", "c1", "A Title")
    kept.clock.at += KEPT_S - 1
    assert await kept.store.find("alice", "c1") == StoredTitle("READY", "A Title")
    kept.clock.at += 1
    assert await kept.store.find("alice", "c1") is None


async def test_what_was_not_begun_is_not_kept():
    kept = Kept()
    await kept.store.save("alice", "c1", "A Title")
    await kept.store.fail("alice", "c2")
    assert await kept.table.query("U#alice") == []


PARTS = st.text(alphabet="ab#/%-TILE23h\x00é", max_size=6) | st.text(min_size=150, max_size=250)


@given(st.tuples(PARTS, PARTS), st.tuples(PARTS, PARTS))
async def test_keys_of_different_conversations_differ(one: tuple[str, str], other: tuple[str, str]):
    kept = Kept()
    assert await kept.store.claim(*one, "r1")
    assert await kept.store.claim(*other, "r2") is (one != other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b"), ("ab", "")),
        (("a#TITLE#b", ""), ("a", "b")),
        (("a", "b#c"), ("a#b", "c")),
        (("a", "%23"), ("a", "#")),
        (("a", "x" * 300), ("a", "x" * 301)),
    ],
    ids=str,
)
async def test_keys_do_not_run_together(one: tuple[str, str], other: tuple[str, str]):
    kept = Kept()
    assert await kept.store.claim(*one, "r1")
    assert await kept.store.find(*other) is None
    assert await kept.store.claim(*other, "r2")


async def test_long_ids_make_short_keys():
    kept = Kept()
    await kept.store.claim("u" * 5000, "c" * 5000, "r1")
    (item,) = await kept.table.scan("TITLE#")
    assert len(str(item["PK"])) + len(str(item["SK"])) < 200
    assert item["conversation_id"] == "c" * 183 + "~11a363b87dbe477b"


async def test_table_that_is_down_is_told():
    store = TitleStore(BrokenTable(), now_ms=lambda: 0)
    for attempt in (
        store.claim("a", "c", "r"),
        store.save("a", "c", "t"),
        store.fail("a", "c"),
        store.find("a", "c"),
    ):
        with pytest.raises(TableError):
            await attempt
