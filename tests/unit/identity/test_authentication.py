"""Who calls, told from headers."""

import pytest

from tests.support.fakes import BrokenTable, Clock, StaticSecrets
from waystation.errors import (
    InvalidApiKeyError,
    InvalidHeaderValueError,
    LedgerUnavailableError,
    SecretUnavailableError,
)
from waystation.identity.authentication import Authenticator, KeyHolders
from waystation.identity.gateway_keys import GatewayKeys, revoke_key, store_key
from waystation.identity.presented import Presented
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
    return by_keys(GatewayKeys(table, now=Clock()), secrets), info.key_id


def by_keys(keys: GatewayKeys, secrets: StaticSecrets) -> Authenticator:
    return Authenticator(keys=KeyHolders(keys, secrets))


async def test_key_tells_the_caller():
    authenticator, key_id = await build(InMemoryTable())
    assert await authenticator.authenticate(Presented(BEARER)) == Caller(ALICE, key_id)


async def test_untrusted_key_asserts_nobody():
    authenticator, key_id = await build(InMemoryTable(), is_admin=True)
    headers = {**BEARER, "x-librechat-user-id": "bob", "x-librechat-user-name": "b64:?"}
    assert await authenticator.authenticate(Presented(headers)) == Caller(
        ALICE, key_id, is_admin=True
    )


async def test_trusted_key_asserts_a_user_in_place_of_its_own():
    authenticator, key_id = await build(InMemoryTable(), is_trusted=True)
    headers = {**BEARER, "x-librechat-user-id": "bob", "x-librechat-user-email": "bob@b.test"}
    assert await authenticator.authenticate(Presented(headers)) == Caller(
        User("bob", {"email": "bob@b.test"}), key_id, is_trusted=True
    )


async def test_admin_who_speaks_for_another_has_the_others_rights():
    authenticator, key_id = await build(InMemoryTable(), is_trusted=True, is_admin=True)
    headers = {**BEARER, "x-librechat-user-id": "bob", "x-librechat-user-role": "ADMIN"}
    asserted = Caller(User("bob", {"role": "ADMIN"}), key_id, is_trusted=True)
    assert await authenticator.authenticate(Presented(headers)) == asserted
    own = Caller(ALICE, key_id, is_trusted=True, is_admin=True)
    assert await authenticator.authenticate(Presented(BEARER)) == own


async def test_trusted_key_that_asserts_nobody_is_its_own_user():
    authenticator, key_id = await build(InMemoryTable(), is_trusted=True)
    assert await authenticator.authenticate(Presented(BEARER)) == Caller(
        ALICE, key_id, is_trusted=True
    )


async def test_trusted_key_that_asserts_a_user_without_id_is_told():
    authenticator, _ = await build(InMemoryTable(), is_trusted=True)
    with pytest.raises(InvalidHeaderValueError) as caught:
        await authenticator.authenticate(
            Presented({**BEARER, "x-librechat-user-email": "bob@b.test"})
        )
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
        await authenticator.authenticate(Presented(headers))
    assert (caught.value.status, caught.value.to_envelope()) == (401, REFUSAL)
    assert caught.value.headers == {"www-authenticate": "Bearer"}


async def test_revoked_key_looks_like_an_unknown_one():
    table = InMemoryTable()
    authenticator, key_id = await build(table)
    await revoke_key(table, key_id)
    with pytest.raises(InvalidApiKeyError) as caught:
        await authenticator.authenticate(Presented(BEARER))
    assert caught.value.to_envelope() == REFUSAL


async def test_without_a_pepper_no_key_can_be_checked():
    authenticator = by_keys(GatewayKeys(InMemoryTable(), now=Clock()), StaticSecrets())
    with pytest.raises(SecretUnavailableError) as caught:
        await authenticator.authenticate(Presented(BEARER))
    assert (caught.value.status, caught.value.code) == (503, "secret_unavailable")


async def test_without_the_table_no_key_can_be_checked():
    secrets = StaticSecrets(_KEY_PEPPER=PEPPER)
    authenticator = by_keys(GatewayKeys(BrokenTable(), now=Clock()), secrets)
    with pytest.raises(LedgerUnavailableError) as caught:
        await authenticator.authenticate(Presented(BEARER))
    assert (caught.value.status, caught.value.code) == (503, "ledger_unavailable")


class Marked:
    """A way to identify that knows everyone, and remembers whom it was asked about."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[str] = []

    async def identify(self, credential: str) -> Caller:
        self.asked.append(credential)
        return Caller(User(self.name), self.name)


TOKEN_FORM = "eyJhbGciOiJub25lIn0.e30.c2ln"  # {"alg":"none"}


@pytest.mark.parametrize(
    ("credential", "way"),
    [
        (TOKEN_FORM, "tokens"),
        ("sk-way-1", "keys"),
        ("a.b.c", "keys"),
        ("eyJ0eXAiOiJKV1QifQ.e30.c2ln", "keys"),  # {"typ":"JWT"}
        (f"{TOKEN_FORM}.x", "keys"),
        ("eyJhbGciOiJub25lIn0.e30", "keys"),
    ],
    ids=["token", "key", "dots", "no alg", "three dots", "one dot"],
)
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
async def test_form_alone_tells_a_token_from_a_key(credential, way, header):
    keys, tokens = Marked("keys"), Marked("tokens")
    value = f"Bearer {credential}" if header == "authorization" else credential
    caller = await Authenticator(keys=keys, tokens=tokens).authenticate(Presented({header: value}))
    assert caller.key_id == way
    assert (keys.asked + tokens.asked) == [credential]


async def test_one_way_alone_takes_every_form():
    for authenticator in (Authenticator(keys=Marked("one")), Authenticator(tokens=Marked("one"))):
        for credential in (TOKEN_FORM, "sk-way-1"):
            presented = Presented({"x-api-key": credential})
            assert (await authenticator.authenticate(presented)).key_id == "one"


async def test_without_any_way_nobody_is_let_in():
    with pytest.raises(InvalidApiKeyError):
        await Authenticator().authenticate(Presented(BEARER))
