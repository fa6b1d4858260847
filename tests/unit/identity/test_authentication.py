"""Who calls, told from headers."""

import pytest

from tests.support.fakes import BrokenTable, Clock, StaticSecrets
from waystation.errors import (
    InvalidApiKeyError,
    InvalidHeaderValueError,
    LedgerUnavailableError,
    SecretUnavailableError,
)
from waystation.identity.authentication import Authenticator
from waystation.identity.gateway_keys import GatewayKeys, revoke_key, store_key
from waystation.identity.user import Caller, User
from waystation_cli.local.memory_table import InMemoryTable

PEPPER = "a-pepper-of-the-tests"
ALICE = User("alice", {"role": "USER"})
REFUSAL = {
    "error": {
        "message": "Incorrect API key provided.",
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }
}
BEARER = {"authorization": "Bearer key-1"}


async def build(table: InMemoryTable, **flags) -> tuple[Authenticator, str]:
    info = await store_key(
        table, "key-1", pepper=PEPPER, user=ALICE, created_at="2026-11-22T00:00:00Z", **flags
    )
    secrets = StaticSecrets(_KEY_PEPPER=PEPPER)
    return Authenticator(GatewayKeys(table, now=Clock()), secrets), info.key_id


async def test_key_tells_the_caller():
    authenticator, key_id = await build(InMemoryTable())
    assert await authenticator.authenticate(BEARER) == Caller(ALICE, key_id)


async def test_untrusted_key_asserts_nobody():
    authenticator, key_id = await build(InMemoryTable(), is_admin=True)
    headers = {**BEARER, "x-librechat-user-id": "bob", "x-librechat-user-name": "b64:?"}
    assert await authenticator.authenticate(headers) == Caller(ALICE, key_id, is_admin=True)


async def test_trusted_key_asserts_a_user_in_place_of_its_own():
    authenticator, key_id = await build(InMemoryTable(), is_trusted=True)
    headers = {**BEARER, "x-librechat-user-id": "bob", "x-librechat-user-email": "bob@b.test"}
    assert await authenticator.authenticate(headers) == Caller(
        User("bob", {"email": "bob@b.test"}), key_id, is_trusted=True
    )


async def test_trusted_key_that_asserts_nobody_is_its_own_user():
    authenticator, key_id = await build(InMemoryTable(), is_trusted=True)
    assert await authenticator.authenticate(BEARER) == Caller(ALICE, key_id, is_trusted=True)


async def test_trusted_key_that_asserts_a_user_without_id_is_told():
    authenticator, _ = await build(InMemoryTable(), is_trusted=True)
    with pytest.raises(InvalidHeaderValueError) as caught:
        await authenticator.authenticate({**BEARER, "x-librechat-user-email": "bob@b.test"})
    assert (caught.value.status, caught.value.param) == (400, "x-librechat-user-id")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer unknown"},
        {"authorization": "Bearer key-1", "x-api-key": "key-2"},
        {"authorization": "Basic a2V5LTE="},
        {"x-api-key": "é" * 20},
        {"x-api-key": "x" * 513},
    ],
)
async def test_all_failures_look_the_same(headers):
    authenticator, _ = await build(InMemoryTable())
    with pytest.raises(InvalidApiKeyError) as caught:
        await authenticator.authenticate(headers)
    assert (caught.value.status, caught.value.to_envelope()) == (401, REFUSAL)
    assert caught.value.headers == {"www-authenticate": "Bearer"}


async def test_revoked_key_looks_like_an_unknown_one():
    table = InMemoryTable()
    authenticator, key_id = await build(table)
    await revoke_key(table, key_id)
    with pytest.raises(InvalidApiKeyError) as caught:
        await authenticator.authenticate(BEARER)
    assert caught.value.to_envelope() == REFUSAL


async def test_without_a_pepper_no_key_can_be_checked():
    authenticator = Authenticator(GatewayKeys(InMemoryTable(), now=Clock()), StaticSecrets())
    with pytest.raises(SecretUnavailableError) as caught:
        await authenticator.authenticate(BEARER)
    assert (caught.value.status, caught.value.code) == (503, "secret_unavailable")


async def test_without_the_table_no_key_can_be_checked():
    secrets = StaticSecrets(_KEY_PEPPER=PEPPER)
    authenticator = Authenticator(GatewayKeys(BrokenTable(), now=Clock()), secrets)
    with pytest.raises(LedgerUnavailableError) as caught:
        await authenticator.authenticate(BEARER)
    assert (caught.value.status, caught.value.code) == (503, "ledger_unavailable")
