"""Users' own keys in the table: encrypted, bound to their place, expiring."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import BrokenTable
from tests.support.logs import kept_lines
from waystation.aws.key_service import KeyServiceError
from waystation.credentials.own import OwnCredentials
from waystation.credentials.user_keys import MAX_REMEMBERED, KeptKey, UserKeys
from waystation.errors import (
    ExpiredUserKeyError,
    InvalidBodyError,
    InvalidUserKeyError,
    SecretUnavailableError,
)
from waystation_cli.local.key_service import InMemoryKeyService
from waystation_cli.local.memory_table import InMemoryTable

NOW = 1_780_000_000_000
OWN = OwnCredentials("sk-own-canary-1234", "https://llm.user.test:8443/v1")


class CountingService(InMemoryKeyService):
    """A key service that can be down, and counts what it decrypts."""

    is_down = False
    decrypted = 0

    async def decrypt(self, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
        if self.is_down:
            raise KeyServiceError("KMS refused: AccessDeniedException")
        self.decrypted += 1
        return await super().decrypt(ciphertext, context)

    async def encrypt(self, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        if self.is_down:
            raise KeyServiceError("KMS did not answer: ReadTimeoutError")
        return await super().encrypt(plaintext, context)


@dataclass
class Store:
    """Users' keys with all that they stand upon."""

    table: InMemoryTable = field(default_factory=InMemoryTable)
    service: CountingService = field(default_factory=CountingService)
    now: int = NOW

    def __post_init__(self) -> None:
        self.keys = self.again()

    def again(self) -> UserKeys:
        """Return the keys as another process sees them."""
        return UserKeys(self.table, self.service, now_ms=lambda: self.now)


async def test_what_is_stored_is_found():
    store = Store()
    shown = await store.keys.put("alice", "Acme", OWN, NOW + 1)
    assert shown == KeptKey("1234", "llm.user.test:8443", NOW + 1)
    assert await store.keys.show("alice", "Acme") == shown
    assert await store.again().find("alice", "Acme") == OWN


async def test_the_table_holds_no_secret():
    store = Store()
    await store.keys.put("al/ice", "A#c", OWN, NOW + 1500)
    (item,) = await store.table.scan("")
    assert (item["PK"], item["SK"]) == ("U#al%2Fice", "KEY#A%23c")
    assert item["ttl"] == (NOW + 1500) // 1000 + 30 * 24 * 3600
    assert "canary" not in str(item)
    assert "canary" not in str(base64.b64decode(str(item["ciphertext"])))
    assert item.keys() == {
        "PK",
        "SK",
        "ciphertext",
        "last_characters",
        "host",
        "expires_at",
        "ttl",
    }


@pytest.mark.parametrize(
    ("own", "shown"),
    [
        (OwnCredentials("12345678901"), KeptKey("", None, None)),
        (OwnCredentials("123456789012"), KeptKey("9012", None, None)),
        (OwnCredentials(None, "https://a.test"), KeptKey(None, "a.test", None)),
    ],
    ids=["short", "long", "URL"],
)
async def test_as_much_is_shown_as_gives_nothing_away(own, shown):
    store = Store()
    assert await store.keys.put("alice", "Acme", own, None) == shown
    assert await store.again().show("alice", "Acme") == shown
    assert await store.again().find("alice", "Acme") == own
    (item,) = await store.table.scan("")
    assert {"ttl", "expires_at"}.isdisjoint(item)


async def test_nobody_and_nothing_else_has_it():
    store = Store()
    await store.keys.put("alice", "Acme", OWN, None)
    for user, endpoint in (("bob", "Acme"), ("alice", "acme"), ("alice", "Other")):
        assert await store.keys.find(user, endpoint) is None
        assert await store.keys.show(user, endpoint) is None


async def test_put_replaces_all_of_it():
    store = Store()
    await store.keys.put("alice", "Acme", OWN, NOW + 5)
    assert await store.keys.find("alice", "Acme") == OWN
    await store.keys.put("alice", "Acme", OwnCredentials("another-key-9999"), None)
    assert await store.keys.find("alice", "Acme") == OwnCredentials("another-key-9999")
    assert await store.keys.show("alice", "Acme") == KeptKey("9999", None, None)


async def test_what_is_deleted_is_gone():
    store = Store()
    for endpoint in ("A", "B"):
        await store.keys.put("alice", endpoint, OWN, None)
        await store.keys.put("bob", endpoint, OWN, None)
    await store.table.put_new({"PK": "U#alice", "SK": "REQ#1"})
    assert await store.keys.find("alice", "A") == OWN
    for _ in range(2):
        await store.keys.delete("alice", "A")
    assert await store.keys.find("alice", "A") is None
    assert await store.keys.find("alice", "B") == OWN
    await store.keys.delete_all("alice")
    assert await store.keys.find("alice", "B") is None
    assert await store.keys.find("bob", "A") == OWN
    assert await store.table.get("U#alice", "REQ#1") is not None


async def test_expiry_counts_on_reading_also_of_a_remembered_key():
    store = Store()
    await store.keys.put("alice", "Acme", OWN, NOW + 1000)
    store.now += 999
    assert await store.keys.find("alice", "Acme") == OWN
    store.now += 1
    with pytest.raises(ExpiredUserKeyError, match="'Acme' has expired"):
        await store.keys.find("alice", "Acme")
    assert await store.keys.show("alice", "Acme") == KeptKey(
        "1234", "llm.user.test:8443", NOW + 1000
    )


@pytest.mark.parametrize("part", ["PK", "SK"])
async def test_a_ciphertext_is_of_no_use_in_another_place(part):
    store = Store()
    await store.keys.put("alice", "Acme", OWN, None)
    await store.keys.find("alice", "Acme")
    (item,) = await store.table.scan("")
    place = {"PK": "U#mallory"} if part == "PK" else {"SK": "KEY#Other"}
    await store.table.put({**item, **place})
    user, endpoint = ("mallory", "Acme") if part == "PK" else ("alice", "Other")
    for keys in (store.keys, store.again()):
        with (
            kept_lines("waystation.credentials") as lines,
            pytest.raises(InvalidUserKeyError, match="store it again") as caught,
        ):
            await keys.find(user, endpoint)
        assert caught.value.__cause__ is None
        assert [line.getMessage() for line in lines] == ["user_key_unreadable"]


@pytest.mark.parametrize(
    "document", [b"sk-plain", b"[]", b'"text"', b'{"apiKey": 1}', b'{"baseURL": []}', b"\xff"]
)
async def test_what_is_no_document_of_ours_cannot_be_read(document):
    store = Store()
    await store.keys.put("alice", "Acme", OWN, None)
    (item,) = await store.table.scan("")
    context = {"uid": "alice", "endpoint": "Acme"}
    made = base64.b64encode(await store.service.encrypt(document, context)).decode()
    await store.table.put({**item, "ciphertext": made})
    with pytest.raises(InvalidUserKeyError):
        await store.keys.find("alice", "Acme")


async def test_ciphertext_that_is_no_base64_cannot_be_read():
    store = Store()
    await store.keys.put("alice", "Acme", OWN, None)
    (item,) = await store.table.scan("")
    await store.table.put({**item, "ciphertext": "é"})
    with pytest.raises(InvalidUserKeyError):
        await store.keys.find("alice", "Acme")


async def test_a_chat_does_not_ask_kms_each_time():
    store = Store()
    await store.keys.put("alice", "Acme", OWN, None)
    for _ in range(3):
        await store.keys.find("alice", "Acme")
    store.service.is_down = True
    store.now += 59_999
    assert await store.keys.find("alice", "Acme") == OWN
    store.service.is_down = False
    assert store.service.decrypted == 1
    store.now += 1
    await store.keys.find("alice", "Acme")
    assert store.service.decrypted == 2


async def test_only_so_many_are_remembered():
    store = Store()
    users = [f"user-{n}" for n in range(MAX_REMEMBERED + 1)]
    for user in users:
        await store.keys.put(user, "Acme", OwnCredentials(f"key-of-{user}"), None)
        await store.keys.find(users[0], "Acme")
        assert await store.keys.find(user, "Acme") == OwnCredentials(f"key-of-{user}")
    before = store.service.decrypted
    await store.keys.find(users[0], "Acme")  # the one that was asked for all the time
    assert store.service.decrypted == before
    await store.keys.find(users[1], "Acme")  # the one that was not asked for the longest
    assert store.service.decrypted == before + 1


async def test_kms_that_is_down_is_told_without_its_answer():
    store = Store()
    await store.keys.put("alice", "Acme", OWN, None)
    store.service.is_down = True
    for attempt in (
        store.keys.find("alice", "Acme"),
        store.keys.put("alice", "Acme", OWN, None),
    ):
        with (
            kept_lines("waystation.credentials") as lines,
            pytest.raises(SecretUnavailableError) as caught,
        ):
            await attempt
        assert caught.value.message == "The store of users' own keys cannot be reached."
        assert [line.getMessage() for line in lines] == ["user_keys_unavailable"]
        assert "KMS" in str(vars(lines[0])["cause"])


async def test_a_table_that_is_down_is_told():
    keys = UserKeys(BrokenTable(), InMemoryKeyService(), now_ms=lambda: NOW)
    for attempt in (
        keys.find("alice", "Acme"),
        keys.show("alice", "Acme"),
        keys.put("alice", "Acme", OWN, None),
        keys.delete("alice", "Acme"),
        keys.delete_all("alice"),
    ):
        with pytest.raises(SecretUnavailableError):
            await attempt


async def test_without_kms_nothing_is_stored_or_found():
    keys = UserKeys(InMemoryTable(), None, now_ms=lambda: NOW)
    assert await keys.find("alice", "Acme") is None
    with pytest.raises(SecretUnavailableError, match="stores no keys"):
        await keys.put("alice", "Acme", OWN, None)


async def test_key_and_url_must_fit_into_one_call_of_kms():
    store = Store()
    room = 4096 - len('{"apiKey":""}')
    await store.keys.put("alice", "Acme", OwnCredentials("k" * room), None)
    with pytest.raises(InvalidBodyError, match="4096 bytes"):
        await store.keys.put("alice", "Acme", OwnCredentials("k" * (room + 1)), None)


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
async def test_every_user_and_endpoint_has_a_place_of_its_own(user, endpoint, other, elsewhere):
    store = Store()
    await store.keys.put(user, endpoint, OwnCredentials("one"), None)
    if (other, elsewhere) != (user, endpoint):
        assert await store.keys.find(other, elsewhere) is None
    assert await store.keys.find(user, endpoint) == OwnCredentials("one")
