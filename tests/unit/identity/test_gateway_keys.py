"""Gateway keys: made once, stored as digests."""

import json

import pytest

from tests.support.fakes import BrokenTable, Clock
from waystation.aws.table import TableError
from waystation.identity.gateway_keys import (
    CACHE_S,
    MAX_CACHED,
    GatewayKeys,
    KeyInfo,
    digest_of,
    is_possible_key,
    list_keys,
    make_key,
    revoke_key,
    store_key,
)
from waystation.identity.user import Caller, User
from waystation_cli.local.memory_table import InMemoryTable

PEPPER = "a-pepper-of-the-tests"
ALICE = User("alice", {"email": "alice@example.com"})
MADE = "2026-11-22T00:00:00Z"


async def store(table: InMemoryTable, key: str = "key-1", user: User = ALICE, **flags) -> KeyInfo:
    return await store_key(table, key, pepper=PEPPER, user=user, created_at=MADE, **flags)


def test_new_key_is_random_and_told_by_its_prefix():
    keys = {make_key() for _ in range(100)}
    assert len(keys) == 100
    assert {(key[:7], len(key)) for key in keys} == {("sk-way-", 50)}


@pytest.mark.parametrize(("is_trusted", "is_admin"), [(False, False), (True, False), (False, True)])
async def test_stored_key_finds_its_caller(is_trusted, is_admin):
    table = InMemoryTable()
    info = await store(table, is_trusted=is_trusted, is_admin=is_admin)
    found = await GatewayKeys(table, now=Clock()).find("key-1", PEPPER)
    assert found == Caller(ALICE, info.key_id, is_trusted=is_trusted, is_admin=is_admin)


async def test_table_holds_digests_and_no_key():
    table, key = InMemoryTable(), make_key()
    await store(table, key)
    items = [*await table.scan(""), await table.get(f"K#{digest_of(key, PEPPER)}", "KEY")]
    assert len(items) == 3
    assert key not in json.dumps(items)
    assert key.removeprefix("sk-way-") not in json.dumps(items)


async def test_digest_depends_on_the_pepper():
    table = InMemoryTable()
    await store(table)
    assert await GatewayKeys(table, now=Clock()).find("key-1", "another pepper") is None


async def test_same_key_is_not_stored_twice():
    table = InMemoryTable()
    await store(table)
    with pytest.raises(ValueError, match="this key is stored already"):
        await store(table, user=User("mallory"))
    assert [info.user_id for info in await list_keys(table)] == ["alice"]


async def test_keys_are_listed_with_what_may_be_shown():
    table = InMemoryTable()
    one = await store(table, "key-1", is_trusted=True)
    two = await store(table, "key-2", User("bob"), is_admin=True)
    await revoke_key(table, two.key_id)
    expected = [
        KeyInfo(one.key_id, "alice", True, False, MADE, is_revoked=False),
        KeyInfo(two.key_id, "bob", False, True, MADE, is_revoked=True),
    ]
    assert sorted(await list_keys(table), key=lambda info: info.user_id) == expected


async def test_known_key_is_remembered_for_a_minute_and_then_its_revocation_counts():
    table, clock = InMemoryTable(), Clock()
    info = await store(table)
    keys = GatewayKeys(table, now=clock)
    caller = await keys.find("key-1", PEPPER)
    assert await revoke_key(table, info.key_id) is True
    clock.at += CACHE_S - 1
    assert await keys.find("key-1", PEPPER) == caller
    clock.at += 1
    assert await keys.find("key-1", PEPPER) is None
    clock.at -= CACHE_S
    assert await keys.find("key-1", PEPPER) is None


async def test_unknown_key_is_looked_up_every_time():
    table, clock = InMemoryTable(), Clock()
    keys = GatewayKeys(table, now=clock)
    assert await keys.find("key-1", PEPPER) is None
    await store(table)
    assert await keys.find("key-1", PEPPER) is not None


async def test_number_of_remembered_keys_is_bounded():
    table = InMemoryTable()
    keys = GatewayKeys(table, now=Clock())
    for n in range(MAX_CACHED + 5):
        await store(table, f"key-{n}")
        await keys.find(f"key-{n}", PEPPER)
    assert len(keys._known) <= MAX_CACHED


async def test_revoking_an_unknown_key_says_so():
    assert await revoke_key(InMemoryTable(), "0123456789ab") is False


async def test_table_that_is_down_is_an_error_and_no_refusal():
    with pytest.raises(TableError):
        await GatewayKeys(BrokenTable(), now=Clock()).find("key-1", PEPPER)


KEYS = {
    "512 characters": ("k" * 512, True),
    "513 characters": ("k" * 513, False),
    "empty": ("", False),
    "not ASCII": ("ké", False),
    "control character": ("k\x00", False),
}


@pytest.mark.parametrize(("key", "is_possible"), KEYS.values(), ids=KEYS)
def test_keys_are_short_printable_ascii(key, is_possible):
    assert is_possible_key(key) is is_possible
