"""What API Gateway's authorizers found out, in each shape that an event can have."""

import logging

import pytest

from tests.support.logs import kept_lines
from waystation.errors import InvalidApiKeyError
from waystation.identity.authentication import Authenticator
from waystation.identity.authorizer import AuthorizerContext
from waystation.identity.claims import ClaimRules
from waystation.identity.presented import Presented
from waystation.identity.user import Caller, User
from waystation.identity_settings import ClaimSettings

COGNITO = {"sub": "alice", "email": "alice@example.com", "cognito:groups": "staff,admins"}
TOKEN_FIELDS = {"email": "alice@example.com", "openidId": "alice"}
LAMBDA = {"principalId": "user|alice", "email": "alice@example.com", "integrationLatency": 7}


def event(authorizer: object) -> dict[str, object]:
    return {"requestContext": {"authorizer": authorizer, "identity": {"user": "bob"}}}


def identify(authorizer: object, settings: ClaimSettings | None = None) -> Caller:
    rules = ClaimRules(settings or ClaimSettings())
    return AuthorizerContext(rules).identify(event(authorizer))


SHAPES = {
    "REST, Cognito": ({"claims": COGNITO}, User("alice", TOKEN_FIELDS)),
    "REST, Lambda": (LAMBDA, User("user|alice", {"email": "alice@example.com"})),
    "REST, Lambda with LibreChat's names": (
        {**LAMBDA, "id": "alice", "username": "al", "emailVerified": "true", "sub": "bob"},
        User("alice", {"email": "alice@example.com", "username": "al", "emailVerified": "true"}),
    ),
    "REST, Lambda with a text for claims": (
        {**LAMBDA, "claims": "bob", "jwt": "bob", "lambda": "bob"},
        User("user|alice", {"email": "alice@example.com"}),
    ),
    "HTTP, JWT": ({"jwt": {"claims": COGNITO, "scopes": None}}, User("alice", TOKEN_FIELDS)),
    "HTTP, Lambda": (
        {"lambda": {"id": "alice", "name": "Alice", "tags": ["a"], "twoFactorEnabled": False}},
        User("alice", {"name": "Alice", "twoFactorEnabled": "false"}),
    ),
}


@pytest.mark.parametrize(("authorizer", "user"), SHAPES.values(), ids=SHAPES)
def test_every_shape_names_the_user(authorizer, user):
    assert identify(authorizer) == Caller(user, "authorizer")


REFUSED = {
    "nothing": None,
    "empty": {},
    "text": "alice",
    "no principal": {"email": "alice@example.com"},
    "empty principal": {"principalId": ""},
    "no sub": {"claims": {"email": "alice@example.com", "cognito:username": "alice"}},
    "principal beside claims": {"claims": {"email": "alice@example.com"}, "principalId": "alice"},
    "sub is a number": {"claims": {"sub": 7}},
    "id is a list": {"lambda": {"id": ["alice"]}},
    "IAM": {"iam": {"userArn": "arn:aws:iam::123456789012:user/alice"}},
    "control character": {"principalId": "a\x00"},
}


@pytest.mark.parametrize("authorizer", REFUSED.values(), ids=REFUSED)
def test_context_without_a_user_is_refused(authorizer):
    with pytest.raises(InvalidApiKeyError):
        identify(authorizer)


@pytest.mark.parametrize(
    "given", [None, {}, {"requestContext": None}, {"requestContext": []}, {"authorizer": LAMBDA}]
)
def test_event_without_context_is_refused(given):
    with pytest.raises(InvalidApiKeyError):
        AuthorizerContext(ClaimRules(ClaimSettings())).identify(given)


@pytest.mark.parametrize("authorizer", [LAMBDA, {"lambda": LAMBDA}, {"claims": {"tenant": "x"}}])
def test_configured_names_are_used_in_every_shape(authorizer):
    settings = ClaimSettings({"id": "tenant", "name": "email"}, id_prefix="t:")
    claims = {"tenant": "acme", "id": "bob", "sub": "bob", **LAMBDA}
    inner = next(iter(authorizer))
    given = {inner: claims} if inner in {"lambda", "claims"} else claims
    caller = identify(given, settings)
    assert caller.user == User("t:acme", {"name": "alice@example.com"})


@pytest.mark.parametrize("groups", ["admins", "staff,admins", "[staff admins]", ["admins"]])
def test_lists_that_api_gateway_made_a_text_of_are_lists(groups):
    settings = ClaimSettings(admin=("cognito:groups", "admins"))
    assert identify({"claims": {**COGNITO, "cognito:groups": groups}}, settings).is_admin


@pytest.mark.parametrize("groups", ["admin", "superadmins", "[admins2]", "", None, {"admins": 1}])
def test_other_groups_make_no_admin(groups):
    settings = ClaimSettings(admin=("cognito:groups", "admins"))
    assert not identify({"claims": {**COGNITO, "cognito:groups": groups}}, settings).is_admin


@pytest.mark.parametrize("is_trusted", [False, True])
async def test_headers_count_only_beside_a_trusted_context(is_trusted):
    settings = ClaimSettings(trusted=("service", "librechat"))
    context = AuthorizerContext(ClaimRules(settings))
    headers = {"authorization": "Bearer whatever", "x-librechat-user-id": "bob", "x-user-id": "x"}
    found = {**LAMBDA, "service": "librechat" if is_trusted else "other"}
    presented = Presented(headers, [("key", "other")], event(found))
    caller = await Authenticator(context=context).authenticate(presented)
    assert caller.user.id == ("bob" if is_trusted else "user|alice")


def test_log_says_why_and_shows_nothing_of_the_context(caplog):
    caplog.set_level(logging.INFO, "waystation.identity")
    with kept_lines("waystation.identity") as lines, pytest.raises(InvalidApiKeyError):
        identify({"email": "alice@example.com"})
    (line,) = lines
    assert (line.getMessage(), vars(line)["cause"]) == ("context_refused", "no usable subject")
    assert "example.com" not in str(vars(line))
