"""Whom claims name."""

import pytest

from tests.support.fake_upstream import FakeUpstream
from tests.support.tokens import Times, bearer_tokens, settings_of, token
from waystation.identity.authentication import Authenticator
from waystation.identity.claims import ClaimError, ClaimRules
from waystation.identity.presented import Presented
from waystation.identity.user import Caller, User
from waystation.identity_settings import ClaimSettings


async def identify(issuer: FakeUpstream, rules: ClaimSettings | None = None, **claims) -> Caller:
    tokens = bearer_tokens(settings_of(issuer), Times(), rules)
    return await tokens.identify(token("ES256", **claims))


async def test_usual_claims_are_the_users_fields(issuer: FakeUpstream):
    caller = await identify(
        issuer,
        email="alice@example.com",
        email_verified=True,
        name="Älice",
        preferred_username="al",
        role="USER",
        id="bob",
        username="bob",
    )
    assert caller.user == User(
        "alice",
        {
            "email": "alice@example.com",
            "emailVerified": "true",
            "name": "Älice",
            "username": "al",
            "role": "USER",
            "openidId": "alice",
        },
    )
    assert (caller.key_id, caller.is_admin, caller.is_trusted) == ("jwt", False, False)


async def test_configured_claims_are_all_there_is(issuer: FakeUpstream):
    rules = ClaimSettings({"username": "cognito:username", "ldapId": "https://corp/ldap"})
    claims = {"cognito:username": "al", "https://corp/ldap": 7, "email": "alice@example.com"}
    caller = await identify(issuer, rules, **claims)
    assert caller.user == User("alice", {"username": "al", "ldapId": "7"})


@pytest.mark.parametrize("value", [["a"], {"a": 1}, 1.5, None, ""])
async def test_claim_that_is_no_text_is_left_out(issuer: FakeUpstream, value):
    caller = await identify(issuer, ClaimSettings({"name": "n"}), n=value)
    assert caller.user == User("alice")


async def test_prefix_keeps_user_ids_apart(issuer: FakeUpstream):
    caller = await identify(issuer, ClaimSettings(id_prefix="sso:"))
    assert caller.user == User("sso:alice", {"openidId": "alice"})


HOLDING = {
    "text": ("admin", True),
    "list": (["user", "admin"], True),
    "other text": ("administrator", False),
    "text with more": ("user admin", False),
    "commas": ("user,admin", False),
    "other list": (["administrator"], False),
    "list in a list": ([["admin"]], False),
    "object": ({"admin": True}, False),
    "nothing": (None, False),
    "capitals": ("ADMIN", False),
}


@pytest.mark.parametrize(("value", "holds"), HOLDING.values(), ids=HOLDING)
async def test_claim_makes_an_admin_or_a_trusted_caller(issuer: FakeUpstream, value, holds):
    admin = await identify(issuer, ClaimSettings(admin=("groups", "admin")), groups=value)
    trusted = await identify(issuer, ClaimSettings(trusted=("groups", "admin")), groups=value)
    assert (admin.is_admin, admin.is_trusted) == (holds, False)
    assert (trusted.is_admin, trusted.is_trusted) == (False, holds)


async def test_boolean_claim_is_compared_as_text(issuer: FakeUpstream):
    rules = ClaimSettings(admin=("is_admin", "true"))
    assert (await identify(issuer, rules, is_admin=True)).is_admin
    assert not (await identify(issuer, rules, is_admin=False)).is_admin


@pytest.mark.parametrize("is_trusted", [False, True])
async def test_only_a_trusted_token_speaks_for_another_user(issuer: FakeUpstream, is_trusted):
    rules = ClaimSettings(trusted=("service", "librechat"))
    tokens = bearer_tokens(settings_of(issuer), Times(), rules)
    given = token("ES256", service="librechat" if is_trusted else "other")
    headers = {
        "authorization": f"Bearer {given}",
        "x-librechat-user-id": "bob",
        "x-user-id": "bob",
        "x-amzn-oidc-identity": "bob",
    }
    caller = await Authenticator(tokens=tokens).authenticate(Presented(headers))
    assert caller.user.id == ("bob" if is_trusted else "alice")


@pytest.mark.parametrize("fields", [{"name": "name"}, {}], ids=["a field", "the admin's"])
def test_overlong_claim_is_refused(fields):
    rules = ClaimRules(ClaimSettings(admin=("name", "admin")))
    with pytest.raises(ClaimError, match="a claim is too long"):
        rules.caller({"name": "n" * 8193}, "alice", fields=fields, source="jwt")
